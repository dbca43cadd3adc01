"""The optimal rules (T2) where features share (Lambda, D) but not B: a posterior mean, and the set it is kept on.

In float64. A rule keeps a coefficient x on a union of intervals: between the roots of its score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.narrow import narrowed
from riskcalc.lowering.state import State, shape
from riskcalc.prediction.diagonal.intervals import NAMES, Runs, Scanned, moments
from riskcalc.prediction.policies import Best
from riskcalc.prediction.solvers import NotCovered
from riskcalc.references import dense, optimal, pruning, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.records import Formula

# A grid has this many points per standard deviation of a coefficient, as far out from every mean.
RESOLUTION, FAR = 24, 9.0
MOST_POINTS = 60_000
# How many likelihoods are held at once: of points of grids, and of atoms of a kind.
AT_ONCE, PIECE = 1 << 22, 1 << 16
_INTEGRALS, _RATES = ("lost", "cross", "echo"), (optimal.LOST_RATE, optimal.CROSS_RATE, optimal.ECHO_RATE)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)


def shared(state: State) -> np.ndarray:
    """Which regimes have features of the same (Lambda, D) and different coefficients; shape (N,)."""
    rows, columns = shape(state)
    Lambda, D, B, weights = (
        np.broadcast_to(array, (rows, columns))
        for array in (state["Lambda"], state["D"], state["B"] * state["sign_B"], state["weights"])
    )
    first = B if B.dtype != object else B.astype(float)
    order = np.lexsort((first, D, Lambda), axis=-1)
    used = (weights > 0) & (Lambda > 0)
    Lambda, D, B, used = (np.take_along_axis(array, order, axis=-1) for array in (Lambda, D, B, used))
    same = (Lambda[:, 1:] == Lambda[:, :-1]) & (D[:, 1:] == D[:, :-1]) & (B[:, 1:] != B[:, :-1])
    return (same & used[:, 1:] & used[:, :-1]).any(axis=-1)


def posterior_masks(mask: Best, state: State, work: Evaluator) -> State:
    """The state with the threshold and the moments of the masks, and what errors of a rule that rescales need.

    Raises `NotCovered` if more digits are asked for than those of float64.
    """
    if work.system is not FLOAT64:
        raise NotCovered(
            "digits: the optimal rule is computed in double precision where features of the same eigenvalue and "
            "penalty have different coefficients, or the effective ridge is negative; leave digits out"
        )
    rows, columns = shape(state)
    names = ("Lambda", "B", "D", "weights", "sign_B", "a", "tau")
    fitted = work.lower((symbols.a, symbols.tau), dense.COEFFICIENT, "optimal.spread")(state)
    atoms = state | dict(zip(("a", "tau"), fitted, strict=True))
    atoms = {name: np.broadcast_to(atoms[name], (rows, columns)) for name in names}
    found = {name: np.zeros((rows, columns)) for name in NAMES} | {"t": np.zeros((rows, 1))}
    found |= {name: np.zeros((rows, 1)) for name in _INTEGRALS if mask.knows_all}
    wanted, whole = state["alpha"] * state["total"], state["total"] + 0 * state["alpha"]
    for own in _parts(atoms):
        rules = _Rules({name: array[own] for name, array in atoms.items()}, mask, work)
        for name, values in rules.at(wanted[own, 0], whole[own, 0]):
            found[name][own] = values
    state = state | found
    return state | ({"lost": state["lost"] + work.value(pruning.MISFIT, state)} if mask.knows_all else {})


def _span(means: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Standard deviations between the ends of a grid, for the rows of means."""
    return (means.max(axis=-1) - means.min(axis=-1)) / spread + 2 * FAR


def _parts(atoms: State) -> Iterator[slice]:
    """Regimes whose grids fit into memory together."""
    rows, columns = atoms["B"].shape
    live = (atoms["Lambda"] > 0) & (atoms["weights"] > 0)
    means = np.where(live, atoms["a"] * atoms["B"] * atoms["sign_B"], 0)
    points = _span(means, np.where(live, atoms["tau"], np.inf).min(axis=-1)) * RESOLUTION
    size = max(1, int(AT_ONCE / (columns * min(float(points.max()), MOST_POINTS))))
    yield from (slice(start, min(start + size, rows)) for start in range(0, rows, size))


class _Kinds:
    """Features that share (Lambda, D) in their regime, kind by kind: their atoms, and grids of what they may show.

    Atoms are those of positive weight and variance, a kind after the other; `members`, shape (A, M), are the numbers of
    those of each kind, the shorter rows filled with their first, which then `counts` nothing.
    """

    def __init__(self, atoms: State, gain: Formula, work: Evaluator):
        self.gain, self.work = gain, work
        self.row, self.column = np.nonzero((atoms["Lambda"] > 0) & (atoms["weights"] > 0))
        of = {name: array[self.row, self.column] for name, array in atoms.items()}
        order = np.lexsort((of["D"], of["Lambda"], self.row))
        self.row, self.column = self.row[order], self.column[order]
        of = {name: array[order] for name, array in of.items()}
        alike = [self.row, of["Lambda"], of["D"]]
        begins = np.any([one[1:] != one[:-1] for one in alike], axis=0)
        self.first = np.flatnonzero(np.concatenate([[True], begins]))
        self.number = np.diff(np.append(self.first, len(order)))
        self.regime = self.row[self.first]
        self.weights, self.sign, self.tau = (of[name] for name in ("weights", "sign_B", "tau"))
        self.means = of["a"] * of["B"] * self.sign
        places = np.arange(self.number.max())
        counts = places < self.number[:, None]
        members = self.first[:, None] + np.where(counts, places, 0)
        self.of_kind = {name: of[name][self.first][:, None] for name in ("Lambda", "tau", "a")}
        self.of_members = {"b": (of["B"] * self.sign)[members], "weights": np.where(counts, self.weights[members], 0)}
        self.centres = self.means[members]
        self.grid = self._grid()
        # Around zero, where nothing is gained, the sign of the gain may change twice within a cell.
        every = np.arange(len(self.first))
        middle = self._at(0.0 * every, every)["posterior"]
        ends = self.grid[:, :1], self.grid[:, -1:]
        self.grid = np.sort(np.concatenate([self.grid, np.clip(0 * middle, *ends), np.clip(middle, *ends)], axis=1))
        points = np.arange(len(self.first)).repeat(self.grid.shape[1])
        self.scores = self.score(self.grid.ravel(), points).reshape(self.grid.shape)
        self.scan = Scanned(self.grid, self.scores, self.score, work)

    def _grid(self) -> np.ndarray:
        spread = self.of_kind["tau"]
        ends = self.centres.min(axis=1) - FAR * spread[:, 0], self.centres.max(axis=1) + FAR * spread[:, 0]
        points = _span(self.centres, spread[:, 0]) * RESOLUTION
        close = points < MOST_POINTS
        grids = [np.linspace(*ends, max(2, int(points[close].max(initial=2)))).T]
        around = np.linspace(-FAR, FAR, int(2 * FAR * RESOLUTION))
        for kind in np.flatnonzero(~close):  # means far apart: nothing is seen between them
            grids.append(np.unique(np.unique(self.centres[kind])[:, None] + spread[kind] * around)[None])
        width = max(grid.shape[1] for grid in grids)
        found = np.broadcast_to(np.pad(grids[0], ((0, 0), (0, width - grids[0].shape[1])), "edge"), (len(close), width))
        found = found.copy()
        for kind, grid in zip(np.flatnonzero(~close), grids[1:], strict=True):
            found[kind] = np.pad(grid[0], (0, width - grid.shape[1]), "edge")
        return found

    def _at(self, x: np.ndarray, kinds: np.ndarray) -> State:
        """The state of fitted coefficients of some kinds, a row for each, with their posterior means."""
        own = {name: array[kinds] for name, array in (self.of_kind | self.of_members).items()}
        nearest = abs(x[:, None] - self.centres[kinds]).min(axis=-1, keepdims=True) / own["tau"]
        state = own | {"estimate": x[:, None], "peak": nearest * nearest / 2, "total": np.ones((1, 1))}
        return state | {"posterior": self.work.value(optimal.POSTERIOR, state)}

    def values(self, formula: Formula, x: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """A formula at fitted coefficients of some kinds."""
        pieces = 1 + x.size * self.centres.shape[1] // PIECE
        parts = zip(np.array_split(x, pieces), np.array_split(kinds, pieces), strict=True)
        return np.concatenate([self.work.value(formula, self._at(*part))[:, 0] for part in parts])

    def score(self, x: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """What keeping x gains, unchanged or replaced by its posterior mean."""
        return self.values(self.gain, x, kinds)

    def kept(self, kinds: np.ndarray, t: np.ndarray) -> tuple[Runs, np.ndarray, dict[str, np.ndarray]]:
        """Where the scores of some kinds are above a threshold of each; the atoms of these kinds, and the moments of
        their masks if coefficients are kept there."""
        kept, dropped = self.scan.above(kinds, t)
        number = self.number[kinds]
        first = np.cumsum(number) - number
        atoms = np.arange(number.sum()) - np.repeat(first - self.first[kinds], number)
        found = moments(
            kept.each(first, number), dropped.each(first, number), self.means[atoms], self.tau[atoms], self.work
        )
        return kept, atoms, found | {"M1": self.sign[atoms] * found["M1"]}

    def integrals(self, kept: Runs) -> np.ndarray:
        """Of what is put in on these intervals, kind by kind: what is kept adds to `lost`, `cross` and `echo`."""
        grid, spread = self.grid[kept.row], self.of_kind["tau"][kept.row, 0]
        left, right = (np.clip(end, grid[:, 0], grid[:, -1]) for end in (kept.low, kept.high))
        pieces = np.maximum(1, (4 * (right - left) / spread).astype(int))
        run = np.arange(len(pieces)).repeat(pieces)
        half = ((right - left) / pieces / 2)[run, None]
        piece = np.arange(len(run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        x = left[run, None] + half * (2 * piece[:, None] + 1 + _NODES)
        kinds = kept.row[run]
        result = np.zeros((len(self.first), len(_RATES)))
        for i, rate in enumerate(_RATES):
            rates = self.values(rate, x.ravel(), kinds.repeat(len(_NODES))).reshape(x.shape)
            np.add.at(result[:, i], kinds, (half * _WEIGHTS * rates).sum(axis=-1))
        return result


class _Rules:
    """The optimal rules of some regimes."""

    def __init__(self, atoms: State, mask: Best, work: Evaluator):
        self.shape, self.rescale = atoms["B"].shape, mask.knows_all
        self.dead = atoms["Lambda"] == 0
        self.dead_mass = np.where(self.dead, atoms["weights"], 0).sum(axis=-1)
        self.kinds = _Kinds(atoms, mask.gain, work)
        number = np.bincount(self.kinds.regime, minlength=self.shape[0])
        self.first, self.number = np.cumsum(number) - number, number

    def at(self, wanted: np.ndarray, whole: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """The threshold and the moments that keep a mass in all, and for the rule that rescales its integrals."""
        every, zero = np.arange(self.shape[0]), 0 * wanted
        kept = np.minimum(wanted, whole - self.dead_mass)
        if self.dead_mass.any() and not self.rescale:  # features without variance gain nothing: they come at zero
            own = np.maximum(np.minimum(wanted, self._mass(zero, every)), wanted - self.dead_mass)
            kept = np.where(self.dead_mass > 0, own, kept)
        low, high, above, below = self._bracket(kept)
        part = np.where(above <= below, 1, np.clip((kept - below) / np.where(above > below, above - below, 1), 0, 1))
        found = {name: np.zeros(self.shape) for name in NAMES}
        integrals = np.zeros((self.shape[0], len(_INTEGRALS)))
        regime, kinds = self.kinds.regime, np.arange(len(self.kinds.first))
        for t, share in ((low, part), (high, 1 - part)):
            runs, atoms, own = self.kinds.kept(kinds, t[regime])
            rows = self.kinds.row[atoms]
            for name, values in own.items():
                found[name][rows, self.kinds.column[atoms]] += share[rows] * values
            if self.rescale:
                np.add.at(integrals, regime, share[regime, None] * self.kinds.integrals(runs))
        if self.dead.any():
            part = np.clip((wanted - kept) / np.where(self.dead_mass > 0, self.dead_mass, 1), 0, 1)[:, None]
            found["M0"] = np.where(self.dead, part, found["M0"])
            found["M0bar"] = np.where(self.dead, 1 - part, found["M0bar"])
        yield "t", low[:, None]
        yield from found.items()
        if self.rescale:
            yield from zip(_INTEGRALS, (integrals / whole[:, None]).T[..., None], strict=True)

    def _mass(self, t: np.ndarray, regimes: np.ndarray) -> np.ndarray:
        """What thresholds of some regimes keep."""
        number = self.number[regimes]
        place = np.arange(len(regimes)).repeat(number)
        kinds = np.arange(len(place)) - np.repeat(np.cumsum(number) - number - self.first[regimes], number)
        _, atoms, found = self.kinds.kept(kinds, t[place])
        mass = self.kinds.weights[atoms] * found["M0"]
        return np.bincount(place.repeat(self.kinds.number[kinds]), mass, minlength=len(regimes))

    def _bracket(self, kept: np.ndarray) -> tuple[np.ndarray, ...]:
        """Neighbouring thresholds that keep more and less than a mass, and what they keep; the score may be the same
        on a set of mass."""
        low = np.minimum.reduceat(self.kinds.scores.min(axis=1), self.first)
        high = np.maximum.reduceat(self.kinds.scores.max(axis=1), self.first)
        low, high = low - abs(low) - 1e-12 * abs(high), high + 1e-12 * abs(high)
        low, high, above, below = narrowed(
            lambda t, regimes: self._mass(t, regimes) - kept[regimes],
            low,
            high,
            1e-30 * np.maximum(abs(low), abs(high)),
            4 * np.finfo(float).eps,
        )
        every = above <= 0  # even the lowest threshold keeps no more
        return low, np.where(every, low, high), kept + above, kept + np.where(every, above, below)
