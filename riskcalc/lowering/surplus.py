"""Exact differences between a mass and its target: their sign decides between regimes, their digits a root."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskcalc.exact import as_fractions
from riskcalc.lowering.compensated import Pair, add, product, total


@dataclass(frozen=True)
class Surplus:
    """``scale * (mass of all atoms) - target`` per regime, as an unevaluated sum `high` + `low`; shapes (N, 1).

    The mass of all atoms is what it is meant to be (one, for a law), also where rounded weights add up to something
    else: three times 1/3 must not miss the peak at kappa = 1. What the weights really have above it is the `gain`
    (times the scale); it is left with the heavier part of the atoms, which it changes least.

    `resolution` is the relative size, beside the mass taken off, at which what is left is rounding and counts as zero:
    about 1e-30 for double inputs, which are exact in pairs; a few roundings for fractions, which doubles only approach.

    Within `blur` of zero, rounding of the inputs may be all that there is. Where they are `sure` (whole numbers of
    features are meant) it then counts as zero.
    """

    high: np.ndarray
    low: np.ndarray
    resolution: Any
    gain: np.ndarray | int = 0
    half: np.ndarray | float = np.inf
    blur: np.ndarray | float = 0.0
    sure: np.ndarray | bool = True

    def judged(self) -> tuple[Surplus, np.ndarray]:
        """The same, zero where it counts as that, and where nobody can tell whether it is."""
        if not np.ndim(self.blur):
            return self, np.zeros(self.high.shape, bool)
        left = self.high + self.low
        within = (left != 0) & (abs(left) <= self.blur)
        zero = within & self.sure
        high, low = (np.where(zero, 0 * side, side) for side in (self.high, self.low))
        return replace(self, high=high, low=low, blur=0.0, sure=True), within & ~zero

    def blurred(self, rounded: np.ndarray, blur: np.ndarray, sure: np.ndarray | bool) -> Surplus:
        """The same where some of what it is computed from is rounded, `sure` to mean zero within `blur` or not."""
        if not rounded.any():
            return self
        sure = self.sure & (sure | ~rounded)
        return replace(self, blur=np.where(rounded, blur, self.blur).astype(float), sure=sure)

    def weighing(self, weights: np.ndarray, mass: Pair, scale: np.ndarray | None = None) -> Surplus:
        """The same with the gain of these weights over the `mass` that they are meant to have."""
        high, low = add(total(weights), (-mass[0], -mass[1]))
        gain = high + low
        return replace(self, gain=gain if scale is None else scale * gain, half=mass[0] / 2)

    def beyond(self, mass: Pair, scale: np.ndarray | None = None) -> np.ndarray:
        """What is left of the surplus without the atoms of total `mass`."""
        spent = mass if scale is None else product((scale, 0), mass)
        high, low = add((self.high, self.low), (-spent[0], -spent[1]))
        left = high + (low + self.gain * (mass[0] > self.half))
        return left * (abs(left) > abs(spent[0]) * self.resolution)

    def where(self, mask: np.ndarray, other: Surplus) -> Surplus:
        """This surplus where the mask holds, the other elsewhere."""
        high, low = (np.where(mask, own, its) for own, its in ((self.high, other.high), (self.low, other.low)))
        blur, sure = np.where(mask, self.blur, other.blur), np.where(mask, self.sure, other.sure)
        resolution = max(self.resolution, other.resolution)
        return replace(self, high=high, low=low, resolution=resolution, blur=blur, sure=sure)

    def without(self, mass: Pair) -> Surplus:
        """The surplus of the other atoms, if those of total `mass` are left out of the law (at scale one)."""
        high, low = add((self.high, self.low), (-mass[0], -mass[1]))
        heavier = mass[0] > self.half  # as in `beyond`: the gain then leaves with them
        low, half = low + self.gain * heavier, self.half - mass[0] / 2
        return replace(self, high=high, low=low, gain=self.gain * ~heavier, half=half)

    def rows(self, rows: np.ndarray) -> Surplus:
        """The same for some of the regimes, by their increasing indices."""
        if len(rows) == len(self.high):
            return self
        own = {name: getattr(self, name) for name in ("high", "low", "gain", "half", "blur", "sure")}
        return replace(self, **{name: one[rows] for name, one in own.items() if np.ndim(one)})

    def times(self, factor: np.ndarray) -> Surplus:
        """The surplus in another unit."""
        high, low = product((self.high, self.low), (factor, 0))
        return replace(self, high=high, low=low, blur=self.blur * factor)


def difference(scale: np.ndarray, weights: np.ndarray, share: np.ndarray, fractions: bool) -> np.ndarray | Pair:
    """``scale * sum(weights) - share``, exactly, for exact arrays of shape (N, 1) and (N, K).

    Fractions stay Fractions (and `fractions` turns all else into them); doubles become a pair, whose relative error is
    about 1e-32 of the larger term.
    """
    if fractions or any(array.dtype == object for array in (scale, weights, share)):
        scale, weights, share = (as_fractions(array) for array in (scale, weights, share))
        return scale * weights.sum(axis=-1, keepdims=True) - share
    gained = product((scale, 0.0), total(weights)) if weights.shape[-1] > 1 else product((scale, 0.0), (weights, 0.0))
    return add(gained, (-share, 0.0))
