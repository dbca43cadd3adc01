"""Fits to rows of unequal length (T13): two effective ridges from one equation, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.compensated import Pair, total_of
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.solve import balance_root
from riskcalc.lowering.state import State, take, weighed
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.prediction.diagonal.fit import Fit, effective_ridge
from riskcalc.prediction.diagonal.regimes import Chunk, law_of_rows
from riskcalc.prediction.diagonal.rows import Rows, Sized, solved
from riskcalc.prediction.policies import Errors
from riskcalc.prediction.solvers import NotCovered
from riskcalc.prediction.status import Status
from riskcalc.problems import LinearGaussian
from riskcalc.references import dense, iterative, merged, optimal, pruning, sampling, training_error, unequal_rows

if TYPE_CHECKING:
    from riskcalc.formulas.records import Definitions

# The widest search for the effective ridge of rows: by this many doublings of an exponent.
DOUBLINGS = 9
# Relative size of what pairs of doubles lose.
PAIR = 1e-30
# That ridge, beside the variances of rows, where no feature has variance and it is infinite.
FAR = 2.0**100

# What behind a mask depends on the rows, by what it is with equal rows.
BEHIND_MASKS = {
    pruning.RISK: pruning.RISK,
    training_error.PRUNED: unequal_rows.PRUNED_TRAINING_ERROR,
    sampling.RISK: unequal_rows.SAMPLED_RISK,
    sampling.TRAINING_ERROR: unequal_rows.SAMPLED_TRAINING_ERROR,
    optimal.RESCALED_RISK: optimal.RESCALED_RISK,
    optimal.RESCALED_TRAINING_ERROR: unequal_rows.RESCALED_TRAINING_ERROR,
}


class UnequalFit(Fit):
    """A fit to such rows, whose state has both effective ridges, and means over the rows."""

    @property
    def risk(self) -> np.ndarray:
        """The test risk on a row of variance one."""
        return self.state["test_risk"]


class UnequalRows(Rows):
    """Rows whose variances have a law."""

    def __init__(self, problem: LinearGaussian, chunk: Chunk, work: Evaluator):
        self.work = work
        self.law, self.empty = law_of_rows(problem, chunk, work.system)

    def errors(self, errors: Errors) -> Errors:
        """With formulas of unequal rows in the place of those of equal ones."""
        if not {errors.risk, errors.training_error} <= BEHIND_MASKS.keys():
            raise NotCovered("errors of a policy's own are of rows of equal length; leave row_variances out")
        risk, training = BEHIND_MASKS[errors.risk], BEHIND_MASKS[errors.training_error]
        return replace(errors, risk=risk, excess_risk=None, training_error=training)

    def fit(
        self,
        state: State,
        surplus: Surplus,
        mass: Pair,
        start: np.ndarray | None,
        misfit: np.ndarray | None = None,
        regimes: np.ndarray | None = None,
    ) -> Fit:
        """Effective ridges, what rows and features are by them, risks, and a status per regime."""
        work, whole = self.work, state["total"]
        if (state["ridge"] < 0).any():
            raise NotCovered("with row_variances the theory covers ridges of zero or more; leave negative ones out")
        law, empty = (self.law, self.empty) if regimes is None else self._some(regimes)
        beyond, near = _beyond_rows(surplus, whole, law, empty)
        excess = (beyond.high + beyond.low) / whole
        live = state["Lambda"] > 0
        state = state | {"excess": excess, "live_weights": state["weights"] * live}
        state["misfit"] = 0 * excess if misfit is None else misfit
        ridgeless = state["ridge"] == 0
        critical, many = (ridgeless & (excess == 0))[:, 0], (ridgeless & (excess > 0))[:, 0]

        nu, eta, status = abs(0 * excess), abs(0 * excess), np.zeros(len(excess), dtype=int)
        rows = np.flatnonzero(many)
        if rows.size:
            part = take(state, rows)
            part = part | {"kappa": part["kappa"] / _live_share(_rows_of(law, rows))}
            own = beyond.rows(rows).weighing(part["live_weights"], (mass[0][rows], mass[1][rows]), part["kappa"])
            nu[rows], found = effective_ridge(part, own, None if start is None else start[rows], work)
            status[rows[~found]] = Status.NOT_CONVERGED
        rows = np.flatnonzero(~(critical | many))
        if rows.size:
            own = surplus.weighing(state["live_weights"], mass, state["kappa"]).rows(rows)
            eta[rows], nu[rows], found = self._both(take(state, rows), _rows_of(law, rows), own)
            status[rows[~found]] = Status.NOT_CONVERGED
        state = state | {"nu": nu, "row_ridge": eta} | self._means(unequal_rows.OF_ROWS, law | {"row_ridge": eta})

        error, noise = state["misfit"].copy(), abs(0 * excess)
        rows = np.flatnonzero(~critical & _lively(state))
        if rows.size:
            error[rows] = work.value(unequal_rows.ERROR, take(state, rows))
        rows = np.flatnonzero(~critical)
        if rows.size:
            noise[rows] = work.value(unequal_rows.NOISE, take(state | {"unit_error": error}, rows))
        training = work.value(unequal_rows.TRAINING_ERROR, state | {"unit_error": error}) + 0 * excess
        infinite = critical & np.asarray(state["sigma2"] + state["misfit"] > 0, bool)[:, 0]
        error[infinite], noise[infinite], status[infinite] = np.inf, np.inf, Status.INFINITE
        status[np.asarray(noise == 0, bool)[:, 0] & (status == Status.OK)] = Status.EXACT_RECOVERY
        status[(near & ridgeless)[:, 0]] = Status.NEAR_THRESHOLD
        state |= {"unit_error": error, "gamma": noise}
        state["test_risk"] = work.value(unequal_rows.RISK, state)
        del state["live_weights"]
        return UnequalFit(state, error, training, status)

    def fit_again(self, state: State, regimes: np.ndarray, second: Fit, where: Definitions) -> Sized:
        """By two linear equations, and row by row what residuals of both fits have in common."""
        work, law = self.work, self._some(regimes)[0]
        state = state | take({"nu2": second.state["nu"], "row_ridge2": second.state["row_ridge"]}, regimes)
        ridges = {name: state[name] for name in ("row_ridge", "row_ridge2")}
        state |= self._means(unequal_rows.OF_BOTH_FITS, law | ridges)
        where = merged(unequal_rows.REFITTED, where)

        def value(formula, where, state, inexact):
            lowered = work.lower((work.form(formula),), where, "unequal_rows.again", sized=(0, 1), inexact=inexact)
            name = work.defines(formula)
            return dict(zip((name, f"{name}_size"), lowered(state), strict=True))

        forms = work.linear_terms((unequal_rows.STATIONARITY, unequal_rows.COVARIANCE))
        state |= solved(work.lower(forms, where, "unequal_rows.equations", sized=(0, 6))(state), ("rho", "carry"))
        state |= value(unequal_rows.MEMORY, {}, state, ("carry",))
        state |= value(unequal_rows.OVERLAP, where, state, ("c", "rho"))
        of_rows = ("sigma2", "unit_error", "carry", "carry_size", "unit_overlap", "unit_overlap_size")
        rows = law | ridges | {name: state[name] for name in of_rows}
        shares = merged(unequal_rows.LEVERAGE, unequal_rows.LEVERAGE_2)
        state |= value(unequal_rows.SECOND_NOISE, shares, rows, ("carry", "unit_overlap"))
        found = value(unequal_rows.SECOND_ERROR, where, state, ("c", "noise_before", "rho"))
        error, size = found.values()
        own = ("carry", "unit_error2", "unit_overlap")
        training, training_size = value(unequal_rows.SECOND_TRAINING_ERROR, shares, rows | found, own).values()
        risk = work.value(unequal_rows.SECOND_RISK, state | found)
        return [risk, error, training], [state["sigma2"] + size, size, training_size]

    def _some(self, regimes: np.ndarray) -> tuple[State, Surplus]:
        """The law of the rows of some regimes, and its mass without variance."""
        law = _rows_of(self.law, regimes)
        return law, self.empty.rows(regimes) if len(self.empty.high) > 1 else self.empty

    def _means(self, wanted: Definitions, law: State) -> State:
        """Means over the rows, by their names."""
        names = self.work.fact(iterative.names(wanted))
        where = merged(unequal_rows.LEVERAGE, unequal_rows.LEVERAGE_2)
        means = self.work.lower(wanted.values(), where, "unequal_rows.means")(law)
        return dict(zip(names, means, strict=True))

    def _both(self, state: State, law: State, surplus: Surplus) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The effective ridges of rows and features, and where they satisfy their equations.

        Where no feature has variance nothing is shared, and that of rows is as good as infinite.
        """
        system = self.work.system
        balance: Any = _Shares(state, law, surplus, self.work)
        eta = abs(0 * state["excess"]) + law["row_variance"].max(axis=-1, keepdims=True)
        some = np.flatnonzero(_lively(state))
        solved = np.ones(len(eta), bool)
        if some.size:
            part = balance.rows(some)
            low, high = part.bracket(eta[some], system)
            root = balance_root(part, low, high, None, system, gap=_Shares.gap)
            eta[some] = root.x
            solved[some] = root.converged & part.solved(root.x, system)
        lost = np.setdiff1d(np.arange(len(eta)), some)
        eta[lost] = eta[lost] * FAR
        return eta, balance.features_ridge(eta), solved


def _rows_of(law: State, regimes: np.ndarray) -> State:
    """The law of the rows of some regimes, which all may share."""
    return {name: array[regimes] if len(array) > 1 else array for name, array in law.items()}


def _lively(state: State) -> np.ndarray:
    """Where some feature has variance; shape (N,)."""
    return (state["live_weights"] > 0).any(axis=-1) & np.ones(len(state["excess"]), bool)


def _live_share(law: State) -> np.ndarray:
    """The probability that a row has variance."""
    return (law["weights"] * (law["row_variance"] > 0)).sum(axis=-1, keepdims=True) / law["total"]


def _beyond_rows(surplus: Surplus, whole: np.ndarray, law: State, empty: Surplus) -> tuple[Surplus, np.ndarray]:
    """Live features beyond rows that have variance, per such row, times `whole`; and where nobody can tell the sign."""
    if not (law["row_variance"] == 0).any():
        return surplus.judged()
    units = surplus.times(law["total"]).without((-whole * empty.high, -whole * empty.low))
    # Either is exact to so much; then come the roundings of what was given.
    exact, _ = replace(units, blur=min(empty.resolution, PAIR) * whole * law["total"], sure=True).judged()
    blur = np.maximum(units.blur, whole * empty.blur) + 0 * whole
    judged, near = replace(exact, blur=blur, sure=units.sure & empty.sure).judged()
    return judged.times(1 / (law["total"] * _live_share(law))), near


@dataclass(frozen=True)
class _Shares:
    """What rows and features share, as a balance in the effective ridge of rows.

    As that grows leverages fall; features' effective ridge falls with it, so that shrinkages grow. Like `Balance`, both
    sides are sums of positive terms, in units of both totals.
    """

    state: State
    law: State
    surplus: Surplus
    work: Evaluator

    def rows(self, rows: np.ndarray) -> _Shares:
        """The same for some of the regimes."""
        law = _rows_of(self.law, rows)
        return replace(self, state=take(self.state, rows), law=law, surplus=self.surplus.rows(rows))

    def features_ridge(self, eta: np.ndarray) -> np.ndarray:
        """The effective ridge of the features."""
        law = self.law | {"row_ridge": eta, "ridge": self.state["ridge"]}
        return self.work.value(unequal_rows.EFFECTIVE_RIDGE, law)

    def gap(self, eta: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray, None]:
        """The logarithm of the falling over the rising side, and its derivative in log eta."""
        state, law, work = self.state, self.law | {"row_ridge": eta}, self.work
        upsilon, upsilonbar, turn, _ = work.terms(unequal_rows.ROW_RIDGE, unequal_rows.LEVERAGE)(law)
        (follows,) = work.lower((unequal_rows.RIDGE_SLOPE,), unequal_rows.LEVERAGE, "unequal_rows.ridge_slope")(law)
        own = {name: state[name] for name in ("Lambda", "D")} | {"nu": self.features_ridge(eta)}
        a, abar, bend, _ = work.terms(dense.EFFECTIVE_RIDGE, dense.SHRINKAGE)(own)
        whole, scale = state["total"], law["total"] * state["kappa"]
        beyond = self.surplus.beyond(total_of(state["live_weights"], ~(abar < 0.5)), state["kappa"])
        left = -(whole * total_of(law["weights"], upsilon < 0.5)[0] + law["total"] * beyond)
        falling, rising, fall, rise = np.maximum(left, 0), np.maximum(-left, 0), 0, 0
        for unit, weights, part, remainder, slope in (
            (whole, law["weights"], upsilon, upsilonbar, turn),
            (scale, state["live_weights"], abar, a, follows * bend),
        ):
            low = weights * (part < 0.5).astype(weights.dtype)
            high = weights - low
            falling, rising = falling + unit * weighed(low, part), rising + unit * weighed(high, remainder)
            fall, rise = fall + unit * weighed(low, slope), rise + unit * weighed(high, slope)
        falling, rising = np.maximum(falling, system.tiny), np.maximum(rising, system.tiny)
        return system.functions["log"](falling / rising), -fall / falling - rise / rising, None

    def bracket(self, start: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray]:
        """Two values between which the sides cross, found by doubling exponents."""
        low = high = start
        for doubling in range(DOUBLINGS):
            short, beyond = self.gap(low, system)[0] <= 0, self.gap(high, system)[0] >= 0
            if not (short | beyond).any():
                break
            low = np.where(short, low * 2.0 ** -(2**doubling), low)
            high = np.where(beyond, high * 2.0 ** (2**doubling), high)
        return low, high

    def solved(self, eta: np.ndarray, system: SolvingSystem) -> np.ndarray:
        """Where leverages and shrinkages have the same sum; shape (N,)."""
        law, own = self.law | {"row_ridge": eta}, self.state | {"nu": self.features_ridge(eta)}
        upsilon = self.work.terms(unequal_rows.ROW_RIDGE, unequal_rows.LEVERAGE)(law)[0]
        target = self.work.of(unequal_rows.ROW_RIDGE).target
        (shared,) = self.work.lower((target,), dense.SHRINKAGE, "unequal_rows.shrinkages")(own)
        missed = weighed(law["weights"], upsilon) / law["total"] / shared - 1
        return (abs(missed) <= system.tolerance + 2 * abs(self.surplus.gain) / own["total"])[:, 0]
