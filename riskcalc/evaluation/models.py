"""Every model of a chunk of regimes: dense, pruned, retrained, and small; the dense fit is solved once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from mpmath import mpf

from riskcalc.evaluation.fit import Fit, fit_dense
from riskcalc.evaluation.masking import MaskGroup, best_features, prune
from riskcalc.evaluation.regimes import Chunk
from riskcalc.evaluation.status import Status
from riskcalc.lowering.compensated import product, total
from riskcalc.lowering.state import shape, take
from riskcalc.lowering.systems import SolvingSystem


@dataclass(frozen=True)
class Model:
    """One model over one chunk of regimes; `refit` is the fit on the features kept, where there is one."""

    fit: Fit
    groups: list[MaskGroup]
    risk: np.ndarray
    excess_risk: np.ndarray
    status: np.ndarray
    threshold: np.ndarray | None = None
    training_error: np.ndarray | None = None
    refit: Fit | None = None


def evaluate_chunk(
    chunk: Chunk,
    models: Sequence[str],
    system: SolvingSystem,
    retrain_ridge: np.ndarray | None = None,
    start: dict[str, Model] | None = None,
) -> dict[str, Model]:
    """Every model of a chunk; `start` holds the same in float64, whose roots are the first trials.

    With `retrain_ridge`, an exact number, pruned models are fitted again on a fresh sample.
    """
    results: dict[str, Model] = {}
    fit: Fit | None = None
    for model in models:
        first = None if start is None else start[model]
        if model == "small":
            results[model] = _small(chunk, system, first)
            continue
        if fit is None:
            fit = _fit_distinct(chunk, system, None if first is None else _as_mpf(first.fit.state["nu"]))
        if model == "dense":
            gamma = fit.state["gamma"]
            results[model] = Model(fit, [], gamma, fit.excess_risk, fit.status, training_error=fit.training_error)
            continue
        trial = None if first is None or first.threshold is None else _as_mpf(first.threshold)
        pruned = prune(model, fit, chunk.keep_surplus, system, trial)
        threshold = None if model == "random" else pruned.threshold
        results[model] = Model(fit, pruned.groups, pruned.risk, pruned.excess_risk, pruned.status, threshold)
        if retrain_ridge is not None:
            ridge = 0 * chunk.state["kappa"] + system.number(retrain_ridge.reshape(1, 1))
            results[model] = _retrained(results[model], chunk, ridge, system, first)
    return {name: _finite_or_failed(model) for name, model in results.items()}


def _small(chunk: Chunk, system: SolvingSystem, first: Model | None) -> Model:
    """The small model, told its features."""
    group = best_features(chunk.state, chunk.keep_surplus, system)
    fit, beyond_noise = _fit_kept([group], chunk, chunk.state["ridge"], system, first)
    return Model(
        fit=fit,
        groups=[group],
        risk=fit.state["gamma"],
        excess_risk=beyond_noise,
        status=fit.status,
        threshold=group.state["t"],
        training_error=fit.training_error,
        refit=fit,
    )


def _retrained(pruned: Model, chunk: Chunk, ridge: np.ndarray, system: SolvingSystem, first: Model | None) -> Model:
    """A pruned model, fitted again on a fresh sample."""
    refit, beyond_noise = _fit_kept(pruned.groups, chunk, ridge, system, first)
    masked = (pruned.status == Status.OK) | (pruned.status == Status.EXACT_RECOVERY)
    return replace(
        pruned,
        risk=refit.state["gamma"],
        excess_risk=beyond_noise,
        status=np.where(masked, refit.status, Status.NOT_CONVERGED),
        training_error=refit.training_error,
        refit=refit,
    )


def _finite_or_failed(model: Model) -> Model:
    """A risk that overflowed is no risk."""
    sound = (abs(model.risk) < np.inf)[:, 0] | (model.status == Status.INFINITE)
    return replace(model, status=np.where(sound, model.status, Status.NOT_CONVERGED))


def _fit_kept(
    groups: list[MaskGroup], chunk: Chunk, ridge: np.ndarray, system: SolvingSystem, first: Model | None
) -> tuple[Fit, np.ndarray]:
    """The fit on the features kept, on a sample that their masks do not depend on, and its risk beyond the noise.

    Regimes without a mask are fitted as if nothing were dropped: callers give them a status.
    """
    state = chunk.state | {"ridge": ridge}
    weights = np.broadcast_to(state["weights"], shape(state)).copy(order="K")
    noise = state["sigma2"].copy()
    for group in groups:
        weights[group.rows] = weights[group.rows] * group.kept(system)
        noise[group.rows] = group.noise(system)
    dead_mass = total(weights * (state["Lambda"] == 0))
    surplus = chunk.small_surplus.without(product((state["kappa"], 0), dead_mass))
    mass = (state["alpha"] * state["total"] - dead_mass[0], -dead_mass[1])
    start = None if first is None or first.refit is None else _as_mpf(first.refit.state["nu"])
    fit = fit_dense(state | {"weights": weights, "sigma2": noise}, surplus, mass, system, start)
    beyond_noise = fit.excess_risk.copy()
    for group in groups:
        beyond_noise[group.rows] = group.small_excess_risk(fit.excess_risk[group.rows], system)
    return fit, beyond_noise


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
