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

# Of the problem and the models, at another value of the axis, or at several.
Varied = Callable[[Any], tuple[Problem, Mapping[str, Procedure]]]
# What says how many features there are, or are kept, and how many samples.
SIZES = ("aspect_ratio", "n_samples", "n_features", "keep", "n_keep")
# Points between a threshold and the next one of the grid, each at half the distance of the one before it.
NEARER = 8
# Values this near to a threshold, relatively, are meant to be it.
ROUNDING = Fraction(1, 10**12)


@dataclass(frozen=True)
class Asymptotes:
    """Places where some models are infinite, with what holds there in math; what is added to curves near them, by key:
    increasing x and risks, infinite at the places.
    """

    labels: Mapping[float, str]
    added: Mapping[str, tuple[np.ndarray, np.ndarray]]

    @property
    def rules(self) -> list[Rule]:
        """The places as lines across a panel."""
        return [Rule(place, label) for place, label in self.labels.items()]

    def places(self, key: str) -> np.ndarray:
        """Where a model is infinite, besides values of the axis itself."""
        more, higher = self.added.get(key, (np.zeros(0), np.zeros(0)))
        return more[np.isinf(higher)]

    def broken(self, key: str, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The curve of a model with what is added to it."""
        more, higher = self.added.get(key, (np.zeros(0), np.zeros(0)))
        order = np.argsort(x := np.concatenate([x, more]), kind="stable")
        return x[order], np.concatenate([np.asarray(y, float), higher])[order]


def asymptotes(name: str, values: np.ndarray, vary: Varied) -> Asymptotes:
    """Those between the ends of an axis, at values of it that differ."""
    if name not in SIZES:
        return Asymptotes({}, {})
    exact = np.sort(as_fractions(np.asarray(values)))
    whole = name.startswith("n_")
    problem, models = vary(int(exact[0]) if whole else exact[0])
    known, batched = _thresholds(name, problem, models), type(problem).batched
    labels = {place: label for place, label in known if exact[0] < place < exact[-1] and not (whole and place % 1)}
    found: dict[float, str] = {}
    added: dict[str, list[tuple[Fraction, float]]] = {key: [] for key in models}
    for place, label in labels.items():
        at_once = name in batched or (name == "keep" and batched)
        nearer = _nearer(place, exact) if at_once else []
        near = [int(one) if whole else one for one in (place, *nearer) if not (whole and one % 1)]
        risks = _risks(*vary(np.array(near, dtype=None if whole else object) if nearer else near[0]))
        infinite = {key: risk for key, risk in risks.items() if np.isinf(risk[0])}
        for key, risk in infinite.items():
            added[key] += [(Fraction(x), y) for x, y in zip(near, risk, strict=True) if x not in exact]
        found |= {float(place): label} if infinite else {}
    pairs = {key: np.array(sorted(some), float).reshape(-1, 2) for key, some in added.items()}
    return Asymptotes(found, {key: (some[:, 0], some[:, 1]) for key, some in pairs.items()})


def _nearer(place: Fraction, exact: np.ndarray) -> list[Fraction]:
    """Between a place and its neighbours; a value that rounding puts beside the place is none."""
    others = exact[abs(exact - place) > ROUNDING * place]
    ends = *others[others < place][-1:], *others[others > place][:1]
    steps = [(end - place) / 2**k for end in ends for k in range(1, NEARER + 1)]
    return [place + step for step in steps]


def _risks(problem: Problem, models: Mapping[str, Procedure]) -> dict[str, np.ndarray]:
    """The risks of the models that are covered, at each value."""
    predicted = evaluate(problem, models.values(), covered=True)
    shape = np.broadcast_shapes(*(np.shape(one.risk) for one in predicted.values()))
    return {
        key: np.atleast_1d(np.broadcast_to(np.asarray(predicted[one].risk, float), shape))
        for key, one in models.items()
        if one in predicted
    }


def over_batch(problem: Problem, models: Mapping[str, Procedure], name: str) -> Varied:
    """Of a batch along one axis: the problem, or the budget, at other values of it."""

    def vary(values: np.ndarray) -> tuple[Problem, Mapping[str, Procedure]]:
        if name != "keep":
            return type(problem)(**problem.given() | {name: values}), models
        return problem, {key: Procedure(_at(one.prune, values), one.retrain) for key, one in models.items()}

    return vary


def _at(policy: Policy | None, keep: Any) -> Policy | None:
    return None if policy is None else policy.at(keep=keep)


def _thresholds(name: str, problem: Problem, models: Mapping[str, Procedure]) -> Iterator[tuple[Fraction, str]]:
    """Values of an axis at which a fit has as many features as samples: all of them, those with variance, those kept.

    In the problem at any value of the axis.
    """
    ratio = Fraction(as_fractions(problem.aspect_ratio).item())
    shares = {Fraction(1): "p = n"}
    if (live := live_share(problem)) is not None:
        shares[live] = r"\mathrm{rank} = n"
    if name == "keep":
        yield 1 / ratio, "$s = n$"
        return
    for one in models.values():
        if one.retrain is not None:
            shares.setdefault(Fraction(as_fractions(one.budget(problem.n_features)).item()), "s = n")
    n, p = (None if one is None else Fraction(one.item()) for one in (problem.n_samples, problem.n_features))
    for share, label in shares.items():
        if name == "aspect_ratio":
            yield 1 / share, f"${label}$"
        elif name == "n_samples" and p is not None:
            yield share * p, f"${label}$"
        elif name == "n_features" and n is not None:
            yield n / share, f"${label}$"
    if name == "n_keep" and n is not None:
        yield n, "$s = n$"


def live_share(problem: Problem) -> Fraction | None:
    """The share of the features that have variance, where a law says it and some have none."""
    law: Any = getattr(problem, "law", None)
    if law is None or np.ndim(law.eigenvalues) != 1 or (as_float(law.eigenvalues) > 0).all():
        return None
    some = as_float(law.eigenvalues) > 0
    if law.weights is None:
        return Fraction(int(some.sum()), some.size) or None
    return sum(as_fractions(law.weights)[some].tolist(), Fraction(0)) or None
