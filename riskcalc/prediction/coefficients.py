"""The law of the coefficients of one fit, before and after pruning, with the threshold: as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from riskcalc.pictures.declared import Area, Line, Mark, Panel, Rule, Scale, Stems

# Points of a picture, and as many spreads on either side of every mean.
POINTS, REACH = 801, 4.0
# Atoms that are added up at once.
BLOCK = 1 << 9


def blocks(atoms: int) -> Iterator[slice]:
    """The atoms in pieces."""
    return (slice(start, min(start + BLOCK, atoms)) for start in range(0, atoms, BLOCK))


@dataclass(frozen=True)
class Coefficients:
    """The law of what a policy ranks by: a Gaussian for each of K atoms.

    Attributes
    ----------
    means, spreads, weights : ndarray, shape (K,)
        Of the coefficients sqrt(p) beta of the fit, with their signs, times the weight of the score; a spread of zero
        is a point. The weights of the atoms add up to one.
    names : sequence of str
        Of atoms that are told apart, in math; none where there are many.
    symbol : str
        What ranks, in math.
    chance : callable
        Of being kept: of points of shape (M, 1) and a slice of the atoms, shape (M, atoms).
    threshold : float
        Of the absolute value; nan where there is none.
    dropped : float
        The mass that is dropped.
    """

    means: np.ndarray
    spreads: np.ndarray
    weights: np.ndarray
    names: tuple[str, ...]
    symbol: str
    chance: Callable[[np.ndarray, slice], np.ndarray]
    threshold: float
    dropped: float

    def density(self, x: np.ndarray, kept: bool) -> np.ndarray:
        """The density at points of shape (M,), of what has one: of all coefficients, or of those kept."""
        found = np.zeros(x.size)
        for part in blocks(self.means.size):
            one = self.densities(x, part)
            found += (one * self.chance(x[:, None], part) if kept else one).sum(axis=1)
        return found

    def densities(self, x: np.ndarray, part: slice) -> np.ndarray:
        """Of some of the atoms, one by one, each with its weight; shape (M, atoms)."""
        spreads = self.spreads[part]
        wide = np.where(spreads > 0, spreads, 1)
        z = (x[:, None] - self.means[part]) / wide
        return np.where(spreads > 0, self.weights[part] * np.exp(-(z**2) / 2) / (np.sqrt(2 * np.pi) * wide), 0)

    def panel(self, key: str, label: str) -> Panel:
        """The law before pruning, what is kept of it, and the threshold."""
        label = f"{100 * (1 - self.dropped):.3g} % kept, {label}"
        edges = np.array([-1, 1]) * self.threshold if self.threshold == self.threshold else np.zeros(0)
        low, high = (self.means - REACH * self.spreads).min(), (self.means + REACH * self.spreads).max()
        reach = 1.15 * max(*map(abs, edges), -low, 0), 1.15 * max(*map(abs, edges), high, 0)
        x = np.linspace(-reach[0], reach[1], POINTS)
        x = np.unique(np.concatenate([x, edges, np.nextafter(edges, 0)]))  # where what is kept leaps
        marks: list[Mark] = [Rule(float(edge), f"${sign}t$") for edge, sign in zip(edges, "-+", strict=False)]
        if (self.spreads > 0).any():
            before, after = self.density(x, False), self.density(x, True)
            marks += [Line(x, before, "before pruning", ""), Area(x, 0 * x, after, label, key)]
            marks += self._atoms(x)
            y = Scale("density", limits=(0, 1.08 * float(before.max())))
        else:
            y = Scale("probability", limits=(0, 1.08 * float(self.weights.max())))
            marks.append(Stems(self.means, self.weights, "before pruning", ""))
            share = np.concatenate([self._kept_points(part) for part in blocks(self.means.size)])
            marks.append(Stems(self.means, self.weights * share, label, key))
        return Panel(Scale(f"fitted coefficient, {self.symbol}"), y, marks)

    def _kept_points(self, part: slice) -> np.ndarray:
        return np.diagonal(self.chance(self.means[part, None], part))

    def _atoms(self, x: np.ndarray) -> Iterator[Mark]:
        """The parts of a few atoms."""
        for i, name in enumerate(self.names):
            yield Line(x, self.densities(x, slice(i, i + 1))[:, 0], f"of {name}", "", weak=i + 1)
