"""A problem as blocks of regimes in one number system, and budgets in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskcalc.lowering.compensated import Pair
from riskcalc.lowering.compensated import total as pair_total
from riskcalc.lowering.state import State
from riskcalc.lowering.surplus import Surplus
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.problems import LinearGaussian

# Relative size of what rounding of a few inputs may add up to; a double of so few binary places is no rounded number.
ROUNDED, PLACES = 4 * float(np.finfo(float).eps), 2.0**20

# Atoms of all regimes of a chunk together: large enough to pay for the calls, small enough for a cache.
CHUNK = 1 << 15


@dataclass(frozen=True)
class Budget:
    """A budget in the regimes of a chunk: the fraction `alpha`, and two exact differences.

    `keep_surplus` is (1 - alpha) * total, and `small_surplus` is (kappa * alpha - 1) * total.
    `rankings` are those of all regimes that were made at this budget, by their scores, if these see no fit.
    """

    alpha: np.ndarray
    keep_surplus: Surplus
    small_surplus: Surplus
    rankings: dict[Any, State] = field(default_factory=dict)


@dataclass(frozen=True)
class Chunk:
    """Some regimes: their rows in the flattened batch, their state, and an exact difference.

    `ridge_surplus` is kappa * live_mass - total, where `live_mass` is that of the atoms with positive variance.
    `distinct` is (first, inverse): the rows of distinct problems, and for every row which of them it is. `shape` is
    that of the batch, `kappa` the exact aspect ratios, and `whole` says that the problem has a number of features.
    `inexact_weights` says where weights are rounded numbers, which count where features have no variance.
    """

    rows: slice
    state: State
    live_mass: Pair
    ridge_surplus: Surplus
    distinct: tuple[np.ndarray, np.ndarray]
    shape: tuple[int, ...]
    kappa: np.ndarray
    whole: bool
    inexact_weights: np.ndarray

    def regimes_of(self, array: np.ndarray) -> np.ndarray:
        """What broadcasts with the batch, for the regimes of this chunk; shape (N, 1)."""
        return np.broadcast_to(array, self.shape).reshape(-1, 1)[self.rows]

    def budget(self, keep: np.ndarray, system: SolvingSystem) -> Budget:
        """An exact budget in these regimes."""
        alpha, total = self.regimes_of(keep), self.state["total"]
        one = np.ones(alpha.shape)
        whole = system.surplus(one, one, alpha).times(total)
        small = system.surplus(alpha, self.kappa, one).times(total)
        return Budget(
            alpha=system.number(alpha),
            keep_surplus=whole.weighing(self.state["weights"], (total, 0 * total)),
            small_surplus=small.blurred(_inexact(alpha) | _inexact(self.kappa), ROUNDED * total, self.whole),
        )


def chunks(problem: LinearGaussian, shape: tuple[int, ...], system: SolvingSystem) -> Iterator[Chunk]:
    """Cut a batch of this shape into chunks; atoms shared by the whole batch are not copied."""
    count, atoms = int(np.prod(shape)), problem.n_atoms
    law = problem.law
    ones = np.ones(1)
    per_atom = {
        "Lambda": law.eigenvalues,
        "B": abs(law.signal if law.coefficients is None else law.coefficients),
        "sign_B": np.where(law.signal < 0, -1.0, 1.0) if np.any(law.signal < 0) else ones,
        "D": _penalty(problem),
        "weights": ones if law.weights is None else law.weights,
    }
    if law.coefficients is not None:
        per_atom["n_features"] = law.n_features[..., None]
    per_regime = {
        "kappa": problem.aspect_ratio,
        "sigma2": problem.noise_variance,
        "ridge": problem.ridge,
        "total": np.array(float(atoms) if law.weights is None else 1.0),
    }
    rows_of_atoms = {name: _flat(array, shape, atoms) for name, array in per_atom.items()}
    rows_of_regimes = {name: np.broadcast_to(array, shape).reshape(count, 1) for name, array in per_regime.items()}
    problem_rows = np.broadcast_to(np.arange(np.prod(problem.shape, dtype=int)).reshape(problem.shape), shape).ravel()
    widest = atoms if problem.rows is None else max(atoms, problem.rows.n_atoms)
    size, whole = max(1, CHUNK // widest), problem.n_features is not None
    for start in range(0, count, size):
        rows = slice(start, min(start + size, count))
        exact = {name: array[rows] if len(array) > 1 else array for name, array in rows_of_atoms.items()}
        if rows.stop - rows.start > atoms:  # many regimes of few atoms: every array in the same layout
            exact = {name: np.broadcast_to(array, (rows.stop - rows.start, atoms)) for name, array in exact.items()}
        exact |= {name: array[rows] for name, array in rows_of_regimes.items()}
        state = {name: system.number(array) for name, array in exact.items()}
        if law.coefficients is not None:
            state["B"] = system.functions["sqrt"](state.pop("n_features")) * state["B"]

        kappa, total = exact["kappa"], state["total"]
        one = np.ones(kappa.shape)
        ridge_surplus, live_mass = system.surplus(one, kappa, one).times(total), (total, 0 * total)
        live, inexact = state["Lambda"] > 0, np.zeros(kappa.shape, bool)
        if not live.all():
            weights = np.where(live, exact["weights"], 0)
            dead = np.broadcast_to(~live.all(axis=-1, keepdims=True), total.shape)
            ridge_surplus = system.surplus(kappa, weights, exact["total"]).where(dead, ridge_surplus)
            inexact = dead & _inexact(exact["weights"]).any(axis=-1, keepdims=True)
            meant = pair_total(system.number(weights))
            live_mass = np.where(dead, meant[0], total), np.where(dead, meant[1], 0)
        yield Chunk(
            rows=rows,
            state=state,
            live_mass=live_mass,
            ridge_surplus=ridge_surplus.blurred(_inexact(kappa) | inexact, ROUNDED * total, whole),
            distinct=_distinct(problem_rows[rows], count > int(np.prod(problem.shape))),
            shape=shape,
            kappa=kappa,
            whole=whole,
            inexact_weights=inexact,
        )


def law_of_rows(problem: LinearGaussian, chunk: Chunk, system: SolvingSystem) -> tuple[State, Surplus]:
    """The law of the rows of unequal length in the regimes of a chunk, and its mass without variance, exact.

    The mass is in units of the law's total, and blurred where it is a sum of rounded weights.
    """
    law = problem.rows
    assert law is not None
    ones, count = np.ones(1), law.n_atoms
    per_row = {"row_variance": law.eigenvalues, "weights": ones if law.weights is None else law.weights}
    flat = {name: _flat(array, chunk.shape, count) for name, array in per_row.items()}
    exact = {name: array[chunk.rows] if len(array) > 1 else array for name, array in flat.items()}
    state = {name: system.number(array) for name, array in exact.items()}
    state["total"] = system.number(np.full((1, 1), float(count) if law.weights is None else 1.0))
    empty = np.broadcast_to(exact["row_variance"] == 0, np.broadcast_shapes(*(one.shape for one in exact.values())))
    weights = np.where(empty, exact["weights"], 0)
    one = np.ones((len(weights), 1))
    rounded = np.any(empty & _inexact(exact["weights"]), axis=-1, keepdims=True)
    return state, system.surplus(one, weights, 0 * one).blurred(rounded, ROUNDED * state["total"] * one, False)


def _distinct(problem_rows: np.ndarray, repeated: bool) -> tuple[np.ndarray, np.ndarray]:
    """The first row of each distinct problem, and for every row which of them it is."""
    if not repeated:
        return np.arange(problem_rows.size), np.arange(problem_rows.size)
    _, first, inverse = np.unique(problem_rows, return_index=True, return_inverse=True)
    return first, inverse


def _inexact(array: np.ndarray) -> np.ndarray:
    """Which numbers are rounded: doubles of more than a few binary places, which may stand for others near them."""
    return np.zeros(array.shape, bool) if array.dtype == object else (array * PLACES) % 1 != 0


def _penalty(problem: LinearGaussian) -> np.ndarray:
    if problem.penalty is None:
        return np.ones(1)
    return problem.law.eigenvalues if isinstance(problem.penalty, str) else problem.penalty


def _flat(array: np.ndarray, shape: tuple[int, ...], atoms: int) -> np.ndarray:
    """Atoms as rows: (N, K), or (1, K) where the batch shares them, without copying what is only repeated."""
    if array.size == array.shape[-1]:
        return np.broadcast_to(array.reshape(1, -1), (1, atoms))
    return np.broadcast_to(array, (*shape, atoms)).reshape(-1, atoms)
