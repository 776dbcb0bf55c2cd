"""Text → probabilities (n_opinions, n_labels) → label sets, each label with the clause that spoke."""
