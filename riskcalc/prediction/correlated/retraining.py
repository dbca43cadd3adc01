"""Correlated features fitted again on those kept: on the sample that chose them (T6 with matrices), or on another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.prediction.correlated.draws import Batch, in_pairs
from riskcalc.prediction.correlated.fit import Fit, effective_ridge, risks
from riskcalc.prediction.correlated.pruned import Drawing, Values
from riskcalc.prediction.status import Status
from riskcalc.references import correlated

# Of the second fit alone; and with the noise G1 and what the first fit leaves, through the second's shrinkage M.
_ALONE = ("nu", "tA", "tAbar", "bias")
_BOTH = ("tM", "tMbar", "ww", *(f"m_{name}" for name in "g1 g2 g3 u0 u2 u3 w2 w3 x22 x23 x33".split()))


@dataclass
class Second:
    """Fits with one ridge on what is kept in draws, each made once."""

    drawing: Drawing
    ridge: float
    _alone: dict[int, np.ndarray] = field(default_factory=dict)
    _both: dict[int, np.ndarray] = field(default_factory=dict)
    _controls: dict[int, np.ndarray] = field(default_factory=dict)

    def alone(self, place: int) -> np.ndarray:
        """What is told of the second fits of a batch by themselves, a row for each draw."""
        self._fit(place)
        return self._alone[place]

    def both(self, place: int) -> np.ndarray:
        """What is told of both fits."""
        self._fit(place)
        return self._both[place]

    def controls(self, place: int) -> np.ndarray:
        """Of the draws, where what is kept depends on them."""
        return self._controls[place]

    def _fit(self, place: int) -> None:
        if place in self._alone:
            return
        drawing, fit = self.drawing, self.drawing.fit
        drawn, sees_fit = drawing.batch(place), drawing.policy.sees_fit
        masks, n = drawing.masks(drawn), fit.n_samples
        rows = [fit.truth[None]]
        if sees_fit:
            rows += [drawn.noise, drawn.residual]
        mixed = [fit.features.mixed(one) for one in rows]
        alone, solved, start = [], np.zeros((len(rows), *masks.shape)), 0.0
        for i, mask in enumerate(masks):
            kept = np.flatnonzero(mask)
            part = fit.features.part(kept)
            start = effective_ridge(part, self.ridge, n, start)
            columns = np.stack([one[i if len(one) > 1 else 0, kept] for one in mixed], axis=1)
            solved[:, i, kept] = part.solve(start, columns).T
            alone.append((start, *(one / n for one in part.sums(start))))
        through = [fit.features.seen(one) for one in solved]  # M W, M G1 and M (1 - A)(W + G1)
        missed = fit.truth - through[0]
        traces = np.array(alone)
        self._alone[place] = np.column_stack([traces, _dots(missed, missed)])
        self._controls[place] = drawn.controls if sees_fit else np.zeros((len(masks) // 2, 0))
        if sees_fit:
            self._both[place] = np.column_stack([self._alone[place][:, 1:], *_together(drawn, missed, *through[1:])])


def _together(drawn: Batch, missed: np.ndarray, noise: np.ndarray, memory: np.ndarray) -> list[np.ndarray]:
    found = drawn.fit.truth - missed
    pairs = [(one, drawn.noise) for one in (found, noise, memory)]
    pairs += [(drawn.error, one) for one in (missed, noise, memory)]
    pairs += [(missed, noise), (missed, memory), (noise, noise), (noise, memory), (memory, memory)]
    return [_dots(*pair) for pair in pairs]


def _dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", one, other)


def refit_fresh(second: Second) -> tuple[Values, int, int]:
    """Quantities and status, of a sample that the masks do not depend on: the mean over these."""
    fit, work = second.drawing.fit, second.drawing.work

    def by_mask(place: int) -> tuple[State, np.ndarray]:
        told = dict(zip(_ALONE, second.alone(place).T[:, :, None], strict=True))
        return risks(fit.state | told | {"ridge": np.full((1, 1), second.ridge)}, work)

    names = {"risk": "gamma", "excess_risk": "excess_risk", "training_error": "training_error"}
    state, status = by_mask(0)
    if len(status) == 1:
        return {name: state[own][:, 0] for name, own in names.items()}, 1, int(status[0])

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        state, _ = by_mask(place)
        return in_pairs(np.concatenate([state[own] for own in names.values()], axis=1)), second.controls(place)

    def answer(averages: np.ndarray) -> Values:
        return dict(zip(names, averages.T, strict=True))

    if (status == Status.INFINITE).any():
        return {"risk": np.array([np.inf]), "excess_risk": np.array([np.inf]), "training_error": np.zeros(1)}, 1, Status.INFINITE
    return *second.drawing.known(gather, answer), Status.OK


def refit_same(second: Second) -> tuple[Values, int, int]:
    """The same, on the sample that the masks were found on."""
    fit, work = second.drawing.fit, second.drawing.work
    fresh, batches, status = refit_fresh(second)
    if status != Status.OK or fit.gamma == 0 or not second.drawing.policy.sees_fit:
        return fresh, batches, status

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        return in_pairs(second.both(place)), second.controls(place)

    def answer(averages: np.ndarray) -> Values:
        state = fit.state | dict(zip(_BOTH, averages.T[:, :, None], strict=True))
        terms = work.linear_terms((correlated.STATIONARITY, correlated.COVARIANCE))
        (k, f, g), (l, h, m) = _thirds(work.lower(terms, {}, "correlated.equations")(state))
        determinant = f * m - g * h
        state |= {"rho": (g * l - k * m) / determinant, "c": (k * h - f * l) / determinant}
        state["retrained_risk"] = work.value(correlated.RETRAINED_RISK, state)
        training = work.value(correlated.RETRAINED_TRAINING_ERROR, state)
        return {"risk": state["retrained_risk"][:, 0], "training_error": training[:, 0]}

    values, batches = second.drawing.known(gather, answer)
    return values, batches, status


def _thirds(found: tuple[np.ndarray, ...]) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    return found[:3], found[3:]
