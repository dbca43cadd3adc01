"""Where simulated arrays live: NumPy on the processor, CuPy on a graphics card, or any array API namespace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.linalg import get_lapack_funcs


@dataclass(frozen=True)
class Backend:
    """An array namespace and what the array API leaves out.

    Attributes
    ----------
    name : str
        The device it was asked for by.
    xp : module
        Array API namespace.
    generator : callable
        A `SeedSequence` to a generator with the methods `standard_normal`, `random` and `chisquare`.
    solve : callable
        Solve a stack of symmetric positive definite systems, shapes (T, n, n) and (T, n) to (T, n).
    to_numpy : callable
    memory : int
        Bytes that one batch of trials may take.
    """

    name: str
    xp: Any
    generator: Callable[[np.random.SeedSequence], Any]
    solve: Callable[[Any, Any], Any]
    to_numpy: Callable[[Any], np.ndarray]
    memory: int


def cpu() -> Backend:
    """NumPy, with SciPy's Cholesky factorisation. Batches stay small: they are fastest in the cache."""
    import array_api_compat.numpy as xp

    return Backend("cpu", xp, np.random.default_rng, _cholesky_solve, np.asarray, 1 << 23)


def gpu() -> Backend:
    """CuPy; ValueError where there is no CUDA device, or no CuPy."""
    if not gpu_is_available():
        raise ValueError('device="gpu" needs CuPy and a CUDA device, and none was found; use device="cpu"')
    xp, cupy = import_module("array_api_compat.cupy"), import_module("cupy")
    solve_triangular = import_module("cupyx.scipy.linalg").solve_triangular

    def solve(matrices: Any, right: Any) -> Any:
        lower = cupy.linalg.cholesky(matrices)
        half = solve_triangular(lower, right[..., None], lower=True)
        return solve_triangular(lower, half, lower=True, trans="T")[..., 0]

    def generator(seed: np.random.SeedSequence) -> Any:
        return cupy.random.Generator(cupy.random.Philox4x3210(int(seed.generate_state(1, np.uint64)[0])))

    free, _ = cupy.cuda.runtime.memGetInfo()
    return Backend("gpu", xp, generator, solve, cupy.asnumpy, free // 4)


def array_api(xp: Any) -> Backend:
    """Any array API namespace on the processor: draws by NumPy, systems by its `linalg.solve`."""

    class Draws:
        def __init__(self, seed: np.random.SeedSequence):
            self._rng = np.random.default_rng(seed)

        def __getattr__(self, name: str) -> Callable:
            return lambda *arguments: xp.asarray(getattr(self._rng, name)(*arguments))

    def solve(matrices: Any, right: Any) -> Any:
        return xp.linalg.solve(matrices, right[..., None])[..., 0]

    return Backend("cpu", xp, Draws, solve, np.asarray, 1 << 23)


def gpu_is_available() -> bool:
    """Whether CuPy is installed and finds a CUDA device."""
    return find_spec("cupy") is not None and bool(import_module("cupy").cuda.is_available())


def backend(device: str | None) -> Backend:
    """The backend of a device: "cpu", "gpu", or None for a GPU where there is one."""
    if device is None:
        return gpu() if gpu_is_available() else cpu()
    if device not in ("cpu", "gpu"):
        raise ValueError(f'device must be "cpu", "gpu" or None, got {device!r}')
    return gpu() if device == "gpu" else cpu()


def _cholesky_solve(matrices: np.ndarray, right: np.ndarray) -> np.ndarray:
    (solve,) = get_lapack_funcs(("posv",), dtype=np.float64)
    solutions = np.empty_like(right)
    for i, matrix in enumerate(matrices):
        # The matrix is this module's own and symmetric: its transpose is laid out as LAPACK wants it.
        # For small systems the checks of `cho_factor` and `cho_solve` cost more than the solution.
        _, solutions[i], failed = solve(matrix.T, right[i], lower=True, overwrite_a=True)
        if failed:
            raise np.linalg.LinAlgError(
                "a Gram matrix of the sample, with its ridge, is not positive definite; near the lowest ridge that is "
                "so of some samples: take a higher one, or more samples"
            )
    return solutions
