"""The gap of a balance whose terms may have either sign: that of a negative supply, or of a negative unknown."""

from __future__ import annotations

import numpy as np

from riskcalc.lowering.compensated import Pair, add, total
from riskcalc.lowering.solve import Balance
from riskcalc.lowering.state import blocks
from riskcalc.lowering.systems import SolvingSystem


def signed_gap(balance: Balance, x: np.ndarray, system: SolvingSystem) -> tuple[np.ndarray, np.ndarray, None]:
    """The logarithm of the balance's positive terms over its negative ones, and its derivative in log x.

    Unlike those of `Balance.gap` the sides are not monotone: the bracket must hold one root. The state's entry `turn`
    is 1 where the balance falls through it, and -1 where it rises.
    """
    low_mass: Pair = (0, 0)
    sums = [0, 0, 0, 0]  # the positive and the negative terms, and the derivative of either
    for block in blocks(balance.state | balance.place(x, balance.state)):
        part, remainder, slope, _ = balance.terms(block)
        weights = block["weights"]
        low = weights * (part < 0.5).astype(weights.dtype)
        low_mass = add(low_mass, total(low))
        terms, rates = low * part - (weights - low) * remainder, -weights * slope
        for i, term in enumerate(_parted(terms, rates)):
            sums[i] = sums[i] + term.sum(axis=-1, keepdims=True)
    if balance.scale is not None:
        sums = [balance.scale * side for side in sums]
    rest = balance.surplus.beyond(low_mass, balance.scale)
    supply = 0 * x if balance.supply is None else balance.supply / x
    sides = zip(sums, _parted(rest, 0 * rest), _parted(supply, -supply), strict=True)
    more, less, gained, lost = (own + fixed + supplied for own, fixed, supplied in sides)
    more, less = np.maximum(more, system.tiny), np.maximum(less, system.tiny)
    turn = balance.state["turn"]
    return turn * system.functions["log"](more / less), turn * (gained / more + lost / less), None


def _parted(terms: np.ndarray, rates: np.ndarray) -> tuple[np.ndarray, ...]:
    """Positive and negative terms, each by its size, and what the logarithm of their ratio has of their rates."""
    positive = terms > 0
    return np.maximum(terms, 0), np.maximum(-terms, 0), np.where(positive, rates, 0), np.where(positive, 0, rates)
