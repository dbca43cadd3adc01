"""The state: every quantity known about a block of regimes, by the name of its symbol.

Quantities of a regime have shape (N, 1) or (1, 1), quantities of its atoms (N, K), (1, K), (N, 1) or (1, 1). The
entries `weights` (atoms) and `total` (regimes) are the law's measure: a mean is ``sum(weights * f) / total``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

State = dict[str, np.ndarray]

# Elements per block: a dozen temporaries of this size stay in a processor's cache.
BLOCK = 1 << 15


def shape(state: State) -> tuple[int, int]:
    """(N, K): the regimes and the atoms of a state."""
    rows, columns = zip(*(array.shape for array in state.values()), strict=True)
    return max(rows), max(columns)


def blocks(state: State) -> Iterator[State]:
    """The state cut along its atoms, into pieces of about `BLOCK` elements."""
    rows, columns = shape(state)
    size = max(1, BLOCK // rows)
    if columns <= size:
        yield state
        return
    for start in range(0, columns, size):
        cut = slice(start, start + size)
        yield {name: array[:, cut] if array.shape[1] > 1 else array for name, array in state.items()}


def take(state: State, rows) -> State:
    """The state of some of its regimes (indices, a mask or a slice)."""
    return {name: _rows(array, rows) if array.shape[0] > 1 else array for name, array in state.items()}


def _rows(array: np.ndarray, rows) -> np.ndarray:
    """`array[rows]` in the memory layout of `array`."""
    return array[rows] if array.flags.c_contiguous else array.T[:, rows].T
