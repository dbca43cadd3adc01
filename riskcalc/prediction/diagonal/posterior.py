"""The optimal rules (T2) where features share (Lambda, D) but not B: a posterior mean, and the set it is kept on.

One regime at a time, in float64. A rule keeps a coefficient x on a union of intervals: between the roots of its score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.narrow import narrowed
from riskcalc.lowering.state import BLOCK, State, shape
from riskcalc.prediction.diagonal.intervals import NAMES, Runs, Scanned, moments
from riskcalc.prediction.policies import Best
from riskcalc.prediction.solvers import NotCovered
from riskcalc.references import dense, optimal, pruning, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.records import Formula

# A grid has this many points per standard deviation of a coefficient, as far out from every mean.
RESOLUTION, FAR = 24, 9.0
MOST_POINTS = 60_000
_RATES = (optimal.LOST_RATE, optimal.CROSS_RATE, optimal.ECHO_RATE)
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
    shrinkage, spreads = work.lower((symbols.a, symbols.tau), dense.COEFFICIENT, "optimal.spread")(state)
    rows, columns = shape(state)
    atoms = {name: state[name] for name in ("Lambda", "B", "D", "weights", "sign_B")} | {"a": shrinkage, "tau": spreads}
    atoms = {name: np.broadcast_to(array, (rows, columns)) for name, array in atoms.items()}
    found: dict[str, list[Any]] = {}
    for row in range(rows):
        rule = _Rule({name: array[row] for name, array in atoms.items()}, mask, work)
        for name, values in rule.at(float((state["alpha"] * state["total"])[row, 0]), float(state["total"][row, 0])):
            found.setdefault(name, []).append(np.atleast_1d(values))
    state = state | {name: np.array(values) for name, values in found.items()}
    return state | ({"lost": state["lost"] + work.value(pruning.MISFIT, state)} if "lost" in found else {})


class _Kind:
    """Features that share (Lambda, D): the places of their atoms, and a grid of the coefficients they may show."""

    def __init__(self, atoms: dict[str, np.ndarray], places: np.ndarray, gain: Formula, work: Evaluator):
        self.places, self.gain, self.work = places, gain, work
        self.weights, self.sign = (atoms[name][places] for name in ("weights", "sign_B"))
        self.B = atoms["B"][places] * self.sign
        self.Lambda, self.tau = atoms["Lambda"][places[0]], atoms["tau"][places[0]]
        self.a = atoms["a"][places[0]]
        self.means = self.a * self.B
        own = {"Lambda": self.Lambda, "tau": self.tau, "a": self.a, "total": 1.0}
        self.state: State = {name: np.full((1, 1), value) for name, value in own.items()}
        self.state |= {"b": self.B[None], "weights": self.weights[None]}
        low, high = self.means.min() - FAR * self.tau, self.means.max() + FAR * self.tau
        if (high - low) / self.tau * RESOLUTION < MOST_POINTS:
            self.grid = np.linspace(low, high, int((high - low) / self.tau * RESOLUTION))
        else:  # means far apart: nothing is seen between them
            around = self.tau * np.linspace(-FAR, FAR, int(2 * FAR * RESOLUTION))
            self.grid = np.unique(np.unique(self.means)[:, None] + around)
        pieces = 1 + self.grid.size * len(places) // BLOCK
        self.scores = np.concatenate([self.score(part) for part in np.array_split(self.grid, pieces)])
        self.scan = Scanned(self.grid[None], self.scores[None], lambda x, _: self.score(x), work)

    def _at(self, x: np.ndarray) -> State:
        """The state of fitted coefficients, a row for each, with their posterior means."""
        nearest = abs(x[:, None] - self.means).min(axis=-1, keepdims=True) / self.tau
        state = self.state | {"estimate": x[:, None], "peak": nearest * nearest / 2}
        return state | {"posterior": self.work.value(optimal.POSTERIOR, state)}

    def score(self, x: np.ndarray) -> np.ndarray:
        """What keeping x gains, unchanged or replaced by its posterior mean."""
        return self.work.value(self.gain, self._at(x))[:, 0]

    def intervals(self, t: float) -> tuple[Runs, Runs]:
        """Where the score is above t, and where it is not."""
        return self.scan.above(np.zeros(1, int), np.array([t]))

    def moments(self, kept: Runs, dropped: Runs) -> dict[str, np.ndarray]:
        """Masked moments of every atom, if x is kept on these intervals."""
        count = len(self.means)
        found = moments(kept.of(0, count), dropped.of(0, count), self.means, np.full(count, self.tau), self.work)
        return found | {"M1": self.sign * found["M1"]}

    def integrals(self, kept: Runs) -> np.ndarray:
        """Of what is put in on these intervals: what is kept adds to `lost`, `cross` and `echo`."""
        ends = np.stack([kept.low, kept.high], axis=1)
        result = np.zeros(len(_RATES))
        for left, right in np.clip(ends, self.grid[0], self.grid[-1]):
            pieces = max(1, int(4 * (right - left) / self.tau))
            edges = np.linspace(left, right, pieces + 1)
            half = np.diff(edges)[:, None] / 2
            x = (edges[:-1, None] + half * (1 + _NODES)).ravel()
            state = self._at(x)
            result += [(half * _WEIGHTS).ravel() @ self.work.value(rate, state)[:, 0] for rate in _RATES]
        return result


class _Rule:
    """The optimal rule of one regime."""

    def __init__(self, atoms: dict[str, np.ndarray], mask: Best, work: Evaluator):
        self.count, self.rescale = len(atoms["B"]), mask.knows_all
        live = np.flatnonzero((atoms["Lambda"] > 0) & (atoms["weights"] > 0))
        self.dead = np.flatnonzero(atoms["Lambda"] == 0)
        self.dead_mass = atoms["weights"][self.dead].sum()
        labels = np.unique(np.stack([atoms["Lambda"][live], atoms["D"][live]]), axis=1, return_inverse=True)[1].ravel()
        self.kinds = [_Kind(atoms, live[labels == label], mask.gain, work) for label in range(labels.max() + 1)]

    def at(self, wanted: float, whole: float) -> Iterator[tuple[str, Any]]:
        """The threshold and the moments that keep a mass in all, and for the rule that rescales its integrals."""
        live = whole - self.dead_mass
        kept = min(wanted, live)
        if self.dead_mass and not self.rescale:  # features without variance gain nothing: they come at zero
            kept = max(min(wanted, self._mass(0.0)), wanted - self.dead_mass)
        low, high = self._bracket(kept)
        above, below = self._mass(low), self._mass(high)
        part = 1.0 if above <= below else min(max((kept - below) / (above - below), 0.0), 1.0)
        found = {name: np.zeros(self.count) for name in NAMES}
        integrals = np.zeros(3)
        for kind in self.kinds:
            for t, share in ((low, part), (high, 1 - part)):
                kept_on, dropped_on = kind.intervals(t)
                for name, values in kind.moments(kept_on, dropped_on).items():
                    found[name][kind.places] += share * values
                integrals += share * kind.integrals(kept_on) if self.rescale else 0
        if self.dead_mass:
            found["M0"][self.dead] = min(max((wanted - kept) / self.dead_mass, 0.0), 1.0)
            found["M0bar"][self.dead] = 1 - found["M0"][self.dead]
        yield "t", low
        yield from found.items()
        for name, value in zip(("lost", "cross", "echo") if self.rescale else (), integrals / whole, strict=False):
            yield name, value

    def _mass(self, t: float) -> float:
        return sum(float(kind.weights @ kind.moments(*kind.intervals(t))["M0"]) for kind in self.kinds)

    def _bracket(self, kept: float) -> tuple[float, float]:
        """Neighbouring thresholds that keep more and less than a mass; the score may be the same on a set of mass."""
        low = min(kind.scores.min() for kind in self.kinds)
        high = max(kind.scores.max() for kind in self.kinds)
        low, high = low - abs(low) - 1e-12 * abs(high), high + 1e-12 * abs(high)
        if not low < high or self._mass(low) <= kept:
            return low, low
        scale, precision = max(abs(low), abs(high)), 4 * np.finfo(float).eps
        ends = narrowed(
            lambda t, _: np.array([self._mass(float(t[0])) - kept]),
            np.array([low]),
            np.array([high]),
            1e-30 * scale,
            precision,
        )
        return float(ends[0][0]), float(ends[1][0])
