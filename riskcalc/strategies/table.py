"""Tables of a few rows."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from riskcalc.exact import count
from riskcalc.problems import Table
from riskcalc.strategies.numbers import RIDGES, numbers, zero_or
from riskcalc.strategies.problem import SLOPES

# What some rows are multiplied by.
HEAVY = st.sampled_from([1.0, 1.0, 1.0, 10.0])


def table_problems(*, ridge: bool | None = None, max_features: int = 4, max_rows: int = 12) -> st.SearchStrategy[Table]:
    """Tables of a few rows, some of them heavy, of which a sample has any number.

    Parameters
    ----------
    ridge : bool, optional
        Whether there is any; either if not given.
    max_features, max_rows : int >= 1

    Examples
    --------
    >>> from hypothesis import find
    >>> find(table_problems(), lambda table: table.n_rows > 2).X.shape
    (3, 1)
    """
    ridges, most = zero_or(ridge, numbers(*RIDGES)), count(max_features, "max_features")
    longest = max(2, count(max_rows, "max_rows"))

    @st.composite
    def drawn(draw: st.DrawFn) -> Table:
        p, rows = draw(st.integers(1, most)), draw(st.integers(2, longest))
        entries = [[draw(SLOPES) for _ in range(p + 1)] for _ in range(rows)]
        values = np.array(entries) * np.array([[draw(HEAVY)] for _ in range(rows)])
        values[0] += np.where(np.ptp(values, axis=0) == 0, 1.0, 0.0)
        return Table(values[:, :p], values[:, p], draw(st.integers(1, rows - 1)), ridge=draw(ridges))

    return drawn()
