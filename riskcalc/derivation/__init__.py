"""Derivations: claims, each with its reason and a check that a machine makes, up to the registered formulas."""
