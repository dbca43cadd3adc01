"""The grid of a sweep, and how it is cut into blocks of regimes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.problems import Problem
from riskcalc.questions.axes import BUDGETS, check_axis, grid

# Regimes that are predicted together, which bounds the memory that predictions take besides what they find.
REGIMES = 1 << 14


@dataclass(frozen=True)
class Block:
    """A part of a grid: where it is along each axis, and the exact values there."""

    where: tuple[slice, ...]
    values: dict[str, np.ndarray]


@dataclass(frozen=True)
class Grid:
    """Every value of each axis with every other.

    Attributes
    ----------
    axes : dict of str to ndarray
        Exact values, increasing, in the order of the dimensions.
    """

    axes: dict[str, np.ndarray]

    @classmethod
    def of(cls, problem: Problem, over: Any, fix: str) -> Grid:
        """The axes that are asked for; TypeError or ValueError for what is no axis of the problem, or no grid."""
        if not isinstance(over, Mapping):
            raise TypeError(f'over must be a dict such as {{"aspect_ratio": [0.5, 1, 2]}}, got {over!r}')
        if not over:
            raise ValueError('over is empty; give at least one axis, such as {"aspect_ratio": [0.5, 1, 2]}')
        for name in over:
            check_axis(problem, name, fix)
        if len(BUDGETS) == len(over.keys() & set(BUDGETS)):
            raise ValueError(f"over has {' and '.join(BUDGETS)}, which say the same; give one of them")
        return cls({name: grid(name, values) for name, values in over.items()})

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of values."""
        return tuple(map(len, self.axes.values()))

    def blocks(self, batched: Collection[str]) -> list[Block]:
        """The grid in blocks of at most `REGIMES`, which have several values of these axes, and one of each other."""
        whole, pieces = REGIMES, {}
        for name in reversed(self.axes):
            size = max(whole, 1) if name in batched else 1
            pieces[name] = list(_pieces(self.axes[name], size))
            if name in batched:
                whole //= max(len(self.axes[name]), 1)
        return [
            Block(where, {name: self.axes[name][part] for name, part in zip(self.axes, where, strict=True)})
            for where in product(*(pieces[name] for name in self.axes))
        ]

    @property
    def first(self) -> dict[str, np.ndarray]:
        """The first value of each axis."""
        return {name: values[:1] for name, values in self.axes.items()}


def _pieces(values: np.ndarray, size: int) -> Iterator[slice]:
    """Runs of at most so many values, cut at zero: a theory may cover ridges of one sign only."""
    ends = sorted({0, int(np.searchsorted(as_float(values), 0)), len(values)})
    for begin, end in pairwise(ends):
        for start in range(begin, end, size):
            yield slice(start, min(start + size, end))
