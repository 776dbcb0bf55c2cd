"""People's answers: which opinions to ask about, the sheets that ask, and the store that never forgets an answer."""
