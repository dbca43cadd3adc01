"""From a problem to its predicted risks: dense, pruned, fitted again, and trained small."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import above_zero, as_float, check_seed, count, matching_shapes
from riskcalc.laws import Continuous
from riskcalc.lowering.evaluator import DEFAULT, Evaluator, Integration, evaluator, instead_of
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import GUARD, Multiprecision, context
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.policies import Iterative, Policy, Procedure, Retrain
from riskcalc.prediction import (  # noqa: F401  which register their solvers
    correlated,
    diagonal,
    generic,
    random_features,
    rank_one,
    row_law,
)
from riskcalc.prediction.result import Later, Prediction, later
from riskcalc.prediction.solvers import NoSolution, NotCovered, Walk, solver
from riskcalc.prediction.status import NAMES, Status
from riskcalc.problems import Problem, check_problem
from riskcalc.results.quantities import QUANTITIES
from riskcalc.results.values import difference, plain_scalar, rounded

if TYPE_CHECKING:
    from riskcalc.formulas.records import Formula

MOST_GUARDS = 4  # times that more guard digits are tried, where terms cancel
COARSER = (2.0, 2.5, 3.0)  # times fewer nodes, to estimate a quadrature's error

T = TypeVar("T")
Answer = tuple[np.ndarray, Mapping[str, np.ndarray]]


def predict(
    problem: Problem,
    prune: Policy | None = None,
    retrain: bool | Retrain | None = None,
    digits: int | None = None,
    *,
    tolerance: float | None = None,
    seed: int = 0,
) -> Prediction:
    """Predict the test risk of the dense fit, or of the dense fit pruned by a policy, or fitted again after pruning.

    Parameters
    ----------
    problem : LinearGaussian, Correlated, RankOne, or a problem of a kind of your own
    prune : Policy, optional
        `Magnitude`, `Hessian`, `BrainSurgeon`, `Oracle`, `Variance`, `Random`, `Sampled`, `Optimal`, `Group`,
        `Iterative` or `Subset`, or a `Score` of your own; its `keep` broadcasts with the problem's batch.
    retrain : bool or Retrain, optional
        Fit again on the features kept: True for least squares (or least norm) on the same sample. A `Retrain` can have
        a ridge, and a fresh sample of the same size, of which the choice of features is independent.
    digits : int, optional
        Significant digits, computed by mpmath; float64 if not given.
    tolerance : float in (0, 1), optional
        For `Correlated` features: draws are added until the standard error of the risk, `integration_error`, is this
        fraction of it, or there are many; 0.01 if not given.
    seed : int
        Of these draws, which all models of a problem share.

    Returns
    -------
    Prediction

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, `keep` does not fit the problem, a dense fit is to be retrained, or the
        theory of the problem does not cover what is asked.

    Notes
    -----
    Theorems 1 and 2 of Chang et al. 2021, and Section 3 after retraining on a fresh sample; on the same sample, and for
    training errors, derivations 11 and 12. All in the limit n, p -> infinity at a fixed aspect ratio; `RankOne` is
    exact at every size (derivation 14). For `Correlated`, derivations 21 and 22: traces, closed forms, a series where
    it is good enough, and else averages over draws of the fit's law, whose error is `integration_error`.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> round(rc.predict(problem).risk, 4)
    0.9765
    >>> round(rc.predict(problem, prune=rc.Hessian(keep="1/10")).risk, 4)
    1.2064
    >>> round(rc.predict(problem, prune=rc.Hessian(keep="1/10"), retrain=True).risk, 4)
    1.4647
    """
    return _one(problem, Procedure.of(prune, retrain), digits, tolerance, seed)


def small_model(
    problem: Problem,
    keep: ArrayLike | str | None = None,
    n_keep: int | None = None,
    digits: int | None = None,
    *,
    features: ArrayLike | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Prediction:
    """Predict the test risk of a small model, trained on the best features alone.

    It is told which fraction `keep` of the features has the largest Lambda B^2, and fits those with the problem's
    ridge and penalty; the others act as noise. Near or above its own interpolation threshold (aspect ratio times keep
    close to one or larger) other subsets can be better. A model on the features of largest variance, which need not be
    told, is ``predict(problem, Procedure.small(keep, by=Variance))``.

    Parameters
    ----------
    problem : LinearGaussian, Correlated, RankOne, or a problem of a kind of your own
    keep, n_keep
        As for a `Policy`: exactly one of them.
    digits : int, optional
    features : array_like of int, optional
        The features it is trained on, by their places from 0, in place of `keep`: of problems that tell them apart,
        `Correlated` and `RankOne`.
    tolerance, seed
        As for `predict`.

    Returns
    -------
    Prediction

    Notes
    -----
    Chang et al. 2021, Section 3; for least squares the noise variance with the dropped signal, over
    1 - aspect_ratio * keep.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> round(rc.small_model(problem, keep="1/10").risk, 4)
    1.35
    """
    procedure = Procedure.small(keep, n_keep, features=features)
    return _one(problem, procedure, digits, tolerance, seed)


def _one(problem: Problem, procedure: Procedure, digits: int | None, tolerance: float | None, seed: int) -> Prediction:
    return evaluate(problem, [procedure], digits, tolerance=tolerance, seed=seed)[procedure]


def evaluate(
    problem: Problem,
    procedures: Iterable[Procedure],
    digits: int | None = None,
    records: Mapping[str, Formula] | None = None,
    *,
    covered: bool = False,
    tolerance: float | None = None,
    seed: int = 0,
) -> dict[Procedure, Prediction]:
    """Predictions of several models of one problem; what they share is computed once.

    Parameters
    ----------
    problem : Problem
    procedures : iterable of Procedure
        Their budgets broadcast with the problem's batch, and with each other.
    digits : int, optional
    records : mapping of str to Formula, optional
        The formulas that are evaluated, by id: those registered if not given, or with variants in the place of some.
    covered : bool
        Leave out what the theory of the problem does not cover, in place of an error.
    tolerance, seed
        As for `predict`.
    """
    check_problem(problem)
    asked = list(dict.fromkeys(procedures))
    shape = _batch_shape(problem, asked)

    def answers(walk: Walk, work: Evaluator) -> dict[Procedure, Answer]:
        return {procedure: walk.found[procedure].answer() for procedure in asked if procedure in walk.found}

    instead, integration = {} if records is None else _instead(records), _integration(tolerance, seed)
    blocks = _by_block(answers, problem, asked, shape, digits, instead, integration, covered)
    together, found = _Together(shape, digits), {}
    for procedure in asked:
        if all(procedure in block for block in blocks):
            values = together.values([block.pop(procedure) for block in blocks])
            if isinstance(procedure.prune, Iterative):  # one round is pruning once, and no integral
                values.setdefault("integration_error", plain_scalar(np.zeros(shape)))
            found[procedure] = Prediction(
                problem, procedure, digits, values, Again(problem, procedure, digits, instead, integration)
            )
    return found


def _by_block(
    take: Callable[[Walk, Evaluator], T],
    problem: Problem,
    asked: Sequence[Procedure],
    shape: tuple[int, ...],
    digits: int | None,
    instead: Mapping[Formula, Formula],
    integration: Integration,
    covered: bool = False,
) -> list[T]:
    """What is taken of the models of each block of regimes; what it is not taken from is not kept."""
    rough = evaluator(FLOAT64, instead, integration)
    if digits is None:
        with rough.system.precision():
            return [take(_walked(Walk(block), asked, covered), rough) for block in solver(problem, shape, rough)]
    starts: list[Walk | None] = []
    with FLOAT64.precision():
        for block in solver(problem, shape, rough):
            starts.append(None)
            with suppress(NoSolution):  # which more digits may know better
                starts[-1] = _walked(Walk(block), asked, covered)
    # A budget or an aspect ratio far from one takes digits off sums that it is added to.
    budgets = [procedure.budget(problem.n_features) for procedure in asked]
    decades = max(float(abs(np.log10(as_float(array))).max()) for array in budgets or [np.ones(1)])
    decades += float(abs(np.log10(as_float(problem.aspect_ratio))).max())
    guard, needed = 0, max(GUARD + int(decades), _guard(starts, rough.system))
    found: list[T] = []
    for _ in range(MOST_GUARDS):
        if needed <= guard:
            break
        guard = needed
        work = evaluator(Multiprecision(count(digits, "digits"), guard), instead, integration)
        with work.system.precision():
            blocks = zip(starts, solver(problem, shape, work), strict=True)
            walks = [_walked(Walk(block, start), asked, covered) for start, block in blocks]
            needed, found = _guard(walks, work.system), [take(walk, work) for walk in walks]
    return found


def _integration(tolerance: float | None, seed: int) -> Integration:
    largest = DEFAULT.tolerance if tolerance is None else above_zero(tolerance, "tolerance", 1)
    return Integration(largest, check_seed(seed))


def _instead(records: Mapping[str, Formula]) -> dict[Formula, Formula]:
    from riskcalc.theory import REGISTRY

    return instead_of(REGISTRY, records)


def _guard(walks: Sequence[Walk | None], system: SolvingSystem) -> int:
    """Digits beyond those asked for that are left when terms have cancelled: of those carried, half are for roots."""
    models = [model for walk in walks if walk is not None for model in walk.found.values()]
    errors = [model.values["rounding_error"] for model in models if "rounding_error" in model.values]
    worst = max((one for error in errors for one in error.ravel() if 0 <= one < np.inf), default=0)
    return 2 * math.ceil(context().log10(max(1, worst / system.epsilon)))


def _batch_shape(problem: Problem, asked: Iterable[Procedure]) -> tuple[int, ...]:
    """The shape of an answer."""
    budgets = [procedure.budget(problem.n_features) for procedure in asked]
    several = {budget.shape: budget for budget in budgets if budget.shape}
    named = {"keep" if len(several) == 1 else f"keep {shape}": one for shape, one in several.items()}
    return matching_shapes({"the problem": np.empty(problem.shape, bool)} | named)


def _walked(walk: Walk, asked: Sequence[Procedure], covered: bool) -> Walk:
    for procedure in asked:
        try:
            walk.model(procedure)
        except NotCovered:
            if not covered:
                raise
        except NoSolution as error:
            raise NoSolution(f"{procedure.label}: {error}") from error
    return walk


class _Together:
    """Answers of blocks as those of a batch; arrays that several models share stay one."""

    def __init__(self, shape: tuple[int, ...], digits: int | None):
        self.shape, self.digits = shape, digits
        self._known: dict[tuple[int, ...], tuple[list[np.ndarray], Any]] = {}
        self._names: dict[bytes, Any] = {}
        self._needless = {name for name, one in QUANTITIES.items() if not one.always}

    def values(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """Quantities by name, and the status; what no regime has does not exist."""
        statuses, several = zip(*answers, strict=True)
        codes = np.concatenate(statuses)
        told = dict.fromkeys(several[0])
        if not (codes == Status.IMPRECISE).any():
            told.pop("rounding_error", None)
        values = {name: self._joined([values[name] for values in several]) for name in told}
        if (codes != Status.NOT_CONVERGED).any():
            values = {
                name: value for name, value in values.items() if name not in self._needless or np.any(value == value)
            }
        names = self._names.setdefault(codes.tobytes(), NAMES[codes.reshape(self.shape)])
        return values | {"status": names if self.shape else str(names)}

    def _joined(self, parts: list[np.ndarray]) -> Any:
        key = tuple(map(id, parts))
        if key not in self._known:  # with the parts, whose numbers are not given again while they live
            found = rounded(np.concatenate(parts).reshape(self.shape), self.digits)
            if self.shape:
                found.flags.writeable = False
            self._known[key] = parts, found
        return self._known[key][1]


@dataclass(frozen=True)
class Again:
    """What is computed when asked for: the model is made again.

    Attributes
    ----------
    problem, procedure, digits
        Of the prediction.
    instead : mapping of Formula to Formula
        What was evaluated in the place of registered formulas.
    integration : Integration
    """

    problem: Problem
    procedure: Procedure
    digits: int | None
    instead: Mapping[Formula, Formula] = field(default_factory=dict)
    integration: Integration = DEFAULT

    def kept(self, prediction: Prediction) -> np.ndarray:
        """See `Prediction.kept`."""
        shape = np.shape(prediction.risk)

        def of_block(walk: Walk, work: Evaluator) -> np.ndarray:
            return walk.found[self.procedure].kept(work)

        parts = _by_block(of_block, self.problem, [self.procedure], shape, self.digits, self.instead, self.integration)
        return rounded(np.concatenate(parts).reshape(*shape, -1), self.digits)

    def quadrature_error(self, prediction: Prediction) -> Any:
        """See `Prediction.quadrature_error`."""
        problem: Any = self.problem
        law = getattr(problem, "law", None)
        if not isinstance(law, Continuous):
            return None
        gaps = []
        for times in COARSER:
            try:
                coarse = self._predicted(problem.with_law(law.coarser(times)))
            except NoSolution:
                return plain_scalar(np.full(np.shape(prediction.risk), np.inf))
            with np.errstate(invalid="ignore"):
                gaps.append(np.abs(np.asarray(difference(prediction.risk, coarse.risk, self.digits), dtype=float)))
        return plain_scalar(np.max(gaps, axis=0))

    def _predicted(self, problem: Problem) -> Prediction:
        records = {record.id: record for record in self.instead.values()} or None
        own = {"tolerance": self.integration.tolerance, "seed": self.integration.seed}
        return evaluate(problem, [self.procedure], self.digits, records, **own)[self.procedure]


@later.register
def _(problem: Problem, procedure: Procedure, digits: int | None) -> Later:
    return Again(problem, procedure, digits)
