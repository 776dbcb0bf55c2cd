"""The same reading as :mod:`pipeline.classifier.read`, compiled: for inputs of more than a few hundred opinions.

Everything here has a plain counterpart that says what it must give: the same labels and offsets, probabilities within 1e-6.
"""
