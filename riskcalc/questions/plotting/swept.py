"""What a dataset of a sweep holds, checked, as arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from riskcalc.exact import as_float, exact_array
from riskcalc.lookup import look_up
from riskcalc.policies import Procedure
from riskcalc.prediction.asymptotes import Asymptotes, asymptotes
from riskcalc.problems import Problem
from riskcalc.questions.axes import BUDGETS, varied
from riskcalc.questions.models import model_of
from riskcalc.quoting import names, quoted


@dataclass(frozen=True)
class Swept:
    """Some models of a dataset.

    Attributes
    ----------
    models : sequence of str
        Their keys.
    labels : mapping of str to str
        The models in words.
    feasible : frozenset of str
        Those that meet the budget and can be computed from data alone, as far as the dataset says.
    axes : mapping of str to ndarray
        Values of every axis that has several.
    fixed : mapping of str to float
        The one value of every other.
    arrays : mapping of str to ndarray, shape (models, *axes)
    told : mapping
        The attributes of the dataset.
    """

    models: Sequence[str]
    labels: Mapping[str, str]
    feasible: frozenset[str]
    axes: Mapping[str, np.ndarray]
    fixed: Mapping[str, float]
    arrays: Mapping[str, np.ndarray]
    told: Mapping[str, Any]

    @classmethod
    def of(cls, dataset: Any, models: Sequence[str] | None = None) -> Swept:
        """TypeError or ValueError for what is no dataset of a sweep, or has not these models."""
        if not all(hasattr(dataset, name) for name in ("data_vars", "dims", "coords")):
            raise TypeError(f"dataset must be an xarray.Dataset such as rc.sweep gives, got {quoted(dataset)}")
        if "risk" not in dataset or "model" not in dataset.coords:
            told = names(map(str, dataset.data_vars))
            raise ValueError(f"a dataset of a sweep has the risk of every model; this one has {told or 'nothing'}")
        if "model" not in dataset.dims:
            dataset = dataset.expand_dims("model")
        every = [str(key) for key in dataset["model"].values]
        if isinstance(models, str) or (models is not None and not models):
            raise TypeError(f'models must be a list of names such as ["dense", "small"], got {quoted(models)}')
        if models is not None and not all(isinstance(one, str) for one in models):
            raise TypeError(f"models must be names, got {quoted(models)}")
        if not dataset["risk"].size:
            raise ValueError("the dataset is empty: it has no risk at all")
        chosen = every if models is None else [_place(one, every) for one in models]
        places = [every.index(one) for one in chosen]
        dims = [str(name) for name in dataset["risk"].dims if name != "model"]
        long = [name for name in dims if dataset.sizes[name] > 1]
        scalars = {name: float(dataset[name].item()) for name in _scalars(dataset)}
        order = ["model", *dims]
        found = {
            str(name): np.asarray(array.transpose(*order).values, float)[places].reshape(
                -1, *(dataset.sizes[one] for one in long)
            )
            for name, array in dataset.data_vars.items()
            if {*map(str, array.dims)} == {*order} and array.dtype.kind in "fiub"
        }
        if "risk" not in found:
            raise ValueError(f"the risk must be numbers over model and axes, got {dataset['risk'].dtype} values")
        labels = [str(one) for one in np.ravel(dataset["label"].values)] if "label" in dataset.coords else every
        feasible = np.ravel(dataset["feasible"].values) if "feasible" in dataset.coords else np.ones(len(every))
        return cls(
            models=chosen,
            labels={key: labels[every.index(key)] for key in chosen},
            feasible=frozenset(key for key, one in zip(every, feasible, strict=True) if one),
            axes={name: _values(dataset, name) for name in long},
            fixed=scalars,
            arrays=found,
            told=dict(dataset.attrs),
        )

    def one(self, name: str, key: str) -> np.ndarray:
        """An array of one model."""
        return self.arrays[name][self.models.index(key)]

    def needs(self, count: int, kind: str) -> list[str]:
        """The names of the axes; ValueError if there are not so many."""
        if len(self.axes) != count:
            told = ", ".join(f"{name} ({len(values)})" for name, values in self.axes.items()) or "none"
            raise ValueError(
                f"a picture of kind {kind!r} has {count} {'axis' if count == 1 else 'axes'}, and the dataset has "
                f"{told}; choose values of an axis by dataset.sel or dataset.isel"
            )
        return [*self.axes]

    def sees(self, name: str, kind: str, cure: str) -> np.ndarray:
        """A variable; ValueError that says what to do without."""
        if name not in self.arrays:
            raise ValueError(f"a picture of kind {kind!r} needs {name}, which the dataset has not; {cure}")
        return self.arrays[name]

    @property
    def simulated(self) -> bool:
        """Whether some cell is simulated."""
        there = {"simulated_risk", "simulated_risk_stderr"} <= self.arrays.keys()
        return there and bool(np.isfinite(self.arrays["simulated_risk"]).any())

    @cached_property
    def asymptotes(self) -> Asymptotes:
        """Of its only axis; none where the dataset does not say what it is of."""
        (name,) = self.axes
        try:
            problem = Problem.from_dict(json.loads(self.told["problem"]))
            written = [Procedure.from_dict(one) for one in json.loads(self.told["procedures"])]
            known = {axis: exact_array(values, axis) for axis, values in json.loads(self.told["over"]).items()}
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            return Asymptotes({}, {})
        by_key = {one.key: one for one in written}
        models = {key: by_key[key] for key in self.models if key in by_key}
        fixed = {axis: _exactly(value, known[axis]) for axis, value in self.fixed.items() if axis in known}
        fix = str(self.told.get("fix", "law"))

        def vary(value: Any) -> tuple[Problem, dict[str, Procedure]]:
            given = fixed | {name: value}
            budget = {axis: given.pop(axis) for axis in BUDGETS if axis in given}
            return varied(problem, given, fix), {key: model_of(one, **budget) for key, one in models.items()}

        return asymptotes(name, _all_exactly(self.axes[name], known.get(name)), vary)


def _place(name: str, every: Sequence[str]) -> str:
    return look_up(name, {one: one for one in every}, "model of the dataset")


def _scalars(dataset: Any) -> list[str]:
    """Coordinates of one value: axes that were chosen from, or that have no other."""
    own = [str(name) for name, one in dataset.coords.items() if one.size == 1 and one.dtype.kind in "fiu"]
    return [name for name in own if "model" not in dataset[name].dims]


def _values(dataset: Any, name: str) -> np.ndarray:
    """Of an axis; its places, where it has no coordinate."""
    return np.asarray(dataset[name].values, float)


def _exactly(value: float, known: np.ndarray) -> Any:
    """A value of an axis as it was asked for."""
    return np.ravel(known)[np.abs(as_float(np.ravel(known)) - value).argmin()]


def _all_exactly(values: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    if known is None:
        return values
    return np.array([_exactly(value, known) for value in values], dtype=object)
