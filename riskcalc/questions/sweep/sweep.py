"""The sweep: models over a grid of problems and budgets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import above_zero, check_seed, count
from riskcalc.lookup import look_up
from riskcalc.policies import Iterative, Procedure
from riskcalc.policies.base import at_budget
from riskcalc.problems import Problem
from riskcalc.questions.axes import BUDGETS
from riskcalc.questions.compare import MOST_ATOMS, RULES, procedures
from riskcalc.questions.models import Model, model_of, named
from riskcalc.questions.sweep.cells import NOT_COVERED, Predicted, Simulated
from riskcalc.questions.sweep.dataset import attributes, check_place, dataset, write
from riskcalc.questions.sweep.found import Found
from riskcalc.questions.sweep.grid import Grid
from riskcalc.questions.sweep.record import Record
from riskcalc.questions.sweep.run import PREDICTION, Job, Work, pool_for, size_of
from riskcalc.quoting import quoted
from riskcalc.results.quantities import QUANTITIES

# Rows of a simulated sample of a problem that is an aspect ratio, if no number is given.
ROWS = 200
# Times that Dask tries a task again whose worker was lost.
RETRIES = 2


def sweep(
    problem: Problem,
    over: Mapping[str, ArrayLike],
    what: Sequence[Model] | None = None,
    *,
    fix: str = "law",
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    trials: int = 0,
    n_samples: int | None = None,
    seed: int = 0,
    tolerance: float | None = None,
    executor: Executor | Any = None,
    workers: int | None = None,
    path: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Any:
    """What models do over a grid of problems and budgets: predicted, and simulated where trials are asked for.

    Parameters
    ----------
    problem : Problem
        One problem, not a batch.
    over : mapping of str to array_like
        Increasing values of one number or several, each with every other: "aspect_ratio", "n_samples", "n_features",
        "n_inputs", "noise_variance" or "ridge", as the problem has them; and the budget of the models, "keep" or
        "n_keep".
    what : sequence, optional
        Models and quantities. Models are names as comparisons have them ("dense", "small", "hessian",
        "hessian+retrain"), types of policies, policies with a budget of their own, or procedures; without any, those of
        a comparison that the theory of the problem covers. Quantities are names such as "training_error"; without any,
        the risk.
    fix : "law" or "features"
        What is held when the number of features changes: their law, or the features themselves, of which the first are
        seen, and what the others do is noise.
    keep, n_keep
        The budget of models, where it is no axis, as for a `Policy`.
    trials : int
        Of the simulation of each cell; 0 for none.
    n_samples : int, optional
        Rows of a simulated sample, as for `simulate`; by default the problem's own, or 200 of an aspect ratio.
    seed : int >= 0
        Of simulations and drawn predictions. What a cell draws depends on this and its values only.
    tolerance : float, optional
        Of drawn predictions, as for `predict`.
    executor : concurrent.futures.Executor or distributed.Client, optional
        Where cells are simulated and drawn; by default a pool of `workers` processes, if there is work for one.
    workers : int, optional
        Size of the default pool; 1 runs in this process.
    path : path, optional
        A netCDF file, ending in .nc, to be written. Beside it, in ``<path>.cells``, is the record: every cell as soon
        as it is finished, so that a sweep that was ended, however it was, goes on from there when it is asked for
        again, to the same dataset. Cells are found by what they are of, so a larger grid takes what there is.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    xarray.Dataset
        Of dimensions "model" and those of `over`: the quantities, nan where there is none; "status", of which
        "infeasible" is a budget of more features than there are, "no_solution" a ridge so negative that there is no
        fit, and "not_covered" what the theory does not answer; "integration_error" of drawn predictions; and, with
        trials, "simulated_risk" and "simulated_risk_stderr" (so for "training_error", if asked for), nan where a model
        cannot be simulated, of which a warning tells. In its attributes is all that it follows from.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be, a model that is named is covered nowhere, or `path` holds anything but
        a sweep of the same kind, cannot be written, or is being written by another one. Finished cells are kept.
    ImportError
        Without xarray.

    Notes
    -----
    Where a kind of problem has batches, as many regimes are predicted at once as memory is fine with (16,384). Rounds
    of pruning, and kinds without batches, are predicted cell by cell, as is what is simulated: all models of a cell on
    the same samples, on CPUs.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> found = rc.sweep(problem, {"aspect_ratio": [0.5, 2, 4], "keep": [0.1, 0.2]}, ["hessian", "small"])
    >>> dict(found.sizes)
    {'model': 2, 'aspect_ratio': 3, 'keep': 2}
    >>> float(found.risk.sel(model="hessian", aspect_ratio=2, keep=0.1).round(4))
    1.1009
    """
    grid, seed = Grid.of(problem, over, fix), check_seed(seed)
    trials = trials if trials == 0 and not isinstance(trials, bool) else count(trials, "trials")
    workers = workers if workers is None else count(workers, "workers")
    executor = _executor(executor)
    own, quantities = _asked(what)
    models = _models(problem, grid, own, fix, keep=keep, n_keep=n_keep)
    limit = tolerance if tolerance is None else above_zero(tolerance, "tolerance", 1)
    predicted, simulated = Predicted(problem, fix, models, quantities, limit, seed), None
    if trials:
        simulated = Simulated(problem, fix, models, trials, _rows(problem, grid, n_samples), seed)
    elif n_samples is not None:
        raise ValueError(f"n_samples is of simulations; give trials, too, or leave it out, got {n_samples}")
    told = attributes(predicted, simulated, grid)
    if path is not None:
        path = Path(path)
        check_place(path, told)
    found = Found(predicted, grid, simulated is not None)
    with nullcontext() if path is None else Record(path.with_name(f"{path.name}.cells")) as record:
        work, labels = Work(record, found.put), ("predictions", "cells") if progress else (None, None)
        together, apart = _jobs(predicted, simulated, grid)
        work.run(together, None, 1, labels[0])
        executor = executor or pool_for(apart, workers)
        work.run(apart, executor, size_of(executor, workers), labels[1])
    found.check_covered()
    result = dataset(found.finish(), models, grid, told)
    if path is not None:
        write(result, path)
    return result


def _executor(executor: Any) -> Executor | None:
    """Where tasks go: a client of Dask says where, and that a task whose worker is lost is tried again."""
    return executor.get_executor(retries=RETRIES) if hasattr(executor, "get_executor") else executor


def _asked(what: Any) -> tuple[list[Model], tuple[str, ...]]:
    """The models and the quantities that are asked for, of which there may be none, and is always one."""
    if isinstance(what, str) or not isinstance(what, Sequence | None):
        raise TypeError(f'what must be a list such as ["hessian", "small", "risk"], got {quoted(what)}')
    known = dict.fromkeys(named(), False) | dict.fromkeys(QUANTITIES, True)
    models, quantities = [], []
    for one in what or ():
        chosen = quantities if isinstance(one, str) and look_up(one, known, "model or quantity") else models
        chosen.append(one)
    quantities = [name for name in dict.fromkeys(quantities) if name != "status"]  # which is always there
    return models, tuple(quantities or ["risk"])


def _models(problem: Problem, grid: Grid, own: list[Model], fix: str, **budget: Any) -> tuple[Procedure, ...]:
    """The models, or those of a comparison that are covered at the first regime; each at the budget that is given."""
    given = {name: value for name, value in budget.items() if value is not None}
    named_budgets = [*(name for name in BUDGETS if name in grid.axes), *given]
    if len(named_budgets) > 1:
        raise ValueError(f"a budget is given by {' and by '.join(named_budgets)}; give it once")
    if np.ndim(value := next(iter(given.values()), 1)):
        raise ValueError(f"{named_budgets[0]} must be one number, got {quoted(value)}; several are an axis")
    given = given or dict.fromkeys(named_budgets, 1)  # any: it is that of the axis
    if own:
        models = tuple(model_of(model, **given) for model in own)
    elif not given:
        raise ValueError("a budget is missing: give keep or n_keep, as an axis or by itself, or name what=['dense']")
    else:
        rules = [at_budget(rule, **given) for rule in RULES]
        every = tuple(procedures(rules, 0, bound=getattr(problem, "n_atoms", 0) <= MOST_ATOMS))
        statuses = Predicted(problem, fix, every, (), None, 0).of(grid.first).arrays["status"].ravel()
        models = tuple(model for model, status in zip(every, statuses, strict=True) if status != NOT_COVERED)
    keys = [model.key for model in models]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"what holds {twice} twice; give each to a sweep of its own, or make the budget an axis")
    return models


def _rows(problem: Problem, grid: Grid, n_samples: int | None) -> int | None:
    """Rows of a simulated sample; None for those of the problem itself."""
    if n_samples is not None:
        if "n_samples" in grid.axes:
            raise ValueError(f"n_samples is an axis, and {n_samples}; give one of them")
        return count(n_samples, "n_samples")
    return ROWS if problem.n_samples is None else None


def _jobs(predicted: Predicted, simulated: Simulated | None, grid: Grid) -> tuple[list[Job], list[Job]]:
    """Blocks that are predicted at once; and cells, each by itself: predicted in rounds, or of a kind that has no
    batches, and simulated."""
    batched, models = {*predicted.problem.batched, "keep"}, predicted.models
    if any(model.prune is not None and model.prune.n_keep is not None for model in models) or "n_keep" in grid.axes:
        batched.discard("n_features")  # of which there may be fewer
    slow = not predicted.problem.batched or any(isinstance(model.prune, Iterative) for model in models)
    together = [] if slow else [Job(predicted, block) for block in grid.blocks(batched)]
    cells = grid.blocks(()) if slow or simulated is not None else []
    apart = [Job(predicted, block, PREDICTION) for block in cells] if slow else []
    if simulated is not None:
        apart += [Job.simulated(simulated, block) for block in cells]
    return together, apart
