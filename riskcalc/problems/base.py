"""What all problems share: inert data that both witnesses read."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, ClassVar

import numpy as np

from riskcalc.inert import Inert


class Problem(Inert):
    """What data look like: a regression problem, or a batch of them.

    A problem is inert: it does not change, and equals what is made of the same parts. The arguments of its class are
    attributes of the same names; so `from_dict` and `repr` make it again. How it is predicted, sampled and set in LaTeX
    are registered for its class: `riskcalc.prediction.solvers.solver`, `riskcalc.simulation.samplers.sampler` and
    `riskcalc.problems.base.facts_of`.

    Attributes
    ----------
    shape : tuple of int
        Shape of the batch of problems.
    n_samples, n_features : ndarray of int, or None
        None where the problem is an aspect ratio.
    aspect_ratio, noise_variance, ridge : ndarray
        Exact numbers: features per sample, noise variance, ridge penalty of the first fit.
    note : str
        What a table of results must say about its features.
    caution : str
        What must be said before any number: where there is none to rely on.
    whole : bool
        Whether it is of finite size, and what is kept a whole number of features.
    batched : tuple of str
        The arguments, one number each, that may be arrays: a batch of problems.
    """

    shape: tuple[int, ...]
    n_samples: Any
    n_features: Any
    aspect_ratio: np.ndarray
    noise_variance: np.ndarray
    ridge: np.ndarray
    note: Any = ""
    caution: Any = ""
    whole: bool = False
    batched: ClassVar[tuple[str, ...]] = ()

    @property
    def null_risk(self) -> np.ndarray:
        """Test risk of predicting zero, in every regime."""
        raise TypeError(f"{type(self).__name__} does not say the risk of predicting zero (null_risk)")

    def remark(self, procedure: Any) -> str:
        """What must be said of predictions of a model."""
        return ""

    def _repr_latex_(self) -> str | None:
        return None if self.shape else aligned_latex(facts_latex(self))  # a batch is shown as text


@singledispatch
def facts_of(problem: Problem) -> list[str]:
    """What is given of one problem, in rows of LaTeX; the first row takes the budget at its end."""
    raise TypeError(f"how a {type(problem).__name__} is written is not registered (riskcalc.problems.base.facts_of)")


def facts_latex(problem: Problem) -> list[str]:
    """What is given, in rows of LaTeX; ValueError for a batch of problems."""
    if problem.shape != ():
        raise ValueError(f"LaTeX is written for one problem, not for a batch of shape {problem.shape}")
    return facts_of(problem)


def aligned_latex(rows: list[str]) -> str:
    """Rows as a notebook shows them."""
    return r"$$\begin{aligned} & " + r", \\ & ".join(rows) + r" \end{aligned}$$"


def check_problem(problem: Any) -> None:
    """Refuse anything but a problem; TypeError that names what one of its kind lacks."""
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a problem such as riskcalc.LinearGaussian, got {problem!r}")
    for part in Problem.__annotations__:
        if not hasattr(problem, part):
            raise TypeError(f"a problem has {part}, and {type(problem).__name__} has none")


def check_single(problem: Any, what: str = "simulation") -> None:
    """Refuse anything but one problem."""
    check_problem(problem)
    if problem.shape:
        raise ValueError(f"{what} is of one problem, got a batch of shape {problem.shape}")
