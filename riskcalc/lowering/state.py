"""The state: every quantity known about a block of regimes, by the name of its symbol.

Quantities of a regime have shape (N, 1) or (1, 1), quantities of its atoms (N, K), (1, K), (N, 1) or (1, 1). The
entries `weights` (atoms) and `total` (regimes) are the law's measure: a mean is ``sum(weights * f) / total``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

import numpy as np

T = TypeVar("T")

State = dict[str, np.ndarray]

# Atoms per block: few enough that a dozen temporaries stay in a processor's cache and a million atoms in memory.
BLOCK = 1 << 14
# Blocks that are at work together: array routines leave the interpreter to others.
THREADS = 2


def shape(state: State) -> tuple[int, int]:
    """(N, K): the regimes and the atoms of a state."""
    rows, columns = zip(*[array.shape for array in state.values()], strict=True)
    return max(rows), max(columns)


def blocks(state: State) -> Iterator[State]:
    """The state cut along its atoms, into pieces of at most `BLOCK` of them."""
    columns = max(array.shape[1] for array in state.values())
    if columns <= BLOCK:
        yield state
        return
    for start in range(0, columns, BLOCK):
        cut = slice(start, start + BLOCK)
        yield {name: array[:, cut] if array.shape[1] > 1 else array for name, array in state.items()}


def by_block(function: Callable[[State], T], state: State) -> list[T]:
    """What a function gives of each block, in their order."""
    parts = list(blocks(state))
    if len(parts) == 1 or any(array.dtype == object for array in state.values()):  # whose precision is their thread's
        return [function(part) for part in parts]
    contexts = [copy_context() for _ in parts]  # in which invalid operations are silent
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda context, part: context.run(function, part), contexts, parts))


def take(state: State, rows: np.ndarray) -> State:
    """The state of some of its regimes, by their increasing indices; arrays keep their memory layout."""
    count, _ = shape(state)
    if len(rows) == count:
        return state
    return {name: np.take(array.T, rows, axis=1).T if array.shape[0] > 1 else array for name, array in state.items()}


# Of fewer atoms than this products are added up one after the other, without being held.
FEW = 64


def weighed(weights: np.ndarray, term: np.ndarray) -> np.ndarray:
    """The sum of ``weights * term`` over the atoms, shape (N, 1)."""
    if term.shape[-1] < FEW and term.dtype != object and weights.shape == term.shape:
        if len(term) == 1:
            return weights @ term.T
        return np.einsum("nk,nk->n", weights, term)[:, None]
    return (weights * term).sum(axis=-1, keepdims=True)
