"""Arrays in files, as problem files and flags name them: .npy, without pickles, or .csv of numbers alone."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from riskcalc.files import read_bytes
from riskcalc.quoting import printable
from riskcalc.text import read_text

# Keys whose text may name a file.
MATRICES = ("covariance", "loadings")
KEYS = (*MATRICES, "coefficients", "variances")
SUFFIXES = (".npy", ".csv")


def located(keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The keys, with paths from a folder on where texts name files."""
    return {name: folder / value if name in KEYS and _is_name(value) else value for name, value in keys.items()}


def _is_name(value: Any) -> bool:
    return isinstance(value, (str, Path)) and Path(value).suffix.lower() in SUFFIXES


def read_arrays(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys, with what is in the files that they name; ValueError if one cannot be read."""
    arrays = {name: read_array(value) for name, value in keys.items() if isinstance(value, Path)}
    return {**keys} | {name: array if name in MATRICES else vector(array) for name, array in arrays.items()}


def read_array(path: Path) -> np.ndarray:
    """The real numbers in a file; of a .csv as a matrix. ValueError that names the file and what is wrong."""
    if not _is_name(path):
        raise ValueError(f"{printable(str(path))} must be a file of numbers, named {' or '.join(SUFFIXES)}")
    binary = path.suffix.lower() == SUFFIXES[0]
    content = read_bytes(path) if binary else read_text(path)
    try:
        array = _unpacked(content) if isinstance(content, bytes) else _parsed(content)
        if array.size == 0:
            raise ValueError("it holds no number")
    except ValueError as error:
        raise ValueError(f"cannot read {printable(str(path))}: {printable(str(error))}") from error
    return array


def _unpacked(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    header = headers.get(npy.read_magic(file))
    if header is None:
        raise ValueError("it is of an unknown version of .npy")
    shape, by_columns, dtype = header(file)
    if dtype.kind not in "fiu":
        raise ValueError(f"it must hold real numbers, got {dtype}")
    start, count = file.tell(), math.prod(shape)
    if len(content) - start != count * dtype.itemsize:
        raise ValueError(f"it says shape {shape} of {dtype}, but holds {len(content) - start:,} bytes")
    return np.frombuffer(content, dtype, count, start).reshape(shape, order="F" if by_columns else "C")


def _parsed(text: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is nothing in it
        return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)


def vector(value: Any) -> Any:
    """A list of numbers where a matrix has one row or one column; a number as a list."""
    if isinstance(value, np.ndarray):
        return value.ravel() if value.ndim == 2 and 1 in value.shape else value
    return value if isinstance(value, list) else [value]


def columns(value: Any) -> Any:
    """A matrix of one column where there is a list of numbers; anything else as it is."""
    if isinstance(value, np.ndarray):
        return value[:, None] if value.ndim == 1 else value
    return [[item] for item in value] if isinstance(value, list) and not isinstance(value[0], list) else value
