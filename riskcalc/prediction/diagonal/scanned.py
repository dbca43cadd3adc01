"""Masks of a score that is no weight times |X| (T2): scanned in X, feature by feature, and cut at its threshold.

The scan, in double precision, finds the intervals; their ends and the threshold are roots in any number system.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.lowering.evaluator import Evaluator, evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.narrow import narrowed
from riskcalc.lowering.state import State, shape, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.policies.scores import check_scores, check_turns
from riskcalc.prediction.diagonal.intervals import NAMES, Scanned, moments
from riskcalc.prediction.policies import Scored
from riskcalc.prediction.solvers import NotCovered
from riskcalc.references import dense, masks, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.symbols import Expression

# Points of a scan: evenly over all that a coefficient may be, and in its logarithm around zero, on either side.
EVEN, LOGARITHMIC, SMALLEST = 320, 96, 1e-9
# How many scores are scanned at once, and the atoms of one regime that are.
AT_ONCE, MOST_ATOMS = 1 << 22, 1 << 14


def scanned_masks(
    mask: Scored, state: State, surplus: Surplus, work: Evaluator, finer: float
) -> tuple[np.ndarray, State]:
    """Which regimes converged, and the state with the threshold and the moments of their masks.

    `finer` times as many points are scanned. ValueError where scores are negative, not finite or not piecewise
    monotone; NotCovered for laws of very many atoms.
    """
    rows, columns = shape(state)
    if columns > MOST_ATOMS:
        raise NotCovered(
            f"a score that is not |X| times a weight is scanned for laws of at most {MOST_ATOMS:,} atoms, "
            f"got {columns:,}"
        )
    block = max(1, int(AT_ONCE / (columns * finer * (EVEN + 2 * LOGARITHMIC))))
    found = [
        _Regimes(mask, take(state, own), surplus.rows(own), work, finer).solved()
        for own in np.array_split(np.arange(rows), -(-rows // block))
    ]
    parts = {name: np.concatenate([values[name] for _, values in found]) for name in ("t", *NAMES)}
    return np.concatenate([converged for converged, _ in found]), state | parts


def check_exact(mask: Scored, state: State, work: Evaluator) -> None:
    """Refuse scores of the coefficients of a fit without error that are negative, or no numbers."""
    scores = work.lower((mask.score,), masks.EXACT, "scanned.exact", scalar_output=True)(state) + 0 * state["total"]
    places = {name: state[name].astype(float) for name in ("Lambda", "D", "nu")}
    check_scores(np, scores.astype(float), places, f"the score {mask.text}")


class _Regimes:
    """Some regimes of as many atoms each, which are the rows of the scan one after the other."""

    def __init__(self, mask: Scored, state: State, surplus: Surplus, work: Evaluator, finer: float):
        self.mask, self.state, self.work, self.finer = mask, state, work, finer
        self.shape = shape(state)
        self.kept, self.left = (state["alpha"] * state["total"])[:, 0], (surplus.high + surplus.low)[:, 0]
        self.weights = np.broadcast_to(state["weights"], self.shape)
        means, spreads = work.lower((masks.MEAN, symbols.tau), dense.COEFFICIENT, "scanned.spread")(state)
        self.means, spreads = (np.broadcast_to(array, self.shape).ravel() for array in (means, spreads))
        self.still = spreads == 0  # features without variance
        self.spreads = np.where(self.still, 1 + 0 * spreads, spreads)
        names = ("Lambda", "D", "nu")
        self.own = {name: np.broadcast_to(state[name], self.shape).reshape(-1, 1) for name in names}
        self.scan = Scanned(*self._grid(), self._score, work)

    def _score(self, x: np.ndarray, places: np.ndarray) -> np.ndarray:
        own = {name: array[places] for name, array in self.own.items()}
        return _scores(self.mask.score, self.work, own, x[:, None])[:, 0]

    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        """All that coefficients may be, with the turning points of their scores, and these."""
        means, spreads = (array.astype(float) for array in (self.means, self.spreads * ~self.still))
        share = np.minimum(self.kept, self.left) / self.state["total"][:, 0]
        far = np.sqrt((-2 * self.work.system.functions["log"](share * self.work.system.epsilon / 100)).astype(float))
        reach = (spreads.reshape(self.shape) * far[:, None]).reshape(-1, 1)
        low, high = means[:, None] - reach, means[:, None] + reach
        even, near = int(EVEN * self.finer) | 1, int(LOGARITHMIC * self.finer)
        size = np.maximum(abs(low), abs(high)) * np.geomspace(SMALLEST, 1, near)
        points = (means[:, None] + reach * np.linspace(-1, 1, even), size, -size, 0 * low)
        grid = np.sort(np.clip(np.concatenate(points, axis=1), low, high), axis=1)
        own = {name: array.astype(float) for name, array in self.own.items()}
        rough = evaluator(FLOAT64, self.work.instead)

        def known(score: Expression) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
            return lambda x, places: _scores(score, rough, {n: v[places] for n, v in own.items()}, x[:, None])[:, 0]

        for bend in self.mask.bends:
            grid = _with(grid, *_zeros(grid, _scores(bend, rough, own, grid), known(bend)))
        scores = _scores(self.mask.score, rough, own, grid)
        check_scores(np, scores, {"X": grid, **own}, f"the score {self.mask.text}")
        check_turns(scores, f"the score {self.mask.text}")
        grid = _with(grid, *_turning_points(grid, scores, known(self.mask.score)))
        return grid, _scores(self.mask.score, rough, own, grid)

    def solved(self) -> tuple[np.ndarray, State]:
        """Which converged, and their thresholds and moments."""
        every = np.arange(self.shape[0])
        low, high, converged = self._thresholds(every)
        lower, upper = self._moments(every, low, tied=True), self._moments(every, high)
        above, below = self._excess(every, lower), self._excess(every, upper)
        tied = above > below
        part = np.where(tied, -below / np.where(tied, above - below, 1), 1)
        part = np.minimum(np.maximum(part, 0), 1)[:, None]
        values = {name: part * lower[name] + (1 - part) * upper[name] for name in NAMES}
        return converged, values | {"t": ((low + high) / 2)[:, None]}

    def _moments(self, places: np.ndarray, t: np.ndarray, tied: bool = False) -> State:
        """Of the masks that keep what is above the thresholds of some regimes."""
        count = self.shape[1]
        rows = (places[:, None] * count + np.arange(count)).ravel()
        kept, dropped = self.scan.above(rows, np.repeat(t, count), tied)
        values = moments(kept, dropped, self.means[rows], self.spreads[rows], self.work)
        # H as formulas have it, in which true coefficients are not negative; what stands still tells nothing of it.
        flip = np.where(self.still, 0, np.broadcast_to(self.state["sign_B"], self.shape).ravel())[rows]
        values |= {"M1": flip * values["M1"], "M2c": flip * flip * values["M2c"]}
        return {name: array.reshape(-1, count) for name, array in values.items()}

    def _excess(self, places: np.ndarray, values: State) -> np.ndarray:
        """How much more than it should be is kept, from the side with less mass."""
        kept, dropped = ((self.weights[places] * values[name]).sum(axis=1) for name in ("M0", "M0bar"))
        fewer = self.kept[places] < self.left[places]
        return np.where(fewer, kept - self.kept[places], self.left[places] - dropped)

    def _thresholds(self, every: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Neighbouring thresholds that keep at least and at most what should be kept, and where they are found."""
        system = self.work.system
        lowest, highest = (edge(self.scan.scores.reshape(len(every), -1), axis=1) for edge in (np.min, np.max))
        below = lowest - np.maximum(highest - lowest, 1e-3 * highest)
        low, high = (system.number(array[:, None])[:, 0] for array in (below, highest))
        least = (high - low) * system.epsilon**2
        low, high, tied = self._at_ties(every, low, high, least)
        rest = every[~tied]
        low[rest], high[rest], above, under = narrowed(
            lambda t, places: self._excess(rest[places], self._moments(rest[places], t)),
            low[rest],
            high[rest],
            least[rest],
            4 * system.epsilon,
        )
        converged = tied & (self.mask.flat | self.still.reshape(self.shape).any(axis=1))
        converged[rest] = (above > 0) & (under <= 0)
        return low, high, converged

    def _at_ties(
        self, every: np.ndarray, low: np.ndarray, high: np.ndarray, least: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Brackets of the threshold, closed around a score that many coefficients share where that is the one."""
        flat = (self.scan.scores[:, 1:] == self.scan.scores[:, :-1]) & (
            (self.scan.grid[:, 1:] > self.scan.grid[:, :-1]) | self.still[:, None]
        )
        flat = flat.reshape(len(every), -1)
        number = int(flat.sum(axis=1).max())
        if number == 0:
            return low, high, np.zeros(len(every), bool)
        order = np.argsort(np.where(flat, self.scan.scores[:, 1:].reshape(flat.shape), np.inf), axis=1)[:, :number]
        cells = self.scan.grid.shape[1] - 1
        rows, columns = every[:, None] * self.shape[1] + order // cells, order % cells + 1
        places = self.work.system.number(self.scan.grid[rows, columns])
        shared = self._score(places.ravel(), rows.ravel()).reshape(order.shape)
        shared = np.where(np.take_along_axis(flat, order, axis=1), shared, high[:, None])
        # The first of them above which no more is kept than should be.
        first, last = np.zeros(len(every), int), np.full(len(every), number - 1)
        while (first < last).any():
            middle = (first + last) // 2
            enough = self._excess(every, self._moments(every, shared[every, middle] + least)) <= 0
            first, last = np.where(enough, first, middle + 1), np.where(enough, middle, last)
        value = shared[every, np.minimum(first, number - 1)]
        near = least + 16 * self.work.system.epsilon * abs(value)
        inside, outside = value - near, value + near
        tied = (self._excess(every, self._moments(every, inside, tied=True)) > 0) & (
            self._excess(every, self._moments(every, outside)) <= 0
        )
        return np.where(tied, inside, low), np.where(tied, outside, high), tied.astype(bool)


def _with(grid: np.ndarray, rows: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A grid with more points in some of its rows, which come in order; the others have their last one again."""
    if rows.size == 0:
        return grid
    more = np.repeat(grid[:, -1:], np.bincount(rows).max(), axis=1)
    more[rows, np.arange(len(rows)) - np.searchsorted(rows, rows)] = points
    return np.sort(np.concatenate([grid, more], axis=1), axis=1)


def _zeros(
    grid: np.ndarray, values: np.ndarray, function: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and places where a function passes zero between points of the grid."""
    rows, cells = np.nonzero((values[:, 1:] > 0) != (values[:, :-1] > 0))
    left, right = grid[rows, cells], grid[rows, cells + 1]
    least = (right - left) * FLOAT64.epsilon
    low, high, under, over = narrowed(lambda x, places: function(x, rows[places]), left, right, least, FLOAT64.epsilon)
    return rows, np.where(abs(under) < abs(over), low, high)


def _turning_points(
    grid: np.ndarray, scores: np.ndarray, score: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and places where scores turn between points of the grid."""
    steps = np.sign(np.diff(scores, axis=1))
    at = np.maximum.accumulate(np.where(steps != 0, np.arange(steps.shape[1]), 0), axis=1)
    before = np.take_along_axis(steps, at, axis=1)[:, :-1]  # a plateau goes on as what came before it
    rows, cells = np.nonzero(before * steps[:, 1:] < 0)
    if rows.size == 0:
        return rows, np.zeros(0)
    from scipy.optimize.elementwise import find_minimum

    first = at[rows, cells]
    found = find_minimum(
        lambda x, places, up: -up * score(x, places),
        (grid[rows, first], grid[rows, first + 1], grid[rows, cells + 2]),
        args=(rows, before[rows, cells]),
        tolerances={"xatol": 0, "xrtol": 4 * FLOAT64.epsilon, "fatol": 0, "frtol": 0},
        maxiter=100,
    )
    return rows, found.x


def _scores(score: Expression, work: Evaluator, names: State, x: np.ndarray) -> np.ndarray:
    """Scores of coefficients, of the shape that all broadcast to."""
    return _lowered(score, work)(names | {"X": x}) + 0 * x


@lru_cache(maxsize=64)
def _lowered(score: Expression, work: Evaluator) -> Lowered:
    return work.lower((score,), {}, "score", scalar_output=True)
