"""What can be verified: riskcalc's models of a problem, or a theory of the user's. Both give predictions and trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Protocol

import numpy as np

from riskcalc.exact import as_float
from riskcalc.policies import Procedure
from riskcalc.prediction.predict import evaluate
from riskcalc.problems import Correlated, LinearGaussian, Problem, RandomFeatures, Table, check_single
from riskcalc.problems.hermite import parts
from riskcalc.simulation.correlated import root_of
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.samplers import sized
from riskcalc.simulation.simulate import make_plan, run_trials
from riskcalc.simulation.trials import Plan
from riskcalc.simulation.workers import process_pool, run_all
from riskcalc.verification.expected import Expected
from riskcalc.verification.theories import Theory

# The smallest size of a ladder has at least this many samples, features, features kept, and samples more or fewer
# than features where no ridge is there: the expansion in 1/n has then set in.
SAMPLES, FEATURES, KEPT, APART = 50, 24, 6, 30
LARGEST_FIRST = 2000
USER_BLOCK = 8


LADDER = (1, 2, 4)  # sizes n, 2n, 4n


class Subject(Protocol):
    """Several quantities that are predicted and simulated together."""

    @property
    def ladder(self) -> tuple[int, ...]:
        """The sizes that are simulated, over the first; of one size nothing is extrapolated."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Of the quantities."""
        ...

    def predicted(self) -> np.ndarray:
        """The predictions at infinite size, shape (m,); not finite where there is none."""
        ...

    def only(self, chosen: np.ndarray) -> Subject:
        """The same with some of the quantities."""
        ...

    def first_size(self) -> int:
        """A size at which the expansion in 1/n has set in."""
        ...

    def theory(self, n_samples: int) -> Expected:
        """The predictions for what is simulated at this size."""
        ...

    def trials(self, rung: int, n_samples: int, first: int, count: int) -> np.ndarray:
        """Values of `count` trials from trial `first` on, shape (count, m)."""
        ...


@dataclass(frozen=True)
class UserTheory:
    """A `Theory` as a subject. Block b of a rung has its own seed."""

    theory_of_user: Theory
    seed: int
    executor: Executor | None
    workers: int | None
    progress: bool
    chosen: Sequence[int] | None = None

    ladder = LADDER

    @property
    def names(self) -> tuple[str, ...]:
        """Of the quantities."""
        names = self.theory_of_user.names
        return tuple(names if self.chosen is None else [names[i] for i in self.chosen])

    def predicted(self) -> np.ndarray:
        """At the largest size of a ladder, for a theory that depends on it."""
        values = self.theory(4 * self.first_size()).values
        if len({*np.isfinite(values)}) > 1:
            raise ValueError("predict must be finite for every quantity, or for none")
        return values

    def only(self, chosen: np.ndarray) -> Subject:
        """Some of them, though a trial gives all."""
        return replace(self, chosen=_among(self.chosen, chosen))

    def first_size(self) -> int:
        """The smallest size used for any theory."""
        return SAMPLES

    def theory(self, n_samples: int) -> Expected:
        """As the user says them."""
        return Expected.exact(self._chosen(self.theory_of_user.at(n_samples)))

    def trials(self, rung: int, n_samples: int, first: int, count: int) -> np.ndarray:
        """One trial after the other, by the executor."""
        blocks = range(first // USER_BLOCK, math.ceil((first + count) / USER_BLOCK))
        executor = process_pool(self.workers) if self.executor is None and self.workers != 1 else self.executor
        tasks = ((self.theory_of_user, n_samples, (self.seed, rung), block) for block in blocks)
        shown = Progress(f"{count} trials, n = {n_samples}" if self.progress else None, len(blocks), 0.01)
        return self._chosen(np.concatenate(run_all(tasks, _user_block, executor, shown))[:count])

    def _chosen(self, values: np.ndarray) -> np.ndarray:
        return values if self.chosen is None else values[..., list(self.chosen)]


def _among(places: Sequence[int] | None, chosen: np.ndarray) -> list[int]:
    """Some of the places, or of all where these are None."""
    return [int(i) if places is None else places[i] for i in chosen]


def _user_block(theory: Theory, n_samples: int, seed: tuple[int, ...], block: int) -> np.ndarray:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    return np.array([theory.drawn(n_samples, rng) for _ in range(USER_BLOCK)])


@dataclass(frozen=True)
class Models:
    """Models of a linear Gaussian problem, made of the same samples."""

    problem: Problem
    procedures: Sequence[Procedure]
    seed: int
    distribution: str
    device: str | None
    executor: Executor | None
    workers: int | None
    progress: bool
    training_error: bool = False
    integration: float | None = None  # relative standard error of predictions that are averages over draws
    chosen: Sequence[int] | None = None

    @property
    def ladder(self) -> tuple[int, ...]:
        """A table has one size."""
        return (1,) if isinstance(self.problem, Table) else LADDER

    @property
    def quantities(self) -> list[tuple[Procedure, int]]:
        """A procedure, and 0 for its test risk or 1 for its training error."""
        every = [(one, error) for error in range(1 + self.training_error) for one in self.procedures]
        return every if self.chosen is None else [every[i] for i in self.chosen]

    @property
    def models(self) -> list[Procedure]:
        """Those that the quantities are of."""
        return list(dict.fromkeys(one for one, _ in self.quantities))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, and of their training errors."""
        return tuple(f"{one.kind}: training error" if error else one.kind for one, error in self.quantities)

    def _errors(self, problem: Problem, asked: Sequence[Procedure]) -> tuple[np.ndarray, np.ndarray]:
        """The quantities, where the models are asked for in this way, and the integration errors of the risks among
        them; those of training errors are not known."""
        # Every size has draws of its own, so that these errors are independent.
        own = int(problem.n_samples) if problem.whole else 0
        found = evaluate(problem, asked, tolerance=self.integration, seed=own)
        own = {one: found[other] for one, other in zip(self.models, asked, strict=True)}
        errors = [own[one].training_error if error else own[one].risk for one, error in self.quantities]
        known = [0.0 if error else own[one].integration_error or 0.0 for one, error in self.quantities]
        return np.array(errors), np.array(known)

    def predicted(self) -> np.ndarray:
        """Of the problem as it is asked."""
        check_single(self.problem)
        for procedure in self.procedures:
            if procedure.budget(self.problem.n_features).shape:
                raise ValueError(f"simulation is of one budget, got {procedure.prune!r}")
        values, _ = self._errors(self.problem, self.models)
        return values

    def only(self, chosen: np.ndarray) -> Subject:
        """Some of the quantities; what the others need is not simulated."""
        return replace(self, chosen=_among(self.chosen, chosen))

    def first_size(self) -> int:
        """A size at which the expansion in 1/n has set in."""
        return smallest_size(self.problem, self.models)

    def plan(self, n_samples: int) -> Plan:
        """What is simulated at this size."""
        return make_plan(self.problem, self.models, n_samples, distribution=self.distribution)

    def theory(self, n_samples: int) -> Expected:
        """The theory for the counts and the features of this size; risks, or the null risk where they are zero (one
        where that is), as scales."""
        plan, problem = self.plan(n_samples), sized(self.problem, n_samples)
        values, errors = self._errors(problem, plan.procedures)
        return Expected(values, np.where(values == 0, float(problem.null_risk) or 1.0, values), errors)

    def trials(self, rung: int, n_samples: int, first: int, count: int) -> np.ndarray:
        """From whole blocks: trials of a block beyond `count` are drawn again by the next call."""
        plan = self.plan(n_samples)
        start = first // plan.block
        values = run_trials(
            plan,
            (self.seed, rung),
            first + count - start * plan.block,
            start,
            self.device,
            self.executor,
            self.workers,
            self.progress,
        )
        models = self.models
        places = [(models.index(one), error) for one, error in self.quantities]
        return values[first - start * plan.block :, *np.transpose(places)]


@singledispatch
def smallest_size(problem: Problem, procedures: Sequence[Procedure]) -> int:
    """A size at which the expansion in 1/n has set in."""
    return SAMPLES


@smallest_size.register
def _(problem: LinearGaussian, procedures: Sequence[Procedure]) -> int:
    return _smallest(problem, procedures, _live(problem), 1)


@smallest_size.register
def _(problem: Correlated, procedures: Sequence[Procedure]) -> int:
    """A multiple of the problem's own."""
    own = int(problem.n_samples)
    rank = root_of(problem.covariance).rank if problem.ridge[()] == 0 else 0
    return _smallest(problem, procedures, rank / int(problem.n_features), own)


@smallest_size.register
def _(problem: Table, procedures: Sequence[Procedure]) -> int:
    """Its own."""
    return int(problem.n_samples)


@smallest_size.register
def _(problem: RandomFeatures, procedures: Sequence[Procedure]) -> int:
    """The same of neurons, of which those of a linear network depend on each other; and inputs enough."""
    d, p, n = (int(size) for size in (problem.n_inputs, problem.n_features, problem.n_samples))
    live = min(d / p, 1.0) if parts(problem.activation).rest == 0 else 1.0
    return max(_smallest(problem, procedures, live, 1), math.ceil(FEATURES * n / d))


def _smallest(problem: Problem, procedures: Sequence[Procedure], live: float, step: int) -> int:
    """Large enough in every count, and far enough from every interpolation threshold without a ridge: a multiple of
    `step`, given the dimensions of the features over their number."""
    ratio = float(as_float(problem.aspect_ratio)[()])
    needed = [SAMPLES, FEATURES / ratio]
    thresholds = [ratio * live] if problem.ridge[()] == 0 else []
    for procedure in procedures:
        if procedure.prune is None:
            continue
        keep = float(as_float(procedure.budget(problem.n_features))[()])
        needed.append(KEPT / (ratio * keep))
        if procedure.retrain is not None and procedure.retrain.ridge_of(problem)[()] == 0:
            thresholds.append(ratio * keep)
    needed += [APART / max(abs(1 - threshold), 1e-9) for threshold in thresholds]
    first = step * math.ceil(max(needed) / step)
    if first > LARGEST_FIRST:
        raise ValueError(
            f"this regime needs samples of n = {first} and more to be near its limit, which take too long; "
            f"give n_samples, a ridge, or an aspect ratio further from the interpolation threshold"
        )
    return first


def _live(problem: LinearGaussian) -> float:
    """Fraction of the features that have variance."""
    law = problem.law
    weights = np.full(law.shape, 1 / law.n_atoms) if law.weights is None else as_float(law.weights)
    return float(np.sum(np.broadcast_to(weights, law.shape) * (as_float(law.eigenvalues) > 0)))
