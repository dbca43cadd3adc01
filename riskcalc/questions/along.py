"""Risks along a number that is varied: where they are scanned, and what models have there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from riskcalc.exact import as_float, as_fractions, count, counts, exact_array, matching_shapes, whole
from riskcalc.lookup import look_up
from riskcalc.policies import Iterative
from riskcalc.policies.base import exact_fractions
from riskcalc.prediction.asymptotes import live_share
from riskcalc.prediction.predict import evaluate
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.axes import BUDGETS, COUNTS, FIXES, check_axis, varied
from riskcalc.questions.models import Model, model_of
from riskcalc.quoting import quoted
from riskcalc.results.values import below

# Values tried between the ends: where they make one batch, and where each takes its time.
MANY, FEW = 257, 33
# Towards the ends and towards thresholds values stand closer and closer: at these fractions of the interval.
_GRADES = np.outer(10.0 ** -np.arange(2, 7), (1, 2, 5)).ravel()
# Positive intervals from zero are scanned in proportion from this fraction of their end on.
_LEAST = 1e-12


@dataclass(frozen=True)
class Risks:
    """Of one model, arrays of the shape of what was asked: risks, their errors by draws, and statuses."""

    risk: np.ndarray
    error: np.ndarray
    status: np.ndarray

    def at(self, place: Any) -> Risks:
        """Those at some of its places."""
        return Risks(self.risk[place], self.error[place], self.status[place])


class Line:
    """Models of a problem, or of a batch of problems, along one of its numbers or along their budget.

    Attributes
    ----------
    digits : int or None
        Those that are asked for.
    unit : Fraction or None
        What values are whole multiples of: one for counts, 1/p for fractions of p features in a problem of finite size.
    shape : tuple of int
        Of the batch.
    """

    def __init__(
        self,
        problem: Problem,
        models: Sequence[Model],
        over: str,
        fix: str = "law",
        budget: Mapping[str, Any] | None = None,
        digits: int | None = None,
        tolerance: float | None = None,
        seed: int = 0,
    ):
        _check_over(problem, over, fix)
        given = {name: value for name, value in (budget or {}).items() if value is not None}
        if over in BUDGETS and given:
            raise ValueError(f"over={over!r} varies the budget; leave {' and '.join(given)} out")
        self.problem, self.over, self.fix = problem, over, fix
        self.digits = None if digits is None else count(digits, "digits")
        self._ends: tuple[np.ndarray, ...] = ()
        self._settings = {"tolerance": tolerance, "seed": seed}
        self._models = models
        self.procedures = [model_of(model, **{"keep": 1} if over in BUDGETS else given) for model in models]
        if over in BUDGETS and all(one.prune is None for one in self.procedures):
            raise ValueError(f"{over} makes no difference to {' and '.join(one.key for one in self.procedures)}")
        if over == "n_keep" and problem.n_features is None:
            raise ValueError("n_keep needs a problem with n_features; use over='keep'")
        self.unit = Fraction(1) if over in COUNTS else None
        if over == "keep" and problem.whole:
            self.unit = Fraction(1, int(problem.n_features))
        budgets = {one.key: one.budget(problem.n_features) for one in self.procedures if one.prune is not None}
        self.shape = matching_shapes({"the problem": np.empty(problem.shape, bool)} | budgets)

    def interval(self, within: Any) -> tuple[np.ndarray, np.ndarray]:
        """The ends as exact numbers, each one number, or one for every problem of a batch; ValueError for none."""
        if within is None:
            raise ValueError(f"within, the interval (low, high) of {self.over}, is needed")
        try:
            low, high = [] if isinstance(within, str) else within
        except (TypeError, ValueError) as error:
            raise ValueError(f"within must be two numbers, (low, high), got {quoted(within)}") from error
        ends = [self._end(end, name) for end, name in ((low, "the lower end"), (high, "the upper end"))]
        for end in ends:
            if end.shape not in ((), self.shape):
                raise ValueError(f"ends of within must be single numbers or of shape {self.shape}, got {end.shape}")
        if np.any(ends[0] >= ends[1]):
            raise ValueError(f"the lower end of within must be below the upper, got {quoted(within)}")
        if self.over == "n_keep" and np.any(ends[1] > self.problem.n_features):
            raise ValueError(f"n_keep is at most n_features = {np.min(self.problem.n_features)}, got {quoted(within)}")
        for end in ends:
            self._problem(np.asarray(end))  # which refuses what it cannot have
        self._ends = ends[0], ends[1]
        if self.digits is not None:
            self.risks(ends[0], self.digits)  # which refuses digits that it cannot have
        return self._ends

    def _inside(self, values: np.ndarray) -> np.ndarray:
        """Values that rounding puts beyond the ends, at the ends."""
        for end, beyond in zip(self._ends, (np.less, np.greater), strict=False):
            near = (as_float(values) == as_float(end)) if values.dtype == object or end.dtype == object else False
            if np.any(near):
                out = near & beyond(as_fractions(values), as_fractions(end))
                values = np.where(out, as_fractions(end), values) if np.any(out) else values
        return values

    def _end(self, end: Any, name: str) -> np.ndarray:
        name = f"{name} of within, a value of {self.over},"
        if self.over in COUNTS:
            return counts(whole(end, name) if isinstance(end, str) else end, name)
        return exact_fractions(end, name) if self.over == "keep" else exact_array(end, name)

    @cached_property
    def together(self) -> bool:
        """Whether many values are one batch."""
        return self.over in (*BUDGETS, *self.problem.batched)

    def scan(self, low: Any, high: Any) -> np.ndarray:
        """Values from end to end, exact, along the first axis, which stand closer near thresholds and ends."""
        low, high = np.broadcast_arrays(*(as_fractions(np.asarray(end)) for end in (low, high)))
        columns = [self._scanned(*ends) for ends in zip(low.ravel(), high.ravel(), strict=True)]
        most = max(map(len, columns))
        padded = np.array([column + [column[-1]] * (most - len(column)) for column in columns], dtype=object)
        found = padded.T.reshape(most, *(low.shape or [1] * len(self.shape)))
        if self.over in COUNTS:
            return found.astype(np.int64)
        return as_float(found) if np.all(as_float(found) == found) else found

    def _scanned(self, low: Fraction, high: Fraction) -> list[Fraction]:
        slow = not self.together or any(isinstance(one.prune, Iterative) for one in self.procedures)
        number, grades = (FEW, 10.0 ** -np.arange(2, 4)) if slow else (MANY, _GRADES)
        span = high - low
        exact = {low, high, *(one for one in self.thresholds() if low < one < high)}
        if self.unit is not None:
            first, last = -(-low // self.unit), high // self.unit
            if first > last:
                raise ValueError(f"{self.over} is a multiple of {self.unit}, of which there is none within")
            if last - first < number:
                return [self.unit * step for step in range(int(first), int(last) + 1)]
        ends = float(low), float(high)
        found = [*np.linspace(*ends, number)]
        for sign, near, far in ((1, *ends), (-1, -ends[1], -ends[0])):
            near = max(near, 0.0)
            if far > 10 * near:
                found += [*(sign * np.geomspace(near or far * _LEAST, far, number // 2))]
        found += [float(one) + side * float(span) * grade for one in exact for grade in grades for side in (-1, 1)]
        inside = exact | {Fraction(one) for one in found if low < one < high}
        if self.unit is not None:
            inside = {self.unit * round(one / self.unit) for one in inside}
            inside = {one for one in inside if low <= one <= high}
        return sorted(inside)

    def thresholds(self) -> list[Fraction]:
        """Where as many features are fitted as there are samples: all, those that vary, or those kept."""
        if self.shape:
            return []
        problem = self.problem
        shares = {Fraction(1), live_share(problem) or Fraction(1)}
        if self.over not in BUDGETS:
            budgets = (one.budget(problem.n_features) for one in self.procedures if one.prune is not None)
            shares |= {as_fractions(budget).item() for budget in budgets}
        ratio = as_fractions(problem.aspect_ratio).item()
        if self.over == "aspect_ratio":
            return [1 / share for share in shares]
        if self.over == "keep":
            return [1 / ratio]
        if self.over == "n_keep":
            return [Fraction(int(problem.n_samples))]
        if self.over == "n_samples":
            return [Fraction(int(problem.n_features)) * share for share in shares]
        if self.over == "n_features" and problem.n_samples is not None:
            return [Fraction(int(problem.n_samples)) / share for share in shares]
        return []

    def risks(self, at: Any, digits: int | None = None) -> list[Risks]:
        """Of every model, at values whose last axes are those of the batch."""
        values = np.asarray(at)
        if values.dtype == object and self.unit == 1:
            values = values.astype(np.int64)
        values = self._inside(exact_array(values, self.over)) if self.unit is None else values
        if self.together:
            return self._at(values, digits)
        each = [self._at(one, digits) for one in values.ravel()]
        return [
            Risks(*(np.array([getattr(one[i], part) for one in each]).reshape(values.shape) for part in _PARTS))
            for i in range(len(self._models))
        ]

    def _problem(self, at: np.ndarray) -> Problem:
        return self.problem if self.over in BUDGETS else varied(self.problem, {self.over: at}, self.fix)

    def _at(self, at: Any, digits: int | None) -> list[Risks]:
        at = np.asarray(at)
        models = self.procedures
        if self.over in BUDGETS:
            share = as_fractions(at) / as_fractions(self.problem.n_features) if self.over == "n_keep" else at
            models = [model_of(model, keep=np.asarray(share)) for model in self._models]
        found = evaluate(self._problem(at), models, digits, **self._settings)
        shape = np.broadcast_shapes(at.shape, self.shape)
        return [Risks(*_arrays(found[one].values, shape)) for one in models]


_PARTS = ("risk", "error", "status")


def _arrays(values: Mapping[str, Any], shape: tuple[int, ...]) -> list[np.ndarray]:
    error = values.get("integration_error")
    several = values["risk"], 0.0 if error is None else error, values["status"]
    return [np.broadcast_to(np.asarray(value), shape) for value in several]


def _check_over(problem: Problem, over: str, fix: str) -> None:
    check_problem(problem)
    if not isinstance(over, str):
        raise TypeError(f"over must be a name such as 'aspect_ratio', got {quoted(over)}")
    if not problem.shape:
        check_axis(problem, over, fix)
        return
    if fix != FIXES[0]:
        raise ValueError(f"fix={fix!r} is of one problem, got a batch of shape {problem.shape}")
    given = [name for name in problem.batched if problem.given().get(name) is not None]
    look_up(over, dict.fromkeys([*given, *BUDGETS]), f"number of a {type(problem).__name__} or of its models")


def alike(one: Risks, other: Risks, *, digits: int | None = None) -> np.ndarray:
    """Where risks are both known, and differ by rounding, or by less than three standard errors of their draws."""
    first, second = as_float(one.risk), as_float(other.risk)
    with np.errstate(invalid="ignore"):
        close = abs(first - second) <= 3 * np.hypot(one.error, other.error)
    differ = below(one.risk, other.risk, digits) | below(other.risk, one.risk, digits)
    return (first == first) & (second == second) & (close | ~np.asarray(differ, bool))


def order(one: Risks, other: Risks, *, digits: int | None = None) -> np.ndarray:
    """Minus one where the risk of one model is below that of the other, one where above, zero where they are alike, nan
    where nobody knows: either is nan, or both are infinite.
    """
    first, second = as_float(one.risk), as_float(other.risk)
    above = np.asarray(below(other.risk, one.risk, digits), bool)
    known = (first == first) & (second == second) & ((first < np.inf) | (second < np.inf))
    return np.where(known, np.where(alike(one, other, digits=digits), 0.0, np.where(above, 1.0, -1.0)), np.nan)
