"""Masks that keep a coefficient on a union of intervals: where a score is above a threshold, and what is kept then.

A score is known at points of a grid; between neighbours it is monotone, so that it crosses a threshold at most once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.narrow import narrowed
from riskcalc.references import optimal, symbols

NAMES = ("M0", "M0bar", "M1", "M2c")


@dataclass(frozen=True)
class Runs:
    """Intervals of coefficients: the row of the grid that each belongs to, and its ends; infinite beyond the grid."""

    row: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def each(self, first: np.ndarray, number: np.ndarray) -> Runs:
        """Those of every row for each of `number` others, which are numbered from `first` on."""
        times = number[self.row]
        place = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        return Runs(np.repeat(first[self.row], times) + place, np.repeat(self.low, times), np.repeat(self.high, times))


@dataclass(frozen=True)
class Scanned:
    """Scores on a grid, a row for each of A features.

    Attributes
    ----------
    grid, scores : ndarray of float, shape (A, G)
        Rising coefficients, and their scores.
    score : callable
        Of coefficients and of the rows that they belong to, shape (M,) each; in the numbers of the `work`.
    work : Evaluator
    """

    grid: np.ndarray
    scores: np.ndarray
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    work: Evaluator

    def above(self, rows: np.ndarray, t: np.ndarray, tied: bool = False) -> tuple[Runs, Runs]:
        """Where scores of some rows are above their thresholds, and where not; or, `tied`, at the thresholds or above.

        What is found is numbered by its place among these rows.
        """
        system, rounded = self.work.system, t.astype(float)[:, None]
        kept = self.scores[rows] >= rounded if tied else self.scores[rows] > rounded
        own, cells = np.divmod(np.flatnonzero(kept[:, 1:] != kept[:, :-1]), kept.shape[1] - 1)
        left, right = (system.number(self.grid[rows[own], ends][:, None])[:, 0] for ends in (cells, cells + 1))
        least = (right - left) * system.epsilon
        low, high, under, over = narrowed(
            lambda x, places: self.score(x, rows[own[places]]) - t[own[places]], left, right, least, 2 * system.epsilon
        )
        roots = np.where(abs(under) < abs(over), low, high)
        rises = kept[own, cells + 1]
        first, last = kept[:, 0], kept[:, -1]
        return _runs(own, roots, rises, first, last), _runs(own, roots, ~rises, ~first, ~last)


def _runs(row: np.ndarray, roots: np.ndarray, begins: np.ndarray, first: np.ndarray, last: np.ndarray) -> Runs:
    """The intervals that begin at some of the roots and end at the others, or go on beyond the first or last point."""
    infinite = np.full(len(first), np.inf).astype(roots.dtype)
    lows = np.concatenate([np.flatnonzero(first), row[begins]])
    highs = np.concatenate([row[~begins], np.flatnonzero(last)])
    # Roots of a row are in their order; what is infinite comes before and after them.
    by_low, by_high = np.argsort(lows, kind="stable"), np.argsort(highs, kind="stable")
    low = np.concatenate([-infinite[first], roots[begins]])[by_low]
    return Runs(lows[by_low], low, np.concatenate([roots[~begins], infinite[last]])[by_high])


def moments(
    kept: Runs, dropped: Runs, means: np.ndarray, spreads: np.ndarray, work: Evaluator
) -> dict[str, np.ndarray]:
    """Masked moments of coefficients mean + spread H, shape (A,), if they are kept on these intervals.

    The masses kept and dropped are each a sum of their own; the others are sums over the side with less mass.
    """
    sides = [_sums(runs, means, spreads, work) for runs in (kept, dropped)]
    (mass, first, second), (without, first_without, second_without) = sides
    few = mass < without
    return {
        "M0": mass,
        "M0bar": without,
        "M1": np.where(few, first, -first_without),
        "M2c": np.where(few, second, -second_without),
    }


def _sums(runs: Runs, means: np.ndarray, spreads: np.ndarray, work: Evaluator) -> list[np.ndarray]:
    """Mass, first and second moment of intervals, for each feature together."""
    mean, spread = means[runs.row], spreads[runs.row]
    beyond = spread * _beyond(work.system)
    low, high = np.maximum(runs.low, mean - beyond), np.minimum(runs.high, mean + beyond)
    from_low, from_high = (low - mean) / spread, (high - mean) / spread
    # Reflected so that the end nearer to zero is the upper one.
    as_it_is = abs(from_low) > abs(from_high)
    state = {"z": np.where(as_it_is, from_high, -from_low)[:, None], "u": ((high - low) / (2 * spread))[:, None]}
    mass, first, second = work.lower((symbols.M0, symbols.M1, symbols.M2c), optimal.MOMENTS, "optimal.moments")(state)
    found = []
    for values in (mass[:, 0], np.where(as_it_is, -first[:, 0], first[:, 0]), second[:, 0]):
        sums = 0 * means
        np.add.at(sums, runs.row, np.where(high > low, values, 0 * values))
        found.append(sums)
    return found


def _beyond(system: Any) -> Any:
    """Standard deviations beyond which nothing is left at this precision."""
    return 39.0 + (-2 * system.functions["log"](system.epsilon)) ** 0.5
