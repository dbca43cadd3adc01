"""Gauss rules: against their definition by eigenvectors, exact moments, high precision, and with many nodes."""

from __future__ import annotations

from math import prod

import mpmath
import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal

from riskcalc.laws import quadrature

SHAPES = [(1, 1), (2, 3), (0.5, 0.5), (0.3, 0.7), (0.2, 9), (9, 0.2), (1e-3, 1), (1e-6, 5), (0.01, 0.01), (30, 3)]
LARGE = [(1e4, 1e4), (1e6, 3), (1e-3, 1e8), (1e8, 1e8)]


def jacobi_matrix(a: float, b: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal and off-diagonal of the Jacobi matrix of a beta law (Szego 4.5.1)."""
    k, j, total = np.arange(1.0, nodes), np.arange(2.0, nodes), a + b
    centre = (1 + (a - b) / (2 * k + total) * ((total - 2) / (2 * k + total - 2))) / 2
    squares = j * (j + a - 1) * (j + b - 1) * (j + total - 2)
    squares /= (2 * j + total - 2) ** 2 * (2 * j + total - 1) * (2 * j + total - 3)
    first = a * b / total**2 / (total + 1)
    return np.append(a / total, centre), np.sqrt(np.append(first, squares)[: nodes - 1])


@pytest.mark.parametrize("nodes", [2, 3, 8, 301])
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_nodes_are_eigenvalues_and_weights_squares_of_eigenvectors(a: float, b: float, nodes: int):
    points, weights = quadrature.beta(a, b, nodes)
    eigenvalues, vectors = eigh_tridiagonal(*jacobi_matrix(a, b, nodes))
    # Eigenvalues are known to rounding of the largest, eigenvectors at the ends to that over the distance of nodes.
    assert abs(points - eigenvalues).max() < 2e-15
    assert abs(weights - vectors[0] ** 2).max() < 1e-12


@pytest.mark.parametrize(
    ("a", "b", "nodes"),
    [(a, b, nodes) for a, b in SHAPES + LARGE for nodes in (1, 2, 3, 8, 301)]
    + [(1, 1, 4096), (0.3, 0.7, 4096), (1e4, 1e4, 4096)],
)
def test_moments_are_exact(a: float, b: float, nodes: int):
    points, weights = quadrature.beta(a, b, nodes)
    assert np.all(np.diff(points) > 0)
    for power in range(min(6, 2 * nodes)):
        known = prod((a + i) / (a + b + i) for i in range(power))
        assert weights @ points**power == pytest.approx(known, rel=1e-14)


def test_ends_against_forty_digits():
    """The lowest nodes of four hundred and their weights are relatively as good as those in the middle."""
    nodes = 400
    points, weights = quadrature.beta(1, 1, nodes)
    with mpmath.workdps(40):
        for i in (0, 1, 100):
            x = mpmath.findroot(lambda x: mpmath.legendre(nodes, 1 - 2 * x), mpmath.mpf(points[i]))
            slope = nodes * mpmath.legendre(nodes - 1, 1 - 2 * x) / (4 * x * (1 - x))
            assert abs(points[i] / x - 1) < 1e-13
            assert abs(weights[i] * 4 * x * (1 - x) * slope**2 - 1) < 1e-12


@pytest.mark.parametrize("ratio", [1e-6, 0.1, 0.999, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("nodes", [1, 2, 3, 8, 301, 4096])
def test_marchenko_pastur(ratio: float, nodes: int):
    points, weights = quadrature.marchenko_pastur(ratio, nodes)
    assert np.all(np.diff(points) > 0)
    for power, known in enumerate([1, 1, 1 + ratio, 1 + 3 * ratio + ratio**2][: 2 * nodes]):
        assert weights @ points**power == pytest.approx(known, rel=1e-14)
    if nodes < 1000:
        diagonal = np.append(1, np.full(nodes - 1, 1 + ratio))
        eigenvalues, vectors = eigh_tridiagonal(diagonal, np.full(nodes - 1, ratio**0.5))
        assert abs(points - eigenvalues).max() < 1e-14
        assert abs(weights - vectors[0] ** 2).max() < 1e-12
