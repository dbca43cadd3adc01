"""The law of a feature and of the noises it meets, as columns: pairs of an atom and a point of standard normals.

A mean over the law and over several Gaussians is then a weighted mean over columns, in which masks may be any function
of what happened before. Points are quasi-random; independent randomisations of them are the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from riskcalc.lowering.state import State

ATOM_ENTRIES = ("Lambda", "B", "D", "sign_B", "weights")
_SEED = 2012_08749
# Sobol points are multiples of 2^-30: half a step more keeps them inside the unit interval.
_HALF_STEP = 2.0**-31
# Points of a stretch of the sequence that are enough to be given exact moments.
_LONG = 64
# Eigenvalues of a matrix of mean products that are smaller than this, relative to the largest, are rounding: noises or
# other directions that differ by the root of this are the same.
SAME = 1e-9
# Sweeps of a calibration; each leaves about a hundredth of what was wrong.
_SWEEPS = 4
# The largest factor by which a sweep changes a square.
_MOST = 4.0


def columns(atoms: State, dimensions: int, budget: int, replicates: int, spare: int) -> State:
    """The columns of one regime, arrays of shape (replicates, count).

    Parameters
    ----------
    atoms : State
        With `Lambda`, `B`, `D`, `sign_B` and `weights`, of shape (1, K) or (1, 1).
    dimensions : int
        Of the points: the columns' independent normals ``H1``, ``H2``, ...
    budget : int
        About how many columns to make.
    replicates : int
    spare : int
        Columns of weight zero at the end, for `keep_top` to split others into.

    Returns
    -------
    State
        The atoms' entries and the normals, and the number of each column's `atom`.
    """
    size = max(atoms[name].shape[1] for name in ATOM_ENTRIES)
    entries = {name: np.broadcast_to(atoms[name], (1, size))[0] for name in ATOM_ENTRIES}
    points = _points(entries["weights"], entries["Lambda"] * entries["B"] ** 2, budget)
    # A stretch of the sequence starts at a multiple of its length if no longer one comes after it.
    order = np.argsort(-points, kind="stable")
    atom = np.repeat(order, points[order])
    entries["weights"] = entries["weights"] / points
    found = {name: entry[atom] * np.ones((replicates, 1)) for name, entry in entries.items()}
    found["atom"] = atom * np.ones((replicates, 1))
    normals = _normals(tuple(points[order].tolist()), dimensions, replicates)
    found |= {f"H{i + 1}": normal for i, normal in enumerate(normals)}
    # Columns of equal score are kept in the order in which they stand: then each atom keeps the same part of them.
    place = np.concatenate([np.arange(length) / length for length in points[order]])
    mixed = np.argsort(place, kind="stable")
    mixed = np.concatenate([mixed, mixed[:spare]])
    found = {name: array[:, mixed] for name, array in found.items()}
    found["weights"][:, len(atom) :] = 0
    return found


def _points(weights: np.ndarray, signal: np.ndarray, budget: int) -> np.ndarray:
    """Points for each atom, powers of two: many for those of much weight, and for those that much of y is due to."""
    shares = [weight / max(weight.sum(), 1e-300) for weight in (weights, weights * signal)]
    fewest = min(_LONG, max(budget // len(weights), 1))
    points = np.maximum(budget * sum(shares) / 2, fewest)
    return 1 << np.floor(np.log2(points)).astype(int)


@lru_cache(maxsize=2)
def _normals(points: tuple[int, ...], dimensions: int, replicates: int) -> np.ndarray:
    """Standard normals of shape (dimensions, replicates, sum(points)), a stretch of a sequence for each atom.

    Each long stretch, and all the short ones together, are made exactly uncorrelated, of mean zero and variance one:
    what depends on the Gaussians' covariance only is then free of integration error.
    """
    from scipy.stats import qmc  # which takes long, and is needed for rounds only

    seeds = np.random.SeedSequence(_SEED).spawn(replicates)
    sequences = [qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed)) for seed in seeds]
    count = sum(points)
    uniform = np.array([sequence.random_base2((count - 1).bit_length())[:count].T for sequence in sequences])
    normal = ndtri(uniform + _HALF_STEP)
    ends = [0, *np.cumsum([length for length in points if length >= _LONG]).tolist()]
    if ends[-1] < count:  # short stretches; with the last long one, if they are few
        ends = [*ends, count] if count - ends[-1] >= _LONG or len(ends) == 1 else [*ends[:-1], count]
    for start, end in pairwise(ends):
        part = normal[:, :, start:end]
        part = part - part.mean(axis=2, keepdims=True)
        root = np.linalg.cholesky(np.matmul(part, part.swapaxes(1, 2)) / (end - start))
        normal[:, :, start:end] = np.linalg.solve(root, part)
    return normal.swapaxes(0, 1)


def calibrated(normal: np.ndarray, weights: np.ndarray, slope: np.ndarray, others: Sequence[np.ndarray]) -> np.ndarray:
    """Normals H, slightly changed: mean(H^2) = 1, mean(slope^2 H^2) = mean(slope^2), and mean(H other) = 0.

    Means are weighted, over the columns of all atoms together: those of one atom are no longer exact. Where slope is
    other than zero on fewer than twice as many columns as there are others, the normals stay as they are.

    Parameters
    ----------
    normal, weights, slope : ndarray, shape (replicates, columns)
    others : sequence of ndarray
        Of that shape, too.
    """
    weights = weights / weights.sum(axis=-1, keepdims=True)
    enough = ((weights * slope != 0).sum(axis=-1, keepdims=True) >= 2 * len(others)) & np.ones(normal.shape, bool)
    weights = weights[:, None]
    factors = np.stack([np.ones_like(slope), slope**2], axis=1)
    mean = factors @ weights.swapaxes(1, 2)
    factors /= np.where(mean > 0, mean, 1)
    directions = np.stack(others, axis=1)
    size = np.sqrt((weights * directions**2).sum(axis=-1, keepdims=True))
    directions /= np.where(size > 0, size, 1)
    inverse = np.linalg.pinv(directions @ (weights * directions).swapaxes(1, 2), rcond=SAME)
    found = normal[:, None]
    for _ in range(_SWEEPS):
        found = found - (weights * found) @ directions.swapaxes(1, 2) @ inverse @ directions
        moments = (weights * found**2 * factors) @ factors.swapaxes(1, 2)
        scale = (np.linalg.pinv(moments, rcond=SAME) @ (mean > 0)).swapaxes(1, 2) @ factors
        found = found * np.sqrt(np.clip(scale, 1 / _MOST, _MOST))
    return np.where(enough, found[:, 0], normal)


def keep_top(law: State, score: np.ndarray, mass: np.ndarray, spare: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask of the largest scores that are at least zero and together have `mass`, and the lowest of them.

    The column at the boundary is split in two, in place: the part that is dropped moves to column `spare`. Where there
    are not `mass` of them, all are kept, also where they fall short by no more than the rounding of the sums: a part as
    small would still be a feature dropped. Scores that agree in single precision are equal.
    """
    weights = law["weights"]
    rounding = weights.shape[-1] * np.finfo(float).eps * mass
    largest = np.maximum(score.max(axis=-1, keepdims=True), 1e-300)
    order = np.argsort((-score / largest).astype(np.float32), axis=-1, kind="stable")
    above = np.cumsum(np.take_along_axis(weights * (score >= 0), order, axis=-1), axis=-1)
    place = np.minimum((above < mass - rounding).sum(axis=-1, keepdims=True), score.shape[1] - 1)
    boundary = np.take_along_axis(order, place, axis=-1)
    threshold = np.take_along_axis(score, boundary, axis=-1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(score.shape[1])[None, :], axis=-1)
    mask = ((rank <= place) & (score >= 0)) * 1.0
    excess = np.take_along_axis(above, place, axis=-1) - mass
    excess = np.where((excess > rounding) & (threshold >= 0), excess, 0)
    for name, array in law.items():
        if name != "weights":
            array[:, spare, None] = np.take_along_axis(array, boundary, axis=-1)
    weights[:, spare, None] = excess
    np.put_along_axis(weights, boundary, np.take_along_axis(weights, boundary, axis=-1) - excess, axis=-1)
    mask[:, spare] = 0
    return mask, np.maximum(threshold, 0)
