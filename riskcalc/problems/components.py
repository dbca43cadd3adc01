"""Principal components of a table, whatever the units of its columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Of a column's largest entry: what equal numbers differ by that were found in two ways.
ROUNDING = 8 * np.finfo(float).eps


class Components(NamedTuple):
    """Of all features, with zeros for directions without variance; how many have some; and the residual variance."""

    eigenvalues: np.ndarray
    signal: np.ndarray
    rank: int
    noise: float


def components(features: np.ndarray, target: np.ndarray) -> Components:
    """Principal components of a table and the coefficients of its target.

    How many directions there are is asked of standardised columns, and their variances keep their digits whatever the
    columns' units: the singular values of what remains come from Jacobi's method, after pivoting.
    """
    rows, p = features.shape
    columns, exponents = _centred(features)
    (aim,), (power,) = (part.T for part in _centred(target[:, None]))
    lengths = np.linalg.norm(columns, axis=0)
    directions, spread, _ = np.linalg.svd(columns / np.where(lengths > 0, lengths, 1), full_matrices=False)
    directions = directions[:, spread > spread.max() * max(rows, p) * np.finfo(float).eps]
    rank, explained = directions.shape[1], directions.T @ aim
    noise = np.mean((aim - directions @ explained) ** 2)
    rounding = rows * np.finfo(float).eps
    if noise <= rounding**2 * np.mean(aim**2):
        noise = 0.0
    largest = exponents.max()
    singular, turn = _singular(np.ldexp(columns.T @ directions, (exponents - largest)[:, None]))
    parts = turn.T @ explained
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        lengths = np.ldexp(singular, largest)
        variances, scatter = lengths**2 / rows, np.ldexp([np.mean(aim**2), noise], 2 * power)
        coefficients = np.ldexp(parts, power) / lengths
        told = abs(parts) > rounding * np.linalg.norm(aim)
        _check_squares("entries of X", abs(features).max(axis=0), variances)
        _check_squares("entries of y", abs(target).max(keepdims=True), scatter[[aim.any(), noise > 0]])
        _check_squares("coefficients of y on X", abs(coefficients[told]), p * coefficients[told] ** 2)
    eigenvalues, signal = np.zeros(p), np.zeros(p)
    eigenvalues[:rank], signal[:rank] = variances, np.sqrt(p) * coefficients
    return Components(eigenvalues, signal, rank, scatter[1])


def _centred(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of mean zero, each over a power of two near its largest entry, and the exponents of these powers.

    A column that varies by rounding alone is zero.
    """
    exponents = np.frexp(np.abs(table).max(axis=0))[1]
    scaled = np.ldexp(table, -exponents)
    columns = scaled - scaled.mean(axis=0)
    columns -= columns.mean(axis=0)  # which is the rounding of the first mean
    columns[:, np.ptp(scaled, axis=0) <= ROUNDING] = 0
    return columns, exponents


def _singular(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Singular values, and right singular vectors as columns, of a matrix of full rank with rows of any scales."""
    from scipy.linalg import get_lapack_funcs

    if not matrix.size:
        return np.zeros(0), np.zeros((0, 0))
    (gejsv,) = get_lapack_funcs(["gejsv"], [matrix])
    # LAPACK's JOBA = F, JOBU = N, JOBV = V, JOBR = N, JOBP = N: for rows and columns of any scales; no left vectors.
    values, _, vectors, scale, _, failed = gejsv(matrix, joba=2, jobu=3, jobv=0, jobr=0, jobp=0)
    if failed:
        raise ArithmeticError("the singular values of X were not found")
    return values * scale[0] / scale[1], vectors


def check_units(features: np.ndarray, target: np.ndarray) -> None:
    """Refuse columns that vary, and a target, whose variances double precision does not hold."""
    for name, table in (("X", features), ("y", target[:, None])):
        columns, exponents = _centred(table)
        with np.errstate(over="ignore", under="ignore"):
            variances = np.ldexp(np.mean(columns**2, axis=0), 2 * exponents)
        _check_squares(f"entries of {name}", abs(table).max(axis=0), variances)


def _check_squares(name: str, sizes: np.ndarray, squares: np.ndarray) -> None:
    """Refuse what is so large or small that double precision does not hold its squares, of which none is zero."""
    if np.all((squares >= np.finfo(float).tiny) & (squares < np.inf)):
        return
    shown = dict.fromkeys(f"{size:.1g}" for size in (sizes[sizes > 0].min(), sizes.max()))
    raise ValueError(f"{name} of {' to '.join(shown)} have squares beyond double precision; measure in other units")
