"""Fits after pruning, and between rounds of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import exact_array
from riskcalc.laws import plain
from riskcalc.policies.base import Policy, exact_fractions
from riskcalc.policies.rules import Hessian, Magnitude


class Retrain:
    """Fit again on the features kept, after pruning.

    Parameters
    ----------
    ridge : float >= 0
        Of the second fit; 0 for least squares, or the interpolator of least norm. The penalty's weights stay.
    sample : "same" or "fresh"
        Whether the second fit sees the sample that the features were chosen on, or another of the same size.

    Examples
    --------
    >>> Retrain(sample="fresh")
    Retrain(ridge=0.0, sample='fresh')
    """

    def __init__(self, ridge: ArrayLike | str = 0.0, sample: str = "same"):
        self.ridge = _ridge(ridge)
        if sample not in ("same", "fresh"):
            raise ValueError(f'sample must be "same" or "fresh", got {sample!r}')
        self.sample = sample

    @classmethod
    def of(cls, retrain: bool | Retrain | None) -> Retrain | None:
        """What an argument `retrain` means: True is the default retraining, False and None are none."""
        if retrain is None or isinstance(retrain, bool):
            return cls() if retrain else None
        if not isinstance(retrain, cls):
            raise TypeError(f"retrain must be True, False or a riskcalc.Retrain, got {retrain!r}")
        return retrain

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen, as plain values."""
        return {"sample": self.sample, "ridge": plain(self.ridge)}

    def __repr__(self) -> str:
        return f"Retrain(ridge={self.ridge[()]}, sample={self.sample!r})"


class Iterative(Policy):
    """Prune in rounds, by the scores of one policy, with a fit on the same sample between them.

    Parameters
    ----------
    policy : type or str
        `Magnitude` or `Hessian`, or its name: ranks the features still kept, by the last fit.
    keeps : array_like of shape (rounds,)
        Fractions of all features kept after each round, strictly decreasing in (0, 1].
    ridge : float >= 0
        Of the fits between rounds; 0 for least squares, or the interpolator of least norm. The penalty's weights stay.

    Raises
    ------
    ValueError
        If a budget is outside (0, 1] or not below the one before it, or for another policy.

    Examples
    --------
    >>> Iterative("magnitude", keeps=["3/5", "9/25", "1/5"]).keep.item()
    Fraction(1, 5)
    """

    name = "iterative"

    def __init__(self, policy: type[Policy] | str, keeps: ArrayLike, ridge: ArrayLike | str = 0.0):
        ranking = [kind for kind in (Magnitude, Hessian) if policy is kind or policy == kind.name]
        if not ranking:
            raise ValueError(f"policy must be Magnitude or Hessian, the class or its name, got {policy!r}")
        self.policy: type[Policy] = ranking[0]
        self.keeps = exact_fractions(keeps, "keeps")
        if self.keeps.ndim != 1:
            raise ValueError(f"keeps must be a list of fractions, one for each round, got {keeps!r}")
        for before, after in pairwise(self.keeps.tolist()):
            if not after < before:
                raise ValueError(f"keeps must decrease from round to round, got {after} after {before}")
        self.ridge = _ridge(ridge)
        self.n_keep, self.keep = None, self.keeps[-1:].reshape(())

    @property
    def options(self) -> dict[str, Any]:
        """The ranking policy, the rounds and the ridge between them, as plain values."""
        return {"policy": self.policy.name, "keeps": plain(self.keeps), "ridge": plain(self.ridge)}

    def __repr__(self) -> str:
        keeps = [str(keep) if isinstance(keep, Fraction) else keep for keep in self.keeps.tolist()]
        return f"Iterative({self.policy.name!r}, keeps={keeps}, ridge={self.ridge[()]})"


def _ridge(ridge: ArrayLike | str) -> np.ndarray:
    array = exact_array(ridge, "ridge")
    if array.ndim != 0 or array < 0:
        raise ValueError(f"ridge must be one number of at least 0, got {ridge!r}")
    return array
