"""Derivations by name: built on the formulas of a library, run, and reported."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import overload

from riskcalc.derivation.background import Background
from riskcalc.derivation.checks import Outcome
from riskcalc.derivation.record import Derivation, Step
from riskcalc.derivation.reports import Report, Reports, StepReport
from riskcalc.formulas.chapters import Chapter, Library
from riskcalc.formulas.records import Formula
from riskcalc.lookup import look_up
from riskcalc.modules import failures_of
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.workers import process_pool, processors, run_all
from riskcalc.theory.library import LIBRARY, from_file, library_of
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import X

# What a derivation takes, more or less.
SECONDS = 10.0


@cache
def background_of(library: Library) -> Background:
    """A library as the engine sees it."""
    return Background(records=library.records, meanings=library.meanings, moments=MOMENTS, fitted=X)


def build(name: str, records: Mapping[str, Formula] | None = None, library: Library = LIBRARY) -> Derivation:
    """The derivation of a name, or of a file of your own whose path ends in .py, on these records."""
    if not isinstance(name, str):
        raise TypeError(f"name must be that of a derivation, or the path of a file, got {name!r}")
    own = name.endswith(".py")
    derivation = partial(from_file, Path(name)) if own else look_up(name, library.derivations, "derivation")
    with failures_of(f"the derivation {name}"):
        found = derivation(library.records if records is None else records)
    if not isinstance(found, Derivation):
        raise ValueError(f"the derivation {name} gives no Derivation, but {found!r}")
    return found


@overload
def derive(
    name: None = None, *, chapter: Chapter | None = None, workers: int | None = None, progress: bool = False
) -> Reports: ...


@overload
def derive(
    name: str, *, chapter: Chapter | None = None, workers: int | None = None, progress: bool = False
) -> Report: ...


def derive(
    name: str | None = None, *, chapter: Chapter | None = None, workers: int | None = None, progress: bool = False
) -> Report | Reports:
    """Run one derivation, or all of them: each step is checked by a machine, and reported with its level.

    Parameters
    ----------
    name : str, optional
        Of a derivation, or the path of a file of your own; all derivations if left out.
    chapter : Chapter, optional
        Run the derivations of this chapter of your own; riskcalc's if left out.
    workers : int, optional
        Processes for several derivations of riskcalc; as many as there are processors by default.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Report or Reports
        Steps are *symbolic* (proved by SymPy), *enclosed* (by balls at random points), *sampled* (by mpmath at random
        points), *simulated* (by the verifier), or *vacuous* (no point met the assumptions).

    Raises
    ------
    ValueError
        If no derivation has this name.

    Examples
    --------
    >>> import riskcalc as rc
    >>> report = rc.derive("coefficients")
    >>> report.passed
    True
    """
    library = library_of(chapter)
    if name is not None:
        return run(name, library, progress)
    names, own = [*library.derivations], library is not LIBRARY
    executor = None if own or workers == 1 else process_pool(workers)  # this process ran the file of the chapter
    seconds = SECONDS / (1 if executor is None else workers or processors())
    shown = Progress(f"{len(names)} derivations" if progress else None, len(names), seconds)
    tasks = [(name, library) if own else (name,) for name in names]
    return Reports(tuple(run_all(tasks, run, executor, shown)))


def run(name: str, library: Library = LIBRARY, progress: bool = False) -> Report:
    """Build one derivation and check its steps."""
    derivation, background = build(name, library=library), background_of(library)
    steps = derivation.steps
    shown = Progress(f"{len(steps)} steps" if progress else None, len(steps), SECONDS / max(len(steps), 1))
    tasks = ((step, background) for step in steps)
    return Report(name, derivation.title, tuple(run_all(tasks, check, None, shown)))


def check(step: Step, background: Background | None = None) -> StepReport:
    """Check one step before the background of its theory; whatever goes wrong in it is its failure."""
    background = background or background_of(LIBRARY)
    began = time.perf_counter()
    try:
        outcome = step.check.run(step.claim, step.where, step.assuming, background)
    except Exception as error:
        outcome = Outcome(False, step.check.level, f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - began
    return StepReport(step.name, outcome.level, outcome.passed, outcome.seen, seconds, step.uses)
