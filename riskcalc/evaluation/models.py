"""Every model of a chunk of regimes: dense, pruned, retrained, and small; the dense fit is solved once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from mpmath import mpf

from riskcalc.evaluation.fit import Fit, fit_dense
from riskcalc.evaluation.iterative import prune_repeatedly
from riskcalc.evaluation.masking import MaskGroup, best_features
from riskcalc.evaluation.pruned import Pruned, prune
from riskcalc.evaluation.regimes import Chunk
from riskcalc.evaluation.retraining import Refit, fit_fresh, fit_same
from riskcalc.evaluation.status import Status
from riskcalc.lowering.compile import lower, reduced
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.state import take
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.policies import Iterative, Policy, Retrain
from riskcalc.theory import pruning


@dataclass(frozen=True)
class Asked:
    """A model that is asked for: dense without a policy; pruned; retrained; or `small`, told its features."""

    policy: Policy | None = None
    retrain: Retrain | None = None
    small: bool = False


@dataclass(frozen=True)
class Model:
    """One model over one chunk of regimes; `refit` is the fit on the features kept, where there is one."""

    fit: Fit
    groups: list[MaskGroup]
    risk: np.ndarray
    excess_risk: np.ndarray
    training_error: np.ndarray
    misfit: np.ndarray
    status: np.ndarray
    threshold: np.ndarray | None = None
    refit: Fit | None = None
    integration_error: np.ndarray | None = None


def evaluate_chunk(
    chunk: Chunk, asked: Mapping[str, Asked], system: SolvingSystem, start: dict[str, Model] | None = None
) -> dict[str, Model]:
    """Every model of a chunk; `start` holds the same in float64, whose roots are the first trials."""
    work = _Work(chunk, system)
    first = start or {}
    found = {name: work.model(question, first.get(name)) for name, question in asked.items()}
    return {name: _finite_or_failed(model) for name, model in found.items()}


class _Work:
    """What the models of a chunk share: the dense fit, and the masks of every policy."""

    def __init__(self, chunk: Chunk, system: SolvingSystem):
        self.chunk, self.system = chunk, system
        self.fit: Fit | None = None
        self.pruned: dict[tuple, Pruned] = {}
        self.fresh: dict[tuple, Refit] = {}

    def model(self, asked: Asked, first: Model | None) -> Model:
        """One model; `first` is the same in float64."""
        if asked.small:
            return self._small(first)
        fit = self._dense(first)
        if asked.policy is None:
            gamma = fit.state["gamma"]
            return Model(fit, [], gamma, fit.excess_risk, fit.training_error, 0 * gamma, fit.status)
        if isinstance(asked.policy, Iterative):
            return self._iterative(asked.policy, asked.retrain, fit, first)
        pruned = self._masked(asked.policy, fit, first)
        threshold = None if asked.policy.kind in ("random", "replaced") else pruned.threshold
        errors = (pruned.risk, pruned.excess_risk, pruned.training_error, pruned.misfit)
        model = Model(fit, pruned.groups, *errors, pruned.status, threshold)
        return model if asked.retrain is None else self._retrained(model, asked, first)

    def _dense(self, first: Model | None) -> Fit:
        if self.fit is None:
            self.fit = _fit_distinct(self.chunk, self.system, None if first is None else _as_mpf(first.fit.state["nu"]))
        return self.fit

    def _masked(self, policy: Policy, fit: Fit, first: Model | None) -> Pruned:
        if (key := _key(policy)) not in self.pruned:
            trial = None if first is None or first.threshold is None else _as_mpf(first.threshold)
            self.pruned[key] = prune(policy, fit, self.chunk.keep_surplus, self.system, trial)
        return self.pruned[key]

    def _small(self, first: Model | None) -> Model:
        """The small model, told its features."""
        group = best_features(self.chunk.state, self.chunk.keep_surplus, self.system)
        refit = fit_fresh([group], self.chunk, self.chunk.state["ridge"], self.system, _trial(first))
        return Model(
            fit=refit.fit,
            groups=[group],
            risk=refit.risk,
            excess_risk=refit.excess_risk,
            training_error=refit.training_error,
            misfit=refit.misfit,
            status=refit.status,
            threshold=group.state["t"],
            refit=refit.fit,
        )

    def _iterative(self, policy: Iterative, retrain: Retrain | None, fit: Fit, first: Model | None) -> Model:
        """Rounds of pruning and fitting again on the same sample, by quasi-Monte Carlo; a single one is one shot."""
        if len(policy.keeps) == 1:
            once = self.model(Asked(policy.policy(keep=policy.keep), retrain), first)
            return replace(once, integration_error=np.zeros(once.risk.shape))
        if self.system is not FLOAT64:
            raise ValueError("digits: iterative pruning is integrated in double precision; leave digits out")
        keeps = [float(keep) for keep in policy.keeps]
        last = policy.ridge if retrain is None else retrain.ridge
        ridges = [float(policy.ridge)] * (len(keeps) - 1) + [float(last)]
        found = prune_repeatedly(fit, keeps, ridges, policy.policy.name)
        kept = found.kept[:, -1]
        moments = {"M0": kept, "M0bar": 1 - kept, "M1": 0 * kept, "M2c": 0 * kept}
        rows = np.arange(len(kept))
        group = MaskGroup(rows, "given", fit.state | moments).resolved(self.system)
        dropped = lower((reduced(pruning.MISFIT),), group.where, self.system, pruning.MISFIT.id)(group.state)[0]
        after = "pruned_" if retrain is None else "" if retrain.sample == "same" else "fresh_"
        risk = getattr(found, f"{after}risk")[:, -1:]
        missed = self._missed(policy, ridges, retrain, fit, f"{after}risk")
        return Model(
            fit=fit,
            groups=[group],
            risk=risk,
            excess_risk=risk - fit.state["sigma2"],
            training_error=getattr(found, f"{after}training_error")[:, -1:],
            misfit=dropped,
            status=(found.pruned_status if retrain is None else found.status)[:, -1],
            threshold=found.threshold[:, -1:],
            integration_error=np.maximum(found.errors[f"{after}risk"][:, -1:], missed),
        )

    def _missed(
        self, policy: Iterative, ridges: list[float], retrain: Retrain | None, fit: Fit, risk: str
    ) -> np.ndarray:
        """How far integration is from the exact risk of one shot, the most over the budgets of all rounds.

        What no point of the integration meets does not show in its spread, but here.
        """
        gaps = []
        for keep, ridge in zip(policy.keeps, ridges, strict=True):
            integrated = getattr(prune_repeatedly(fit, [float(keep)], [ridge], policy.policy.name), risk)
            second = retrain and Retrain(ridge, retrain.sample)
            one_shot = _Work(self.chunk.keeping(keep, self.system), self.system)
            exact = one_shot.model(Asked(policy.policy(keep=keep), second), None).risk
            gaps.append(abs(integrated - exact))
        return np.max(gaps, axis=0)

    def _retrained(self, pruned: Model, asked: Asked, first: Model | None) -> Model:
        """A pruned model, fitted again on the features kept."""
        assert asked.policy is not None
        assert asked.retrain is not None
        key = _key(asked.policy), asked.retrain.ridge.item()
        if key not in self.fresh:
            ridge = 0 * self.chunk.state["kappa"] + self.system.number(asked.retrain.ridge.reshape(1, 1))
            self.fresh[key] = fit_fresh(pruned.groups, self.chunk, ridge, self.system, _trial(first))
        refit = self.fresh[key]
        if asked.retrain.sample == "same":
            refit = fit_same(refit, pruned.groups, self.system)
        return _refitted(pruned, refit)


def _refitted(pruned: Model, refit: Refit) -> Model:
    """A pruned model with the errors of the fit after it."""
    masked = np.zeros(len(pruned.status), bool)
    for group in pruned.groups:
        masked[group.rows] = pruned.status[group.rows] != Status.NOT_CONVERGED
    return replace(
        pruned,
        risk=refit.risk,
        excess_risk=refit.excess_risk,
        training_error=refit.training_error,
        misfit=refit.misfit,
        status=np.where(masked, refit.status, Status.NOT_CONVERGED),
        refit=refit.fit,
    )


def _key(policy: Policy) -> tuple:
    """What tells the masks of one policy from those of another, at the same budget."""
    return policy.kind, *policy.options.values()


def _trial(first: Model | None) -> np.ndarray | None:
    return None if first is None or first.refit is None else _as_mpf(first.refit.state["nu"])


def _finite_or_failed(model: Model) -> Model:
    """A risk that overflowed is no risk."""
    sound = (abs(model.risk) < np.inf)[:, 0] | (model.status == Status.INFINITE)
    return replace(model, status=np.where(sound, model.status, Status.NOT_CONVERGED))


def _fit_distinct(chunk: Chunk, system: SolvingSystem, start: np.ndarray | None) -> Fit:
    """The dense fits of a chunk, each distinct problem solved once however many budgets it is asked for."""
    first, inverse = chunk.distinct
    if len(first) == len(inverse):
        return fit_dense(chunk.state, chunk.ridge_surplus, chunk.live_mass, system, start)
    own = take(chunk.state, first)
    trial = None if start is None else start[first]
    mass = (chunk.live_mass[0][first], chunk.live_mass[1][first])
    fit = fit_dense(own, chunk.ridge_surplus.rows(first), mass, system, trial)
    found = {name: array[inverse] for name, array in fit.state.items() if name not in chunk.state}
    return replace(
        fit,
        state=chunk.state | found,
        excess_risk=fit.excess_risk[inverse],
        training_error=fit.training_error[inverse],
        status=fit.status[inverse],
    )


def _as_mpf(array: np.ndarray) -> np.ndarray:
    return np.frompyfunc(mpf, 1, 1)(array)
