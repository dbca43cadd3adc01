"""From problems and procedures to risks: a solver for each kind of problem, and the walk along procedures."""
