"""Where risks are infinite along an axis: at interpolation thresholds, which a grid need not meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from riskcalc.exact import as_float, as_fractions
from riskcalc.pictures.declared import Rule
from riskcalc.policies import Policy, Procedure
from riskcalc.prediction.predict import evaluate
from riskcalc.problems import Problem

Number = Fraction | int
# Of the problem and the models, at one value of the axis.
Varied = Callable[[Number], tuple[Problem, Mapping[str, Procedure]]]


@dataclass(frozen=True)
class Asymptotes:
    """Places where some models are infinite, with what holds there in math; by place the keys of the models."""

    labels: Mapping[float, str]
    models: Mapping[float, frozenset[str]]

    @property
    def rules(self) -> list[Rule]:
        """The places as lines across a panel."""
        return [Rule(place, self.labels[place]) for place, infinite in self.models.items() if infinite]

    def broken(self, key: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The curve of a model, infinite at its places, too."""
        added = np.array([place for place, infinite in self.models.items() if key in infinite and place not in x])
        x, y = np.concatenate([x, added]), np.concatenate([np.asarray(y, float), np.inf + 0 * added])
        order = np.argsort(x)
        return x[order], y[order]


def asymptotes(name: str, values: np.ndarray, vary: Varied) -> Asymptotes:
    """Those between the ends of an axis; of drawn predictions none is looked for."""
    exact = as_fractions(np.asarray(values))
    low, high = exact.min(), exact.max()
    first, models = vary(low)
    labels = {place: label for place, label in _thresholds(name, first, models) if low < place < high}
    found = {}
    for place in labels:
        problem, models = vary(place)
        predicted = evaluate(problem, models.values(), covered=True)
        infinite = [key for key, one in models.items() if one in predicted and np.isinf(float(predicted[one].risk))]
        found[float(place)] = frozenset(infinite)
    return Asymptotes({float(place): label for place, label in labels.items()}, found)


def over_batch(problem: Problem, models: Mapping[str, Procedure], name: str) -> Varied:
    """Of a batch along one axis: the problem, or the budget, at one value of it."""

    def vary(value: Number) -> tuple[Problem, Mapping[str, Procedure]]:
        if name != "keep":
            return type(problem)(**problem.given() | {name: value}), models
        return problem, {key: Procedure(_at(one.prune, value), one.retrain) for key, one in models.items()}

    return vary


def _at(policy: Policy | None, keep: Number) -> Policy | None:
    return None if policy is None else policy.at(keep=np.array(keep, dtype=object))


def _thresholds(name: str, problem: Problem, models: Mapping[str, Procedure]) -> Iterator[tuple[Fraction, str]]:
    """Values of an axis at which a fit has as many features as samples: all of them, those with variance, those kept.

    In the problem at any value of the axis.
    """
    ratio = Fraction(as_fractions(problem.aspect_ratio).item())
    counts = {key: None if number is None else Fraction(int(number)) for key, number in _counts(problem).items()}
    shares = {Fraction(1): "p = n"}
    if (live := _live(problem)) is not None:
        shares[live] = r"\mathrm{rank} = n"
    if name == "keep":
        yield 1 / ratio, "$s = n$"
        return
    for one in models.values():
        if one.retrain is not None:
            shares.setdefault(Fraction(as_fractions(one.budget(problem.n_features)).item()), "s = n")
    n, p = counts["n_samples"], counts["n_features"]
    for share, label in shares.items():
        if name == "aspect_ratio":
            yield 1 / share, f"${label}$"
        elif name == "n_samples" and p is not None:
            yield share * p, f"${label}$"
        elif name == "n_features" and n is not None:
            yield n / share, f"${label}$"
    if name == "n_keep" and n is not None:
        yield n, "$s = n$"


def _counts(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("n_samples", "n_features")}


def _live(problem: Problem) -> Fraction | None:
    """The share of the features that have variance, where a law says it and some have none."""
    law: Any = getattr(problem, "law", None)
    if law is None or np.ndim(law.eigenvalues) != 1 or (as_float(law.eigenvalues) > 0).all():
        return None
    some = as_float(law.eigenvalues) > 0
    if law.weights is None:
        return Fraction(int(some.sum()), some.size) or None
    return sum(as_fractions(law.weights)[some].tolist(), Fraction(0)) or None
