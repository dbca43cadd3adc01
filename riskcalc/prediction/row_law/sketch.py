"""Tables too large to be taken as they are: some rows stand for all, with an error that halves of them tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.prediction.row_law.fit import fit_rows
from riskcalc.prediction.solvers import NotCovered
from riskcalc.problems import Table

# Rows that are always taken as they are, and entries: of more, rows by chance.
MOST_ROWS, MOST_ENTRIES = 5000, 1 << 22


@dataclass(frozen=True)
class Sketch:
    """The rows of a table that predictions are made of.

    Attributes
    ----------
    table : Table
    off : float
        By how much, relatively, the dense risk may be off that of all rows; zero if these are all.
    """

    table: Table
    off: float = 0.0

    @classmethod
    def of(cls, table: Table, work: Evaluator) -> Self:
        """All rows, or so many by chance; then the dense risks of both halves tell how far off that of the whole is."""
        most = max(MOST_ROWS, MOST_ENTRIES // int(table.n_features))
        if table.n_rows <= most:
            return cls(table)
        order = np.random.default_rng(work.integration.seed).permutation(table.n_rows)[:most]
        ridge = float(as_float(table.ridge))
        try:
            parts = [table.some_rows(rows) for rows in (order, order[: most // 2], order[most // 2 :])]
        except ValueError as error:
            raise NotCovered(f"of {table.n_rows:,} rows {most:,} by chance stand for all, and there {error}") from error
        whole, *halves = (fit_rows(one, ridge, table.fraction, work).state["risk"].item() for one in parts)
        apart, bent = abs(halves[0] - halves[1]) / 2, abs(sum(halves) / 2 - whole)
        return cls(parts[0], max(apart, bent) / whole if whole else 0.0)

    def error(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The integration error with that of the rows; nothing where there is none."""
        if not self.off:
            return {}
        return {"integration_error": np.hypot(values.get("integration_error", 0.0), self.off * values["risk"])}
