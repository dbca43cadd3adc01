"""Inputs by the names of symbols: checked, exact, and laid out as regimes and atoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from riskcalc.exact import at_least_zero, exact_array, matching_shapes
from riskcalc.formulas.symbols import QUANTITIES, LawSymbol
from riskcalc.laws.base import check_sum
from riskcalc.lookup import look_up
from riskcalc.lowering.state import State


@dataclass(frozen=True)
class Inputs:
    """Exact values by name, shape (N or 1, 1), for symbols of the law (N or 1, K or 1); and the batch they make."""

    exact: State
    batch: tuple[int, ...]
    n_atoms: int


def read(given: Mapping[str, Any], possible: Mapping[str, Any], defined: Mapping[str, str], asked: str) -> Inputs:
    """The inputs of what is asked; declared symbols that it does not need may be among them.

    Raises
    ------
    TypeError, ValueError
        If they are no mapping or no numbers, have names that no symbol has (the near ones are told) or that what is
        asked defines itself, lie outside the domains of their symbols, or have shapes that do not match; if weights do
        not add up to one.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"inputs are a mapping of names to numbers, got {given!r}")
    declared = {"weights", *map(str, QUANTITIES)}
    arrays: dict[str, np.ndarray] = {}
    law: dict[str, np.ndarray] = {}
    for name, value in given.items():
        if name in defined and name not in possible:
            raise ValueError(f"{name} is no input: {defined[name]} defines it")
        if name in declared and name not in possible:
            continue
        symbol = look_up(str(name), possible, f"input of {asked}")
        array = at_least_zero(value, "inputs['weights']") if symbol is None else exact_array(value, f"inputs[{name!r}]")
        if symbol is not None:
            _refuse_outside(array, symbol)
        (law if symbol is None or isinstance(symbol, LawSymbol) else arrays)[str(name)] = array
    law = {name: np.atleast_1d(array) for name, array in law.items()}
    atoms = matching_shapes({name: array[..., :1] if array.shape[-1] == 1 else array for name, array in law.items()})
    n_atoms = atoms[-1] if atoms else 1
    batch = matching_shapes(arrays | {f"{name} without its atoms": array[..., 0] for name, array in law.items()})
    if "weights" in law:
        check_sum(law["weights"], n_atoms)
        law["weights"] = np.broadcast_to(law["weights"], (*law["weights"].shape[:-1], n_atoms))
    exact = {name: _rows(array[..., None], batch) for name, array in arrays.items()}
    exact |= {name: _rows(array, batch) for name, array in law.items()}
    exact["total"] = np.ones((int(np.prod(batch)), 1))
    return Inputs(exact, batch, n_atoms)


def _rows(array: np.ndarray, batch: tuple[int, ...]) -> np.ndarray:
    """An array of shape (..., k) as (N, k), or (1, k) where it is the same for the whole batch."""
    width = array.shape[-1]
    return (
        array.reshape(1, width) if array.size == width else np.broadcast_to(array, (*batch, width)).reshape(-1, width)
    )


def _refuse_outside(array: np.ndarray, symbol: Any) -> None:
    """Raise ValueError for values outside the domain of a symbol: SymPy has simplified formulas by it."""
    quantity = QUANTITIES[symbol]
    domain = quantity.domain
    if isinstance(domain, sympy.Interval):
        low, high = (float(end) for end in (domain.inf, domain.sup))
        above = array > low if domain.left_open else array >= low
        inside = above & (array < high if domain.right_open else array <= high)
        left, right = "(" if domain.left_open else "[", ")" if domain.right_open else "]"
        words = f"{left}{domain.inf}, {domain.sup}{right}"
    else:
        inside = np.asarray(np.frompyfunc(lambda x: domain.contains(sympy.Rational(x)) == True, 1, 1)(array), bool)  # noqa: E712
        words = str(domain)
    if not np.all(inside):
        raise ValueError(f"{symbol}, {quantity.meaning}, must be in {words}, got {array[~inside].flat[0]}")
