"""Where the risk of a model is least along a number: the best ridge, budget, or number of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float
from riskcalc.policies import Procedure
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.along import Line, Risks, alike
from riskcalc.questions.extremes import extremes, precise_slope
from riskcalc.questions.models import Model
from riskcalc.questions.places import Placed, at_digits, width
from riskcalc.questions.roots import refined
from riskcalc.results.regimes import inputs
from riskcalc.results.tables import Column, Part, Shown, Table, cut, number
from riskcalc.results.values import Number

# Risks that are equal to rounding over more of the interval than this, at several values, are flat.
_FLAT, _SEVERAL = 1e-2, 4
# Fractions kept that are scanned start here.
LEAST_KEPT = Fraction(1, 10**6)
# A ridge that brings the risk so near to that of predicting zero is as good as infinite.
_SHRUNK = 1e-4
# Of the last decade in which ridges below zero end.
_HALVINGS = 30


@dataclass(frozen=True, eq=False)
class Optimum(Placed, Shown):
    """Where the test risk of a model is least. Prints as a table. Of a batch of problems, arrays of its shape.

    Attributes
    ----------
    problem : Problem
    procedure : Procedure
        The model; keeping all where the budget is varied.
    over : str
    fix : str
    scanned : int
        Values at which the risk was looked at; a lower one between two neighbours is not seen.
    place : float, mpf or ndarray
        The lowest of several that are as good; nan where no risk is finite.
    risk : float, mpf or ndarray
    bracket : tuple of two
        Values between which the least risk is; where it is flat, between which it is least throughout. Where it is an
        average over draws, scanned values between which it is as low to three standard errors; the place is the best.
    status : str or ndarray
        "interior"; "at the lower end" or "at the upper end" of the interval, beyond which it may be lower; "flat", over
        a hundredth of the interval and more; "not_converged"; "nowhere finite"; or what the status of the prediction
        there is, as "imprecise".
    digits : int or None
    """

    problem: Problem
    procedure: Procedure
    over: str
    fix: str
    scanned: int
    place: Number
    risk: Number
    bracket: tuple[Number, ...]
    status: str | np.ndarray
    digits: int | None = None

    _measured, _several = ("place", "risk"), ("bracket",)
    _read: ClassVar[Mapping[str, Any]] = {
        "problem": Problem,
        "procedure": Procedure,
        "status": lambda value: value if isinstance(value, str) else np.array(value),
    }

    def _parts(self) -> list[Part]:
        title = f"least risk of {self.procedure.key}, over {self.over}"
        scanned = f"Looked for at {self.scanned} values; what is lower between two neighbours is not seen."
        notes = [scanned, *(f"Status: {in_words(name)}." for name in CURES if np.any(self.status == name))]
        found, names = [self.place, self.risk], [self.over, "risk"]
        if np.ndim(self.place) == 0:
            rows = [(name, number(value, self.digits)) for name, value in zip(names, found, strict=True)]
            rows += [("bracket width", width(self.bracket, self.digits)), ("status", str(self.status))]
            return [Table(title, (Column("quantity", words=True), Column("value")), rows), *notes]
        given = inputs(self.problem, np.shape(self.place))
        given.pop({"aspect_ratio": "p/n", "noise_variance": "noise"}.get(self.over, self.over), None)
        flat = [np.ravel(value) for value in (*found, self.bracket[1] - self.bracket[0])]
        regimes = (
            [*(number(one[i]) for one in [*given.values(), *flat]), np.ravel(self.status)[i]]
            for i in range(np.size(self.place))
        )
        columns = [*map(Column, (*given, *names, "bracket width")), Column("status", words=True)]
        return [Table(title, columns, keys=max(1, len(given)), **cut(regimes, np.size(self.place))), *notes]


def optimum(
    problem: Problem,
    over: str = "ridge",
    model: Model = "dense",
    within: Sequence[ArrayLike | str] | None = None,
    *,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    fix: str = "law",
    digits: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Optimum:
    """Find where the test risk of a model is least, along a number of the problem or along its budget.

    Parameters
    ----------
    problem : Problem
        A batch of problems gives arrays.
    over : str
        What is varied: "ridge", "keep", "n_keep", "aspect_ratio", "n_samples", "noise_variance", ...
    model : name, policy type, policy or procedure
        As a comparison names it: "dense", "hessian+retrain", "small", ...
    within : (low, high), optional
        The interval, ends included; of a batch, the ends may be arrays. For a ridge, if not given, from the lowest that
        has a solution (of one problem, where its theory covers ridges below zero; else from zero) to one that shrinks
        the dense fit to nothing. For a budget, from 1e-6 of the features, or one of them, to all. Others have no such
        interval.
    keep, n_keep
        The budget of a model that is named without one.
    fix : "law" or "features"
        As for `crossover`.
    digits : int, optional
        Of one problem.
    tolerance, seed
        As for `predict`.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError, TypeError
        If the interval is empty, reversed or not finite, or missing where there is none of itself, or the number or
        the model is unknown.

    Notes
    -----
    The risk is scanned, closer towards ends and thresholds, and minimised about the least value by
    `scipy.optimize.elementwise.find_minimum`, which knows a place to about half the digits of a double; with `digits`
    the place is a root of the difference of two risks close to each other. Where coefficients know nothing of the
    variances of their features, the best ridge of the dense fit is aspect_ratio * noise_variance / E[B^2]
    (E. Dobriban and S. Wager, "High-dimensional asymptotics of prediction: ridge regression and classification", 2018).

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, noise_variance="1/4")
    >>> round(rc.optimum(problem, "ridge").place, 6)
    0.5
    """
    check_problem(problem)
    line = Line(problem, [model], over, fix, {"keep": keep, "n_keep": n_keep}, digits, tolerance, seed)
    if line.digits is not None and line.shape:
        raise ValueError(f"digits are found for one problem and one budget, got a batch of shape {line.shape}")
    values = line.scan(*line.interval(_usual(line) if within is None else within))
    risks = line.risks(values)[0]
    at = np.broadcast_to(values, risks.risk.shape)
    best, left, right = _lowest(risks)
    first, last = _picked(at, left + 1), _picked(at, right - 1)
    drawn, wide = bool(risks.error.any()), as_float(last - first) > _FLAT * as_float(at[-1] - at[0])
    status = np.select(
        [
            ~(_picked(as_float(risks.risk), best) < np.inf),
            wide & (right - left > _SEVERAL) & (not drawn),
            left < 0,
            right == len(values),
        ],
        ["nowhere finite", "flat", "at the lower end", "at the upper end"],
        "interior",
    )
    place, bracket = np.where(status == "at the upper end", at[-1], first), (first, last)
    inside = status == "interior"
    if drawn:
        place = np.where(inside, _picked(at, best), place)
    elif inside.any():
        ends = [_picked(at, np.clip(side, 0, len(values) - 1)) for side in (left, best, right)]
        found = extremes(line, *ends, side=1)
        place, *bracket = (
            np.where(inside, new, old)
            for new, old in zip((found.place, found.low, found.high), (place, *bracket), strict=True)
        )
        status = np.where(inside & ~found.steady, "not_converged", status)
    return _told(line, len(values), place, bracket, status)


def _lowest(risks: Risks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the first axis, where a risk is least, and the last value before it and the first after it at which the
    risk is another; minus one, and the number of values, where there is none.
    """
    risk, number = as_float(risks.risk), len(risks.risk)
    best = np.argmin(np.where(risk == risk, risk, np.inf), axis=0)
    least = Risks(*(_picked(part, best) for part in (risk, risks.error, risks.status)))
    others = ~alike(risks, least)
    places = np.arange(number).reshape(-1, *[1] * best.ndim)
    left = np.where(others & (places < best), places, -1).max(axis=0)
    return best, left, np.where(others & (places > best), places, number).min(axis=0)


def _picked(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, places[None], axis=0)[0]


def _told(line: Line, scanned: int, place: Any, bracket: Sequence[Any], status: np.ndarray) -> Optimum:
    """With the risk there."""
    digits = line.digits
    if digits is not None and line.unit is None and status == "interior":
        place, bracket, seen = refined(precise_slope(line, bracket), float(place), bracket, digits)
        status = status if seen else np.array("not_converged")
    there = line.risks(np.asarray(place), digits)[0]
    known = status != "nowhere finite"
    risk = np.where(known, there.risk, np.nan)
    wrong = known & ~np.isin(there.status, ("ok", "exact_recovery"))
    status = np.where(wrong, there.status, status)
    asked = line.problem, line.procedures[0], line.over, line.fix, scanned
    if not line.shape:
        place = at_digits(np.asarray(place).item() if known else np.nan, digits)
        low, high = (at_digits(np.asarray(one).item(), digits) for one in bracket)
        return Optimum(*asked, place, there.risk.item() if known else np.nan, (low, high), str(status), digits)
    place, low, high = (as_float(one) for one in (place, *bracket))
    return Optimum(*asked, np.where(known, place, np.nan), as_float(risk), (low, high), status, digits)


def _usual(line: Line) -> tuple[Any, Any] | None:
    """The interval of what has one of itself."""
    features = line.problem.n_features
    if line.over == "n_keep":
        return 1, int(np.min(features))
    if line.over == "keep":
        return LEAST_KEPT if features is None else Fraction(1, int(np.max(features))), 1
    if line.over != "ridge":
        return None
    most = _shrinking(line.problem)
    return (0 if line.shape else -_below_zero(line, most)), most


def _shrinking(problem: Problem) -> float:
    """A ridge that shrinks the dense fit to nothing: the least power of ten, of all problems."""
    dense = Line(problem, ["dense"], "ridge")
    ridges = 10.0 ** np.arange(-15, 16)
    risk = as_float(dense.risks(ridges.reshape(-1, *[1] * len(problem.shape)))[0].risk)
    null = as_float(problem.null_risk)
    shrunk = (abs(risk - null) <= _SHRUNK * null).reshape(len(ridges), -1).all(axis=1)
    enough = np.flatnonzero(~shrunk)
    return float(ridges[min(enough[-1] + 1, len(ridges) - 1)]) if len(enough) else float(ridges[0])


def _below_zero(line: Line, most: float) -> float:
    """How far below zero a ridge of one problem can be: nearly as far as there are solutions."""

    def solved(ridge: float) -> bool:
        try:
            return bool(np.isfinite(as_float(line.risks(np.array(-ridge))[0].risk)))
        except ValueError:
            return False

    tried = most * 10.0 ** -np.arange(13)
    good = next((ridge for ridge in tried if solved(ridge)), 0.0)
    if not good:
        return 0.0
    bad = 10 * good
    for _ in range(_HALVINGS):
        middle = (good * bad) ** 0.5
        good, bad = (middle, bad) if solved(middle) else (good, middle)
    return good
