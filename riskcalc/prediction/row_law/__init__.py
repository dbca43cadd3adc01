"""Finite tables by the row law: leverages of rows, draws of the fit; every equation comes lowered from the theory."""

from riskcalc.prediction.row_law.heavy import heavy_rows, leverages
from riskcalc.prediction.row_law.solver import TableSolver

__all__ = ["TableSolver", "heavy_rows", "leverages"]
