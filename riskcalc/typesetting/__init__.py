"""Formulas and derivations as documents: articles in LaTeX, and the catalogue."""
