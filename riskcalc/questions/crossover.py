"""Where one model overtakes another: prune or small, along any number of a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, numbers
from riskcalc.inert import Inert
from riskcalc.policies import Hessian, Procedure
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Problem, check_single
from riskcalc.questions.along import Line, Risks, order
from riskcalc.questions.models import Model
from riskcalc.questions.places import Placed, at_digits, width
from riskcalc.questions.roots import Root, changes, contrast, edges, precise_contrast, refined, roots
from riskcalc.questions.runs import Run, runs_of
from riskcalc.quoting import quoted
from riskcalc.results.tables import Column, Part, Shown, Table, number
from riskcalc.results.values import Number

EQUAL, UNDECIDED, UNKNOWN = "equal", "undecided", "unknown"

_THROUGHOUT = {
    EQUAL: "their risks are equal throughout",
    UNDECIDED: "their risks differ by less than three standard errors of their draws throughout",
    UNKNOWN: "one of the risks is known nowhere, or both are infinite",
}


@dataclass(frozen=True, eq=False)
class Crossing(Placed):
    """Where the order of two risks changes.

    Attributes
    ----------
    place : float or mpf
        Of counts and of fractions of a number of features, the first at which the other model is better.
    risks : tuple of two
        Of the models there: equal, but at a jump and between counts.
    bracket : tuple of two
        Values on either side, between which the order was seen to change; of draws, at which it is decided.
    error : float
        Standard error of the place, where predictions are averages over draws: theirs, over the slope; else zero.
    status : str
        "ok"; "jump": the order changes without equality, at an infinite risk or where one jumps; "not_converged"; or
        what the status of a prediction there is, as "imprecise".
    digits : int or None
    """

    place: Number
    risks: tuple[Number, ...]
    bracket: tuple[Number, ...]
    error: float
    status: str
    digits: int | None = None

    _measured, _several = ("place",), ("risks", "bracket")
    _read: ClassVar[Mapping[str, Any]] = {"error": numbers}


@dataclass(frozen=True, eq=False)
class Stretch(Placed):
    """Where one model is better throughout.

    Attributes
    ----------
    low, high : float or mpf
    better : str
        The name of that model; "equal" where their risks differ by rounding, from and to a scanned value if there are
        digits; "undecided" where they differ by less than three standard errors of their draws; "unknown" where one has
        no risk, or both are infinite.
    digits : int or None
    """

    low: Number
    high: Number
    better: str
    digits: int | None = None

    _measured = ("low", "high")


@dataclass(frozen=True, eq=False)
class Crossover(Shown, Inert):
    """Where two models change places along a number of a problem. Prints as a table.

    Attributes
    ----------
    problem : Problem
    between : tuple of two Procedures
    over : str
    fix : str
    scanned : int
        Values at which risks were compared; what changes twice between two neighbours is not seen.
    crossings : tuple of Crossing
        In increasing order.
    stretches : tuple of Stretch
        What is between them, from end to end of the interval.
    """

    problem: Problem
    between: tuple[Procedure, ...]
    over: str
    fix: str
    scanned: int
    crossings: tuple[Crossing, ...]
    stretches: tuple[Stretch, ...]

    _read: ClassVar[Mapping[str, Any]] = {
        "problem": Problem,
        "between": [Procedure],
        "crossings": [Crossing],
        "stretches": [Stretch],
    }

    @property
    def places(self) -> tuple[Number, ...]:
        """Where the risks are equal: of the crossings, those that are no jumps."""
        return tuple(one.place for one in self.crossings if one.status != "jump")

    def _parts(self) -> list[Part]:
        first, second = _names(self.between)
        low, high = (number(end) for end in (self.stretches[0].low, self.stretches[-1].high))
        title = f"{first} and {second}, over {self.over} from {low} to {high}"
        parts: list[Part] = []
        if self.crossings:
            drawn = any(one.error for one in self.crossings)
            columns = [Column(self.over), Column(f"risk of {first}"), Column(f"risk of {second}")]
            columns += [Column("its error")] * drawn + [Column("bracket width"), Column("status", words=True)]
            parts.append(Table(f"crossings of {title}", columns, [self._row(one, drawn) for one in self.crossings]))
            title = "which is better"
        rows = [(*(number(end, one.digits) for end in (one.low, one.high)), one.better) for one in self.stretches]
        parts.append(Table(title, (Column("from"), Column("to"), Column("better", words=True)), rows, keys=2))
        if len(self.stretches) == 1:
            better = self.stretches[0].better
            parts.append(f"No crossing: {_THROUGHOUT.get(better, f'{better} is better throughout')}.")
        parts.append(f"Compared at {self.scanned} values; what changes twice between two neighbours is not seen.")
        told = {one.status: None for one in self.crossings if one.status in CURES}
        return [*parts, *(f"Some places are {in_words(status)}." for status in told)]

    def _row(self, one: Crossing, drawn: bool) -> list[str]:
        risks = [number(risk, one.digits) for risk in one.risks]
        error = [number(one.error)] * drawn
        return [number(one.place, one.digits), *risks, *error, width(one.bracket, one.digits), one.status]


def crossover(
    problem: Problem,
    between: Sequence[Model] = (Hessian.name, "small"),
    over: str = "aspect_ratio",
    within: Sequence[ArrayLike | str] | None = None,
    *,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    fix: str = "law",
    digits: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Crossover:
    """Find where the test risks of two models cross, along a number of the problem or along the budget.

    Parameters
    ----------
    problem : Problem
        One problem.
    between : sequence of two models
        Names as in a comparison ("dense", "hessian+retrain", "small", ...), policy types, policies, or procedures.
    over : str
        What is varied: a number of the problem, as "aspect_ratio", "n_samples", "noise_variance" or "ridge"; or "keep"
        or "n_keep", the budget of both models.
    within : (low, high)
        The interval, ends included, low below high. Exact numbers, as in problems.
    keep, n_keep
        The budget of models that are named without one.
    fix : "law" or "features"
        What is held when the number of features changes: their law; or the features themselves, of which the first are
        seen, and the others are noise.
    digits : int, optional
        Of places and risks, by mpmath; float64 if not given.
    tolerance, seed
        As for `predict`; the seed is that of the draws at every value, which are yet not smooth along them.

    Returns
    -------
    Crossover

    Raises
    ------
    ValueError, TypeError
        If the interval is empty, reversed or not finite, the number or a model is unknown, or the theory of the problem
        does not cover a model.

    Notes
    -----
    Risks are compared at values that stand closer towards the ends and towards interpolation thresholds, and a root of
    (r1 - r2)/(r1 + r2), which infinite risks leave bounded, is found in every bracket (`scipy.optimize.elementwise`;
    with `digits`, the method of Anderson and Bjorck in mpmath).

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance="1/4")
    >>> found = rc.crossover(problem, ("dense", "small"), within=("1/10", "9/10"), keep="1/2")
    >>> [round(place, 6) for place in found.places]
    [0.8]
    """
    check_single(problem, "a crossover")
    if isinstance(between, str) or not isinstance(between, Sequence) or len(between) != 2:
        raise ValueError(f"between must be two models, such as ('hessian', 'small'), got {quoted(between)}")
    line = Line(problem, between, over, fix, {"keep": keep, "n_keep": n_keep}, digits, tolerance, seed)
    if line.shape:
        raise ValueError(f"a crossover is of one budget, got budgets of shape {line.shape}")
    values = line.scan(*line.interval(within))
    one, other = line.risks(values)
    drawn = bool(one.error.any() or other.error.any())
    runs = runs_of(_orders(line, values, (one, other)), drawn)
    meetings = [pair for pair in pairwise(runs) if pair[0].order * pair[1].order == -1]
    limits = [pair for pair in pairwise(runs) if 0 in (pair[0].order, pair[1].order)]
    crossings = _crossings(line, values, (one, other), meetings)
    ends = {id(run): values[run.first] for run in runs}
    ends |= {id(run): found.place for (_, run), found in zip(meetings, crossings, strict=True)}
    if not drawn and line.unit is None and line.digits is None:
        ends |= {id(run): place for (_, run), place in zip(limits, _limits(line, values, limits), strict=True)}
    places = [at_digits(end, line.digits) for end in (*ends.values(), values[-1])]
    words = dict(zip((-1.0, 1.0, 0.0), (*_names(line.procedures), UNDECIDED if drawn else EQUAL), strict=True))
    stretches = [
        Stretch(low, high, words.get(run.order, UNKNOWN), line.digits)
        for run, (low, high) in zip(runs, pairwise(places), strict=True)
    ]
    asked = problem, tuple(line.procedures), over, fix
    return Crossover(*asked, len(values), tuple(crossings), tuple(stretches))


def _orders(line: Line, values: np.ndarray, risks: tuple[Risks, Risks]) -> np.ndarray:
    """At every scanned value; with digits, those decide that are equal in double precision."""
    orders = order(*risks)
    equal = orders == 0
    if line.digits is not None and equal.any():
        orders[equal] = order(*line.risks(values[equal], line.digits), digits=line.digits)
    return orders


def _names(procedures: Sequence[Procedure]) -> list[str]:
    keys = [one.key for one in procedures]
    return keys if keys[0] != keys[1] else [f"{keys[0]} ({place})" for place in ("first", "second")]


def _limits(line: Line, values: np.ndarray, pairs: list[tuple[Run, Run]]) -> list[float]:
    """Where stretches of equal risks end: between a run of these and another."""
    sides = [((one.last, other.first) if other.order == 0 else (other.first, one.last)) for one, other in pairs]
    unequal, equal = np.array(sides, int).reshape(-1, 2).T
    return edges(line, values[unequal], values[equal])


def _crossings(
    line: Line, values: np.ndarray, risks: tuple[Risks, Risks], pairs: list[tuple[Run, Run]]
) -> list[Crossing]:
    """One in each pair of runs of opposite order."""
    if not pairs:
        return []
    first, last = (np.array(ends) for ends in zip(*((one.last, other.first) for one, other in pairs), strict=True))
    lows, highs, gap, noise = values[first], values[last], contrast(*risks), _noise(*risks)
    drawn = bool(noise.any())
    found = changes(line, lows, highs) if line.unit else roots(line, lows, highs, drawn)
    # Of the place: the largest error on the way, as the one there may be low by chance, over the slope.
    errors = np.maximum(noise[first], noise[last]) * as_float(highs - lows) / abs(gap[last] - gap[first])
    return [
        _crossing(line, root, float(error), (low, high))
        for root, error, low, high in zip(found, errors, lows, highs, strict=True)
    ]


def _noise(one: Risks, other: Risks) -> np.ndarray:
    """The standard error of the difference of two risks over their sum, as if their draws were not shared."""
    total = as_float(one.risk) + as_float(other.risk)
    return np.hypot(one.error, other.error) / np.where(total > 0, total, 1)


def _crossing(line: Line, root: Root, error: float, ends: tuple[Any, Any]) -> Crossing:
    """With the risks there."""
    place, bracket, status, digits = root.place, root.bracket, root.status, line.digits
    if digits is not None and line.unit is None and status == "ok":
        place, bracket, seen = refined(precise_contrast(line), place, ends, digits)
        status = "ok" if seen else "not_converged"
    there = line.risks(np.array(place), digits)
    wrong = [str(one.status) for one in there if one.status not in ("ok", "exact_recovery", "infinite")]
    status = wrong[0] if wrong and status == "ok" else status
    place, low, high = (at_digits(one, digits) for one in (place, *bracket))
    return Crossing(place, tuple(one.risk.item() for one in there), (low, high), error, status, digits)
