"""Laws with a density: Lambda continuous, B a function of Lambda, as the nodes and weights of a Gauss quadrature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_fractions, count, exact_array, one_number
from riskcalc.laws import quadrature
from riskcalc.laws.base import Law
from riskcalc.memory import fits

# What a rule of other nodes has instead, and what was found of these.
_PLACED = ("nodes", "eigenvalues", "signal", "weights", "shape", "_identity", "_hash")
Signal = float | str | Fraction | Callable[[np.ndarray], ArrayLike]


class Continuous(Law, ABC):
    """A law of Lambda with a density, and B = signal * Lambda^signal_power.

    Every expectation is that of a Gauss quadrature, whose nodes are the atoms of this law. It converges fast where a
    feature's share in the answer is a smooth function of Lambda, as for the dense fit and for pruning by a score that
    the noise blurs; slower (second order in 1/nodes) where a ranking cuts the law sharply, as for the oracle and the
    small model. `Prediction.quadrature_error` estimates what is left; no number of `digits` makes it smaller.

    Parameters
    ----------
    signal : number, or callable
        Scale of the coefficients, or B as a vectorised function of Lambda; then `signal_power` must be 0.
    signal_power : float
    nodes : int >= 2
        Nodes of the quadrature.

    Raises
    ------
    ValueError, TypeError
        If an argument is not what it should be, or B is not finite at a node, or E[Lambda B^2] is infinite, or so
        nearly that the quadrature would not see it: if P(Lambda < x) vanishes as x^edge at zero, signal_power must be
        at least -(edge + 1/2)/2. (What a callable does at zero cannot be checked.)
    """

    nodes_only = True

    def __init__(self, signal: Signal, signal_power: float, nodes: int, edge: float):
        self.signal_power = one_number(signal_power, "signal_power")
        self.coefficient = signal if callable(signal) else one_number(signal, "signal")
        if callable(signal) and self.signal_power != 0:
            raise ValueError(f"signal_power must be 0 where signal is a function of Lambda, got {signal_power}")
        # The error of the quadrature is then of first order in 1/nodes or better, and half the nodes show it.
        lowest = -(edge + 0.5) / 2
        if self.signal_power < lowest:
            raise ValueError(
                f"the signal has infinite variance E[Lambda B^2], or nearly: signal_power must be at least {lowest:g} "
                f"for this law, got {signal_power}"
            )
        if count(nodes, "nodes") < 2:
            raise ValueError(f"nodes must be at least 2, got {nodes}")
        fits(400 * nodes, f"a quadrature of {nodes:,} nodes")
        self._place(nodes)

    def _place(self, nodes: int) -> None:
        """Put the atoms where a rule of so many nodes has them."""
        self.nodes = nodes
        eigenvalues, weights = self._rule(nodes)
        super().__init__(eigenvalues, self._signal_at(eigenvalues), weights)

    @abstractmethod
    def _rule(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights of the law of Lambda."""

    @abstractmethod
    def _quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles of the law of Lambda."""

    def _signal_at(self, eigenvalues: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # what is not finite is refused below
            if callable(self.coefficient):
                signal = np.asarray(self.coefficient(eigenvalues), dtype=float)
            else:
                signal = self.coefficient * eigenvalues**self.signal_power
        if signal.shape not in ((), eigenvalues.shape):
            raise ValueError(
                f"signal must give one value for each of {eigenvalues.size} eigenvalues, got shape {signal.shape}"
            )
        signal = np.broadcast_to(signal, eigenvalues.shape)
        if not np.isfinite(signal).all():
            where = eigenvalues[~np.isfinite(signal)][0]
            remedy = (
                "; features without variance need a finite coefficient there, such as 0, which no fit sees: "
                "give a signal_power of at least 0, or a function that is finite at 0"
                if where == 0
                else ""
            )
            raise ValueError(
                f"signal must be finite, got {signal[~np.isfinite(signal)][0]} at Lambda={where:g}{remedy}"
            )
        return signal

    def coarser(self, times: float = 2) -> Self:
        """The same law with so many times fewer nodes, which tells how much the quadrature matters.

        Examples
        --------
        >>> Uniform(0, 2, nodes=64).coarser()
        Uniform(low=0.0, high=2.0, nodes=32)
        """
        if self.nodes < 2:
            raise ValueError("a rule of one node has no coarser one")
        other = object.__new__(type(self))
        vars(other).update({name: value for name, value in vars(self).items() if name not in _PLACED})
        other._place(max(1, int(self.nodes / times)))
        return other

    def _features(self, number: int, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        levels = (np.arange(number) + 0.5) / number if rng is None else rng.random(number)
        eigenvalues = self._quantiles(levels)
        return eigenvalues, self._signal_at(eigenvalues), np.full(number, -1)

    def given(self) -> dict[str, Any]:
        """Its arguments; the signal as it was given, not at the nodes."""
        return super().given() | {"signal": self.coefficient}

    @property
    def arguments(self) -> dict[str, Any]:
        """Of the law of Lambda alone."""
        return {name: value for name, value in self.given().items() if name not in ("signal", "signal_power", "nodes")}


class MarchenkoPastur(Continuous):
    """Eigenvalues of a sample covariance W W'/d of white noise, W of shape (p, d), in the limit p/d = ratio.

    A ratio above one has p - d eigenvalues that are exactly zero: an atom of weight 1 - 1/ratio.

    Parameters
    ----------
    ratio : number > 0
    signal, signal_power, nodes
        As for `Continuous`; a ratio above one needs a signal that is finite at zero.

    Examples
    --------
    >>> law = MarchenkoPastur(0.5)
    >>> bool(abs(law.weights @ law.eigenvalues**2 - 1.5) < 1e-12)
    True
    """

    def __init__(
        self, ratio: float | str | Fraction, signal: Signal = 1.0, signal_power: float = 0.0, nodes: int = 512
    ):
        self.ratio = one_number(ratio, "ratio")
        if self.ratio <= 0:
            raise ValueError(f"ratio must be above 0, got {ratio}")
        self._exact_ratio = exact_array(ratio, "ratio")
        self._live = min(Fraction(1), 1 / Fraction(as_fractions(self._exact_ratio).item()))
        super().__init__(signal, signal_power, nodes, edge=0.5 if self.ratio == 1 else np.inf)

    def given(self) -> dict[str, Any]:
        """Its arguments; the ratio exactly."""
        return super().given() | {"ratio": self._exact_ratio}

    def _rule(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        eigenvalues, weights = quadrature.marchenko_pastur(min(self.ratio, 1 / self.ratio), nodes)
        if self._live == 1:
            return eigenvalues, weights
        # The mass of the live features decides which aspect ratio interpolates: it is exact.
        shares = as_fractions(weights * float(self._live))
        shares[np.argmax(weights)] += self._live - sum(shares)
        return np.append(0.0, self.ratio * eigenvalues), np.array([1 - self._live, *shares], dtype=object)

    def _quantiles(self, levels: np.ndarray) -> np.ndarray:
        # With x = 1 + y - 2 sqrt(y) cos(t) the density is smooth in the angle t, and its integral is elementary.
        y, live = min(self.ratio, 1 / self.ratio), float(self._live)
        root = np.sqrt(y)
        levels = (levels - (1 - live)) / live
        low, high = np.zeros(levels.shape), np.full(levels.shape, np.pi)
        for _ in range(56):  # halves the angle down to rounding
            t = (low + high) / 2
            bend = (1 - y) * np.arctan2(root * np.sin(t), 1 - root * np.cos(t)) - root * np.sin(t)
            below = (t - bend / y) / np.pi < levels
            low, high = np.where(below, t, low), np.where(below, high, t)
        quantiles = max(self.ratio, 1.0) * ((1 - root) ** 2 + 4 * root * np.sin(low / 2) ** 2)
        return np.where(levels < 0, 0.0, quantiles)


class _Bounded(Continuous):
    """A beta law stretched between two bounds; the uniform one if nothing else is said."""

    a = b = 1.0

    def __init__(self, low: float, high: float, signal: Signal = 1.0, signal_power: float = 0.0, nodes: int = 512):
        self.low, self.high = one_number(low, "low"), one_number(high, "high")
        if self.low < 0:
            raise ValueError(f"low must be at least 0, got {low}")
        if self.high <= self.low:
            raise ValueError(f"high must be above low, got low={low} and high={high}")
        super().__init__(signal, signal_power, nodes, edge=np.inf if self.low > 0 else self.a)

    def _stretched(self, points: np.ndarray) -> np.ndarray:
        return self.low + (self.high - self.low) * points

    def _rule(self, nodes: int) -> tuple[np.ndarray, np.ndarray]:
        points, weights = quadrature.beta(self.a, self.b, nodes)
        return self._stretched(points), weights


class Uniform(_Bounded):
    """Eigenvalues uniform between two bounds.

    Parameters
    ----------
    low, high : number >= 0
    signal, signal_power, nodes
        As for `Continuous`.

    Examples
    --------
    >>> Uniform(0, 2).features(4)[0].tolist()
    [0.25, 0.75, 1.25, 1.75]
    """

    def _quantiles(self, levels: np.ndarray) -> np.ndarray:
        return self._stretched(levels)


class Beta(_Bounded):
    """Eigenvalues of a beta law, of density x^(a-1) (1-x)^(b-1) on (0, 1), stretched between two bounds.

    Parameters
    ----------
    a, b : number > 0
    low, high : number >= 0
    signal, signal_power, nodes
        As for `Continuous`.

    Examples
    --------
    >>> law = Beta(2, 3, high=5)
    >>> round(float(law.weights @ law.eigenvalues), 12)
    2.0
    """

    def __init__(
        self,
        a: float,
        b: float,
        low: float = 0.0,
        high: float = 1.0,
        signal: Signal = 1.0,
        signal_power: float = 0.0,
        nodes: int = 512,
    ):
        self.a, self.b = one_number(a, "a"), one_number(b, "b")
        for name, value in (("a", self.a), ("b", self.b)):
            if value <= 0:
                raise ValueError(f"{name} must be above 0, got {value:g}")
        super().__init__(low, high, signal, signal_power, nodes)

    def _quantiles(self, levels: np.ndarray) -> np.ndarray:
        from scipy.special import betaincinv

        return self._stretched(betaincinv(self.a, self.b, levels))
