"""What is asked of every regime of a grid, and how the regimes of a block are predicted, or one is simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from riskcalc import __version__
from riskcalc.exact import plain
from riskcalc.policies import Procedure
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NoSolution
from riskcalc.prediction.status import NAMES
from riskcalc.problems import Problem
from riskcalc.questions.axes import BUDGETS, varied
from riskcalc.questions.models import model_of
from riskcalc.simulation.estimates import Estimate
from riskcalc.simulation.simulate import make_plan, run_trials

# The statuses of a prediction, and of what none is made of, by their codes in a dataset.
STATUSES = (*map(str, NAMES), "not_covered", "infeasible", "no_solution")
NOT_COVERED, INFEASIBLE, NO_SOLUTION = range(len(NAMES), len(STATUSES))

Values = Mapping[str, np.ndarray]  # of the axes, by name, exact


@dataclass(frozen=True)
class Result:
    """What was found of a block: arrays of shape (models, *axes), by the names of variables, and what must be said."""

    arrays: dict[str, np.ndarray]
    note: str = ""


@dataclass(frozen=True)
class Cells:
    """Models of one problem, at other values of its numbers.

    Attributes
    ----------
    problem : Problem
    fix : "law" or "features"
        What is held when the number of features changes.
    models : tuple of Procedure
        Their budgets are replaced by those of a regime, where budgets are among its values.
    """

    problem: Problem
    fix: str
    models: tuple[Procedure, ...]

    def of(self, values: Values) -> Result:
        """What is found at these values, every one with every other."""
        raise NotImplementedError

    @property
    def content(self) -> dict[str, Any]:
        """All that a result depends on besides the values, as plain values. TypeError if that cannot be written."""
        told = {"problem": self.problem.to_dict(), "models": [model.to_dict() for model in self.models]}
        return {"riskcalc": __version__, "kind": type(self).__name__, "fix": self.fix} | told

    @cached_property
    def _digest(self) -> str:
        return digest(self.content)

    def key(self, values: Values) -> str:
        """By what a result is found again: the same for the same content, and for nothing else."""
        return digest([self._digest, written(values)])

    def at(self, values: Values) -> tuple[Problem, list[Procedure]]:
        """The problem and the models; a batch over the axes that have several values."""
        count, given = len(values), {}
        for place, (name, array) in enumerate(values.items()):
            given[name] = array.item() if array.size == 1 else array.reshape(-1, *(1,) * (count - place - 1))
        budget = {name: given.pop(name) for name in BUDGETS if name in given}
        return varied(self.problem, given, self.fix), [model_of(model, **budget) for model in self.models]


@dataclass(frozen=True)
class Predicted(Cells):
    """Quantities of predictions, with the status and, where there is one, the error of integration."""

    quantities: tuple[str, ...]
    tolerance: float | None
    seed: int

    @property
    def content(self) -> dict[str, Any]:
        """With what of the predictions is wanted."""
        own = {"quantities": self.quantities, "tolerance": self.tolerance, "seed": self.seed}
        return super().content | own

    def of(self, values: Values) -> Result:
        """Predictions of a block of regimes at once."""
        problem, models = self.at(values)
        asked = [model for model in models if feasible(model, problem)]
        try:
            found = self._evaluated(problem, asked)
        except NoSolution:  # of some regime, some model
            if max(map(len, values.values())) > 1:
                return self._of_halves(values)
            found = self._one_by_one(problem, asked)
        shape = (len(models), *map(len, values.values()))
        names = (*self.quantities, "integration_error")
        arrays = {name: np.full(shape, np.nan) for name in names} | {"status": np.empty(shape)}
        for place, model in enumerate(models):
            if isinstance(prediction := found.get(model, NOT_COVERED if model in asked else INFEASIBLE), int):
                arrays["status"][place] = prediction
                continue
            told = prediction.values
            for name in names:
                if told.get(name) is not None:
                    arrays[name][place] = told[name]
            codes, which = np.unique(told["status"], return_inverse=True)
            arrays["status"][place] = np.array([STATUSES.index(code) for code in codes])[which].reshape(
                np.shape(told["status"])
            )
        return Result(arrays)

    def _evaluated(self, problem: Problem, models: list[Procedure]) -> dict[Procedure, Any]:
        return evaluate(problem, models, covered=True, tolerance=self.tolerance, seed=self.seed)

    def _one_by_one(self, problem: Problem, models: list[Procedure]) -> dict[Procedure, Any]:
        """Predictions of the models that have one, and the status of those whose fit has no solution."""
        found: dict[Procedure, Any] = {}
        for model in models:
            try:
                found |= self._evaluated(problem, [model])
            except NoSolution:
                found[model] = NO_SOLUTION
        return found

    def _of_halves(self, values: Values) -> Result:
        """Of a block that is cut in two along its longest axis."""
        name = max(values, key=lambda name: len(values[name]))
        middle, axis = len(values[name]) // 2, 1 + [*values].index(name)
        parts = values[name][:middle], values[name][middle:]
        halves = [self.of({**values, name: part}).arrays for part in parts]
        return Result({one: np.concatenate([half[one] for half in halves], axis) for one in halves[0]})


@dataclass(frozen=True)
class Simulated(Cells):
    """Means of trials, and their standard errors: every model on the same samples."""

    trials: int
    n_samples: int | None
    seed: int

    @property
    def content(self) -> dict[str, Any]:
        """With how samples are drawn."""
        return super().content | {"trials": self.trials, "n_samples": self.n_samples, "seed": self.seed}

    def of(self, values: Values) -> Result:
        """One regime. Its samples depend on the seed and its values, and not on what else is simulated."""
        problem, models = self.at(values)
        asked, note = [model for model in models if feasible(model, problem)], ""
        try:
            plan = make_plan(problem, asked, self.n_samples)
        except ValueError:
            asked, note = self._possible(problem, asked)
            plan = make_plan(problem, asked, self.n_samples)
        shape = (len(models), *map(len, values.values()))
        arrays = {name: np.full(shape, np.nan) for name in SIMULATED}
        if asked:
            draws = self.seed, int(digest(written(values)), 16)
            measured = run_trials(plan, draws, self.trials, device="cpu", workers=1)
            for number, model in enumerate(asked):
                means = [Estimate.of(trials, self.seed) for trials in measured[:, number].T]
                told = [value for mean in means for value in (mean.mean, mean.stderr)]
                for name, value in zip(SIMULATED, told, strict=True):
                    arrays[name][models.index(model)] = value
        return Result(arrays, note)

    def _possible(self, problem: Problem, models: list[Procedure]) -> tuple[list[Procedure], str]:
        """The models that can be simulated, and why another cannot: it keeps nothing, say, or has no finite error."""
        possible, note = [], ""
        for model in models:
            try:
                make_plan(problem, [model], self.n_samples)
                possible.append(model)
            except ValueError as error:
                note = note or f"{model.label}: {error}"
        return possible, note


# What is measured of every model.
SIMULATED = (
    "simulated_risk",
    "simulated_risk_stderr",
    "simulated_training_error",
    "simulated_training_error_stderr",
)


def feasible(model: Procedure, problem: Problem) -> bool:
    """Whether there are as many features as it keeps."""
    n_keep = None if model.prune is None else model.prune.n_keep
    return n_keep is None or problem.n_features is None or n_keep <= np.min(problem.n_features)


def written(values: Values) -> dict[str, Any]:
    """Values of axes as JSON holds them, without loss."""
    return {name: plain(array) for name, array in values.items()}


def digest(content: Any) -> str:
    """The SHA-256 of plain values."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
