"""The power of a chapter's own checks: which mutants of its formulas do its derivations and its trials catch?"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from riskcalc.derivation.run import derive
from riskcalc.formulas.chapters import Chapter
from riskcalc.power.derivations import refusals
from riskcalc.power.measure import FAILURES, SECONDS, Power, equivalent
from riskcalc.power.mutation import Mutant, mutants
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.workers import run_all
from riskcalc.theory.library import library_of
from riskcalc.verification.evidence import Evidence, gather
from riskcalc.verification.expected import Expected
from riskcalc.verification.subjects import LADDER, UserTheory
from riskcalc.verification.trials import predictions, theory_of


def measure_chapter(
    chapter: Chapter,
    *,
    n_samples: int | None = None,
    tolerance: float = 0.02,
    confidence: float = 0.99,
    seconds: float = 45.0,
    seed: int = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Power:
    """Put mutants of a chapter's formulas before its derivations, and before its trials, each simulated once.

    A mutant is caught by a trial if verifying it with the same simulated values gives the verdict "disagree".

    Parameters
    ----------
    chapter : Chapter
    n_samples, tolerance, confidence, seconds, seed, executor, workers, progress
        As for `riskcalc.verify`.

    Raises
    ------
    ValueError
        If the chapter has neither derivations nor trials, or they refuse its formulas as they are.
    """
    if not (chapter.derivations or chapter.trials):
        raise ValueError(f"the chapter {chapter.id!r} has neither derivations nor trials: no mutant would be caught")
    wrong = [report.name for report in derive(chapter=chapter, progress=progress).reports if not report.passed]
    names, evidence = (), None
    if chapter.trials:
        theory = UserTheory(theory_of(chapter), seed, executor, workers, progress)
        first = n_samples or theory.first_size()
        names, level = theory.names, (1 - confidence) / len(theory.names)
        beside = _beside(theory.predicted())
        evidence = gather(theory, tuple(first * rung for rung in LADDER), beside, tolerance, level, seconds)
        verdicts = evidence.beside(beside).verdicts(tolerance)
        wrong += [f"a trial of {name}" for name, verdict in zip(names, verdicts, strict=True) if verdict == "disagree"]
    if wrong:
        raise ValueError(f"the formulas as they are fail {', '.join(wrong)}; no mutant was tried")
    every = mutants(library_of(chapter))
    tasks = [(chapter, mutant, names, evidence, tolerance) for mutant in every]
    shown = Progress(f"{len(every)} mutants" if progress else None, len(every), SECONDS)
    results = run_all(tasks, _caught_by, None, shown, partial=True)
    power = Power({}, [], [], len(every) - len(results))
    for mutant, checks in zip(every, results, strict=False):
        if checks:
            power.caught[str(mutant)] = checks
        else:
            (power.equivalents if equivalent(mutant) else power.survivors).append(str(mutant))
    return power


def _beside(predicted: np.ndarray) -> Expected:
    """The same predictions at every size."""
    return Expected.exact(np.tile(predicted, (len(LADDER), 1)))


def _caught_by(
    chapter: Chapter, mutant: Mutant, names: tuple[str, ...], evidence: Evidence | None, tolerance: float
) -> list[str]:
    """What catches a mutant: a derivation, or else the trials."""
    refused = next(refusals(mutant.records, mutant.formulas, mutant.library), None)
    if refused is not None or evidence is None:
        return [] if refused is None else [refused]
    try:
        predicted = predictions(chapter, mutant.records)
    except FAILURES as error:
        return [f"{type(error).__name__} when evaluated"]
    with np.errstate(all="ignore"):
        verdicts = evidence.beside(_beside(predicted)).verdicts(tolerance)
    pairs = zip(names, verdicts, predicted, strict=True)
    return [f"trial({name})" for name, verdict, value in pairs if verdict == "disagree" or not np.isfinite(value)]
