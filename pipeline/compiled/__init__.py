"""Loops over texts, compiled: cleaning, masking, cutting, looking up, finding repeats.

Everything here has a plain counterpart in :mod:`pipeline.text` or beside its caller that says what it must give. Texts go through
in chunks, as one array of code points (:mod:`pipeline.compiled.codes`). numba takes most of a second to load, so that nothing
imports this room before an input is known to be large.
"""
