"""Gauss rules of the laws with a density: nodes in order and weights, in a time that many nodes do not make long."""

from __future__ import annotations

import numpy as np

# Passes over the recurrence, of which the third is usually the last.
_MOST_PASSES = 30
# Steps of a recurrence after which what grew or fell is scaled.
_STRETCH = 16


def marchenko_pastur(ratio: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The Gauss rule of the Marchenko-Pastur law of a ratio of at most one.

    Its Jacobi matrix is constant but for one entry: with x = 1 + ratio - 2 sqrt(ratio) cos(t), and psi the argument of
    exp(it) - sqrt(ratio), the nodes are where nodes*t + psi is a multiple of pi. It rises, from pi to pi.
    """
    root = np.sqrt(ratio)
    gap, wanted = (1 - ratio) / (1 + root), np.pi * np.arange(1, nodes + 1)
    low, high = (wanted - np.pi) / nodes, wanted / nodes
    for _ in range(60):  # halves an angle down to rounding, beside the smallest one
        t = (low + high) / 2
        above = nodes * t + np.arctan2(np.sin(t), gap - 2 * np.sin(t / 2) ** 2) > wanted
        low, high = np.where(above, low, t), np.where(above, t, high)
    points = gap**2 + 4 * root * np.sin(low / 2) ** 2
    weights = 2 * np.sin(low) ** 2 / (points * (nodes + 0.5) + (1 - ratio) / 2)
    return points, weights / weights.sum()


def beta(a: float, b: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """The Gauss rule of a beta law on (0, 1), whose nodes are the zeros of a Jacobi polynomial.

    By Halley's method on the recurrence, from the phase of the WKB approximation. Not by scipy.special.roots_jacobi and
    roots_legendre: they lose digits where a is small, a and b are large, or nodes are many.
    """
    if a > b:  # nodes near zero are resolved better than nodes near one
        points, weights = beta(b, a, nodes)
        return 1 - points[::-1], weights[::-1]
    centre, squares = _recurrence(a, b, nodes)
    if nodes == 1:
        return centre, np.ones(1)
    points, total, energy = _first_guess(a, b, nodes), a + b, nodes * (nodes + a + b - 1)
    scale = squares[-1] * (2 * nodes + total - 1)
    for _ in range(_MOST_PASSES):
        value, before = _last_two(centre, squares, points)
        # x (1-x) p' in terms of p and its predecessor, and p'' by the differential equation (Szego 4.5.7 and 4.2.1).
        room = points * (1 - points)
        slope = nodes * ((b - a) / (2 * nodes + total - 2) + 1 - 2 * points) / 2 * value + scale * before
        newton = value / slope * room
        bend = (total * points - a - energy * newton) / room
        step = -newton / np.maximum(1 - newton * bend / 2, 0.5)
        points = np.clip(points + step, points / 2, (1 + points) / 2)
        # In units of the distance between nodes.
        if np.max(abs(step) * nodes / np.sqrt(room)) < 1e-7 and np.all(np.diff(points) > 0):
            return points, _weights(centre, squares, points)
    raise ArithmeticError(f"a quadrature of {nodes} nodes was not found for a beta law of a={a:g} and b={b:g}")


def _recurrence(a: float, b: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal of the Jacobi matrix of a beta law on (0, 1), and squares of what stands beside it, one for each."""
    k, j, total = np.arange(1.0, nodes), np.arange(2.0, nodes + 1), a + b
    centre = (2 * k * (k + total - 1) + a * (total - 2)) / ((2 * k + total) * (2 * k + total - 2))
    later = (j / (2 * j + total - 2)) * ((j + a - 1) / (2 * j + total - 2))
    later *= ((j + b - 1) / (2 * j + total - 1)) * ((j + total - 2) / (2 * j + total - 3))
    return np.append(a / total, centre), np.append((a / total) * (b / total) / (total + 1), later)


def _first_guess(a: float, b: float, nodes: int) -> np.ndarray:
    """Where the phase of the solution of the differential equation, in the angle, is that of a zero.

    With x = sin(angle/2)**2 the solution oscillates with the square of the frequency N^2 - (a-1)^2 / 4x -
    (b-1)^2 / 4(1-x) (Langer, Phys. Rev. 51, 1937), between x1 and x2; the integral is elementary.
    """
    low, high, number = abs(a - 1), abs(b - 1), nodes + (a + b - 1) / 2
    half = (number**2 + (low**2 - high**2) / 4) / 2
    x2 = (half + np.sqrt(max(half**2 - (number * low / 2) ** 2, 0))) / number**2
    x1 = (low / (2 * number)) ** 2 / x2
    y1 = 1 - x1
    y2 = (high / (2 * number)) ** 2 / y1
    angle = np.linspace(0, np.pi, 16 * nodes + 1)
    sine, cosine = np.sin(angle / 2), np.cos(angle / 2)
    phase = number * angle
    phase -= low * np.arctan2(np.sqrt(x2) * sine, np.sqrt(x1) * cosine)
    phase -= high * np.arctan2(np.sqrt(y2) * sine, np.sqrt(y1) * cosine)
    wanted = (np.arange(1, nodes + 1) - 0.25 + min(a - 1, 0)) * np.pi
    return x1 + (x2 - x1) * np.sin(np.interp(wanted, phase, angle) / 2) ** 2


def _last_two(centre: np.ndarray, squares: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The orthonormal polynomial of degree `nodes`, times the last root of `squares`, and the one before it.

    Both over a factor of their point.
    """
    before, value, spare = np.zeros_like(points), np.ones_like(points), np.empty_like(points)
    places, diagonal = 4 * points, 4 * centre
    beside = np.append(0, 16 * squares[:-1])
    for k in range(len(centre)):
        np.subtract(places, diagonal[k], out=spare)
        spare *= value
        before *= beside[k]
        spare -= before
        before, value, spare = value, spare, before
        if k % _STRETCH == 0:
            size = np.maximum(abs(value), abs(before))
            before /= size
            value /= size
    return value / 4, before


def _weights(centre: np.ndarray, squares: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Christoffel numbers: one over the sum of the squares of the orthonormal polynomials."""
    beside, exponent = np.sqrt(squares), np.zeros(points.shape, int)
    before, value, spare = np.zeros_like(points), np.ones_like(points), np.empty_like(points)
    total = np.ones_like(points)
    for k in range(len(centre) - 1):
        np.subtract(points, centre[k], out=spare)
        spare *= value
        before *= beside[k - 1]
        spare -= before
        spare /= beside[k]
        before, value, spare = value, spare, before
        total += np.multiply(value, value, out=spare)
        if k % _STRETCH == 0:
            size = np.frexp(np.maximum(abs(value), abs(before)))[1]
            before, value = np.ldexp(before, -size), np.ldexp(value, -size)
            total = np.ldexp(total, -2 * size)
            exponent += 2 * size
    weights = np.ldexp(1 / total, exponent.min() - exponent)
    return weights / weights.sum()
