"""Predictions of linear Gaussian problems whose features stand in general position to their eigenvectors (T12)."""
