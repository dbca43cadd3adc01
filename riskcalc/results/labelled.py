"""Results as tables of pandas and labelled arrays of xarray: what tells the regimes apart, and what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from riskcalc import __version__
from riskcalc.exact import as_float
from riskcalc.policies import Policy
from riskcalc.problems import Problem
from riskcalc.results.quantities import QUANTITIES

INPUTS = {
    "aspect_ratio": "Features per sample, p/n.",
    "n_samples": "Number of samples, n.",
    "n_features": "Number of features, p.",
    "noise_variance": "Noise variance, in the units of the squared target.",
    "ridge": "Ridge penalty of the first fit: scikit-learn's alpha over n.",
    "keep": "Fraction of the features kept, the budget.",
}
Models = Mapping[str, Mapping[str, Any]]  # quantities that were found, by model


def to_frame(problem: Problem, policy: Policy | None, models: Models) -> Any:
    """One row for each model and regime; inputs and quantities are columns. ImportError without pandas."""
    pandas = extra("pandas")
    shape = _shape(models)
    inputs = {name: np.broadcast_to(array, shape).ravel() for name, array in _inputs(problem, policy).items()}
    rows = len(models)
    columns = {"model": np.repeat([*models], int(np.prod(shape)))} | {
        name: np.tile(_numbers(array), rows) for name, array in inputs.items()
    }
    found = pandas.DataFrame(columns | {name: array.ravel() for name, array in _stacked(models, shape).items()})
    found.attrs |= _attributes(problem)
    return found


def to_dataset(
    problem: Problem, policy: Policy | None, models: Models, further: Mapping[str, tuple[Any, str]] | None = None
) -> Any:
    """The quantities over the axes of the batch. ImportError without xarray.

    An axis along which one input varies, and nothing else, has its name and its values; others are axis_0, axis_1 and
    so on. Several models have an axis of their own; what is found of them together is `further`, with its meaning.
    """
    xarray = extra("xarray")
    shape, inputs = _shape(models), _inputs(problem, policy)
    varying = {name: _varying(array.shape, shape) for name, array in inputs.items()}
    axes = _axes(problem, policy, varying, len(shape))
    coordinates: dict[str, Any] = {"model": ("model", [*models]) if further is not None else next(iter(models))}
    for name, array in inputs.items():
        along = [axes[i] for i in varying[name]]
        values = _numbers(array).reshape([shape[i] for i in varying[name]])
        coordinates[name] = (along, values, {"long_name": INPUTS[name]})
    variables = {}
    for name, array in _stacked(models, shape).items():
        declared = QUANTITIES[name]
        told = {"long_name": declared.meaning} | ({"symbol": declared.latex} if declared.latex else {})
        variables[name] = (axes, array[0], told) if further is None else (["model", *axes], array, told)
    for name, (value, meaning) in (further or {}).items():
        variables[name] = (axes, np.asarray(value), {"long_name": meaning})
    return xarray.Dataset(variables, coordinates, _attributes(problem))


def extra(name: str, group: str | None = None) -> Any:
    """A package that some of riskcalc needs; ImportError that says how to install it, in a group of its own name or
    another."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"this needs {name}: pip install 'riskcalc[{group or name}]'") from error


def _shape(models: Models) -> tuple[int, ...]:
    return np.broadcast_shapes(*(np.shape(found["risk"]) for found in models.values()))


def _inputs(problem: Problem, policy: Policy | None) -> dict[str, np.ndarray]:
    """What a regime is asked for by, exactly."""
    found = {name: getattr(problem, name) for name in INPUTS if name != "keep"}
    found["keep"] = None if policy is None else policy.budget(problem.n_features)
    return {name: np.asarray(array) for name, array in found.items() if array is not None}


def _numbers(array: np.ndarray) -> np.ndarray:
    return np.asarray(as_float(array))


def _varying(own: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of a batch along which an array of this shape varies."""
    ahead = len(shape) - len(own)
    return tuple(ahead + i for i, size in enumerate(own) if size > 1)


def _axes(problem: Problem, policy: Policy | None, varying: Mapping[str, tuple[int, ...]], number: int) -> list[str]:
    """Names of the axes: that of the one input that varies along it, and along no other."""
    follows = {"aspect_ratio"} if problem.n_samples is not None else set()
    follows |= {"keep"} if policy is None or policy.keep is None else set()
    causes = {name: along for name, along in varying.items() if name not in follows}
    law: Any = getattr(problem, "law", None)
    signal = None if law is None else law.signal if law.coefficients is None else law.coefficients
    atoms = [] if law is None else [law.eigenvalues, signal, law.weights, getattr(problem, "penalty", None)]
    for i, array in enumerate(atoms):
        own = array.shape[:-1] if isinstance(array, np.ndarray) else ()
        causes[f"atoms {i}"] = _varying(own, (1,) * number)
    names = []
    for axis in range(number):
        found = [name for name, along in causes.items() if axis in along]
        alone = len(found) == 1 and causes[found[0]] == (axis,) and found[0] in INPUTS
        names.append(found[0] if alone else f"axis_{axis}")
    return names


def _stacked(models: Models, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Each quantity that some model has, of all models; nan where one has none."""
    known = [name for name in QUANTITIES if any(found.get(name) is not None for found in models.values())]

    def of(found: Mapping[str, Any], name: str) -> np.ndarray:
        value = found.get(name)
        return np.broadcast_to(np.asarray(np.nan if value is None else value), shape)

    return {name: np.stack([of(found, name) for found in models.values()]) for name in known}


def _attributes(problem: Problem) -> dict[str, str]:
    """What the numbers are of; a problem that cannot be written is shown."""
    try:
        told = json.dumps(problem.to_dict())
    except (TypeError, ValueError):
        told = repr(problem)
    return {"riskcalc": __version__, "problem": told}
