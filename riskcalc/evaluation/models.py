"""Every model of a chunk of regimes: dense, pruned by each policy, and small; the dense fit is solved once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from mpmath import mpf

from riskcalc.evaluation.fit import Fit, fit_dense
from riskcalc.evaluation.masking import MaskGroup, prune, restrict
from riskcalc.evaluation.regimes import Chunk
from riskcalc.evaluation.status import Status
from riskcalc.lowering.compensated import product, total
from riskcalc.lowering.compile import lower_formula
from riskcalc.lowering.state import State, take
from riskcalc.lowering.systems import NumberSystem
from riskcalc.theory import small_model


@dataclass(frozen=True)
class Model:
    """One model over one chunk of regimes."""

    fit: Fit
    groups: list[MaskGroup]
    risk: np.ndarray
    excess_risk: np.ndarray
    status: np.ndarray
    threshold: np.ndarray | None = None


def evaluate_chunk(
    chunk: Chunk, models: Sequence[str], system: NumberSystem, start: dict[str, Model] | None = None
) -> dict[str, Model]:
    """Every model of a chunk; `start` holds the same in float64, whose roots are the first trials."""
    results: dict[str, Model] = {}
    fit: Fit | None = None
    for model in models:
        first = None if start is None else start[model]
        ridge = None if first is None else _as_mpf(first.fit.state["nu"])
        if model == "small":
            state, group = restrict(chunk.state, chunk.keep_surplus, system)
            small = _fit_small(state, chunk, system, ridge)
            own = group.state | {"fit_excess_risk": small.excess_risk}
            beyond_noise = lower_formula(small_model.EXCESS_RISK, system)(own)
            results[model] = Model(small, [group], small.state["gamma"], beyond_noise, small.status, group.state["t"])
            continue
        if fit is None:
            fit = _fit_distinct(chunk, system, ridge)
        if model == "dense":
            results[model] = Model(fit, [], fit.state["gamma"], fit.excess_risk, fit.status)
            continue
        trial = None if first is None or first.threshold is None else _as_mpf(first.threshold)
        pruned = prune(model, fit, chunk.keep_surplus, system, trial)
        threshold = None if model == "random" else pruned.threshold
        results[model] = Model(fit, pruned.groups, pruned.risk, pruned.excess_risk, pruned.status, threshold)
    return {name: _finite_or_failed(model) for name, model in results.items()}


def _finite_or_failed(model: Model) -> Model:
    """A risk that overflowed is no risk."""
    sound = (abs(model.risk) < np.inf)[:, 0] | (model.status == Status.INFINITE)
    return replace(model, status=np.where(sound, model.status, Status.NOT_CONVERGED))


def _fit_small(state: State, chunk: Chunk, system: NumberSystem, start: np.ndarray | None) -> Fit:
    """The fit of the small model; features without variance are among the best only where all scores left are zero."""
    dead_mass = total(state["weights"] * (state["Lambda"] == 0))
    surplus = chunk.small_surplus.without(product((state["kappa"], 0), dead_mass))
    mass = (state["alpha"] * state["total"] - dead_mass[0], -dead_mass[1])
    return fit_dense(state, surplus, mass, system, start)


def _fit_distinct(chunk: Chunk, system: NumberSystem, start: np.ndarray | None) -> Fit:
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
