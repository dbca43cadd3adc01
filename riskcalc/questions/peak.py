"""Peaks of a risk along a number: the double descent of dense, pruned and retrained models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float
from riskcalc.inert import Inert
from riskcalc.policies import Magnitude, Procedure
from riskcalc.prediction.status import CURES, in_words
from riskcalc.problems import Problem, check_single
from riskcalc.questions.along import Line, Risks, alike
from riskcalc.questions.extremes import Extremes, extremes, precise_slope
from riskcalc.questions.models import Model
from riskcalc.questions.places import Placed, at_digits, width
from riskcalc.questions.roots import refined
from riskcalc.results.tables import Column, Part, Shown, Table, number
from riskcalc.results.values import Number

# How near a threshold its limit is taken, of the way to the next scanned value, where there is no risk at it.
_BESIDE = 1e-8
# Denominators of simple fractions.
_SIMPLE = 10**4


@dataclass(frozen=True, eq=False)
class Peak(Placed):
    """A local maximum of a risk.

    Attributes
    ----------
    place : float or mpf
        Exact where the risk is infinite at an interpolation threshold.
    risk : float or mpf
        inf at a threshold at which the risk has no bound.
    bracket : tuple of two
        Values between which it is.
    status : str
        "ok"; "infinite"; "limit": at this threshold there is no risk, as the fit before pruning is infinite, or it
        jumps, and the larger of those just beside it is given; "not_converged": the risk changes too fast to be
        followed, as near a threshold that is not known; or what the status of the prediction is, as "imprecise".
    digits : int or None
    """

    place: Number
    risk: Number
    bracket: tuple[Number, ...]
    status: str
    digits: int | None = None

    _measured, _several = ("place", "risk"), ("bracket",)


@dataclass(frozen=True, eq=False)
class Peaks(Shown, Inert):
    """The local maxima of a model's test risk along a number of a problem. Prints as a table.

    Attributes
    ----------
    problem : Problem
    procedure : Procedure
        The model; keeping all where the budget is varied.
    over : str
    fix : str
    scanned : int
        Values at which the risk was looked at; a peak between two neighbours is not seen.
    peaks : tuple of Peak
        In increasing order of their places.
    """

    problem: Problem
    procedure: Procedure
    over: str
    fix: str
    scanned: int
    peaks: tuple[Peak, ...]

    _read: ClassVar[Mapping[str, Any]] = {"problem": Problem, "procedure": Procedure, "peaks": [Peak]}

    @property
    def places(self) -> tuple[Number, ...]:
        """Of all peaks."""
        return tuple(one.place for one in self.peaks)

    @property
    def highest(self) -> Peak | None:
        """The largest of them, the first of several; None where there is none."""
        return max(self.peaks, key=lambda one: one.risk, default=None)

    def _parts(self) -> list[Part]:
        title = f"peaks of the risk of {self.procedure.key}, over {self.over}"
        scanned = f"Looked for at {self.scanned} values; a peak between two neighbours is not seen."
        if not self.peaks:
            return [f"No {title}: it has no largest value inside the interval.", scanned]
        columns = [Column(self.over), Column("risk"), Column("bracket width"), Column("status", words=True)]
        rows = [
            [number(one.place, one.digits), number(one.risk, one.digits), width(one.bracket, one.digits), one.status]
            for one in self.peaks
        ]
        told = dict.fromkeys(one.status for one in self.peaks if one.status in CURES)
        return [Table(title, columns, rows), scanned, *(f"Some places are {in_words(status)}." for status in told)]


def peak(
    problem: Problem,
    over: str = "aspect_ratio",
    model: Model = Magnitude.name,
    within: Sequence[ArrayLike | str] | None = None,
    *,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    fix: str = "law",
    digits: int | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Peaks:
    """Find where the test risk of a model is larger than beside it: the peaks of its double descent.

    Parameters
    ----------
    problem : Problem
        One problem.
    over : str
        What is varied: "aspect_ratio", "n_samples", "n_features", "keep", "ridge", ...
    model : name, policy type, policy or procedure
        As a comparison names it: "dense", "hessian+retrain", "small", ...
    within : (low, high)
        The interval, ends included, low below high. An infinite risk at an end is a peak; a finite one is none.
    keep, n_keep
        The budget of a model that is named without one.
    fix : "law" or "features"
        As for `crossover`.
    digits : int, optional
    tolerance, seed
        As for `predict`.

    Returns
    -------
    Peaks

    Raises
    ------
    ValueError, TypeError
        If the interval is empty, reversed or not finite, or the number or the model is unknown.

    Notes
    -----
    Least squares with noise has an infinite risk where as many features are fitted as there are samples: the dense fit
    and what is pruned of it at aspect_ratio = 1, a model fitted again at aspect_ratio * keep = 1 (Chang et al. 2021,
    Section 3). These places are tried exactly. With a ridge peaks are finite; they are found by a scan, closer towards
    ends and thresholds, and `scipy.optimize.elementwise.find_minimum`.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance="1/4", ridge="1/100")
    >>> rc.peak(problem, model="dense", within=("1/2", 2)).highest.risk < 2
    True
    """
    check_single(problem, "a peak")
    line = Line(problem, [model], over, fix, {"keep": keep, "n_keep": n_keep}, digits, tolerance, seed)
    if line.shape:
        raise ValueError(f"peaks are of one budget, got budgets of shape {line.shape}")
    values = line.scan(*line.interval(within))
    risks = line.risks(values)[0]
    risk = as_float(risks.risk)
    infinite = [_infinite(line, values[i]) for i in np.flatnonzero(risk == np.inf)]
    high, unknown = _highs(values, risks)
    limits = [_limit(line, *three) for three in unknown]
    found = [*infinite, *limits, *_finite(line, high, bool(risks.error.any()))]
    return Peaks(problem, line.procedures[0], over, fix, len(values), tuple(sorted(found, key=lambda one: one.place)))


Three = tuple[Any, Any, Any]


def _highs(values: np.ndarray, risks: Risks) -> tuple[list[Three], list[Three]]:
    """Brackets, of three scanned values, of finite risks that are larger than those on either side; and those with a
    value in the middle at which there is no risk.
    """
    risk = as_float(risks.risk)
    known = np.flatnonzero(risk == risk)
    steps: list[int] = []  # those that differ from the one before
    for i in known:
        if not steps or not alike(risks.at(i), risks.at(steps[-1])):
            steps.append(int(i))
    high, unknown = [], []
    for before, i, after in zip(steps, steps[1:], steps[2:], strict=False):
        if risk[before] < risk[i] > risk[after] and risk[i] < np.inf:
            gaps = before + np.flatnonzero(risk[before:after] != risk[before:after])
            middle = gaps[0] if len(gaps) else i
            (unknown if len(gaps) else high).append((values[before], values[middle], values[after]))
    return high, unknown


def _infinite(line: Line, place: Any) -> Peak:
    place = at_digits(place, line.digits)
    return Peak(place, at_digits(np.inf, line.digits), (place, place), "infinite", line.digits)


def _limit(line: Line, before: Any, place: Any, after: Any) -> Peak:
    """Beside a threshold at which there is no risk, or the risk jumps."""
    sides = [place + (end - place) * _BESIDE for end in (before, after)]
    risk = max(line.risks(np.array(side), line.digits)[0].risk.item() for side in sides)
    place, low, high = (at_digits(one, line.digits) for one in (place, before, after))
    return Peak(place, risk, (low, high), "limit", line.digits)


def _finite(line: Line, brackets: list[Three], drawn: bool) -> list[Peak]:
    """Where a risk is largest in each bracket; of draws, the scanned value."""
    if not brackets:
        return []
    low, middle, high = (np.array(side) for side in zip(*brackets, strict=True))
    if drawn:
        found = Extremes(middle, low, high, np.ones(len(low), bool))
    else:
        found = extremes(line, low, middle, high, side=-1)
    return [_peak(line, found, i, three) for i, three in enumerate(brackets)]


def _peak(line: Line, found: Extremes, i: int, three: Three) -> Peak:
    """One of those found, with the risk there."""
    digits = line.digits
    place, bracket, steady = found.place[i], (found.low[i], found.high[i]), bool(found.steady[i])
    jumps = [] if steady else [one for one in line.thresholds() if three[0] <= one <= three[-1]]
    if jumps:
        return _limit(line, three[0], jumps[0], three[-1])
    if not steady:  # a threshold that is not known is a simple fraction
        simple = Fraction(float(place)).limit_denominator(_SIMPLE)
        if line.risks(np.array(simple))[0].risk == np.inf:
            return _infinite(line, simple)
    if digits is not None and line.unit is None and steady:
        place, bracket, steady = refined(precise_slope(line, bracket), float(place), bracket, digits)
    there = line.risks(np.array(place), digits)[0]
    status = {"exact_recovery": "ok"}.get(str(there.status), str(there.status)) if steady else "not_converged"
    place, low, high = (at_digits(one, digits) for one in (place, *bracket))
    return Peak(place, there.risk.item(), (low, high), status, digits)
