"""Scanned values in a row at which the order of two risks is the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np


@dataclass
class Run:
    """Scanned values in a row at which the order is the same; nan where it is not known."""

    order: float
    first: int
    last: int


def runs_of(orders: np.ndarray, drawn: bool) -> list[Run]:
    """In the order of the scan; of draws (`drawn`) what is not decided between two that are is passed over."""
    return _cleaned(_runs(orders), drawn)


def _runs(orders: np.ndarray) -> list[Run]:
    places = groupby(range(len(orders)), key=lambda i: orders[i] if orders[i] == orders[i] else None)
    several = ((np.nan if key is None else float(key), [*some]) for key, some in places)
    return [Run(key, some[0], some[-1]) for key, some in several]


def _cleaned(runs: list[Run], drawn: bool) -> list[Run]:
    """Without single values between others at which two infinite risks do not compare, or risks that cross happen to be
    equal; nor, of draws, those between others at which nothing is decided.
    """
    found: list[Run] = []
    for i, run in enumerate(runs):
        before, after = (runs[j].order if 0 <= j < len(runs) else np.nan for j in (i - 1, i + 1))
        crossing, single = abs(before * after) == 1, run.first == run.last
        if run.order != run.order:
            passed = single and before == before and after == after
        else:
            passed = run.order == 0 and crossing and (drawn or (single and before != after))
        if passed:
            continue
        if found and found[-1].order == run.order:
            found[-1].last = run.last
        else:
            found.append(Run(run.order, run.first, run.last))
    return found
