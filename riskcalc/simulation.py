"""Simulate: draw samples of a problem, fit, prune, retrain, and measure. The empirical witness of the theory.

Nothing here knows a formula of the theory; what is measured needs only the true variances and coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from riskcalc.estimates import Estimate
from riskcalc.exact import as_fractions
from riskcalc.laws import count
from riskcalc.policies import Group, Iterative, Optimal, Policy, Retrain
from riskcalc.problems import LinearGaussian, check_problem
from riskcalc.sampling.backends import backend
from riskcalc.sampling.populations import Population, population
from riskcalc.sampling.trials import DISTRIBUTIONS, Plan, Recipe, run_blocks
from riskcalc.sampling.workers import process_pool, run_all

# Multiplications that take a worker about a tenth of a second: less is not worth a task, much less not a pool.
TASK = 2e9
# Without a ridge the risk of a sample of n rows in r dimensions has a finite variance only if they differ by this much.
NEAREST = 4
# Largest over smallest variance per penalty of an interpolator that keeps four digits and more.
MOST_SPREAD = 1e12


def simulate(
    problem: LinearGaussian,
    prune: Policy | None = None,
    retrain: bool | Retrain | None = None,
    *,
    n_samples: int | None = None,
    trials: int = 100,
    seed: int = 0,
    features: str = "quantiles",
    distribution: str = "gaussian",
    device: str | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Estimate:
    """Measure the test risk of a dense, pruned or retrained model at finite size.

    Every trial draws a sample, fits, keeps exactly the asked number of features, and measures the test risk exactly
    from the known covariance and coefficients, and the training error.

    Parameters
    ----------
    problem : LinearGaussian
        One problem, not a batch.
    prune : Policy, optional
        The dense fit if not given.
    retrain : bool or Retrain, optional
        Fit again on the features kept; True for least squares (or least norm) on the same sample.
    n_samples : int, optional
        Rows of a sample; needed unless the problem has them. The number of features is the aspect ratio times this,
        and the number kept that times `keep`, both rounded to the nearest integer.
    trials : int
    seed : int >= 0
        The same seed and device give the same draws, for any number of workers.
    features : "quantiles" or "drawn"
        Features at the quantiles of the law, the same in every trial; or drawn from it anew in every trial.
    distribution : "gaussian", "rademacher", "uniform" or "student5"
        Of the entries of the design, before they are scaled; all of variance one.
    device : "cpu", "gpu" or None
        None takes a GPU where CuPy finds one.
    executor : concurrent.futures.Executor, optional
        Where trials run; by default a pool of `workers` processes with one BLAS thread each, if there is work for one.
    workers : int, optional
        Size of the default pool; 1 runs in this process. By default the processors this process may use.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Estimate
        Of the test risk, with that of the training error in it. After an interrupt, of the trials finished by then.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; also where sizes round to nothing, or n_samples is too near the number of features for the
        mean over trials to have a finite error.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, noise_variance=0.5)
    >>> estimate = rc.simulate(problem, n_samples=50, trials=20, seed=1, device="cpu", workers=1)
    >>> estimate.trials, abs(estimate.mean - rc.predict(problem).risk) < 5 * estimate.stderr
    (20, True)
    """
    plan = make_plan(problem, [(prune, Retrain.of(retrain))], n_samples, features, distribution)
    seed, trials = check_seed(seed), count(trials, "trials")
    values = run_trials(plan, seed, trials, device=device, executor=executor, workers=workers, progress=progress)
    return Estimate.of(values[:, 0, 0], seed, values[:, 0, 1])


def run_trials(
    plan: Plan,
    seed: int | tuple[int, ...],
    trials: int,
    first: int = 0,
    device: str | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> np.ndarray:
    """Test risk and training error of every model of a plan in every trial, shape (trials, models, 2).

    Trials start at block `first` of the seed's blocks.
    """
    chosen = backend(device)
    if workers is not None:
        workers = count(workers, "workers")
    blocks = range(first, first + math.ceil(trials / plan.block))
    n, p = plan.n_samples, plan.n_features
    size = len(blocks)
    if chosen.name == "cpu":
        size = max(1, round(TASK / (plan.block * n * p * (min(n, p) + 40))))
        if executor is None and workers != 1 and len(blocks) > 4 * size:
            executor = process_pool(workers)
    tasks = [(plan, seed, blocks[i : i + size], chosen.name) for i in range(0, len(blocks), size)]
    label = f"{trials} trials, n = {n}, p = {p}" if progress else None
    return np.concatenate(run_all(tasks, _run_on, executor, label))[:trials]


def _run_on(plan: Plan, seed: int | tuple[int, ...], blocks: range, device: str) -> np.ndarray:
    return run_blocks(plan, seed, blocks, backend(device))


def make_plan(
    problem: LinearGaussian,
    models: Sequence[tuple[Policy | None, Retrain | None]],
    n_samples: int | None,
    features: str = "quantiles",
    distribution: str = "gaussian",
) -> Plan:
    """What every trial does at this size; ValueError where that is nothing, or has no finite error."""
    check_single(problem)
    for name, value, known in (
        ("features", features, ("quantiles", "drawn")),
        ("distribution", distribution, tuple(DISTRIBUTIONS)),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    n, p = _sizes(problem, n_samples)
    own = population(problem, p)
    live = int(np.count_nonzero(own.eigenvalues))
    noise_variance, ridge = (float(value) for value in (problem.noise_variance[()], problem.ridge[()]))
    _check_variance(n, live, ridge, "features with variance")
    if live > n:
        _check_spread(own)
    recipes = tuple(_recipe(problem, prune, retrain, n, own, live) for prune, retrain in models)
    law = problem if features == "drawn" else None
    if law is not None and any(isinstance(prune, (Group, Optimal)) for prune, _ in models):
        raise ValueError('groups and the optimal rule are simulated with features="quantiles" only')
    return Plan(n, own, noise_variance, ridge, distribution, recipes, law)


def check_single(problem: LinearGaussian) -> None:
    """Refuse anything but one problem."""
    check_problem(problem)
    if problem.shape:
        raise ValueError(f"simulation is of one problem, got a batch of shape {problem.shape}")


def check_policy(prune: Policy | None, problem: LinearGaussian) -> None:
    """Refuse anything but None or one policy at one budget."""
    if prune is None:
        return
    if not isinstance(prune, Policy) or type(prune) is Policy:
        raise TypeError(f"prune must be a policy such as rc.Magnitude(keep=0.1), got {prune!r}")
    keep = prune.fraction_kept(problem.n_features)
    if keep.shape:
        raise ValueError(f"simulation is of one budget, got keep of shape {keep.shape}")


def _recipe(
    problem: LinearGaussian, prune: Policy | None, retrain: Retrain | None, n: int, features: Population, live: int
) -> Recipe:
    if prune is None:
        if retrain is not None:
            raise ValueError("retrain needs a policy to prune by before it")
        return Recipe()
    check_policy(prune, problem)
    p = features.eigenvalues.shape[-1]
    kept = _n_keep(prune.fraction_kept(problem.n_features), p)
    kind, earlier, group = prune.kind, (), 1
    if isinstance(prune, Iterative):
        ridge = float(prune.ridge[()])
        kind, earlier = prune.policy.name, tuple((_n_keep(keep, p), ridge) for keep in prune.keeps[:-1, None])
    if isinstance(prune, Group):
        group = prune.size
        kept = _whole_groups(features, kept, group)
    if isinstance(prune, Optimal):
        _check_told(features)
    for others, ridge in earlier:
        _check_variance(n, min(others, live), ridge, "features kept")
    if retrain is None:
        return Recipe(kind, kept, earlier=earlier, group=group)
    second = Recipe(kind, kept, retrain.sample, float(retrain.ridge[()]), earlier, group)
    if kind == "replaced" and second.ridge == 0 and kept > n:
        raise ValueError(
            "with replacement the number of distinct features is random; retrain with a ridge, or keep fewer"
        )
    _check_variance(n, kept if kind == "random" else min(kept, live), second.ridge, "features kept")
    return second


def _whole_groups(features: Population, kept: int, size: int) -> int:
    """The number of features of whole groups kept; ValueError where groups do not divide the features of a kind."""
    own = np.stack([features.eigenvalues[0], features.signal[0], features.penalty[0]])
    p = own.shape[-1]
    if p % size or np.any(own.reshape(3, -1, size) != own.reshape(3, -1, size)[:, :, :1]):
        raise ValueError(
            f"groups of {size} do not divide the features of every kind, which are {p} together; groups are of one "
            "kind, so take another n_samples or size"
        )
    return max(round(kept / size), 1) * size


def _check_told(features: Population) -> None:
    """The optimal rule is simulated where variance and penalty tell the coefficient."""
    kinds = np.stack([features.eigenvalues[0], features.penalty[0], features.signal[0]])
    if np.unique(kinds, axis=1).shape[1] != np.unique(kinds[:2], axis=1).shape[1]:
        raise ValueError(
            "the optimal rule is simulated only where no two features share their eigenvalue and penalty but not "
            "their coefficient; it is predicted for others, too"
        )


def _sizes(problem: LinearGaussian, n_samples: int | None) -> tuple[int, int]:
    if n_samples is None:
        if problem.n_samples is None:
            raise ValueError("n_samples (--size) is missing: this problem is an aspect ratio; say at what size to draw")
        n_samples = int(problem.n_samples)
    n = count(n_samples, "n_samples")
    ratio: Any = as_fractions(problem.aspect_ratio)[()]
    p = round(ratio * n)
    if p < 1:
        raise ValueError(
            f"n_samples = {n} at {float(ratio):g} features per sample leaves no feature; take more samples"
        )
    return n, p


def _n_keep(keep: np.ndarray, p: int) -> int:
    exact: Any = as_fractions(keep).item()
    kept = round(exact * p)
    if kept < 1:
        raise ValueError(f"keep = {float(exact):g} of {p} features leaves none; take more samples, or keep more")
    return kept


def _check_variance(n: int, rank: int, ridge: float, what: str) -> None:
    if ridge == 0 and abs(n - rank) < NEAREST:
        raise ValueError(
            f"n_samples = {n} is too near the {rank} {what}: without a ridge the risk then has no finite variance; "
            f"they must differ by at least {NEAREST}, so take more samples or a ridge"
        )


def _check_spread(features: Population) -> None:
    """With more features than samples, weak features are lost to rounding beside strong ones."""
    scales = (features.eigenvalues / features.penalty)[features.eigenvalues > 0]
    if scales.max() > MOST_SPREAD * scales.min():
        raise ValueError(
            f"eigenvalues over penalties from {scales.min():g} to {scales.max():g} are too far apart to simulate with "
            f"more features than samples in double precision; their ratio must be at most {MOST_SPREAD:g}"
        )


def check_seed(seed: int) -> int:
    """The seed, if it is an integer of at least zero."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be an integer of at least 0, got {seed!r}")
    return int(seed)
