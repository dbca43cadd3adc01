"""Simulate: draw samples of a problem, fit, prune, retrain, and measure. The empirical witness of the theory.

Nothing here knows a formula of the theory; what is measured needs only the true variances and coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from riskcalc.exact import check_seed, count
from riskcalc.memory import fits
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.policies.procedures import shared_scores
from riskcalc.problems import Problem, check_single
from riskcalc.simulation import correlated, generic, random_features, table  # noqa: F401  which register samplers
from riskcalc.simulation.backends import backend
from riskcalc.simulation.estimates import Estimate
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.samplers import rows_of, sampler
from riskcalc.simulation.trials import DISTRIBUTIONS, Plan, run_blocks
from riskcalc.simulation.workers import process_pool, processors, run_all

# Multiplications of a worker in a second; those of a task: less is not worth one, much less not a pool.
SPEED = 2e10
TASK = SPEED / 10


def simulate(
    problem: Problem,
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
    problem : LinearGaussian, Correlated, RankOne, or a problem of a kind of your own
        One problem, not a batch.
    prune : Policy, optional
        The dense fit if not given.
    retrain : bool or Retrain, optional
        Fit again on the features kept; True for least squares (or least norm) on the same sample.
    n_samples : int, optional
        Rows of a sample; needed unless the problem has them. The number of features is the aspect ratio times this,
        and the number kept that times `keep`, both rounded to the nearest integer. Correlated features are given for
        a number of samples; of a multiple, there are so many independent copies of them, and the limit is the same.
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
        Size of the default pool; 1 runs in this process, as everything does in a process that another one started to
        work. By default the processors this process may use.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Estimate
        Of the test risk, with that of the training error in it. After an interrupt, of the trials finished by then,
        and its note says so.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; also where sizes round to nothing or need more memory than there is, or n_samples is too
        near the number of features for the mean over trials to have a finite error.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, noise_variance=0.5)
    >>> estimate = rc.simulate(problem, n_samples=50, trials=20, seed=1, device="cpu", workers=1)
    >>> estimate.trials, abs(estimate.mean - rc.predict(problem).risk) < 5 * estimate.stderr
    (20, True)
    """
    procedure = Procedure.of(prune, retrain)
    plan = make_plan(problem, [procedure], n_samples, features, distribution)
    seed, trials = check_seed(seed), count(trials, "trials")
    how = {"device": device, "executor": executor, "workers": workers, "progress": progress}
    values = run_trials(plan, seed, trials, **how, partial=True)
    simulated = {"problem": problem, "procedure": procedure, "n_samples": plan.n_samples}
    interrupted = f"Interrupted after {len(values):,} of {trials:,} trials." if len(values) < trials else ""
    simulated["note"] = "\n".join(filter(None, [interrupted, shared_scores([procedure])]))
    return Estimate.of(values[:, 0, 0], seed, values[:, 0, 1], **simulated)


def run_trials(
    plan: Plan,
    seed: int | tuple[int, ...],
    trials: int,
    first: int = 0,
    device: str | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
    partial: bool = False,
) -> np.ndarray:
    """Test risk and training error of every model of a plan in every trial, shape (trials, models, 2), and masks.

    Trials start at block `first` of the seed's blocks. With `partial`, an interrupt gives those that were finished.
    """
    numbers = 2 + plan.masks * plan.n_features
    fits(trials * len(plan.procedures) * numbers * 8, f"what {trials:,} trials measure")
    chosen = backend(device)
    if workers is not None:
        workers = count(workers, "workers")
    blocks = range(first, first + math.ceil(trials / plan.block))
    n, p = plan.n_samples, plan.n_features
    size, work = len(blocks), plan.block * n * p * (min(n, p) + 40)
    if chosen.name == "cpu":
        size = max(1, round(TASK / work))
        if executor is None and workers != 1 and len(blocks) > 4 * size:
            executor = process_pool(workers)
    starts = range(0, len(blocks), size)
    tasks = ((plan, seed, blocks[i : i + size], chosen.name) for i in starts)
    seconds = size * work / SPEED / (1 if executor is None else workers or processors())
    shown = Progress(f"{trials} trials, n = {n}, p = {p}" if progress else None, len(starts), seconds)
    return np.concatenate(run_all(tasks, _run_on, executor, shown, partial=partial))[:trials]


def _run_on(plan: Plan, seed: int | tuple[int, ...], blocks: range, device: str) -> np.ndarray:
    return run_blocks(plan, seed, blocks, backend(device))


def make_plan(
    problem: Problem,
    procedures: Sequence[Procedure],
    n_samples: int | None,
    features: str = "quantiles",
    distribution: str = "gaussian",
    masks: bool = False,
) -> Plan:
    """What every trial does at this size; ValueError where that is nothing, or has no finite error."""
    check_single(problem)
    for name, value, known in (
        ("features", features, ("quantiles", "drawn")),
        ("distribution", distribution, tuple(DISTRIBUTIONS)),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    own = sampler(problem, rows_of(problem, n_samples), features == "drawn")
    if own.own_entries and distribution != "gaussian":
        raise ValueError(f"rows of a table are what they are; leave distribution out, got {distribution!r}")
    whole = tuple(own.settled(procedure.whole(own.n_features, problem.n_features)) for procedure in procedures)
    plan = Plan(own, whole, distribution, masks)
    fits(plan.trial_bytes, f"a trial of {plan.n_samples:,} samples of {plan.n_features:,} features")
    for procedure in whole:
        own.check(procedure)
    return plan
