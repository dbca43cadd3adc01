"""Features with one common factor: the exact mean risk of a fit, pruned and retrained, at every sample size above 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_fractions, exact_array
from riskcalc.formulas.records import Formula
from riskcalc.laws import count, flag
from riskcalc.lowering.compile import lower_formula
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import Multiprecision
from riskcalc.lowering.systems import NumberSystem
from riskcalc.policies import Magnitude
from riskcalc.theory import rank_one
from riskcalc.values import json_value, rounded

# What a prediction prints and serialises.
QUANTITIES = ("risk", "excess_risk", "training_error", "share")


class RankOne:
    """Linear regression on features that are multiples of one factor: x = loadings * z, with a standard normal z.

    Their covariance is that of rank one, loadings loadings'. The target is y = x'coefficients + noise, and the fit is
    least squares of least norm on samples of this model.

    Parameters
    ----------
    loadings : array_like, shape (p,)
        Not all of them zero.
    coefficients : array_like, shape (p,)
        The true ones, themselves: not times sqrt(p).
    n_samples : int > 2
        With two samples or fewer, noise makes the mean risk infinite.
    noise_variance : float >= 0

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Notes
    -----
    Chang et al. 2021. The fit is that of y on the one variable z, spread over the features by their loadings. Pruning
    the features of the smallest loadings, which have the smallest fitted coefficients and the lowest Hessian scores
    alike, scales the predictions down to the kept share of the loadings' squares: a bias that no sample removes.
    Retraining removes it, and is as good as the dense fit whatever is kept. Without retraining a little pruning may
    still help, because it shrinks the fit where the noise is large.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.RankOne(loadings=[2, 1, 1], coefficients=[1, 1, -1], n_samples=12, noise_variance=1)
    >>> print(problem.predict(n_keep=1))
    one factor, pruned
    <BLANKLINE>
      quantity           value
     ──────────────────────────
      features kept     1 of 3
      risk              1.4889
      excess risk      0.48889
      training error    1.3704
      share            0.66667
    <BLANKLINE>
    >>> problem.predict(n_keep=1, retrain=True).excess_risk == problem.predict().excess_risk
    True
    """

    def __init__(
        self,
        loadings: ArrayLike,
        coefficients: ArrayLike,
        n_samples: int,
        noise_variance: float | str = 0.0,
    ):
        self.loadings = _vector(loadings, "loadings")
        self.coefficients = _vector(coefficients, "coefficients")
        self.n_features = len(self.loadings)
        if len(self.coefficients) != self.n_features:
            raise ValueError(
                f"loadings and coefficients must have the same length, got {self.n_features} and "
                f"{len(self.coefficients)}"
            )
        if not np.any(self.loadings != 0):
            raise ValueError("loadings are all zero; give at least one that is not, or no feature has variance")
        self.n_samples = count(n_samples, "n_samples")
        if self.n_samples <= 2:
            raise ValueError(
                f"n_samples must be at least 3, got {n_samples}: with fewer, noise makes the mean risk infinite"
            )
        self.noise_variance = exact_array(noise_variance, "noise_variance")
        if self.noise_variance.ndim != 0 or self.noise_variance[()] < 0:
            raise ValueError(f"noise_variance must be one number of at least 0, got {noise_variance!r}")

    def __repr__(self) -> str:
        return (
            f"RankOne({self.n_features} features, n_samples={self.n_samples}, noise_variance={self.noise_variance[()]})"
        )

    def predict(
        self,
        n_keep: int | None = None,
        keep: float | str | None = None,
        retrain: bool = False,
        digits: int | None = None,
    ) -> RankOnePrediction:
        """The mean risk of the fit over samples: dense, pruned by magnitude or Hessian score, or retrained after that.

        Parameters
        ----------
        n_keep : int, optional
            Number of features kept, of the largest loadings. Which ones of several that tie makes no difference.
        keep : float in (0, 1], optional
            The same as a fraction, rounded to a whole number of features. With neither, the fit stays dense.
        retrain : bool
            Fit the kept features again, on the same sample, by least squares.
        digits : int, optional
            Significant digits, computed by mpmath; float64 if not given.

        Returns
        -------
        RankOnePrediction

        Raises
        ------
        ValueError, TypeError
            If both budgets are given, or one that leaves no feature or is more than there are; if `retrain` is without
            a budget, or not a bool; if a double cannot hold the risk.
        """
        dense = n_keep is None and keep is None
        if flag(retrain, "retrain") and dense:
            raise ValueError("retrain needs a budget to prune to before it; give n_keep or keep")
        kept = self.n_features if dense else self._count_kept(n_keep, keep)
        system = FLOAT64 if digits is None else Multiprecision(count(digits, "digits"))
        with system.precision():
            values = self._evaluated(system, kept, retrain)
        if digits is None and not np.isfinite(list(values.values())).all():
            raise ValueError("the risk is too large for double precision; rescale loadings and coefficients")
        numbers = {name: rounded(value, digits).item() for name, value in values.items()}
        return RankOnePrediction(self.n_features, kept, retrain, digits, **numbers)

    def _count_kept(self, n_keep: int | None, keep: float | str | None) -> int:
        fraction = Magnitude(keep=keep, n_keep=n_keep).fraction_kept(np.array(self.n_features))
        if fraction.ndim != 0:
            raise ValueError(f"keep must be one number, got {keep!r}")
        exact: Any = as_fractions(fraction)[()]
        kept = round(exact * self.n_features)
        if kept < 1:
            raise ValueError(f"keep = {keep} of {self.n_features} features leaves none; keep more")
        return kept

    def _evaluated(self, system: NumberSystem, n_keep: int, retrain: bool) -> dict[str, np.ndarray]:
        """What is predicted, each with shape (1, 1)."""

        def value(formula: Formula) -> np.ndarray:
            return lower_formula(formula, system)(state)

        chosen = np.argsort(-abs(self.loadings), kind="stable")[:n_keep]
        mask = np.isin(np.arange(self.n_features), chosen).astype(float)
        exact = {
            "loading": self.loadings,
            "coefficient": self.coefficients,
            "M0": mask,
            "M0bar": 1 - mask,
            "weights": np.ones(self.n_features),
            "total": self.n_features,
            "n_features": self.n_features,
            "n_samples": self.n_samples,
            "sigma2": self.noise_variance,
        }
        state = {name: system.number(np.atleast_2d(numbers)) for name, numbers in exact.items()}
        state["target_slope"] = value(rank_one.SLOPE)
        state["loading"] = state["loading"] / abs(state["loading"]).max()  # shares have no scale, but squares overflow
        state["zeta"], state["zetabar"] = value(rank_one.SHARE), value(rank_one.DROPPED_SHARE)
        excess_risk = value(rank_one.RETRAINED_EXCESS_RISK if retrain else rank_one.PRUNED_EXCESS_RISK)
        training_error = value(rank_one.RETRAINED_TRAINING_ERROR if retrain else rank_one.PRUNED_TRAINING_ERROR)
        return {
            "risk": state["sigma2"] + excess_risk,
            "excess_risk": excess_risk,
            "training_error": training_error,
            "share": state["zeta"],
        }


@dataclass(frozen=True)
class RankOnePrediction:
    """Mean risks of one model of a `RankOne` problem, over its samples. Numbers are mpf if `digits` were asked for.

    Attributes
    ----------
    n_features, n_keep : int
    retrain : bool
    digits : int or None
    risk : float
        Test risk, noise included.
    excess_risk : float
        Risk minus noise variance, computed without that subtraction.
    training_error : float
        Mean squared residual on the sample.
    share : float
        Of the loadings' squares, what the kept features have: zeta.
    """

    n_features: int
    n_keep: int
    retrain: bool
    digits: int | None
    risk: Any
    excess_risk: Any
    training_error: Any
    share: Any

    @property
    def label(self) -> str:
        """The model in words."""
        if self.retrain:
            return "one factor, retrained"
        return "one factor, dense" if self.n_keep == self.n_features else "one factor, pruned"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: mpf become strings."""
        model = {"n_features": self.n_features, "n_keep": self.n_keep, "retrain": self.retrain}
        return model | {name: json_value(getattr(self, name), self.digits) for name in QUANTITIES}

    def __str__(self) -> str:
        from riskcalc.tables import filled, number, table, to_text

        values = ((name.replace("_", " "), number(getattr(self, name), self.digits)) for name in QUANTITIES)
        rows = (("features kept", f"{self.n_keep} of {self.n_features}"), *values)
        return to_text(filled(table(self.label, ("quantity", "value")), rows))


def _vector(value: Any, name: str) -> np.ndarray:
    array = exact_array(value, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a list of numbers, one per feature, got shape {array.shape}")
    return array
