"""Means of independent trials, with their errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from riskcalc.exact import numbers
from riskcalc.inert import Inert, frozen
from riskcalc.policies import Procedure
from riskcalc.problems import Problem


@dataclass(frozen=True, eq=False)
class Estimate(Inert):
    """The mean test risk of simulated trials, and how far it may be off. Prints as ``value(error)``.

    Attributes
    ----------
    mean, stderr : float
        Mean over the trials, and its standard error (nan for a single trial).
    trials : int
        How many were run: fewer than asked for after an interrupt.
    seed : int
        The same seed and device draw the same trials.
    training_error : Estimate or None
        The mean squared residual on the sample last fitted to, of the same trials.
    problem : Problem or None
    procedure : Procedure or None
        What was simulated.
    n_samples : int or None
        Rows of a sample.
    note : str
        That it was interrupted, if it was; what is not independent of the theory, if anything is not.

    Examples
    --------
    >>> print(Estimate(mean=1.20641, stderr=0.00312, trials=100, seed=0))
    1.2064(31)
    """

    mean: float
    stderr: float
    trials: int
    seed: int
    training_error: Estimate | None = None
    problem: Problem | None = None
    procedure: Procedure | None = None
    n_samples: int | None = None
    note: str = ""

    _read: ClassVar[Mapping[str, Any]] = {
        "mean": numbers,
        "stderr": numbers,
        "training_error": Self,
        "problem": Problem,
        "procedure": Procedure,
    }

    @classmethod
    def of(cls, values: np.ndarray, seed: int, training_errors: np.ndarray | None = None, **simulated: Any) -> Estimate:
        """The estimate from the values of the trials; `simulated` says of what."""
        count = len(values)
        scale = float(np.max(np.abs(values))) or 1.0  # squares of what is very large or small would be inf or zero
        stderr = scale * float(np.std(values / scale, ddof=1) / math.sqrt(count)) if count > 1 else math.nan
        training = None if training_errors is None else cls.of(training_errors, seed)
        return cls(float(np.mean(values)), stderr, count, seed, training, **simulated)

    @cached_property
    def _identity(self) -> tuple[Any, ...]:
        """What was measured, however it was asked for."""
        return (type(self), *map(frozen, (self.mean, self.stderr, self.trials, self.seed, self.training_error)))

    def __str__(self) -> str:
        return "\n".join([with_error(self.mean, self.stderr), *filter(None, [self.note])])


def with_error(value: float, error: float) -> str:
    """A value with two digits of its error in parentheses, in units of the last digit shown."""
    if not (math.isfinite(value) and math.isfinite(error)) or error <= 0:
        return f"{value:.6g}"
    decade = math.floor(math.log10(max(abs(value), error)))
    if not -4 <= decade < 7:
        return f"{with_error(value / 10.0**decade, error / 10.0**decade)}e{decade:+03d}"
    places = 1 - math.floor(math.log10(error))
    if round(error * 10.0**places) == 100:  # 0.0996 rounds up to three digits
        places -= 1
    if places <= 0:
        unit = 10.0**-places
        return f"{round(value / unit) * unit:.0f}({round(error / unit) * unit:.0f})"
    return f"{value:.{places}f}({round(error * 10.0**places)})"
