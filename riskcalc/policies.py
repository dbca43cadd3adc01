"""Pruning policies as inert data: which features are kept, and how many."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import exact_array
from riskcalc.laws import count


class Policy:
    """Keep the fraction `keep` of all features, chosen by the score named in the subclass.

    Parameters
    ----------
    keep : array_like in (0, 1], optional
        Fraction of features kept, s/p. An array asks for a grid; it broadcasts with the problem's batch.
    n_keep : int, optional
        The same as a number of features, for problems given by `n_samples` and `n_features`.

    Raises
    ------
    ValueError
        If `keep` is outside (0, 1], or not exactly one of `keep` and `n_keep` is given.
    """

    name: ClassVar[str]

    def __init__(self, keep: ArrayLike | str | None = None, n_keep: int | None = None):
        if (keep is None) == (n_keep is None):
            raise ValueError(f"give exactly one of keep and n_keep, got keep={keep} and n_keep={n_keep}")
        self.n_keep = None if n_keep is None else count(n_keep, "n_keep")
        self.keep = None if keep is None else _fraction_kept(keep)

    def fraction_kept(self, n_features: np.ndarray | None) -> np.ndarray:
        """The exact fraction kept, given the problem's number of features (None if it has none)."""
        if self.keep is not None:
            return self.keep
        if n_features is None:
            raise ValueError("n_keep needs a problem given by n_samples and n_features; use keep with aspect_ratio")
        n_keep = self.n_keep or 0
        if np.any(n_features < n_keep):
            raise ValueError(f"n_keep is {n_keep}, but the problem has only {n_features.min()} features")
        kept = np.frompyfunc(lambda p: Fraction(n_keep, int(p)), 1, 1)(n_features)
        return np.asarray(kept, dtype=object)

    def __repr__(self) -> str:
        if self.keep is None:
            return f"{type(self).__name__}(n_keep={self.n_keep})"
        return f"{type(self).__name__}(keep={self.keep.tolist() if self.keep.dtype != object else str(self.keep)})"


def _fraction_kept(keep: ArrayLike | str, name: str = "keep") -> np.ndarray:
    array = exact_array(keep, name)
    wrong = (array <= 0) | (array > 1)
    if wrong.any():
        raise ValueError(f"{name} must be in (0, 1], got {array[wrong].flat[0]}")
    return array


class Magnitude(Policy):
    """Keep the features with the largest fitted coefficients |X|.

    Examples
    --------
    >>> Magnitude(keep=0.1)
    Magnitude(keep=0.1)
    """

    name = "magnitude"


class Hessian(Policy):
    """Keep the features with the largest sqrt(Lambda) |X| (optimal brain damage).

    Examples
    --------
    >>> Hessian(keep="1/10").name
    'hessian'
    """

    name = "hessian"


class Oracle(Policy):
    """Keep the features with the largest true Lambda B^2; features that tie share what is left.

    Examples
    --------
    >>> Oracle(n_keep=30)
    Oracle(n_keep=30)
    """

    name = "oracle"


class Random(Policy):
    """Keep features at random.

    Examples
    --------
    >>> Random(keep=[0.1, 0.2]).keep.shape
    (2,)
    """

    name = "random"


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
        self.keeps = _fraction_kept(keeps, "keeps")
        if self.keeps.ndim != 1:
            raise ValueError(f"keeps must be a list of fractions, one for each round, got {keeps!r}")
        for before, after in pairwise(self.keeps.tolist()):
            if not after < before:
                raise ValueError(f"keeps must decrease from round to round, got {after} after {before}")
        self.ridge = _ridge(ridge)
        self.n_keep, self.keep = None, self.keeps[-1:].reshape(())

    def __repr__(self) -> str:
        keeps = [str(keep) if isinstance(keep, Fraction) else keep for keep in self.keeps.tolist()]
        return f"Iterative({self.policy.name!r}, keeps={keeps}, ridge={self.ridge[()]})"


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

    def __repr__(self) -> str:
        return f"Retrain(ridge={self.ridge[()]}, sample={self.sample!r})"


def _ridge(ridge: ArrayLike | str) -> np.ndarray:
    array = exact_array(ridge, "ridge")
    if array.ndim != 0 or array < 0:
        raise ValueError(f"ridge must be one number of at least 0, got {ridge!r}")
    return array


POLICIES: dict[str, type[Policy]] = {policy.name: policy for policy in (Magnitude, Hessian, Oracle, Random)}
