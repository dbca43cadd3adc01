"""Verify: do theory and simulation agree, and with what confidence?"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from riskcalc.exact import above_zero, count
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.policies.procedures import shared_scores
from riskcalc.problems import Problem
from riskcalc.simulation.estimates import with_error
from riskcalc.simulation.simulate import check_seed
from riskcalc.verification.equivalence import extrapolate, half_width
from riskcalc.verification.subjects import Models, Subject, UserTheory
from riskcalc.verification.theories import Theory

# Sizes n, 2n, 4n; a rung twice as large gets half the trials, because its trials scatter less and cost more.
LADDER = (1, 2, 4)
FIRST_TRIALS = 32
VERDICTS = ("disagree", "undecided", "agree", "vacuous")


@dataclass(frozen=True)
class Check:
    """One model's prediction beside its simulation.

    Attributes
    ----------
    name : str
    verdict : str
        "agree": the interval lies within the tolerance; "disagree": it lies outside; "undecided": neither, within the
        time given; "vacuous": there is no finite prediction to compare with.
    predicted : float
        At infinite size.
    simulated, stderr : float
        At the largest size simulated; nan if none was.
    expected : float
        The theory's limit for the features of that size.
    deviation, uncertainty : float
        Of the simulation from the theory, relative, extrapolated to infinite size; the interval's half-width.
    """

    name: str
    verdict: str
    predicted: float
    simulated: float = math.nan
    stderr: float = math.nan
    expected: float = math.nan
    deviation: float = math.nan
    uncertainty: float = math.nan

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in vars(self).items()
        }


@dataclass(frozen=True)
class Verification:
    """What a verification found. Prints as a table.

    Attributes
    ----------
    checks : tuple of Check
    tolerance, confidence : float
        As given; the confidence is that no verdict "agree" or "disagree" among the checks is wrong.
    sizes, trials : tuple of int
        The sample sizes simulated, and how many trials of each.
    seed : int
    note : str
        What theory and simulation share, if anything, so that they are no independent witnesses of it.
    """

    checks: tuple[Check, ...]
    tolerance: float
    confidence: float
    sizes: tuple[int, ...]
    trials: tuple[int, ...]
    seed: int
    note: str = ""

    @property
    def verdict(self) -> str:
        """Of all checks together: the worst among those that are not vacuous."""
        return min((check.verdict for check in self.checks), key=VERDICTS.index)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        own = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}
        return {"verdict": self.verdict} | own | {"checks": [check.to_dict() for check in self.checks]}

    def __str__(self) -> str:
        from riskcalc.results.tables import filled, number, table, to_text

        columns = ("model", "predicted", f"simulated at n = {self.sizes[-1]}", "theory there", "deviation", "verdict")
        rows = [
            [
                check.name,
                number(check.predicted),
                with_error(check.simulated, check.stderr),
                number(check.expected),
                f"{100 * check.deviation:+.2f} ± {100 * check.uncertainty:.2f} %",
                check.verdict,
            ]
            for check in self.checks
        ]
        drawn = ", ".join(f"{count} of n = {n}" for n, count in zip(self.sizes, self.trials, strict=True))
        return to_text(
            [
                *filled(table("theory beside simulation", columns, right=5), rows, len(rows)),
                f"Trials: {drawn}; deviations are extrapolated to n = infinity.",
                f"Verdict: {self.verdict}, at a tolerance of {100 * self.tolerance:g} % "
                f"and a confidence of {100 * self.confidence:g} %.",
                *filter(None, [self.note]),
            ]
        )


def verify(
    theory: Problem | Theory,
    prune: Policy | Procedure | Sequence[Policy | Procedure | None] | None = None,
    retrain: bool | Retrain | None = None,
    *,
    training_error: bool = False,
    n_samples: int | None = None,
    tolerance: float = 0.02,
    confidence: float = 0.99,
    seconds: float = 45.0,
    seed: int = 0,
    distribution: str = "gaussian",
    device: str | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Verification:
    """Show that predictions and simulations agree, within a tolerance and at a confidence given beforehand.

    Samples are simulated at the sizes n, 2n and 4n. At each size the mean risk is divided by the theory's limit for the
    very features simulated, and what is left of the ratio is extrapolated to infinite size by a line in 1/n. Agreement
    is shown, not merely not refuted: the confidence interval of the deviation must lie inside the tolerance. More
    trials are drawn until every verdict is reached or the time is up; looking repeatedly is paid for.

    Parameters
    ----------
    theory : Problem or Theory
        A problem, whose predictions are riskcalc's own; or a theory of yours.
    prune : Policy or Procedure, or several, optional
        For a problem: the models to verify, None being the dense fit.
    retrain : bool or Retrain, optional
        Fit again after pruning; needs `prune`.
    training_error : bool
        For a problem: verify training errors, too.
    n_samples : int, optional
        The smallest size, n; by default one at which the expansion in 1/n has set in.
    tolerance : float
        Relative deviation of the risk that still counts as agreement.
    confidence : float
        Probability that no verdict "agree" or "disagree" is wrong, all models together.
    seconds : float
        No more trials are drawn if they would be expected to end after this time.
    seed : int >= 0
    distribution, device, executor, workers, progress
        As for `simulate`.

    Returns
    -------
    Verification
        After an interrupt, from the trials that were complete before.

    Raises
    ------
    ValueError, TypeError
        Naming the argument; also where the regime is too near the interpolation threshold to be simulated.

    Notes
    -----
    The equivalence test is that of two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987); for the
    spending of the error level over the looks see `equivalence.half_width`.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, noise_variance=0.5)
    >>> rc.verify(problem, tolerance=0.05, seed=1, device="cpu", workers=1).verdict
    'agree'
    """
    tolerance, confidence = above_zero(tolerance, "tolerance", 1), above_zero(confidence, "confidence", 1)
    if not (isinstance(seconds, Real) and seconds > 0):
        raise ValueError(f"seconds must be a number above 0, got {seconds!r}")
    if n_samples is not None:
        n_samples = count(n_samples, "n_samples")
    seed, note = check_seed(seed), ""
    if isinstance(theory, Theory):
        if prune is not None or retrain is not None or training_error:
            raise ValueError(
                "prune, retrain and training_error are of a problem; a theory of yours is simulated by its own trial"
            )
        subject: Subject = UserTheory(theory, seed, executor, workers, progress)
    else:
        policies: list[Any] = list(prune) if isinstance(prune, Sequence) and not isinstance(prune, str) else [prune]
        if not policies:
            raise ValueError("prune is empty; give a policy, several, or None for the dense fit")
        models = [Procedure.of(policy, retrain) for policy in policies]
        note = shared_scores(models)
        subject = Models(theory, models, seed, distribution, device, executor, workers, progress, bool(training_error))
    return replace(verify_subject(subject, n_samples, tolerance, confidence, seconds, seed), note=note)


def verify_subject(
    subject: Subject, n_samples: int | None, tolerance: float, confidence: float, seconds: float, seed: int
) -> Verification:
    """Verify several quantities that are predicted and simulated together; see `verify`."""
    began = time.monotonic()
    predicted = subject.predicted()
    usable = np.flatnonzero(np.isfinite(predicted))
    checks = [Check(name, "vacuous", float(value)) for name, value in zip(subject.names, predicted, strict=True)]
    if usable.size == 0:
        return Verification(tuple(checks), tolerance, confidence, (0,), (0,), seed)
    subject = subject.only(usable)
    first = subject.first_size() if n_samples is None else n_samples
    sizes = tuple(first * rung for rung in LADDER)
    theories, scales = (np.array(rows) for rows in zip(*(subject.theory(n) for n in sizes), strict=True))
    level = (1 - confidence) / usable.size
    values: list[np.ndarray] = [np.empty((0, usable.size)) for _ in sizes]
    found: _Look | None = None
    for look in itertools.count(1):
        wanted = [FIRST_TRIALS * 2 ** (look - 1) * LADDER[-1] // rung for rung in LADDER]
        try:
            values = [
                _longer(old, subject.trials(rung, n, len(old), size - len(old)), size)
                for rung, (n, old, size) in enumerate(zip(sizes, values, wanted, strict=True))
            ]
        except KeyboardInterrupt:
            if found is None:
                raise
            break  # with what the looks before this one found
        found = _look(look, np.array(sizes), values, theories, scales, level)
        decided = abs(abs(found.deviation) - tolerance) >= found.uncertainty
        if decided.all() or 2 * (time.monotonic() - began) > seconds:
            break
    assert found is not None
    for i, place in enumerate(usable):
        inside, width = tolerance - abs(found.deviation[i]), found.uncertainty[i]
        verdict = "agree" if inside >= width else "disagree" if inside <= -width else "undecided"
        numbers = (found.mean[i], found.stderr[i], theories[-1, i], found.deviation[i], width)
        checks[place] = Check(checks[place].name, verdict, float(predicted[place]), *map(float, numbers))
    return Verification(tuple(checks), tolerance, confidence, sizes, found.trials, seed)


@dataclass(frozen=True)
class _Look:
    """What the trials so far say: means at the largest size, and deviations at infinite size; shapes (m,)."""

    trials: tuple[int, ...]
    mean: np.ndarray
    stderr: np.ndarray
    deviation: np.ndarray
    uncertainty: np.ndarray


def _look(
    look: int, sizes: np.ndarray, values: list[np.ndarray], theories: np.ndarray, scales: np.ndarray, level: float
) -> _Look:
    means = np.array([rows.mean(axis=0) for rows in values])
    errors = np.array([rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) for rows in values])
    limit = extrapolate(sizes, (means - theories) / scales, errors / scales)
    trials = tuple(map(len, values))
    width = half_width(limit.error, min(trials), level, look) + limit.curvature
    return _Look(trials, means[-1], errors[-1], limit.value, width)


def _longer(old: np.ndarray, new: np.ndarray, size: int) -> np.ndarray:
    """All trials so far; short of the size asked for, they were interrupted."""
    if len(old) + len(new) < size:
        raise KeyboardInterrupt
    return np.concatenate([old, new])
