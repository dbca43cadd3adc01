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

    Each half of them by its distance from its own end. Not by scipy.special.roots_jacobi and roots_legendre: they lose
    digits where a is small, a and b are large, or nodes are many.
    """
    if nodes == 1:
        return np.array([a / (a + b)]), np.ones(1)
    below = (nodes + 1) // 2 if a == b else int(np.sum(_first_guess(a, b, nodes) <= 0.5))
    left, sums, exponent = _lowest(a, b, nodes, below)
    if a == b:
        right, more, further = (values[: nodes - below] for values in (left, sums, exponent))
    else:
        right, more, further = _lowest(b, a, nodes, nodes - below)
    points = np.append(left, 1 - right[::-1])
    sums, exponent = np.append(sums, more[::-1]), np.append(exponent, further[::-1])
    weights = np.ldexp(1 / sums, exponent.min() - exponent)
    return points, weights / weights.sum()


def _lowest(a: float, b: float, nodes: int, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest nodes, and one over their weights: a number and the exponent of two that it is short of.

    By Halley's method from the phase of the WKB approximation.
    """
    points, total, energy = _first_guess(a, b, nodes)[:number], a + b, nodes * (nodes + a + b - 1)
    k, j = np.arange(1.0, nodes), np.arange(float(nodes))
    rise = np.append(a / total, (k - 1 + total) / (2 * k - 1 + total) * ((k + a) / (2 * k + total)))
    fall = (j + 1) / (2 * j + total) * ((j + b) / (2 * j + 1 + total))
    last = number == 0
    for _ in range(_MOST_PASSES):
        value, before, sums, exponent = _orthonormal(rise, fall, points, last)
        if last:
            return points, sums, exponent
        # x (1-x) p' in terms of p and its predecessor, and p'' by the differential equation (Szego 4.5.7 and 4.2.1).
        room = points * (1 - points)
        slope = nodes * ((b - a) / (2 * nodes + total - 2) + 1 - 2 * points) / 2 * value
        slope = slope - np.sqrt(rise[-1] * fall[-1]) * (2 * nodes + total - 1) * before
        newton = value / slope * room
        bend = (total * points - a - energy * newton) / room
        step = -newton / np.maximum(1 - newton * bend / 2, 0.5)
        points = np.maximum(points + step, points / 2)
        # In units of the distance to other nodes and to the end: of so small a step the cube is left.
        size = abs(step) * np.maximum(np.sqrt(energy / room), 1 / points)
        last = bool(np.max(size) < 1e-5 and np.all(np.diff(points) > 0))
    raise ArithmeticError(f"a quadrature of {nodes} nodes was not found for a beta law of a={a:g} and b={b:g}")


def _orthonormal(
    rise: np.ndarray, fall: np.ndarray, points: np.ndarray, summed: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The polynomial of degree `nodes`, the one before it, and where asked the sum of the squares of all before.

    All are short of powers of two; the exponent of that of the sum comes last.

    By -x p(k) = rise(k) (p(k+1) - p(k)) - fall(k) (p(k) - p(k-1)) for polynomials that are one at zero, of which the
    orthonormal ones are multiples: nothing cancels near zero.
    """
    value, change, before = np.ones_like(points), np.zeros_like(points), points
    sums, exponent, spare = np.zeros_like(points), np.zeros(points.shape, int), np.empty_like(points)
    growth = np.sqrt(rise / fall)
    for k in range(len(rise)):
        if summed:
            sums += np.multiply(value, value, out=spare)
        if k:
            change /= growth[k - 1]
        change -= np.multiply(points, value, out=spare)
        if k == len(rise) - 1:
            before = value.copy()
        value += np.multiply(change, 1 / rise[k], out=spare)
        value *= growth[k]
        if k % _STRETCH == 0 and k < len(rise) - 1:
            size = np.frexp(np.maximum(abs(value), abs(change)))[1]
            value, change, sums = np.ldexp(value, -size), np.ldexp(change, -size), np.ldexp(sums, -2 * size)
            exponent += 2 * size
    return value, before, sums, exponent


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
    points = x1 + (x2 - x1) * np.sin(np.interp(wanted, phase, angle) / 2) ** 2
    if a < 0.1:  # near the end the polynomial is 1 - nodes (nodes + a + b - 1) x / a + ...
        points[0] = a * (1 + a / 2) / (nodes * (nodes + a + b - 1))
    return points
