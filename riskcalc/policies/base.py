"""What all pruning policies share: a budget."""

from __future__ import annotations

from copy import copy
from fractions import Fraction
from typing import Any, ClassVar, Self

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

    @property
    def kind(self) -> str:
        """What tells its masks from those of other policies."""
        return self.name

    def __init__(self, keep: ArrayLike | str | None = None, n_keep: int | None = None):
        if (keep is None) == (n_keep is None):
            raise ValueError(f"give exactly one of keep and n_keep, got keep={keep} and n_keep={n_keep}")
        self.n_keep = None if n_keep is None else count(n_keep, "n_keep")
        self.keep = None if keep is None else exact_fractions(keep)

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

    def at(self, n_keep: int) -> Self:
        """The same policy with a budget in features."""
        other = copy(self)
        other.n_keep, other.keep = n_keep, None
        return other

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen besides the budget, as plain values."""
        return {name: value for name, value in vars(self).items() if name not in ("keep", "n_keep")}

    def __repr__(self) -> str:
        own = {"n_keep": self.n_keep}
        if self.keep is not None:
            own = {"keep": self.keep.tolist() if self.keep.dtype != object else str(self.keep)}
        others = {name: value for name, value in self.options.items() if value}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in (own | others).items())})"


def exact_fractions(keep: ArrayLike | str, name: str = "keep") -> np.ndarray:
    """Fractions kept as exact numbers; ValueError if one is not in (0, 1]."""
    array = exact_array(keep, name)
    wrong = (array <= 0) | (array > 1)
    if wrong.any():
        raise ValueError(f"{name} must be in (0, 1], got {array[wrong].flat[0]}")
    return array
