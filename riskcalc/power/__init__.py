"""The power of the checks: wrong formulas, what formulas must satisfy, and how many errors are caught."""
