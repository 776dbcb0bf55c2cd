"""The rectification ledger (整改台账): what is to be put right, by whom and until when, from round to round.

A row is a (department, issue) with at least five distinct opinions; no text of any opinion is in it.
"""
