"""Linear Gaussian problems whose features are their own eigenvectors: fit, prune, fit again (T1 to T6, T9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.inert import frozen
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.state import State, take
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.prediction.bases import in_basis
from riskcalc.prediction.coefficients import Coefficients
from riskcalc.prediction.diagonal.coefficients import coefficients
from riskcalc.prediction.diagonal.columns import ATOM_ENTRIES
from riskcalc.prediction.diagonal.finite import finite_sample_risk, finite_size
from riskcalc.prediction.diagonal.fit import Fit
from riskcalc.prediction.diagonal.masks import COEFFICIENT, MaskGroup, masks_of
from riskcalc.prediction.diagonal.pruned import pruned, thresholds
from riskcalc.prediction.diagonal.regimes import Budget, Chunk, chunks
from riskcalc.prediction.diagonal.retraining import Values, fit_fresh, fit_same, misfit_of
from riskcalc.prediction.diagonal.rounds import prune_repeatedly
from riskcalc.prediction.diagonal.rows import EqualRows, Rows
from riskcalc.prediction.diagonal.unequal_rows import UnequalRows
from riskcalc.prediction.policies import Drawn, Scored, mask, score
from riskcalc.prediction.solvers import Model, NotCovered, Solver
from riskcalc.prediction.status import MOST_ROUNDING, Status
from riskcalc.problems import LinearGaussian

# A coarser scan has so many times the points, and differs by less than this, relatively, if both see every turn.
COARSER, UNSEEN = 0.5, 1e-8


@dataclass(frozen=True)
class DiagonalModel(Model):
    """A model, and what fits after it need.

    Attributes
    ----------
    fit, second : Fit or None
        The first fit, None before there is one; the fit after pruning.
    groups : list of MaskGroup
    budget : Budget or None
        None where nothing is pruned.
    fresh : dict
        Fits on a fresh sample after this model, by their ridges.
    coarse : DiagonalModel or None
        The same from a coarser scan, where masks are scanned.
    """

    fit: Fit | None
    groups: list[MaskGroup] = field(default_factory=list)
    budget: Budget | None = None
    second: Fit | None = None
    fresh: dict[Retrain, tuple[Fit, Values]] = field(default_factory=dict)
    coarse: DiagonalModel | None = None

    def answer(self) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
        """A risk that overflowed is no risk; with it the other errors are not known."""
        risk, fit = self.values["risk"], self.fit or self.second
        assert fit is not None
        with np.errstate(invalid="ignore"):  # nan among objects
            sound = (abs(risk) < np.inf)[:, 0]
        sound |= (self.status == Status.INFINITE) | (self.status == Status.NEAR_THRESHOLD)
        status = np.where(sound, self.status, Status.NOT_CONVERGED)
        if "rounding_error" in self.values:
            imprecise = np.asarray(self.values["rounding_error"] > MOST_ROUNDING, bool)[:, 0]
            status = np.where((status == Status.OK) & imprecise, Status.IMPRECISE, status)
        errors = self.values.keys() - {"threshold", "integration_error"}
        values = dict(self.values) | _known({name: self.values[name] for name in errors}, status)
        return status, values | _known({"dense_risk": fit.risk}, fit.status) | {"effective_ridge": fit.state["nu"]}

    def kept(self, work: Evaluator) -> np.ndarray:
        """Fraction kept of each atom: all in the dense fit, nan where there is no mask."""
        fit = self.fit or self.second
        assert fit is not None
        number = max(fit.state[name].shape[1] for name in ATOM_ENTRIES)
        blank = 1.0 if self.budget is None else np.nan
        result = np.full((len(self.status), number), blank, dtype=self.values["risk"].dtype)
        for group in self.groups:
            result[group.rows] = group.kept(work)
        return result

    def coefficients(self, policy: Policy | None, work: Evaluator) -> Coefficients:
        """What the policy ranks by, and what it keeps of it."""
        if self.fit is None or (policy is not None and len(policy.rounds) > 1):
            return super().coefficients(policy, work)
        return coefficients(self.fit, self.groups, policy, work)


@in_basis("principal")
def _solvers(problem: LinearGaussian, shape: tuple[int, ...], work: Evaluator) -> Iterator[Solver]:
    for chunk in chunks(problem, shape, work.system):
        yield DiagonalSolver(problem, chunk, work)


class DiagonalSolver(Solver):
    """One chunk of regimes."""

    def __init__(self, problem: LinearGaussian, chunk: Chunk, work: Evaluator):
        self.problem, self.chunk, self.work = problem, chunk, work
        self.sample = EqualRows(work) if problem.rows is None else UnequalRows(problem, chunk, work)
        self._budgets: dict[Any, Budget] = {}

    def fit(self, first: DiagonalModel | None) -> DiagonalModel:
        """T1."""
        fit = fit_distinct(self.chunk, self.sample, _trial(None if first is None else first.fit, self.work))
        values = {"risk": fit.risk, "excess_risk": fit.excess_risk} | self._finite(fit, np.ones(fit.risk.shape, bool))
        return DiagonalModel(fit.status, values | {"training_error": fit.training_error, "misfit": 0 * fit.risk}, fit)

    def prune(self, model: DiagonalModel | None, policy: Policy, first: DiagonalModel | None) -> DiagonalModel:
        """T2, T3 and T5; only the mask where nothing is fitted yet."""
        found = self._pruned(model, policy, first)
        if not isinstance(mask(policy), Scored):
            return found
        alone = self.work.system is FLOAT64 or first is None
        rough = self._pruned(model, policy, first, COARSER) if alone else None
        return self._beside(found, rough, first)

    def _pruned(
        self, model: DiagonalModel | None, policy: Policy, first: DiagonalModel | None, finer: float = 1.0
    ) -> DiagonalModel:
        budget, fit = self._budget(policy), None if model is None else model.fit
        state = self.chunk.state if fit is None else fit.state
        trial = (
            None
            if first is None or "threshold" not in first.values
            else self.work.system.number(first.values["threshold"])
        )
        groups, status = masks_of(policy, fit, state, budget, self.work, trial, finer)
        groups = [replace(group, errors=self.sample.errors(group.errors)) for group in groups]
        if model is None or fit is None:
            values: Values = {"misfit": misfit_of(groups, state["kappa"], self.work)}
        else:
            status, values = pruned(groups, mask(policy).errors.others, status, fit, budget, self.work)
            values |= {name: array for name, array in model.values.items() if name == "finite_size"}
        if not isinstance(mask(policy), Drawn):
            values["threshold"] = thresholds(groups, status, state["kappa"])
        return DiagonalModel(status, values, fit, groups, budget)

    def refit(self, model: DiagonalModel, retrain: Retrain, first: DiagonalModel | None) -> DiagonalModel:
        """T4 on a fresh sample, T6 on the same."""
        found = self._refitted(model, retrain, first)
        if "integration_error" not in model.values:
            return found
        return self._beside(found, None if model.coarse is None else self._refitted(model.coarse, retrain, None), first)

    def _beside(self, found: DiagonalModel, coarse: DiagonalModel | None, first: DiagonalModel | None) -> DiagonalModel:
        """A model with what a coarser scan tells of its error; in more digits the scan is the same.

        No root was found where that is more than a scan that sees every turning point would miss.
        """
        risk = found.values["risk"]
        if coarse is not None:
            error = abs(risk - coarse.values["risk"]) + self.work.system.epsilon * risk
            unseen = error > UNSEEN * risk
        else:
            assert first is not None
            known = first.values["integration_error"]
            unseen = known > UNSEEN * first.values["risk"]
            error = np.where(unseen, known, self.work.system.epsilon * risk)
        status = np.where((found.status == Status.OK) & unseen[:, 0], Status.NOT_CONVERGED, found.status)
        return replace(found, status=status, values=dict(found.values) | {"integration_error": error}, coarse=coarse)

    def _refitted(self, model: DiagonalModel, retrain: Retrain, first: DiagonalModel | None) -> DiagonalModel:
        assert model.budget is not None
        fresh = retrain if retrain.sample == "fresh" else Retrain(retrain.ridge, "fresh")
        if fresh not in model.fresh:
            ridge = self.work.system.number(self.chunk.regimes_of(retrain.ridge_of(self.problem)))
            trial = _trial(None if first is None else first.second, self.work)
            known = model.values["misfit"]
            misfit = np.where(known == known, known, 0 * known)  # where there is no mask nothing is dropped
            second, values = fit_fresh(
                model.groups, misfit, self.chunk, model.budget, ridge, self.sample, self.work, trial
            )
            values = values | self._finite(second, self._fixed(model.groups, second.state))
            own = {"weights": self.chunk.state["weights"]}  # in place of those kept, which nothing needs any more
            second = replace(second, state=second.state | own)
            model.fresh[fresh] = second, values
        second, values = model.fresh[fresh]
        if retrain.sample == "same":
            values = fit_same(second, values, model.groups, self.sample, self.work)
        masked = np.zeros(len(model.status), bool)
        for group in model.groups:
            masked[group.rows] = model.status[group.rows] != Status.NOT_CONVERGED
        lost = np.where(model.status == Status.NEAR_THRESHOLD, model.status, Status.NOT_CONVERGED)
        status = np.where(masked, second.status, lost)
        values = values | {name: array for name, array in model.values.items() if name == "threshold"}
        return replace(model, status=status, values=values, second=second)

    def in_rounds(self, procedure: Procedure, dense: DiagonalModel) -> DiagonalModel:
        """T9, by quasi-Monte Carlo. Its error is the larger of what the points' spread and what one shot shows.

        What no point of the integration meets does not show in its spread, but in the risk of pruning once to the
        budgets of the rounds, which is known exactly.
        """
        if self.work.system is not FLOAT64:
            raise NotCovered("digits: iterative pruning is integrated in double precision; leave digits out")
        if self.problem.rows is not None:
            raise NotCovered("rounds of pruning are predicted with rows of equal length; leave row_variances out")
        fit, last = dense.fit, procedure.retrain
        assert fit is not None
        policies, fits = zip(*procedure.rounds, strict=True)
        if isinstance(mask(policies[0]), Scored) and ((fit.state["Lambda"] == 0) & (fit.state["weights"] > 0)).any():
            raise NotCovered(
                f"rounds by {policies[0].kind}, which is no weight times |X|, are predicted where every feature has "
                "variance"
            )
        # Without a fit after them, the last round is as good as followed by any.
        ridges = [self._ridge(again or fits[0]) for again in fits]
        scored = score(policies[0])
        keeps = [float(policy.budget(self.problem.n_features)) for policy in policies]
        found = prune_repeatedly(fit, keeps, ridges, scored, self.work)
        kept = found.kept[:, -1]
        moments = {"M0": kept, "M0bar": 1 - kept, "M1": 0 * kept, "M2c": 0 * kept}
        group = MaskGroup(np.arange(len(kept)), fit.state | moments, COEFFICIENT)
        after = "pruned_" if last is None else "" if last.sample == "same" else "fresh_"
        risk, missed = f"{after}risk", []
        for policy, again, keep, ridge in zip(policies, fits, keeps, ridges, strict=True):
            integrated = getattr(prune_repeatedly(fit, [keep], [ridge], scored, self.work), risk)
            once = self.prune(dense, policy, None)
            once = once if last is None else self.refit(once, Retrain((again or last).ridge, last.sample), None)
            missed.append(abs(integrated - once.values["risk"]))
        values = {
            "risk": getattr(found, risk)[:, -1:],
            "excess_risk": getattr(found, risk)[:, -1:] - fit.state["sigma2"],
            "training_error": getattr(found, f"{after}training_error")[:, -1:],
            "misfit": misfit_of([group], fit.state["kappa"], self.work),
            "threshold": found.threshold[:, -1:],
            "integration_error": np.maximum(found.errors[risk][:, -1:], np.max(missed, axis=0)),
        }
        status = (found.pruned_status if last is None else found.status)[:, -1]
        for policy, again, ridge in zip(policies, fits, ridges, strict=True):
            if again is not None:
                near = (self._budget(policy).small_surplus.judged()[1] & (ridge == 0))[:, 0]
                status = np.where(near, Status.NEAR_THRESHOLD, status)
        return DiagonalModel(status, values, fit, [group], self._budget(policies[-1]))

    def _fixed(self, groups: list[MaskGroup], state: State) -> np.ndarray:
        """Where the sample does not choose what is kept, nor chance how many of the features with variance; (N, 1)."""
        weights = state["weights"]
        some = (weights > 0) & (weights < self.chunk.state["weights"]) & (state["Lambda"] == 0)
        fixed = ~some.any(axis=-1, keepdims=True)
        for group in groups:
            fixed[group.rows] &= not group.of_fit
        return fixed

    def _finite(self, fit: Fit, known: np.ndarray) -> Values:
        """What finite size makes of the risk of a fit, if there is a size; where features are `known` to be fixed."""
        if self.problem.n_samples is None or self.problem.rows is not None:
            return {}
        n_samples = self.chunk.regimes_of(self.problem.n_samples)
        return {
            "finite_size": finite_size(fit, n_samples, self.work),
            "finite_sample_risk": finite_sample_risk(fit, n_samples, known, self.work),
        }

    def _ridge(self, retrain: Retrain) -> np.ndarray:
        return as_float(self.chunk.regimes_of(retrain.ridge_of(self.problem)))

    def _budget(self, policy: Policy) -> Budget:
        """The budget of a policy, one for all policies that share it."""
        keep = policy.budget(self.problem.n_features)
        if (key := frozen(keep)) not in self._budgets:
            self._budgets[key] = self.chunk.budget(keep, self.work.system)
        return self._budgets[key]


def fit_distinct(chunk: Chunk, sample: Rows, start: np.ndarray | None = None) -> Fit:
    """The dense fits of a chunk, each distinct problem solved once however many budgets it is asked for."""
    first, inverse = chunk.distinct
    if len(first) == len(inverse):
        return sample.fit(chunk.state, chunk.ridge_surplus, chunk.live_mass, start)
    mass = (chunk.live_mass[0][first], chunk.live_mass[1][first])
    trial, given = None if start is None else start[first], take(chunk.state, first)
    fit = sample.fit(given, chunk.ridge_surplus.rows(first), mass, trial, regimes=first)
    found = {name: array[inverse] for name, array in fit.state.items() if array is not given.get(name)}
    return replace(
        fit,
        state=chunk.state | found,
        excess_risk=fit.excess_risk[inverse],
        training_error=fit.training_error[inverse],
        status=fit.status[inverse],
    )


def _known(values: Values, status: np.ndarray) -> Values:
    lost = ((status == Status.NOT_CONVERGED) | (status == Status.NEAR_THRESHOLD))[:, None]
    return {name: np.where(lost, np.nan, array) for name, array in values.items()} if lost.any() else values


def _trial(fit: Fit | None, work: Evaluator) -> np.ndarray | None:
    return None if fit is None else work.system.number(fit.state["nu"])
