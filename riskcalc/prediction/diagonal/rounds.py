"""Iterative pruning (T9): prune, fit again on the same sample, and so on, by quasi-Monte Carlo over the noises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.state import State, take
from riskcalc.lowering.surplus import Surplus
from riskcalc.prediction.diagonal.columns import ATOM_ENTRIES, SAME, calibrated, columns, keep_top
from riskcalc.prediction.diagonal.fit import Fit, fit_dense
from riskcalc.prediction.status import Status
from riskcalc.references import iterative, pruning, small_model, symbols

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions, Formula
    from riskcalc.formulas.symbols import Expression

# Columns of one randomisation, of all atoms together, and randomisations.
COLUMNS = 1 << 11
REPLICATES = 16
# kappa times the fraction kept counts as one within this: double precision knows no better.
CRITICAL = 16 * FLOAT64.epsilon
# Statuses of fits that the next round can build on.
_FOUND = (Status.OK, Status.EXACT_RECOVERY)


@dataclass(frozen=True)
class Rounds:
    """What iterative pruning leads to; arrays of shape (regimes, rounds), fractions kept (regimes, rounds, atoms).

    Attributes
    ----------
    pruned_risk, pruned_training_error : ndarray
        Test risk and training error after the pruning of a round, before the fit that follows it.
    risk, training_error : ndarray
        After that fit.
    fresh_risk, fresh_training_error : ndarray
        Of the same fit on a fresh sample.
    threshold : ndarray
        The lowest score kept.
    effective_ridge : ndarray
        Of the fit.
    kept : ndarray
        Fraction kept of each atom.
    errors : dict of str to ndarray
        Standard errors of all these but `kept`, from independent randomisations of the integration points; nan where
        there is no number, zero where a number is free of integration error. They know nothing of events so rare that
        no point meets them.
    pruned_status, status : ndarray of int
        A `Status` for each round, before and after its fit.
    """

    pruned_risk: np.ndarray
    pruned_training_error: np.ndarray
    risk: np.ndarray
    training_error: np.ndarray
    fresh_risk: np.ndarray
    fresh_training_error: np.ndarray
    threshold: np.ndarray
    effective_ridge: np.ndarray
    kept: np.ndarray
    errors: dict[str, np.ndarray]
    pruned_status: np.ndarray
    status: np.ndarray


MEASURED = tuple(field.name for field in fields(Rounds))[:8]


def prune_repeatedly(
    fit: Fit,
    keeps: Sequence[float],
    ridges: Sequence[Any],
    score: Expression,
    work: Evaluator,
    columns_per_replicate: int = COLUMNS,
    replicates: int = REPLICATES,
) -> Rounds:
    """Prune a dense fit to one budget after the other, with a fit on the same sample after each.

    Parameters
    ----------
    fit : Fit
        The dense fits of some regimes, as `fit_dense` gives them in float64.
    keeps : sequence of float
        Fractions of all features kept, decreasing.
    ridges : sequence of float, or of ndarray of shape (regimes, 1)
        Of the fit that follows each pruning; the penalty's weights stay.
    score : Expr
        Of X, Lambda and D: ranks the features still kept, by the last fit.
    work : Evaluator
        Of double precision.
    columns_per_replicate, replicates : int
        Integration points for all atoms together, and independent randomisations of them.

    Returns
    -------
    Rounds
        Where kappa times a budget is one and there is no ridge, the fit has an infinite risk (unless no noise is left),
        and what would follow it is not computed: its status is that of a failure, its numbers are nan.

    Notes
    -----
    Numbers are means over the randomisations; their standard errors say how well the integrals are known.
    """
    every = np.hstack([np.broadcast_to(ridge, (len(fit.status), 1)) for ridge in ridges])
    with FLOAT64.precision():
        regimes = [
            _Regime(take(fit.state, np.array([i])), len(keeps), columns_per_replicate, replicates, work).rounds(
                int(status), keeps, every[i].tolist(), score
            )
            for i, status in enumerate(fit.status)
        ]
    return Rounds(
        *(np.array([[found.means[name] for found in regime] for regime in regimes]) for name in MEASURED),
        kept=np.array([[found.kept for found in regime] for regime in regimes]),
        errors={name: np.array([[found.errors[name] for found in regime] for regime in regimes]) for name in MEASURED},
        pruned_status=np.array([[found.before for found in regime] for regime in regimes]),
        status=np.array([[found.after for found in regime] for regime in regimes]),
    )


@dataclass(frozen=True)
class _Round:
    """One round of one regime."""

    means: dict[str, float]
    errors: dict[str, float]
    kept: np.ndarray
    before: int
    after: int


class _Regime:
    """The fits of one regime so far, on its columns; one row for each randomisation of the points.

    `law` holds the noise G1, G2, ... and the coefficients V1, V2, ... of every fit, and `kept`, the mask of the last;
    `memories` holds the weights c of each fit's memory.
    """

    def __init__(self, state: State, rounds: int, columns_per_replicate: int, replicates: int, work: Evaluator):
        self.work = work
        self.atoms = {name: state[name] for name in ATOM_ENTRIES}
        self.law = columns(self.atoms, rounds, columns_per_replicate, replicates, spare=rounds)
        self.law["kept"] = (self.law["Lambda"] > 0) * 1.0
        self.spare = self.law["kept"].shape[1] - rounds
        self.dense = state
        scalars = {name: state[name] for name in ("kappa", "sigma2", "total", "nu", "q")}
        self.scalars = {name: np.repeat(value, replicates, axis=0) for name, value in scalars.items()}
        self.memories: list[np.ndarray] = []

    def rounds(self, status: int, keeps: Sequence[float], ridges: Sequence[float], score: Expression) -> list[_Round]:
        """All rounds, after the dense fit."""
        none = np.zeros((1, 1))
        if status in _FOUND:
            self._add(none[:, :0], {"epsilon2": self.dense["gamma"], "G_known": none, "memory": none})
        # Of the atoms themselves: summed over columns it is not exact enough to tell a budget at the threshold.
        live_mass = (self.atoms["weights"] * (self.atoms["Lambda"] > 0)).sum(axis=-1, keepdims=True)
        live = live_mass / self.scalars["total"]
        found = []
        for number, (keep, ridge) in enumerate(zip(keeps, ridges, strict=True)):
            if status not in _FOUND:
                found.append(self._lost(status))
                status = found[-1].after
                continue
            live = np.minimum(keep, live)
            threshold = self._prune(score, live, self.spare + number)
            before, pruned = status, self._pruned()
            status, fitted = self._fitted(live, ridge)
            values = dict(zip(MEASURED, (*pruned, *fitted, threshold, self.scalars["nu"]), strict=True))
            means, errors = _averaged(values)
            found.append(_Round(means, errors, self._kept_of_atoms().mean(axis=0), before, status))
        return found

    def _lost(self, status: int) -> _Round:
        """A round after a fit of infinite risk: pruned, that stays infinite; what comes after is not known."""
        nothing = dict.fromkeys(MEASURED, np.nan)
        means = nothing | {"pruned_risk": np.inf} if status == Status.INFINITE else nothing
        after = status if status == Status.NEAR_THRESHOLD else Status.NOT_CONVERGED
        return _Round(means, nothing, np.nan * self._kept_of_atoms().mean(axis=0), status, after)

    def _prune(self, score: Expression, keep: np.ndarray, spare: int) -> np.ndarray:
        """Keep the best by the last fit of the features still kept; the lowest score kept."""
        law = self.law
        scores = _score(score, self.work)(law | self.scalars | {"V_k": law[f"V{len(self.memories)}"]})
        mass = keep * self.scalars["total"]
        law["kept"], threshold = keep_top(law, np.where(law["kept"] > 0, scores, -1), mass, spare)
        return threshold

    def _pruned(self) -> tuple[np.ndarray, np.ndarray]:
        """Test risk and training error of the last fit behind the mask."""
        state = self._state() | {"V_k": self.law[f"V{len(self.memories)}"]}
        (slopes,) = self._solve((iterative.SLOPE_GAP,), (symbols.slope,), iterative.OF_FIT_SO_FAR, state)
        memory = np.concatenate([self.memories[-1] + 0 * slopes[:, :-1], np.ones((len(slopes), 1))], axis=1)
        weights = self.work.value(iterative.WEIGHT, self.scalars | {"c_kj": memory, "slope": slopes})
        state |= self._sums(iterative.OF_FIT_SO_FAR, state, {"slope": slopes, "weight": weights})
        risk, training = (iterative.PRUNED_RISK, iterative.PRUNED_TRAINING_ERROR)
        return self.work.value(risk, state), self.work.value(training, state)

    def _fitted(self, keep: np.ndarray, ridge: float) -> tuple[int, tuple[np.ndarray, ...]]:
        """Fit on the features kept: its status, test risk and training error, and these on a fresh sample."""
        fresh = self._fit_fresh(keep, ridge)
        self.scalars |= {name: fresh.state[name] for name in ("nu", "q")}
        status = _overall(fresh.status)
        if status not in _FOUND:
            unknown = np.full_like(keep, np.inf if status == Status.INFINITE else np.nan)
            return status, (unknown, 0 * keep, unknown, 0 * keep)
        state = self._state()
        gaps = (iterative.NOISE_GAP, iterative.MEMORY_GAP)
        rhos, cs = self._solve(gaps, (symbols.rho_kj, symbols.c_kj), iterative.OF_EARLIER_FIT, state)
        state |= self._sums(iterative.OF_EARLIER_FIT, state, {"rho_kj": rhos, "c_kj": cs})
        own = np.maximum(self.work.value(iterative.OWN_VARIANCE, state), 0)
        state["epsilon2"] = np.where(fresh.status[:, None] == Status.EXACT_RECOVERY, 0, own)
        self._add(cs, state)
        own_sample = [self.work.value(formula, state) for formula in (iterative.RISK, iterative.TRAINING_ERROR)]
        return status, (*own_sample, fresh.state["gamma"], fresh.training_error)

    def _fit_fresh(self, keep: np.ndarray, ridge: float) -> Fit:
        """A fit of a fresh sample on the features kept, a dense fit (T1) whose law is restricted to them.

        On the same sample nu, q and the status are the same.
        """
        kappa, total = self.scalars["kappa"], self.scalars["total"]
        excess = kappa * keep - 1
        excess[abs(excess) <= CRITICAL] = 0
        surplus = Surplus(excess * total, 0 * total, resolution=CRITICAL)
        state = self.atoms | self.scalars | {"ridge": np.full_like(kappa, ridge)}
        state["weights"] = self._kept_of_atoms() * self.atoms["weights"]
        dropped = self.work.value(pruning.MISFIT, self._state())
        state["sigma2"] = self.work.value(small_model.NOISE, state | {"misfit": dropped})
        return fit_dense(state, surplus, (keep * total, 0 * total), self.work)

    def _add(self, memory: np.ndarray, state: State) -> None:
        """Add a fit, given its memory and what it knows of its noise."""
        state = self._state() | state | {"S": self.law["kept"], "H": np.zeros((1, 1))}
        earlier = self._fits()
        self.memories.append(memory)
        number, shape = len(self.memories), self.law["kept"].shape
        if (normal := f"H{number}") in self.law:  # a later fit will see this one
            # As in the limit, sigma2 + kappa mean((W - V_k)(W - V_l)) = mean(G_k G_l) then holds over the columns, too:
            # noises of similar fits differ by less than the error of integration.
            known = _fit(self.work)(state)[1]
            slope = state["S"] * state["a"]
            errors = [state["W"] - coefficient for coefficient in (known, *(fit["V"] for fit in earlier))]
            others = [*(slope * error for error in errors), *(fit["G"] for fit in earlier)]
            self.law[normal] = state["H"] = calibrated(self.law[normal], self.law["weights"], slope, others)
        noise, coefficient = _fit(self.work)(state)
        self.law |= {
            f"G{number}": np.broadcast_to(noise, shape).copy(),
            f"V{number}": np.broadcast_to(coefficient, shape).copy(),
        }

    def _state(self) -> State:
        """What formulas need: the law, the last mask, nu and q of the last fit, and what they define."""
        state = {name: self.law[name] for name in ATOM_ENTRIES} | self.scalars | {"M0": self.law["kept"]}
        return state | dict(zip(_DEFINED, _defined(self.work)(state), strict=True))

    def _fits(self) -> list[State]:
        """Noise and coefficients of the fits so far."""
        return [{"G": self.law[f"G{j + 1}"], "V": self.law[f"V{j + 1}"]} for j in range(len(self.memories))]

    def _solve(self, gaps: tuple[Formula, ...], unknowns: tuple[Any, ...], sums: Any, state: State) -> list[np.ndarray]:
        """Values of the unknowns, of shape (rows, fits), at which every gap vanishes for every fit so far."""
        fits = self._fits()
        coefficients, constants = _affine(gaps, unknowns, sums, self.work)
        lines, right = [], []
        for one in fits:
            own = state | {"G_l": one["G"], "V_l": one["V"]}
            right.append(constants(own))
            lines.append([coefficients(own | {"G_j": other["G"], "V_j": other["V"]}) for other in fits])
        # Axes: fit l, fit j, gap and unknown, row, one  ->  row, gap, fit l, unknown, fit j
        rows = len(state["kappa"])
        matrix = np.array(lines).reshape(len(fits), len(fits), len(gaps), len(unknowns), rows)
        size = np.sqrt([self._mean(one["G"] ** 2) for one in fits])[:, :, 0].T  # noises to scale by
        scale = np.tile(np.where(size > 0, 1 / (size + (size == 0)), 0), (1, len(gaps)))
        matrix = matrix.transpose(4, 2, 0, 3, 1).reshape(rows, scale.shape[1], scale.shape[1])
        target = np.array(right).reshape(len(fits), len(gaps), rows).transpose(2, 1, 0).reshape(rows, -1)
        inverse = np.linalg.pinv(scale[:, :, None] * matrix * scale[:, None, :], rcond=SAME)
        solution = -scale * np.matmul(inverse, (scale * target)[:, :, None])[:, :, 0]
        return list(solution.reshape(rows, len(unknowns), len(fits)).swapaxes(0, 1))

    def _sums(self, sums: Definitions, state: State, numbers: dict[str, np.ndarray]) -> State:
        """Sums over the fits so far, each with its own numbers."""
        lowered = self.work.lower(sums.values(), {}, "iterative.sums")
        terms = [
            lowered(
                state
                | {"G_j": one["G"], "V_j": one["V"]}
                | {name: values[:, j, None] for name, values in numbers.items()}
            )
            for j, one in enumerate(self._fits())
        ]
        names = self.work.fact(iterative.names(sums))
        return {name: reduce(np.add, parts) for name, *parts in zip(names, *terms, strict=True)}

    def _mean(self, values: np.ndarray) -> np.ndarray:
        return (self.law["weights"] * values).sum(axis=-1, keepdims=True) / self.scalars["total"]

    def _kept_of_atoms(self) -> np.ndarray:
        """Fraction kept of each atom, by row."""
        law, count = self.law, self.atoms["Lambda"].shape[1]
        atom = law["atom"].astype(int)
        masses = [
            [np.bincount(own, mass, count) for mass in (weights * kept, weights)]
            for own, weights, kept in zip(atom, law["weights"], law["kept"], strict=True)
        ]
        kept, whole = np.moveaxis(np.array(masses), 1, 0)
        return kept / np.where(whole > 0, whole, 1)


def _overall(statuses: np.ndarray) -> int:
    """The status of a fit, of those of its rows."""
    for status in (Status.NOT_CONVERGED, Status.NEAR_THRESHOLD, Status.INFINITE, Status.IMPRECISE, Status.OK):
        if (statuses == status).any():
            return status
    return Status.EXACT_RECOVERY


def _averaged(values: dict[str, np.ndarray]) -> tuple[dict[str, float], dict[str, float]]:
    """Means over the randomisations, and their standard errors."""
    means = {name: float(array.mean()) for name, array in values.items()}
    errors = {name: float(array.std(ddof=1) / np.sqrt(array.size)) for name, array in values.items()}
    return means, errors


@lru_cache(maxsize=64)
def _fit(work: Evaluator) -> Lowered:
    """Noise and coefficient of a fit, on columns where its own normal variable and its mask are known."""
    wanted = (work.of(iterative.NOISE).statement, iterative.where_kept(work.of(iterative.FIT).statement))
    return work.lower(wanted, iterative.FIT.where, "iterative.fit")


@lru_cache(maxsize=64)
def _score(score: Expression, work: Evaluator) -> Lowered:
    return work.lower((score,), iterative.COEFFICIENT, "iterative.score", scalar_output=True)


# What many formulas use, computed once a round.
_DEFINED = ("W", "a", "M0bar")


@lru_cache(maxsize=64)
def _defined(work: Evaluator) -> Lowered:
    return work.lower((symbols.W, symbols.a, symbols.M0bar), iterative.FIT.where, "iterative.definitions")


@lru_cache(maxsize=64)
def _affine(
    gaps: tuple[Formula, ...], unknowns: tuple[Any, ...], sums: Any, work: Evaluator
) -> tuple[Lowered, Lowered]:
    """Coefficients and constants of gaps that are affine in the unknowns of each fit."""
    given = tuple(map(work.form, gaps)), unknowns, sums
    coefficients, constants = iterative.coefficients(*given), iterative.constants(*given)
    return work.lower(coefficients, {}, "iterative.coefficients"), work.lower(constants, {}, "iterative.constants")
