"""Findings → tables, with the statistics. Nothing here sees the text of an opinion."""
