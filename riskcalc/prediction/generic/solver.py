"""Features in general position to the eigenvectors of their covariance: fit, prune, fit again (T12).

The dense fit is that of the eigenbasis. A mask is told by three numbers, its shares of the vector that it looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.rounding import relative_error
from riskcalc.lowering.state import State, take
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.bases import in_basis
from riskcalc.prediction.diagonal import DiagonalSolver
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import MaskGroup
from riskcalc.prediction.diagonal.regimes import chunks
from riskcalc.prediction.diagonal.solver import DiagonalModel
from riskcalc.prediction.generic.masks import Look, look, of_shares
from riskcalc.prediction.generic.ridge import second_ridge
from riskcalc.prediction.policies import UNCHANGED, Best, Mask, mask
from riskcalc.prediction.solvers import Model, NotCovered, Solver
from riskcalc.prediction.status import MOST_ROUNDING, Status
from riskcalc.problems import LinearGaussian
from riskcalc.references import generic_basis, generic_fresh, generic_retraining, merged, sampling

if TYPE_CHECKING:
    from riskcalc.formulas.records import Formula

NAMES = ("risk", "excess_risk", "training_error")


@dataclass(frozen=True)
class GenericModel(Model):
    """A pruned model, fitted again or not.

    Attributes
    ----------
    fit : Fit or None
        The dense fit before pruning.
    policy : Policy
    look : Look
        Its masks.
    n_atoms : int
    second : State
        What is known of the second fit, if there is one.
    """

    fit: Fit | None
    policy: Policy
    look: Look
    n_atoms: int
    second: State = field(default_factory=dict)

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """A risk that overflowed is no risk; with it the other errors are not known."""
        risk = self.values["risk"]
        with np.errstate(invalid="ignore"):  # nan among objects
            sound = np.asarray(abs(risk) < np.inf, bool)[:, 0]
        sound |= (self.status == Status.INFINITE) | (self.status == Status.NEAR_THRESHOLD)
        status = np.where(sound, self.status, Status.NOT_CONVERGED)
        imprecise = np.asarray(self.values["rounding_error"] > MOST_ROUNDING, bool)[:, 0]
        status = np.where((status == Status.OK) & imprecise, Status.IMPRECISE, status)
        lost = ((status == Status.NOT_CONVERGED) | (status == Status.NEAR_THRESHOLD))[:, None]
        errors = self.values.keys() - {"threshold"}
        values = dict(self.values) | {name: np.where(lost, np.nan, self.values[name]) for name in errors}
        dense_risk, ridge = (
            (values["risk"], self.second["nu2"])
            if self.fit is None
            else (self.fit.state["gamma"], self.fit.state["nu"])
        )
        return status, values | {"dense_risk": dense_risk, "effective_ridge": ridge}

    def kept(self, work: Evaluator) -> np.ndarray:
        """The same fraction along all eigenvectors."""
        return np.repeat(self.look.shares["alpha"], self.n_atoms, axis=-1)


@in_basis("generic")
def _solvers(problem: LinearGaussian, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    for chunk in chunks(problem, shape, work.system):
        yield GenericSolver(problem, chunk, work)


class GenericSolver(DiagonalSolver):
    """One chunk of regimes. The dense fit is the same in any basis."""

    def prune(self, model: Any, policy: Policy, first: Any) -> Any:
        """The masks, and if there is a fit its errors behind them."""
        fit = None if model is None else model.fit
        keep = policy.budget(self.problem.n_features)
        trial = None if first is None else self.work.system.number(first.look.threshold)
        seen = look(policy, keep, fit, self.chunk, self.work, trial)
        blank = np.nan + 0 * self.chunk.state["kappa"]
        values = {name: blank.copy() for name in NAMES} | {"rounding_error": 0 * self.chunk.state["kappa"]}
        if fit is None:
            return GenericModel(seen.status, values, fit, policy, seen, self.problem.n_atoms)
        theory = mask(policy)
        # Where a policy with quantities of its own keeps everything it changes nothing, and they are zero.
        values |= {self.work.defines(formula): np.zeros_like(blank) for formula in theory.errors.others}
        for group in seen.groups:
            state = take(fit.state | seen.shares, group.rows)
            if group.errors is UNCHANGED or isinstance(theory, Best) or seen.truth:
                found = self._errors(_formulas(theory, seen), self._with_factors(theory, seen, state))
            else:
                found = self._reweighted(group, state)
            for name, value in found.items():
                values.setdefault(name, blank.copy())[group.rows] = value
        fitted = (fit.status == Status.OK) | (fit.status == Status.EXACT_RECOVERY)
        status = np.where(fitted & (seen.status != Status.OK), seen.status, fit.status)
        infinite = status == Status.INFINITE
        values["risk"][infinite] = values["excess_risk"][infinite] = np.inf
        values["training_error"][infinite] = np.nan
        if policy.sees_fit:
            values["threshold"] = seen.threshold
        return GenericModel(status, values, fit, policy, seen, self.problem.n_atoms)

    def refit(self, model: Any, retrain: Retrain, first: Any) -> Any:
        """On the same sample if the masks look at its fit; otherwise it makes no difference which sample it is."""
        work, seen, chunk = self.work, model.look, self.chunk
        ridge = work.system.number(chunk.regimes_of(retrain.ridge_of(self.problem)))
        if np.any(ridge < 0):
            raise NotCovered("in a generic basis the theory covers second fits with a ridge of zero or more")
        state = (chunk.state if model.fit is None else model.fit.state) | seen.shares
        trial = None if first is None or not first.second else work.system.number(first.second["nu2"])
        budget = self._budget(model.policy)
        if model.policy.repeats:
            budget = of_shares(seen.shares, state, budget)
        second = second_ridge(chunk, state, budget, ridge, trial, work)
        known = seen.status != Status.NOT_CONVERGED
        if not seen.truth:
            known &= (seen.status == Status.OK) | (seen.status == Status.EXACT_RECOVERY)
        blank = np.nan + 0 * state["kappa"]
        values = {name: blank.copy() for name in NAMES} | {"rounding_error": 0 * state["kappa"]}
        lost = np.where(seen.status == Status.NEAR_THRESHOLD, seen.status, Status.NOT_CONVERGED)
        status = np.where(known, np.where(second.converged, Status.OK, Status.NOT_CONVERGED), lost)
        rows = np.flatnonzero(known & second.converged & ~second.critical)
        if rows.size:
            own = take(second.state, rows)
            own["loss"] = work.value(generic_retraining.LOSS, own)
            spreading = work.value(generic_retraining.SPREADING, own)
            own["spreading"] = np.where(own["ridge2"] > 0, spreading, 0 * own["kappa"])  # which counts with a ridge
            for name, value in self._second_errors(FITS[seen.truth, retrain.sample], own).items():
                values[name][rows] = value
        # At the threshold a square system recovers the truth, if nothing disturbs it.
        at = known & second.critical
        dropped = (state["dropped"] > 0) & (abs(state["B"]) > 0).any(axis=-1, keepdims=True)
        noisy = at & np.asarray(dropped | (state["sigma2"] > 0), bool)[:, 0]
        for name in NAMES:
            values[name][at] = 0 * state["kappa"][at]
        values["risk"][noisy] = values["excess_risk"][noisy] = np.inf
        values["training_error"][noisy] = np.nan
        status = np.where(noisy, Status.INFINITE, np.where(at, Status.EXACT_RECOVERY, status))
        status = np.where(known & second.near, Status.NEAR_THRESHOLD, status)
        if "threshold" in model.values:
            values["threshold"] = model.values["threshold"]
        return replace(model, status=status, values=values, second=second.state)

    def in_rounds(self, procedure: Procedure, dense: DiagonalModel) -> DiagonalModel:
        """Refused."""
        raise NotCovered("in a generic basis rounds of pruning are not predicted; prune once, or simulate them")

    def _errors(self, formulas: tuple[Formula, Formula], state: State) -> dict[str, np.ndarray]:
        """Risk, what of it is beyond the noise, and training error."""
        work, (risk, training) = self.work, formulas
        form = work.form(risk)
        wanted = (form, generic_basis.beyond_noise(form), work.form(training))
        where = merged(risk.where, training.where)
        return _named(work.lower(wanted, where, "generic_basis.errors", sized=(0, 3))(state), work)

    def _second_errors(self, fit: SecondFit, state: State) -> dict[str, np.ndarray]:
        """The same of a second fit."""
        work = self.work
        needs = {need.defines: work.form(need) for need in fit.needs}
        where = merged(generic_retraining.FITS | generic_retraining.MEANS, needs)
        (weight,) = work.lower((work.form(fit.weight),), where, "generic_retraining.weight")(state)
        own = state | {work.defines(fit.weight): weight + 0 * state["kappa"]}
        return _named(
            work.lower(map(work.form, fit.errors), where, "generic_retraining.errors", sized=(0, 3))(own), work
        )

    def _with_factors(self, theory: Mask, seen: Look, state: State) -> State:
        """With the factor of what is kept, where a rule may rescale; or with what an oracle and the fit agree on."""
        factors: tuple[Formula, ...] = ()
        if isinstance(theory, Best):
            factors = (generic_basis.FACTOR,)
        elif seen.truth:
            factors = (generic_basis.FOUND, generic_basis.BLIND)
        for formula in factors:
            state = state | {self.work.defines(formula): self.work.value(formula, state)}
        return state

    def _reweighted(self, group: MaskGroup, state: State) -> dict[str, np.ndarray]:
        """Errors of a fit whose coefficients are kept by chance and divided by it: what that adds has no direction."""
        errors, work = group.errors, self.work
        if errors.risk != sampling.RISK:
            raise NotCovered("in a generic basis the theory covers fits that are kept, sampled or rescaled")
        for formula in errors.needs:
            state = state | {work.defines(formula): work.given(formula, group.where, group.state)}
        found = {
            name: work.value(formula, state)
            for name, formula in zip(NAMES, (errors.risk, errors.excess_risk, errors.training_error), strict=True)
            if formula is not None
        }
        return found | {work.defines(formula): work.value(formula, state) for formula in errors.others}


@dataclass(frozen=True)
class SecondFit:
    """The formulas of a second fit: of a weight, of its risk, excess risk and training error, and what these need."""

    weight: Formula
    errors: tuple[Formula, ...]
    needs: tuple[Formula, ...]


def _second_fit(fits: Any) -> SecondFit:
    needs = fits.reached, fits.shrunk, fits.resistance
    needs += fits.refound, fits.refound_excess, fits.norm, fits.product, fits.echo_norm
    return SecondFit(fits.weight, (fits.risk, fits.excess_risk, fits.training_error), needs)


_BLENDED = SecondFit(
    generic_retraining.BLEND,
    (generic_retraining.RISK, generic_retraining.EXCESS_RISK, generic_retraining.TRAINING_ERROR),
    (
        generic_retraining.RISK_BB,
        generic_retraining.RISK_AB,
        generic_retraining.NORM_AA,
        generic_retraining.NORM_AB,
        generic_retraining.NORM_BB,
        generic_retraining.OVERLAP,
        generic_retraining.EXCESS_BB,
        generic_retraining.EXCESS_AB,
        generic_retraining.NORM,
        generic_retraining.PRODUCT,
        generic_retraining.ECHO_NORM,
    ),
)

# By whether the mask looks at the truth, and by the sample.
FITS = {
    (True, "same"): _second_fit(generic_fresh.ORACLE),
    (True, "fresh"): _second_fit(generic_fresh.ORACLE),
    (False, "same"): _BLENDED,
    (False, "fresh"): _second_fit(generic_fresh.FRESH),
}


def _formulas(theory: Mask, seen: Look) -> tuple[Formula, Formula]:
    """Risk and training error of a pruned fit."""
    if isinstance(theory, Best):
        return generic_basis.RESCALED_RISK, generic_basis.RESCALED_TRAINING_ERROR
    if seen.truth:
        return generic_basis.ORACLE_RISK, generic_basis.ORACLE_TRAINING_ERROR
    return generic_basis.RISK, generic_basis.TRAINING_ERROR


def _named(found: tuple[np.ndarray, ...], work: Evaluator) -> dict[str, np.ndarray]:
    """Errors, and what rounding makes of them by the sizes of their terms."""
    error = relative_error(found[:3], found[3:], work.system.epsilon)
    return dict(zip(NAMES, found, strict=False)) | {"rounding_error": error}
