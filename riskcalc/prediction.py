"""From a problem to its predicted risks: dense, pruned, and trained small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.evaluation.models import Asked, Model, evaluate_chunk
from riskcalc.evaluation.posterior import shared
from riskcalc.evaluation.regimes import batch_shape, chunks
from riskcalc.evaluation.status import NAMES, Status
from riskcalc.exact import as_float
from riskcalc.laws import Continuous, count, plain
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import GUARD, Multiprecision
from riskcalc.lowering.systems import SolvingSystem
from riskcalc.policies import Iterative, Oracle, Policy, Retrain
from riskcalc.problems import LinearGaussian, aligned_latex, check_problem, results_latex
from riskcalc.values import json_value, plain_scalar, rounded

# What a result prints and serialises.
QUANTITIES = ("risk", "excess_risk", "misfit", "dense_risk", "training_error", "threshold", "effective_ridge", "status")
SHOWN = (*QUANTITIES, "integration_error", "quadrature_error")
COARSER = (2.0, 2.5, 3.0)  # times fewer nodes, to estimate a quadrature's error
LABELS = {
    "dense": "dense, all features",
    "small": "small, on the best features",
    "magnitude": "pruned by magnitude",
    "hessian": "pruned by Hessian score",
    "surgeon": "pruned by surgeon's score",
    "oracle": "pruned by oracle",
    "random": "pruned at random",
    "sampled": "sampled by sensitivity",
    "replaced": "sampled with replacement",
    "optimal": "pruned by the best blind rule",
    "optimal_rescaled": "pruned and rescaled by the best blind rule",
    "group_magnitude": "pruned in groups by magnitude",
    "group_hessian": "pruned in groups by Hessian score",
}


def after(retrain: Retrain | None) -> str:
    """What follows pruning, in words."""
    return "" if retrain is None else ", retrained" if retrain.sample == "same" else ", retrained on a fresh sample"


@dataclass(frozen=True)
class Prediction:
    """Predicted risks of one model over a batch of regimes.

    All values have the batch's shape; a batch of shape () gives plain numbers. With `digits` they are mpf.

    Attributes
    ----------
    problem : LinearGaussian
    model : str
        "dense", "small", or the name of the policy.
    prune : Policy or None
        The policy; for "small", the oracle that chose its features.
    retrain : Retrain or None
        The fit after pruning.
    risk : float or ndarray
        Test risk, noise included; inf or nan as the status says.
    excess_risk : float or ndarray
        Risk minus noise variance, computed without that subtraction but for several rounds of iterative pruning.
    dense_risk : float or ndarray
        Test risk of the fit before pruning; for "small" of the small model itself.
    training_error : float or ndarray
        Mean squared residual on the sample last fitted to.
    misfit : float or ndarray
        The part of the excess risk that is the signal of dropped features; the rest is the error in what is kept.
    threshold : float, ndarray or None
        Of the score: sqrt(p)|beta| for magnitude, times sqrt(Lambda) for Hessian (for sampled, from where on features
        are kept surely; for groups, the norm of their scores), times sqrt(Lambda + D nu) for the surgeon; Lambda B^2
        for oracle and small; the gain Lambda (2 x E[B|x] - x^2) for optimal. None for dense, random, and sampling with
        replacement.
    effective_ridge : float or ndarray
    status : str or ndarray of str
        "ok"; "infinite" (risk inf: at the interpolation threshold, with noise); "exact_recovery" (the fit before
        pruning has no error); "not_converged" (risk nan: no root was found, numbers overflowed, or masks were to be
        found from an infinite fit).
    integration_error : float, ndarray or None
        Of iterative pruning; None for all else. Zero for one round, which is pruning once and no integral. For several
        the larger of the standard error of the risk's integration and of what the same integration misses of the risk
        of pruning once, which is known exactly, to the budget of any round. So it covers rare events that matter to
        pruning once, but not those that are rare after later fits only.
    digits : int or None
    """

    problem: LinearGaussian
    model: str
    prune: Policy | None
    retrain: Retrain | None
    digits: int | None
    risk: Any
    excess_risk: Any
    dense_risk: Any
    training_error: Any
    misfit: Any
    threshold: Any
    effective_ridge: Any
    status: Any
    integration_error: Any
    _kept: Callable[[], np.ndarray] = field(repr=False)

    @property
    def label(self) -> str:
        """The model in words."""
        if isinstance(self.prune, Iterative):
            number = len(self.prune.keeps)
            rounds = "one round" if number == 1 else f"{number} rounds"
            return f"{LABELS[self.prune.policy.name]} in {rounds}{after(self.retrain)}"
        kind = self.model if self.prune is None or self.model == "small" else self.prune.kind
        return LABELS[kind] + after(self.retrain)

    @cached_property
    def kept(self) -> np.ndarray:
        """Fraction kept of each atom, shape (..., K); nan where there is no mask. Computed when first asked for."""
        return self._kept()

    @cached_property
    def quadrature_error(self) -> Any:
        """How far the risk is from those of coarser quadratures; None for a law of atoms, which has no such error.

        The largest difference from rules of two, two and a half, and three times fewer nodes. It estimates the error of
        the coarser rules, which is the larger: on the safe side, but for rounding. Where a ranking cuts a continuous
        law sharply (oracle and small; every policy where the fit has no noise) the error is of second order in 1/nodes
        and fluctuates with where the cut falls between two nodes, which is why one rule would not do; elsewhere it
        vanishes fast. nan where no risk is finite. A float whatever `digits`: more digits do not make it smaller, more
        nodes do. Computed when first asked for, by three more predictions.
        """
        law = self.problem.law
        if not isinstance(law, Continuous):
            return None
        gaps = []
        for times in COARSER:
            other = _with_law(self.problem, law.coarser(times))
            asked = {self.model: Asked(self.prune, self.retrain, small=self.model == "small")}
            again = evaluate(other, self.prune, asked, self.digits)[self.model]
            with np.errstate(invalid="ignore"):
                gaps.append(np.abs(np.asarray(self.risk - again.risk, dtype=float)))
        return plain_scalar(np.max(gaps, axis=0))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: infinite and undefined numbers become None, mpf become strings."""
        asked: dict[str, Any] = {"model": self.model}
        if self.prune is not None:
            asked["keep"] = plain(self.prune.fraction_kept(self.problem.n_features))
            asked |= {"options": self.prune.options} if self.prune.options else {}
        if self.retrain is not None:
            asked["retrain"] = self.retrain.options
        values = {name: json_value(getattr(self, name), self.digits) for name in QUANTITIES}
        if self.integration_error is not None:
            values["integration_error"] = json_value(self.integration_error, None)
        if self.quadrature_error is not None:
            values["quadrature_error"] = json_value(self.quadrature_error, None)
        return asked | values

    def __str__(self) -> str:
        from riskcalc.tables import filled, number, table, to_text

        columns = {name: getattr(self, name) for name in SHOWN if getattr(self, name) is not None}

        def text(name: str, value: Any) -> str:
            if name == "status":
                return str(value)
            return number(value, None if name.endswith("_error") and name != "training_error" else self.digits)

        labels = [name.replace("_", " ") for name in columns]
        if np.ndim(self.risk) == 0:
            values = map(text, columns, columns.values())
            return to_text(filled(table(self.label, ("quantity", "value")), zip(labels, values, strict=True)))
        inputs = self.inputs()
        flat = {name: np.ravel(value) for name, value in columns.items()}
        rows = (
            [number(column[i]) for column in inputs.values()] + [text(name, column[i]) for name, column in flat.items()]
            for i in range(np.size(self.risk))
        )
        return to_text(filled(table(self.label, (*inputs, *labels), left=0), rows, np.size(self.risk)))

    def _repr_latex_(self) -> str | None:
        return None if np.ndim(self.risk) else aligned_latex(self.latex_rows())  # a batch is shown as text

    def latex_rows(self) -> list[str]:
        """The numbers and what they are predicted for, in rows of LaTeX; ValueError for a batch of regimes."""
        from riskcalc.tables import number

        risks = {"dense": {r"\gamma": self.risk}, "small": {r"\gamma_\Delta": self.risk}}
        found = risks.get(self.model, {"R": self.risk, r"\gamma": self.dense_risk})
        found |= {"T": self.training_error, "t": self.threshold, r"\nu": self.effective_ridge}
        keep = None if self.prune is None else self.prune.fraction_kept(self.problem.n_features)
        return results_latex(self.problem, keep, self.label, found, lambda value: number(value, self.digits))

    def inputs(self) -> dict[str, np.ndarray]:
        """What tells the regimes of a batch apart: the aspect ratio, the budget, and whatever else varies."""
        given = {"p/n": self.problem.aspect_ratio, "noise": self.problem.noise_variance, "ridge": self.problem.ridge}
        shown = {name: value for name, value in given.items() if name == "p/n" or np.size(value) > 1}
        if self.prune is not None:
            shown["keep"] = self.prune.fraction_kept(self.problem.n_features)
        return {name: np.broadcast_to(value, np.shape(self.risk)).ravel() for name, value in shown.items()}


def predict(
    problem: LinearGaussian,
    prune: Policy | None = None,
    retrain: bool | Retrain | None = None,
    digits: int | None = None,
) -> Prediction:
    """Predict the test risk of the dense fit, or of the dense fit pruned by a policy, or fitted again after pruning.

    Parameters
    ----------
    problem : LinearGaussian
    prune : Policy, optional
        `Magnitude`, `Hessian`, `BrainSurgeon`, `Oracle`, `Random`, `Sampled`, `Optimal`, `Group` or `Iterative`; its
        `keep` broadcasts with the problem's batch.
    retrain : bool or Retrain, optional
        Fit again on the features kept: True for least squares (or least norm) on the same sample. A `Retrain` can have
        a ridge, and a fresh sample of the same size, of which the choice of features is independent.
    digits : int, optional
        Significant digits, computed by mpmath; float64 if not given.

    Returns
    -------
    Prediction

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type, `keep` does not fit the problem, or a dense fit is to be retrained.

    Notes
    -----
    Theorems 1 and 2 of Chang et al. 2021, and Section 3 after retraining on a fresh sample; on the same sample, and for
    training errors, derivations 11 and 12. All in the limit n, p -> infinity at a fixed aspect ratio.

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
    if prune is not None and (not isinstance(prune, Policy) or type(prune) is Policy):
        raise TypeError(f"prune must be a policy such as rc.Magnitude(keep=0.1), got {prune!r}")
    second = Retrain.of(retrain)
    if second is not None and prune is None:
        raise ValueError("retrain needs a policy to prune by before it")
    name = "dense" if prune is None else prune.name
    return evaluate(problem, prune, {name: Asked(prune, second)}, digits)[name]


def small_model(
    problem: LinearGaussian, keep: ArrayLike | str | None = None, n_keep: int | None = None, digits: int | None = None
) -> Prediction:
    """Predict the test risk of a small model, trained on the best features alone.

    It is told which fraction `keep` of the features has the largest Lambda B^2, and fits those with the problem's
    ridge and penalty; the others act as noise. Near or above its own interpolation threshold (aspect ratio times keep
    close to one or larger) other subsets can be better.

    Parameters
    ----------
    problem : LinearGaussian
    keep, n_keep
        As for a `Policy`: exactly one of them.
    digits : int, optional

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
    best = Oracle(keep=keep, n_keep=n_keep)
    return evaluate(problem, best, {"small": Asked(best, small=True)}, digits)["small"]


def evaluate(
    problem: LinearGaussian, budget: Policy | None, asked: Mapping[str, Asked], digits: int | None
) -> dict[str, Prediction]:
    """Predictions of several models of one problem at the budget of one policy; the dense fit is solved once."""
    check_problem(problem)
    keep = np.ones(()) if budget is None else budget.fraction_kept(problem.n_features)
    shape = batch_shape(problem, keep)
    rough = chunks(problem, keep, FLOAT64)
    if digits is None:
        system: SolvingSystem = FLOAT64
        with system.precision():
            found = [(chunk.rows, evaluate_chunk(chunk, asked, system)) for chunk in rough]
    else:
        # A budget or an aspect ratio far from one takes digits off sums that it is added to.
        decades = sum(float(abs(np.log10(as_float(array))).max()) for array in (keep, problem.aspect_ratio))
        system = Multiprecision(count(digits, "digits"), GUARD + int(decades))
        found = []
        with system.precision():
            for first, chunk in zip(rough, chunks(problem, keep, system), strict=True):
                with FLOAT64.precision():
                    start = evaluate_chunk(first, asked, FLOAT64)
                found.append((chunk.rows, evaluate_chunk(chunk, asked, system, start)))
    return {name: _gather(problem, name, question, shape, found, system, digits) for name, question in asked.items()}


def tells_coefficients(problem: LinearGaussian) -> bool:
    """Whether no two features share their eigenvalue and penalty but not their coefficient, in any regime."""
    keep = np.ones(())
    return not any(shared(chunk.state).any() for chunk in chunks(problem, keep, FLOAT64))


def _with_law(problem: LinearGaussian, law: Continuous) -> LinearGaussian:
    """The same problem with another law."""
    counts = {"n_samples": problem.n_samples, "n_features": problem.n_features}
    sizes: dict[str, Any] = {"aspect_ratio": problem.aspect_ratio} if problem.n_samples is None else counts
    return LinearGaussian(
        **sizes,
        law=law,
        noise_variance=problem.noise_variance,
        ridge=problem.ridge,
        penalty=problem.penalty,
    )


def _gather(
    problem: LinearGaussian,
    name: str,
    asked: Asked,
    shape: tuple[int, ...],
    found: list[tuple[slice, dict[str, Model]]],
    system: SolvingSystem,
    digits: int | None,
) -> Prediction:
    parts = [(rows, models[name]) for rows, models in found]

    def collect(column: Callable[[Model], Any]) -> Any:
        return plain_scalar(rounded(np.concatenate([column(part) for _, part in parts]).reshape(shape), digits))

    status = np.concatenate([part.status for _, part in parts]).reshape(shape)
    example = parts[0][1]
    return Prediction(
        problem=problem,
        model="small" if asked.small else "dense" if asked.policy is None else asked.policy.name,
        prune=asked.policy,
        retrain=asked.retrain,
        digits=digits,
        risk=collect(lambda part: _failed_is_nan(part.risk, part.status)),
        excess_risk=collect(lambda part: _failed_is_nan(part.excess_risk, part.status)),
        dense_risk=collect(lambda part: _failed_is_nan(part.fit.state["gamma"], part.fit.status)),
        training_error=collect(lambda part: _failed_is_nan(part.training_error, part.status)),
        misfit=collect(lambda part: _failed_is_nan(part.misfit, part.status)),
        threshold=None if example.threshold is None else collect(lambda part: part.threshold),
        effective_ridge=collect(lambda part: part.fit.state["nu"]),
        status=NAMES[status] if shape else str(NAMES[status]),
        integration_error=None if example.integration_error is None else collect(lambda part: part.integration_error),
        _kept=_Kept((*shape, problem.n_atoms), asked.policy is None, parts, system, digits),
    )


@dataclass(frozen=True)
class _Kept:
    """Computes the fraction kept of each atom when asked; it is data, so that results can leave their process."""

    shape: tuple[int, ...]
    everything: bool
    parts: list[tuple[slice, Model]]
    system: SolvingSystem
    digits: int | None

    def __call__(self) -> np.ndarray:
        blank = 1.0 if self.everything else np.nan
        result = np.full((int(np.prod(self.shape[:-1])), self.shape[-1]), blank, dtype=self.parts[0][1].risk.dtype)
        with self.system.precision():
            for rows, part in self.parts:
                for group in part.groups:
                    result[rows][group.rows] = group.kept(self.system)
        return rounded(result.reshape(self.shape), self.digits)


def _failed_is_nan(values: np.ndarray, status: np.ndarray) -> np.ndarray:
    return np.where((status == Status.NOT_CONVERGED)[:, None], np.nan, values)
