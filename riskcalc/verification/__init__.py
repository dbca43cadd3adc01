"""Theory beside simulation: what can be verified, and the statistics of agreement."""
