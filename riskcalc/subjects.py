"""What can be verified: riskcalc's models of a problem, or a theory of the user's. Both give predictions and trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, exact_array
from riskcalc.laws import Empirical
from riskcalc.policies import Policy, Retrain
from riskcalc.prediction import Prediction, predict
from riskcalc.problems import LinearGaussian
from riskcalc.sampling.trials import Plan
from riskcalc.sampling.workers import process_pool, run_all
from riskcalc.simulation import check_policy, check_single, make_plan, run_trials

# The smallest size of a ladder has at least this many samples, features, features kept, and samples more or fewer
# than features where no ridge is there: the expansion in 1/n has then set in.
SAMPLES, FEATURES, KEPT, APART = 50, 24, 6, 30
LARGEST_FIRST = 2000
USER_BLOCK = 8


class Subject(Protocol):
    """Several quantities that are predicted and simulated together."""

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

    def theory(self, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
        """The predictions for what is simulated at this size, and the scales of their deviations, shape (m,) each."""
        ...

    def trials(self, rung: int, n_samples: int, first: int, count: int) -> np.ndarray:
        """Values of `count` trials from trial `first` on, shape (count, m); fewer after an interrupt."""
        ...


@dataclass(frozen=True)
class Theory:
    """A theory of yours, for `verify`: a prediction, and a function that simulates one trial.

    Parameters
    ----------
    predict : callable or sympy expression
        A function of the sample size that gives the prediction; or an expression in riskcalc's symbols (means over the
        law by `riskcalc.formulas.expectation.E`), evaluated at `inputs`.
    trial : callable
        A function of the sample size and a NumPy generator that simulates one trial.
    names : sequence of str
        Of the quantities that both give, one number or one array each.
    inputs : mapping, optional
        Values of the symbols of an expression, by name; for symbols of the law one value per atom, and their
        "weights".

    Examples
    --------
    The mean of a squared normal variable is one:

    >>> from riskcalc import Theory, verify
    >>> chi = Theory(predict=lambda n: 1.0, trial=lambda n, rng: (rng.standard_normal(n) ** 2).mean(), names=["square"])
    >>> verify(chi, workers=1).verdict
    'agree'
    """

    predict: Any
    trial: Callable[[int, np.random.Generator], ArrayLike]
    names: Sequence[str] = ("value",)
    inputs: Mapping[str, ArrayLike] = field(default_factory=dict)

    def __post_init__(self):
        if not (callable(self.predict) or self._is_expression()):
            raise TypeError(
                f"predict must be a function of the sample size or a SymPy expression, got {self.predict!r}"
            )
        if not callable(self.trial):
            raise TypeError(f"trial must be a function of the sample size and a generator, got {self.trial!r}")

    def at(self, n_samples: int) -> np.ndarray:
        """The predictions at a sample size, shape (m,)."""
        value = self._evaluated() if self._is_expression() else self.predict(n_samples)
        return self._vector(value, "predict")

    def drawn(self, n_samples: int, rng: np.random.Generator) -> np.ndarray:
        """The values of one trial, shape (m,)."""
        value = self.trial(n_samples, rng)
        values = self._vector(value, "trial")
        if not np.isfinite(values).all():
            raise ValueError(f"trial must give finite numbers, got {value!r}")
        return values

    def _vector(self, value: Any, giver: str) -> np.ndarray:
        try:
            values = np.atleast_1d(np.asarray(value, dtype=float))
        except (TypeError, ValueError):
            values = np.empty(0)
        if values.shape != (len(self.names),):
            raise ValueError(f"{giver} must give {len(self.names)} numbers ({', '.join(self.names)}), got {value!r}")
        return values

    def _is_expression(self) -> bool:
        import sympy

        return isinstance(self.predict, sympy.Expr)  # some are callable, such as a symbol

    def _evaluated(self) -> Any:
        from riskcalc.formulas.expectation import E
        from riskcalc.lowering.compile import lower
        from riskcalc.lowering.float64 import FLOAT64

        state = {
            name: np.atleast_2d(as_float(exact_array(value, f"inputs[{name!r}]")))
            for name, value in self.inputs.items()
        }
        state |= {"total": np.ones((1, 1))}
        needed = {str(symbol) for symbol in self.predict.free_symbols}
        if self.predict.has(E):
            needed.add("weights")
        missing = needed - state.keys()
        if missing:
            raise ValueError(f"inputs lack {', '.join(sorted(missing))}")
        return np.ravel(lower((self.predict,), {}, FLOAT64, "theory", scalar_output=True)(state))


@dataclass(frozen=True)
class UserTheory:
    """A `Theory` as a subject. Block b of a rung has its own seed."""

    theory_of_user: Theory
    seed: int
    executor: Executor | None
    workers: int | None
    progress: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Of the quantities."""
        return tuple(self.theory_of_user.names)

    def predicted(self) -> np.ndarray:
        """At the largest size of a ladder, for a theory that depends on it."""
        return self.theory_of_user.at(4 * self.first_size())

    def only(self, chosen: np.ndarray) -> Subject:
        """All of them, or none: a trial gives all."""
        if len(chosen) < len(self.names):
            raise ValueError("predict must be finite for every quantity, or for none")
        return self

    def first_size(self) -> int:
        """The smallest size used for any theory."""
        return SAMPLES

    def theory(self, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
        """The predictions, also as scales (one where a prediction is zero)."""
        values = self.theory_of_user.at(n_samples)
        return values, np.where(values == 0, 1.0, abs(values))

    def trials(self, rung: int, n_samples: int, first: int, count: int) -> np.ndarray:
        """One trial after the other, by the executor."""
        blocks = range(first // USER_BLOCK, math.ceil((first + count) / USER_BLOCK))
        executor = process_pool(self.workers) if self.executor is None and self.workers != 1 else self.executor
        tasks = [(self.theory_of_user, n_samples, (self.seed, rung), block) for block in blocks]
        label = f"{count} trials, n = {n_samples}" if self.progress else None
        return np.concatenate(run_all(tasks, _user_block, executor, label))[:count]


def _user_block(theory: Theory, n_samples: int, seed: tuple[int, ...], block: int) -> np.ndarray:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    return np.array([theory.drawn(n_samples, rng) for _ in range(USER_BLOCK)])


@dataclass(frozen=True)
class Models:
    """Models of a linear Gaussian problem, made of the same samples."""

    problem: LinearGaussian
    models: Sequence[tuple[Policy | None, Retrain | None]]
    seed: int
    distribution: str
    device: str | None
    executor: Executor | None
    workers: int | None
    progress: bool
    training_error: bool = False
    chosen: Sequence[int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, and of their training errors."""
        names = [_name(prune, retrain) for prune, retrain in self.models]
        return tuple(self._chosen(names, [f"{name}: training error" for name in names]))

    def _chosen(self, risks: Sequence[Any], training_errors: Sequence[Any]) -> list[Any]:
        """Those of all quantities that are looked at."""
        every = [*risks, *training_errors] if self.training_error else [*risks]
        return every if self.chosen is None else [every[i] for i in self.chosen]

    def _errors(self, predictions: Sequence[Prediction]) -> np.ndarray:
        return np.array(self._chosen([p.risk for p in predictions], [p.training_error for p in predictions]))

    def predicted(self) -> np.ndarray:
        """Of the problem as it is asked."""
        check_single(self.problem)
        for prune, _ in self.models:
            check_policy(prune, self.problem)
        return self._errors([predict(self.problem, prune, retrain) for prune, retrain in self.models])

    def only(self, chosen: np.ndarray) -> Subject:
        """Some of the quantities."""
        places = range(len(self.names)) if self.chosen is None else self.chosen
        return replace(self, chosen=[places[i] for i in chosen])

    def first_size(self) -> int:
        """Large enough in every count, and far enough from every interpolation threshold without a ridge."""
        ratio = float(as_float(self.problem.aspect_ratio)[()])
        needed = [SAMPLES, FEATURES / ratio]
        thresholds = [ratio * _live(self.problem)] if self.problem.ridge[()] == 0 else []
        for prune, retrain in self.models:
            if prune is None:
                continue
            keep = float(as_float(prune.fraction_kept(self.problem.n_features))[()])
            needed.append(KEPT / (ratio * keep))
            if retrain is not None and retrain.ridge[()] == 0:
                thresholds.append(ratio * keep)
        needed += [APART / max(abs(1 - threshold), 1e-9) for threshold in thresholds]
        first = math.ceil(max(needed))
        if first > LARGEST_FIRST:
            raise ValueError(
                f"this regime needs samples of n = {first} and more to be near its limit, which take too long; "
                f"give n_samples, a ridge, or an aspect ratio further from the interpolation threshold"
            )
        return first

    def plan(self, n_samples: int) -> Plan:
        """What is simulated at this size."""
        return make_plan(self.problem, self.models, n_samples, distribution=self.distribution)

    def theory(self, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
        """The limit for the counts and the features of this size, every feature an atom; risks, or the null risk where
        they are zero (one where that is), as scales."""
        plan = self.plan(n_samples)
        features = plan.features
        finite = LinearGaussian(
            n_samples=n_samples,
            n_features=plan.n_features,
            law=Empirical(features.eigenvalues[0], features.signal[0]),
            noise_variance=self.problem.noise_variance,
            ridge=self.problem.ridge,
            penalty=features.penalty[0],
        )
        values = self._errors(
            [
                predict(finite, None if prune is None else prune.at(recipe.n_keep), retrain)
                for (prune, retrain), recipe in zip(self.models, plan.recipes, strict=True)
            ]
        )
        null = plan.noise_variance + float(np.mean(features.eigenvalues * features.signal**2))
        return values, np.where(values == 0, null or 1.0, values)

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
        values = values[first - start * plan.block :]
        return np.stack(self._chosen([*values[:, :, 0].T], [*values[:, :, 1].T]), axis=1)


def _name(prune: Policy | None, retrain: Retrain | None) -> str:
    if prune is None:
        return "dense"
    return prune.kind if retrain is None else f"{prune.kind}, retrained on the {retrain.sample} sample"


def _live(problem: LinearGaussian) -> float:
    """Fraction of the features that have variance."""
    law = problem.law
    weights = np.full(law.shape, 1 / law.n_atoms) if law.weights is None else as_float(law.weights)
    return float(np.sum(np.broadcast_to(weights, law.shape) * (as_float(law.eigenvalues) > 0)))
