"""How many features must be sampled for predictions to stay near those of the dense fit."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import ndtri

from riskcalc.evaluation.models import Asked, evaluate_chunk
from riskcalc.evaluation.regimes import chunks
from riskcalc.evaluation.status import Status
from riskcalc.lowering.compile import lower_formula
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.policies import Sampled
from riskcalc.prediction import predict
from riskcalc.problems import LinearGaussian, check_problem
from riskcalc.theory import sampling
from riskcalc.values import json_value, plain_scalar

HALVINGS = 50


@dataclass(frozen=True)
class SamplingBudget:
    """Fractions of the features that suffice, each found in its own way. Prints as a table.

    Attributes
    ----------
    relative_error, failure : float
    sure_top : float or ndarray
        Smallest fraction of `Sampled(keep)`, from the exact law of its error.
    replacement : float or ndarray
        Draws over features of `Sampled(keep, replacement=True)`, from the exact law; may exceed one.
    chernoff, chebyshev : float or ndarray
        The same draws, by the concentration bounds that the exact law replaces: 2 log(2/failure), and 1/failure, in
        place of the squared normal quantile. All four are nan where the dense fit is infinite, or predicts nothing.
    """

    relative_error: float
    failure: float
    sure_top: Any
    replacement: Any
    chernoff: Any
    chebyshev: Any

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: json_value(value, None) for name, value in vars(self).items()}

    def __str__(self) -> str:
        from riskcalc.tables import filled, number, table, to_text

        title = f"for a relative error of {self.relative_error:g} with probability {1 - self.failure:g}"
        words = {
            "with a sure top, exact": self.sure_top,
            "with replacement, exact": self.replacement,
            "with replacement, by Chernoff's bound": self.chernoff,
            "with replacement, by Chebyshev's inequality": self.chebyshev,
        }
        rows = [[name, ", ".join(number(one) for one in np.ravel(value)[:8])] for name, value in words.items()]
        return to_text([title, *filled(table("", ("sampling", "fraction of features")), rows, len(rows))])


def sampling_budget(problem: LinearGaussian, relative_error: float, failure: float = 0.05) -> SamplingBudget:
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
    for name, value, most in (("relative_error", relative_error, np.inf), ("failure", failure, 1.0)):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < most:
            raise ValueError(f"{name} must be a number above 0 and below {most:g}, got {value!r}")
    relative_error, failure = float(relative_error), float(failure)
    everything = np.ones(problem.shape)
    # All draws that there are features grow the risk by (E[sqrt(Lambda)|X|])^2; the growth is inverse in the draws.
    unit = _growth(problem, Sampled(keep=everything, replacement=True))
    quantile = -ndtri(failure / 2)
    with np.errstate(over="ignore"):
        allowed = np.square(relative_error / quantile) * _mean_square(problem)

    def draws(factor: float) -> Any:
        """By a bound that has this factor in place of the squared quantile."""
        with np.errstate(over="ignore", divide="ignore"):
            return plain_scalar(unit * (factor / quantile**2) / allowed)

    low, high, known = 0 * everything, everything, np.isfinite(unit) & (allowed >= 0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        growth = _growth(problem, Sampled(keep=middle))
        known &= np.isfinite(growth)
        low, high = np.where(growth <= allowed, low, middle), np.where(growth <= allowed, middle, high)
    sure = plain_scalar(np.where(known, high, np.nan))
    bounds = draws(2 * np.log(2 / failure)), draws(1 / failure)
    return SamplingBudget(relative_error, failure, sure, draws(quantile**2), *bounds)


def _growth(problem: LinearGaussian, policy: Sampled) -> np.ndarray:
    """By how much sampling makes the test risk grow, from its own formula; nan where there is none."""
    found = []
    with FLOAT64.precision():
        for chunk in chunks(problem, policy.fraction_kept(problem.n_features), FLOAT64):
            model = evaluate_chunk(chunk, {"sampled": Asked(policy)}, FLOAT64)["sampled"]
            growth = 0 * model.risk
            for group in model.groups:
                if group.kind in sampling.GROWTHS:
                    growth[group.rows] = lower_formula(sampling.GROWTHS[group.kind], FLOAT64)(group.state)
            growth[(model.status != Status.OK) & (model.status != Status.EXACT_RECOVERY)] = np.nan
            found.append(growth)
    return np.concatenate(found).reshape(problem.shape)


def _mean_square(problem: LinearGaussian) -> np.ndarray:
    """Of predictions by the dense fit; nan where it has none, or they are all zero."""
    dense, found = predict(problem), []
    nu, gamma = (np.reshape(value, (-1, 1)) for value in (dense.effective_ridge, dense.risk))
    with FLOAT64.precision():
        for chunk in chunks(problem, np.ones(()), FLOAT64):
            state = chunk.state | {"nu": nu[chunk.rows], "gamma": gamma[chunk.rows]}
            found.append(lower_formula(sampling.POWER, FLOAT64)(state))
    size = np.concatenate(found).reshape(problem.shape)
    return np.where((size > 0) & (size < np.inf), size, np.nan)
