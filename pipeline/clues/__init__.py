"""Which opinions are clues (问题线索), for the discipline office alone.

Order: :mod:`named` (who is named) and :mod:`words` (money, dates, giving and taking) → :mod:`reasons` (the two close together).
"""
