"""How many features must be sampled for predictions to stay near those of the dense fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtri

from riskcalc.exact import above_zero, numbers
from riskcalc.inert import Inert
from riskcalc.pictures.declared import Panel
from riskcalc.pictures.pictured import Pictured
from riskcalc.policies import Sampled
from riskcalc.prediction.predict import predict
from riskcalc.problems import Problem, check_problem
from riskcalc.questions.crossing import first_within
from riskcalc.questions.fractions import fractions_panel
from riskcalc.results.tables import Column, Shown, Table, cut, number
from riskcalc.results.values import plain_scalar

# The smallest fraction of features that is told from none.
LEAST = 2.0**-50


@dataclass(frozen=True, eq=False)
class SamplingBudget(Shown, Pictured, Inert):
    """Fractions of the features that suffice, each found in its own way. Prints as a table; `plot` draws it.

    Attributes
    ----------
    problem : Problem
    relative_error, failure : float
    sure_top : float or ndarray
        Smallest fraction of `Sampled(keep)`, from the exact law of its error.
    replacement : float or ndarray
        Draws over features of `Sampled(keep, replacement=True)`, from the exact law; may exceed one.
    chernoff, chebyshev : float or ndarray
        The same draws, by the concentration bounds that the exact law replaces: 2 log(2/failure), and 1/failure, in
        place of the squared normal quantile. All four are nan where the dense fit is infinite, or predicts nothing.
    """

    problem: Problem
    relative_error: float
    failure: float
    sure_top: float | np.ndarray
    replacement: float | np.ndarray
    chernoff: float | np.ndarray
    chebyshev: float | np.ndarray

    _read: ClassVar[Mapping[str, Any]] = {
        "problem": Problem,
        **dict.fromkeys(("sure_top", "replacement", "chernoff", "chebyshev"), numbers),
    }

    def _panels(self) -> list[Panel]:
        """A dot for every way, or curves."""
        words = {
            "sure_top": "a sure top",
            "replacement": "replacement",
            "chernoff": "by Chernoff",
            "chebyshev": "by Chebyshev",
        }
        ways = {str(i): (told, getattr(self, name)) for i, (name, told) in enumerate(words.items())}
        return [fractions_panel(self.problem, ways, "smallest fraction of features")]

    def _parts(self) -> list[Table]:
        title = (
            "smallest fraction of features that predicts like the dense fit, "
            f"to a relative error of {self.relative_error:g} with probability {1 - self.failure:g}"
        )
        ways = {
            "with a sure top, exact": self.sure_top,
            "with replacement, exact": self.replacement,
            "with replacement, by Chernoff's bound": self.chernoff,
            "with replacement, by Chebyshev's inequality": self.chebyshev,
        }
        shape = np.shape(self.sure_top)
        if not shape:
            rows = [(way, number(fraction)) for way, fraction in ways.items()]
            return [Table(title, (Column("sampling", words=True), Column("fraction of features")), rows)]
        regimes = (
            [", ".join(map(str, place)), *(number(np.asarray(fraction)[place]) for fraction in ways.values())]
            for place in np.ndindex(shape)
        )
        return [Table(title, [*map(Column, ("regime", *ways))], **cut(regimes, np.size(self.sure_top)))]


def sampling_budget(problem: Problem, relative_error: float, failure: float = 0.05) -> SamplingBudget:
    """Find the smallest budget at which sampled coefficients predict like the dense fit.

    The guarantee is that of sensitivity-based pruning: at a new point x, with probability 1 - failure over it and over
    the sampling, ``|x'b_sampled - x'b|`` is at most relative_error times the root mean square of x'b.

    Parameters
    ----------
    problem : LinearGaussian
        A batch of problems gives arrays.
    relative_error : float > 0
    failure : float in (0, 1)

    Returns
    -------
    SamplingBudget

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or problem is none.

    Notes
    -----
    The difference of the predictions is a sum of many small independent terms of mean zero, so in the limit it is
    normal, with the variance by which sampling makes the test risk grow (`Sampled`): the budget is the smallest whose
    growth is at most (relative_error / z)^2 times the mean square of x'b, z the normal quantile of 1 - failure/2.
    With replacement the growth is (E[sqrt(Lambda)|X|])^2 / keep. In the spirit of C. Baykal et al., "SiPPing neural
    networks" (2019), and L. Liebenwein et al., "Provable filter pruning" (2020), whose bounds hold at every size and
    for the worst of a class of inputs, with constants that are not compared here.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> budget = rc.sampling_budget(problem, relative_error=0.5)
    >>> budget.sure_top < budget.replacement < budget.chernoff < budget.chebyshev
    True
    """
    check_problem(problem)
    relative_error, failure = above_zero(relative_error, "relative_error", np.inf), above_zero(failure, "failure", 1)
    everything = np.ones(problem.shape)
    # All draws that there are features distort by (E[sqrt(Lambda)|X|])^2 over E[Lambda X^2], inversely in their number.
    unit = _distortion(problem, Sampled(keep=everything, replacement=True))
    unit = np.where((unit > 0) & (unit < np.inf), unit, np.nan)
    quantile = -ndtri(failure / 2)
    with np.errstate(over="ignore"):
        allowed = np.square(relative_error / quantile)

    def draws(factor: float) -> Any:
        """By a bound that has this factor in place of the squared quantile."""
        with np.errstate(over="ignore", divide="ignore"):
            return plain_scalar(unit * (factor / quantile**2) / allowed)

    def excess(keep: np.ndarray) -> np.ndarray:
        """Above zero where sampling distorts too much, or its distortion is not known; bounded, as that is not."""
        distortion = _distortion(problem, Sampled(keep=keep))
        with np.errstate(invalid="ignore"):
            share = np.where(distortion > 0, distortion / (distortion + allowed), 0)
        return np.where(np.isfinite(distortion), share, 1) - 0.5

    least, known = np.full(problem.shape, LEAST), np.isfinite(unit)
    enough = known & (excess(least) <= 0)
    sure = first_within(lambda keep: np.where(known & ~enough, excess(keep), 0.5 - keep), least, everything)
    sure = plain_scalar(np.where(known, np.where(enough, LEAST, sure), np.nan))
    bounds = draws(2 * np.log(2 / failure)), draws(1 / failure)
    return SamplingBudget(problem, relative_error, failure, sure, draws(quantile**2), *bounds)


def _distortion(problem: Problem, policy: Sampled) -> np.ndarray:
    """By how much sampling distorts predictions; nan where it is not known."""
    found = predict(problem, policy)
    known = np.isin(found.status, ("ok", "exact_recovery", "imprecise"))
    return np.where(known, found.values["distortion"], np.nan)
