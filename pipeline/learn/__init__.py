"""Labelled opinions → a model, and how good it is.

Order: :mod:`corpus` (labelled files) → :mod:`train` (a model, judged by grouped cross-validation) →
:mod:`registry` (its place under ``models/``) → :mod:`evaluate` (metrics on text it has not seen).
"""
