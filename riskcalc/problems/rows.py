"""The law of the variances of rows, where they are of unequal length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskcalc.exact import as_float, at_least_zero, matching_shapes
from riskcalc.laws import Atoms, Law
from riskcalc.laws.base import check_sum


def check_rows(row_variances: Any, row_weights: Any) -> tuple[Law | np.ndarray | None, np.ndarray | None]:
    """Both arguments, exact."""
    if row_variances is None or isinstance(row_variances, Law):
        if row_weights is not None:
            whose = "rows of variances that are given" if row_variances is None else "values, and this law has its own"
            raise ValueError(f"row_weights are of {whose}; leave them out, or give row_variances as an array")
        _check_some(None if row_variances is None else row_variances.eigenvalues, None)
        return row_variances, None
    variances = np.atleast_1d(at_least_zero(row_variances, "row_variances"))
    weights = None if row_weights is None else np.atleast_1d(at_least_zero(row_weights, "row_weights"))
    if weights is not None:
        shape = matching_shapes({"row_variances": variances, "row_weights": weights})
        try:
            check_sum(weights, shape[-1])
        except ValueError as error:
            raise ValueError(f"row_{error}".replace("atoms", "row_variances")) from error
    _check_some(variances, weights)
    return variances, weights


def _check_some(variances: np.ndarray | None, weights: np.ndarray | None) -> None:
    """Refuse samples that hold nothing but noise."""
    if variances is None:
        return
    some = as_float(variances) > 0
    if weights is not None:
        some = some & (as_float(weights) > 0)
    if not np.all(some.any(axis=-1)):
        raise ValueError("row_variances are all zero, so that every row is noise; give some above 0")


def rows_law(row_variances: Law | np.ndarray | None, row_weights: np.ndarray | None) -> Law | None:
    """The law whose eigenvalues are the variances of rows."""
    if row_variances is None or isinstance(row_variances, Law):
        return row_variances
    return Atoms(row_variances, 0, row_weights)


def read_rows(value: Any) -> Any:
    """Variances of rows as they are written: numbers, or a law."""
    return Law.from_dict(value) if isinstance(value, Mapping) else value
