"""Prunability: how far a fit can be pruned before its training error notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from riskcalc.exact import numbers
from riskcalc.inert import Inert
from riskcalc.pictures.declared import Panel
from riskcalc.pictures.pictured import Pictured
from riskcalc.policies import BrainSurgeon, Hessian, Magnitude, Oracle, Policy, Procedure, Random
from riskcalc.policies.base import at_budget
from riskcalc.prediction.predict import evaluate, predict
from riskcalc.prediction.solvers import NotCovered
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.crossing import first_within
from riskcalc.questions.fractions import fractions_panel
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Shown, Table, cut, number
from riskcalc.results.values import plain_scalar

USUAL: tuple[type[Policy], ...] = (Magnitude, Hessian, BrainSurgeon, Oracle, Random)
# Fractions tried before the last crossing is refined: denser where little is kept, down to nearly nothing.
GRID = np.unique(np.concatenate([np.geomspace(1e-6, 1, 97), np.linspace(0, 1, 65)[1:]]))


@dataclass(frozen=True, eq=False)
class Prunability(Shown, Pictured, Inert):
    """The smallest fraction that may be kept, by policy. Prints as a table; `plot` draws it.

    Attributes
    ----------
    problem : Problem
    tolerance : float
        By which the training error may exceed that of the dense fit.
    training_error : float or ndarray
        Of the dense fit.
    keep : dict of str to float or ndarray
        By policy: every fraction from here to one keeps the training error within the tolerance. 0 where even
        predicting zero does; nan where none does, not even keeping everything (sampling with replacement), or where
        the dense fit has no finite training error.
    """

    problem: Problem
    tolerance: float
    training_error: float | np.ndarray
    keep: Mapping[str, float | np.ndarray]

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "training_error": numbers, "keep": numbers}

    def _panels(self) -> list[Panel]:
        """A dot for every policy, or curves."""
        ways = {name: (name.replace("_", " "), value) for name, value in self.keep.items()}
        return [fractions_panel(self.problem, ways, "smallest fraction kept")]

    def _parts(self) -> list[Table]:
        def text(value: Any) -> str:
            return "none" if np.isnan(value) else number(value)

        title = f"smallest fraction kept with a training error within {self.tolerance:g} of the dense fit's"
        shape = np.shape(self.training_error)
        if not shape:
            rows = [(name, text(value)) for name, value in self.keep.items()]
            columns = Column("policy", words=True), Column("smallest keep")
            return [Table(f"{title}, {number(self.training_error)}", columns, rows)]
        given = inputs(self.problem, shape)
        flat = [np.ravel(value) for value in self.keep.values()]
        errors = np.ravel(self.training_error)
        regimes = (
            [*(number(one[i]) for one in (*given.values(), errors)), *(text(value[i]) for value in flat)]
            for i in range(errors.size)
        )
        columns = [*map(Column, (*given, "dense training error", *self.keep))]
        return [Table(title, columns, keys=len(given), **cut(regimes, errors.size))]


def prunability(
    problem: Problem, tolerance: float, policies: Sequence[type[Policy] | Policy] | None = None
) -> Prunability:
    """Find the smallest fraction of features that can be kept without the training error noticing, by policy.

    The smallest fraction such that it and every larger one keep the training error within an absolute tolerance of the
    dense fit's, without retraining: a measure of generalisation that needs no test data (Kuhn et al. 2021).

    Parameters
    ----------
    problem : Problem
        A batch of problems gives arrays.
    tolerance : float >= 0
        In the units of the squared target.
    policies : sequence of Policy types, or of policies
        Types that a budget alone makes; of a policy, its options count, not its budget. Magnitude, Hessian, surgeon,
        oracle and random if not given, of which those are left out that the theory of the problem does not cover.

    Returns
    -------
    Prunability

    Raises
    ------
    ValueError, TypeError
        If the tolerance is negative or not finite, or policies are not a list of policies, each once.

    Notes
    -----
    Fractions are tried on a grid from 1 down to 1e-6, and a root is found between the highest that is outside and the
    next; of a problem of finite size every number of features is tried. A policy whose training error rises and falls
    between two points of the grid is not seen to do so.
    L. Kuhn, C. Lyle, A. Gomez, J. Rothfuss, Y. Gal, "Robustness to Pruning Predicts Generalization in Deep Neural
    Networks" (2021).

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> round(rc.prunability(problem, tolerance=0.1).keep["hessian"], 3)
    0.323
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance must be a finite number of at least 0, got {tolerance!r}")
    if policies is not None and not (isinstance(policies, Sequence) and policies):
        raise TypeError(f"policies must be a list such as [rc.Magnitude], got {policies!r}")
    check_problem(problem)
    rules = [at_budget(rule, keep=1) for rule in (USUAL if policies is None else policies)]
    if len({rule.kind for rule in rules}) < len(rules):
        raise ValueError(f"policies must be of different names, got {', '.join(rule.kind for rule in rules)}")
    tolerance = float(tolerance)
    dense = np.asarray(predict(problem).training_error)
    # Equal errors computed in two ways differ by rounding.
    most = dense + tolerance + 1e-15 * (dense + problem.null_risk)
    grid = np.arange(1, problem.n_features + 1) / problem.n_features if problem.whole else GRID
    found = {}
    for rule in rules:
        try:
            found[rule] = _ends(problem, rule, grid, most)
        except NotCovered:
            if policies is not None:
                raise
    keep = np.where(np.isfinite(dense), _smallest(problem, found, grid, most), np.nan) if found else []
    smallest = {rule.kind: plain_scalar(np.asarray(one)) for rule, one in zip(found, keep, strict=True)}
    return Prunability(problem, tolerance, plain_scalar(dense), smallest)


def _ends(problem: Problem, rule: Policy, grid: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on a grid the training error is above what it may be for the last time, -1 if never, and where it is not
    after that, the length of the grid if nowhere.
    """
    places = np.arange(len(grid)).reshape(-1, *[1] * most.ndim)
    (errors,) = _errors(problem, [rule], [grid[places]])  # nan, where masks are not found, tells nothing
    bad = np.where(errors > most, places, -1).max(axis=0)
    return bad, np.where((errors <= most) & (places > bad), places, len(grid)).min(axis=0)


def _smallest(problem: Problem, ends: Mapping[Policy, Any], grid: np.ndarray, most: np.ndarray) -> np.ndarray:
    """The smallest fractions, a row for each rule, from their ends on the grid; nan where there is none."""
    bad, good = map(np.stack, zip(*ends.values(), strict=True))
    low, high = grid[np.maximum(bad, 0)], grid[np.minimum(good, len(grid) - 1)]
    least, between = np.where(problem.null_risk <= most, 0.0, high), (bad >= 0) & (good < len(grid))
    if not problem.whole:
        # Elsewhere there is nothing to find: any bracket of two sides that differ will do.
        high = first_within(
            lambda keep: np.where(between, _errors(problem, [*ends], keep) - most, high - keep - 1e-9), low, high
        )
    return np.where(good < len(grid), np.where(bad < 0, least, high), np.nan)


def _errors(problem: Problem, rules: Sequence[Policy], keeps: Iterable[np.ndarray]) -> np.ndarray:
    """The training errors after pruning by rules, each to its own budgets; of one dense fit."""
    asked = [Procedure(rule.at(keep=keep)) for rule, keep in zip(rules, keeps, strict=True)]
    found = evaluate(problem, asked)
    return np.stack([np.asarray(found[one].training_error) for one in asked])
