"""Tables → documents. :mod:`facts` collects what they say; :mod:`page` and :mod:`workbook` render it."""
