"""Labelled opinions → a model, and how good it is.

Order: :mod:`corpus` (labelled files) → :mod:`check` (what they hold) → :mod:`prepare` (counts) → :mod:`linear` (weights) →
:mod:`calibrate` (probabilities, thresholds, bounds) → :mod:`train` (all of it: a model) → :mod:`registry` (its place under
``models/``) → :mod:`evaluate` (:mod:`metrics` on text it has not seen).
"""
