"""Text → clean, masked text → clauses → tokens. The only room that knows the segmenter.

Order: :mod:`normalise` → :mod:`mask` (:mod:`figures`, :mod:`cues`, :mod:`names`) → (:mod:`validity`) → :mod:`clauses` → :mod:`segment`.
Every offset the program writes refers to the masked text.
"""
