"""Closed forms of nodes of (z, u), from the tail and the density of whichever numbers, or symbols, they are in."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

Routine = Callable[..., Any]

# Functions of one number that every number system has by the name that SymPy gives them.
ELEMENTARY = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")
ERRORS = ("erf", "erfc")


def elementwise(function: Routine, inputs: int) -> Routine:
    """A function of numbers as one of arrays of objects."""
    return np.frompyfunc(function, inputs, 1)


def extrema(maximum: Routine, minimum: Routine) -> dict[str, Routine]:
    """The largest and the smallest of several, by SymPy's names, from those of two."""
    return {"Max": lambda *values: reduce(maximum, values), "Min": lambda *values: reduce(minimum, values)}


def rates(tail: Routine, phi: Routine, inside: Routine) -> dict[str, Routine]:
    """Both rates of an interval, by name."""

    def boundary(z, u):
        return u * (phi(z) + phi(2 * u - z))

    return {
        "outside_rate": lambda z, u: boundary(z, u) / (tail(z) + tail(2 * u - z)),
        "inside_rate": lambda z, u: boundary(z, u) / inside(z, u),
    }


def tents(tail: Routine, phi: Routine) -> dict[str, Routine]:
    """All means over a tent, by name; they cancel where it is narrow or far."""

    def excess(x):
        return x * tail(-x) + phi(x)

    def tent(mu, u):
        return (excess(mu + u) - 2 * excess(mu) + excess(mu - u)) / u

    def loss(mu, u):
        def half(mu):
            mass = tail(-mu) - tail(u - mu)
            first = mu * mass + phi(mu) - phi(u - mu)
            return (u - mu) * first - mass + u * phi(u - mu)

        return half(mu) + half(-mu)

    return {
        "tent": tent,
        "off_tent": lambda mu, u: 1 - tent(mu, u),
        "tent_drop": lambda mu, u: (tail(mu - u) - 2 * tail(mu) + tail(mu + u)) / u,
        "tent_moment": lambda mu, u: (2 * phi(mu) - phi(mu + u) - phi(mu - u)) / u,
        "tent_loss": loss,
    }
