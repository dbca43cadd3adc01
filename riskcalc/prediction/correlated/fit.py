"""The dense fit of correlated features, by traces, and what draws of it start from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from riskcalc.exact import as_float
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.state import State
from riskcalc.prediction.correlated.features import Features, Part, features_of
from riskcalc.prediction.status import Status
from riskcalc.problems import Correlated
from riskcalc.references import correlated

MAX_ITERATIONS = 200


@dataclass(frozen=True)
class Fit:
    """A dense fit.

    Attributes
    ----------
    features : Features
    n_samples : int
    signal : ndarray, shape (p,)
        True coefficients times sqrt(p).
    truth : ndarray, shape (m,)
        W over sqrt(n): what the true coefficients predict.
    state : State
        What formulas need of it.
    residual : ndarray, shape (m,)
        (1 - A) W over sqrt(n).
    status : int
    """

    features: Features
    n_samples: int
    signal: np.ndarray
    truth: np.ndarray
    state: State = field(repr=False)
    residual: np.ndarray
    status: int

    @property
    def ridge(self) -> float:
        """Effective."""
        return self.state["nu"].item()

    @property
    def gamma(self) -> float:
        """Its test risk."""
        return self.state["gamma"].item()

    @property
    def scale(self) -> float:
        """Of coefficients, as scores see them."""
        return float(np.sqrt(self.features.size))

    @property
    def deviation(self) -> float:
        """Of each entry of the noise G1, over sqrt(n)."""
        return float(np.sqrt(self.gamma / self.n_samples))

    @cached_property
    def mean_squares(self) -> np.ndarray:
        """Of the noise, of the error of the fit, and of what it leaves of truth and noise, shape (3,)."""
        total, bent = (self.n_samples * self.state[name].item() for name in ("trace_A", "trace_A_rest"))
        left = self.features.dimension - total - bent  # tr (1 - A)^2
        noise, bias = self.deviation**2, self.state["dense_bias"].item()
        return np.array([noise * self.features.dimension, self.state["excess_risk"].item(), bias + noise * left])


def fit_dense(problem: Correlated, work: Evaluator) -> Fit:
    """T1, by traces."""
    features, n = features_of(problem.covariance), int(problem.n_samples)
    ridge, noise = (float(as_float(one)) for one in (problem.ridge, problem.noise_variance))
    coefficients = as_float(problem.coefficients)
    nu = effective_ridge(features.whole, ridge, n)
    total, bent = features.whole.sums(nu)
    with np.errstate(over="ignore", invalid="ignore"):
        truth = features.seen(coefficients[None])[0]
        residual = truth - features.seen(features.shrunk(nu, truth[None]))[0]
        bias = residual @ residual
    told = {"sigma2": noise, "ridge": ridge, "nu": nu, "trace_A": total / n, "trace_A_rest": bent / n}
    told |= {"dense_bias": bias}
    state, status = risks({name: np.full((1, 1), value) for name, value in told.items()}, work)
    if not np.isfinite(state["gamma"]).all() and status[0] != Status.INFINITE:
        raise ValueError("the risk is too large for double precision; rescale covariance and coefficients")
    return Fit(features, n, coefficients * np.sqrt(features.size), truth, state, residual, int(status[0]))


def risks(state: State, work: Evaluator) -> tuple[State, np.ndarray]:
    """The state of fits with slack, risks and training errors, and statuses; shape (N, 1), and (N,)."""
    slack = work.value(correlated.LEAST_SQUARES_SLACK, state)
    ridged = state["nu"] > 0
    if ridged.any():
        slack = np.where(ridged, work.value(correlated.SLACK, state | {"nu": np.where(ridged, state["nu"], 1)}), slack)
    critical = (slack == 0) & ~ridged
    noiseless = (state["sigma2"] == 0) & ~ridged
    state = state | {"q": slack}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, formula in (("gamma", correlated.RISK), ("excess_risk", correlated.EXCESS_RISK)):
            found = work.value(formula, state)
            state[name] = np.where(noiseless, 0, np.where(critical, np.inf, found))
        trained = work.value(correlated.TRAINING_ERROR, state)
    state["training_error"] = np.where(slack == 0, 0, trained)
    exact, infinite = state["gamma"] == 0, critical & ~noiseless
    status = np.where(exact, Status.EXACT_RECOVERY, np.where(infinite, Status.INFINITE, Status.OK))
    return state, status[:, 0]


def effective_ridge(part: Part, ridge: float, n_samples: int, start: float = 0.0) -> float:
    """The root x of x = ridge + x tr(A)/n with A = S/(S + x); zero for least squares.

    By Newton's method in logarithms within a bracket. Where x is large tr(A) is nearly proportional to 1/x: from above,
    few steps are needed.
    """
    if ridge == 0 and part.rank <= n_samples:
        return 0.0
    lowest, highest = ridge, ridge + part.variance / n_samples
    x = start if lowest < start <= highest else highest
    for _ in range(MAX_ITERATIONS):
        total, bent = part.sums(x)
        left = ridge / x + total / n_samples
        lowest, highest = (x, highest) if left > 1 else (lowest, x)
        step = np.log(left) * left / (ridge / x + bent / n_samples)
        new = x * np.exp(np.clip(step, -40, 40))
        if abs(step) < 1e-8:  # whose square is what is left
            return float(new)
        x = float(new) if lowest <= new <= highest else np.sqrt(max(lowest, x * 1e-8) * highest)
    return x
