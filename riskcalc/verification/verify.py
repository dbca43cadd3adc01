"""Verify: do theory and simulation agree, and with what confidence?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from riskcalc.exact import above_zero, check_seed, count, numbers
from riskcalc.formulas.chapters import Chapter
from riskcalc.inert import Inert
from riskcalc.policies import Policy, Procedure, Retrain
from riskcalc.policies.procedures import shared_scores
from riskcalc.problems import Problem
from riskcalc.results.tables import Column, Part, Shown, Table, number
from riskcalc.simulation.estimates import with_error
from riskcalc.verification.evidence import gather
from riskcalc.verification.expected import Expected
from riskcalc.verification.subjects import Models, Subject, UserTheory
from riskcalc.verification.theories import Theory
from riskcalc.verification.trials import theory_of

# Of the tolerance, what the draws of a prediction may be off.
INTEGRATION = 0.1
VERDICTS = ("disagree", "undecided", "agree", "vacuous")


@dataclass(frozen=True, eq=False)
class Check(Inert):
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

    _read: ClassVar[Mapping[str, Any]] = dict.fromkeys(
        ("predicted", "simulated", "stderr", "expected", "deviation", "uncertainty"), numbers
    )


@dataclass(frozen=True, eq=False)
class Verification(Shown, Inert):
    """What a verification found. Prints as a table.

    Attributes
    ----------
    checks : tuple of Check
    tolerance, confidence : float
        As given; the confidence is that no verdict "agree" or "disagree" among the checks is wrong.
    sizes, trials : tuple of int
        The sample sizes simulated, and how many trials of each, of the check that took the most.
    seed : int
    problem : Problem or None
        What was verified; None for a theory of one's own.
    note : str
        That it was interrupted, if it was; what theory and simulation share, if anything, so that they are no
        independent witnesses of it.
    """

    checks: tuple[Check, ...]
    tolerance: float
    confidence: float
    sizes: tuple[int, ...]
    trials: tuple[int, ...]
    seed: int
    problem: Problem | None = None
    note: str = ""

    _read: ClassVar[Mapping[str, Any]] = {"checks": [Check], "sizes": tuple, "trials": tuple, "problem": Problem}
    _follows: ClassVar[frozenset[str]] = frozenset({"verdict"})

    @property
    def verdict(self) -> str:
        """Of all checks together: the worst among those that are not vacuous."""
        return min((check.verdict for check in self.checks), key=VERDICTS.index)

    def _written(self, place: Any = None) -> dict[str, Any]:
        return super()._written(place) | self._derived()

    def _derived(self) -> dict[str, Any]:
        return {"verdict": self.verdict}

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Verification:
        return super()._made({name: value for name, value in given.items() if name not in cls._follows})

    def _parts(self) -> list[Part]:
        names = ("predicted", f"simulated at n = {self.sizes[-1]}", "theory there", "deviation")
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
        columns = Column("model", words=True), *map(Column, names), Column("verdict", words=True)
        return [
            Table("theory beside simulation", columns, rows),
            f"Trials: {drawn}{'; deviations are extrapolated to n = infinity' if len(self.sizes) > 1 else ''}.",
            f"Verdict: {self.verdict}, at a tolerance of {100 * self.tolerance:g} % "
            f"and a confidence of {100 * self.confidence:g} %.",
            *filter(None, [self.note]),
        ]


def verify(
    theory: Problem | Theory | Chapter,
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
    trials are drawn until every verdict is reached or the time is up, of what has none yet; looking repeatedly is paid
    for. Predictions that are integrals by draws or points count as no better known than their integration error says.
    A table is verified on its own rows, at its own n_samples.

    Parameters
    ----------
    theory : Problem, Theory or Chapter
        A problem, whose predictions are riskcalc's own; a theory of yours; or a chapter, for all of its trials.
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
        After an interrupt, from the trials that were complete before, and its note says so.

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
    if isinstance(theory, Chapter):
        theory = theory_of(theory)
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
        drawing = (seed, distribution, device, executor, workers, progress)
        subject = Models(theory, models, *drawing, bool(training_error), tolerance * INTEGRATION)
    found = verify_subject(subject, n_samples, tolerance, confidence, seconds, seed)
    note = "\n".join(filter(None, [found.note, note]))
    return replace(found, problem=None if isinstance(theory, Theory) else theory, note=note)


def verify_subject(
    subject: Subject, n_samples: int | None, tolerance: float, confidence: float, seconds: float, seed: int
) -> Verification:
    """Verify several quantities that are predicted and simulated together; see `verify`."""
    predicted = subject.predicted()
    usable = np.flatnonzero(np.isfinite(predicted))
    checks = [Check(name, "vacuous", float(value)) for name, value in zip(subject.names, predicted, strict=True)]
    if usable.size == 0:
        return Verification(tuple(checks), tolerance, confidence, (0,), (0,), seed)
    subject = subject.only(usable)
    first = subject.first_size() if n_samples is None else n_samples
    sizes = tuple(first * rung for rung in subject.ladder)
    expected = Expected.stacked(subject.theory(n) for n in sizes)
    level = (1 - confidence) / usable.size
    evidence = gather(subject, sizes, expected, tolerance, level, seconds)
    found = evidence.beside(expected)
    for i, (place, verdict) in enumerate(zip(usable, found.verdicts(tolerance), strict=True)):
        numbers = (evidence.means[-1, i], evidence.errors[-1, i], expected.values[-1, i])
        deviation = found.deviation[i], found.uncertainty[i]
        checks[place] = Check(checks[place].name, verdict, float(predicted[place]), *map(float, (*numbers, *deviation)))
    note = "Interrupted: more trials were under way." if evidence.interrupted else ""
    trials = tuple(evidence.trials.max(axis=1).tolist())
    return Verification(tuple(checks), tolerance, confidence, sizes, trials, seed, note=note)
