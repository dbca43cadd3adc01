"""Numbers that a question varies: those of a problem, and the budget of its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskcalc.exact import counts, exact_array
from riskcalc.lookup import look_up
from riskcalc.policies.base import exact_fractions
from riskcalc.problems import Problem, check_single, first_features

# What says how many features a model keeps.
BUDGETS = ("keep", "n_keep")
# What says how many features a problem has, and what is held when that changes: the law of the features (the default),
# or the features themselves, of which the first are seen.
SIZES = ("n_features", "aspect_ratio")
FIXES = ("law", "features")
COUNTS = ("n_samples", "n_features", "n_inputs", "n_keep")


def axes_of(problem: Problem, fix: str = "law") -> dict[str, str]:
    """What can be varied of one problem, with where it belongs: "problem" or "budget"; ValueError for a batch."""
    check_single(problem, "what is varied")
    if fix not in FIXES:
        raise ValueError(f"fix must be {' or '.join(map(repr, FIXES))}, got {fix!r}")
    own = [name for name, value in problem.given().items() if isinstance(value, np.ndarray) and not value.ndim]
    if fix == "features" and problem.n_features is not None and "n_features" not in own:
        own.append("n_features")
    return dict.fromkeys(own, "problem") | dict.fromkeys(BUDGETS, "budget")


def check_axis(problem: Problem, name: str, fix: str = "law") -> None:
    """ValueError, with near names, for what cannot be varied."""
    look_up(name, axes_of(problem, fix), f"number of a {type(problem).__name__} or of its models")


def grid(name: str, values: Any) -> np.ndarray:
    """The values of an axis, exact, in increasing order; ValueError for others."""
    array = counts(values, name) if name in COUNTS else exact_array(values, name)
    if name == "keep":
        array = exact_fractions(values)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be a list of numbers, got {values!r}")
    steps = np.flatnonzero(array[1:] <= array[:-1])
    if steps.size:
        before, after = array[steps[0]], array[steps[0] + 1]
        raise ValueError(f"{name} must increase from value to value, got {after} after {before}")
    return array


def varied(problem: Problem, values: Mapping[str, Any], fix: str = "law") -> Problem:
    """The problem at other values of its numbers; arrays, where its kind has batches, broadcast with each other.

    With ``fix="features"`` another number of features (or features per sample) are the first of those there are; what
    the others do is noise. Otherwise their law stays.
    """
    given = dict(values)
    seen = {name: given.pop(name) for name in SIZES if fix == "features" and name in given}
    found = type(problem)(**problem.given() | given) if given else problem
    for name, value in seen.items():
        found = first_features(found, name, value)
    return found
