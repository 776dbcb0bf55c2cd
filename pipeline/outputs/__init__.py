"""What a run writes: private files, whole or absent, the same bytes for the same input.

``folder`` puts files in place together, ``cells`` are the values of csv files, ``files`` the tables of opinions as they are written,
``stored`` as they are read again.
"""
