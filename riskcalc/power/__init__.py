"""The power of the checks: wrong formulas, and how many of them are caught."""
