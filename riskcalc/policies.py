"""Pruning policies as inert data: which features are kept, and how many."""

from __future__ import annotations

from fractions import Fraction
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


def _fraction_kept(keep: ArrayLike | str) -> np.ndarray:
    array = exact_array(keep, "keep")
    wrong = (array <= 0) | (array > 1)
    if wrong.any():
        raise ValueError(f"keep must be in (0, 1], got {array[wrong].flat[0]}")
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
        self.ridge = exact_array(ridge, "ridge")
        if self.ridge.ndim != 0 or self.ridge < 0:
            raise ValueError(f"ridge must be one number of at least 0, got {ridge!r}")
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


POLICIES: dict[str, type[Policy]] = {policy.name: policy for policy in (Magnitude, Hessian, Oracle, Random)}
