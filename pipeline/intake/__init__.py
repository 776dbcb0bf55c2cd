"""Files → opinions and rejections. Rows read = opinions + rejections.

Order: :mod:`files` (which files) → :mod:`sheets` (file → :mod:`rows` of cells) → :mod:`header` (which column is which) →
:mod:`values` (cells → dates, ids, text) → :mod:`reading` (the whole); :mod:`repeats` groups copies afterwards.
Text goes through :mod:`encodings`, :mod:`lines` and :mod:`delimited`; a workbook through :mod:`formulas`, :mod:`workbooks` and,
in a process of its own, :mod:`unpacking`. Whatever a file holds, memory and time are bounded.
"""
