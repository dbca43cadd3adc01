"""From problems and procedures to risks: a solver for each kind of problem, and the walk along procedures."""

from riskcalc.prediction import predict  # noqa: F401  which says how what was read is computed again
