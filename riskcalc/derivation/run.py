"""Derivations by name: found in their files, built on the registered formulas, run, and reported."""

from __future__ import annotations

import importlib.util
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, overload

from riskcalc.derivation.background import Background
from riskcalc.derivation.checks import LEVELS, Outcome
from riskcalc.derivation.record import Derivation, Step
from riskcalc.formulas.records import Formula
from riskcalc.inert import signed
from riskcalc.lookup import look_up
from riskcalc.simulation.workers import process_pool, run_all
from riskcalc.theory import CHAPTERS, REGISTRY
from riskcalc.theory.masks import MOMENTS
from riskcalc.theory.symbols import X

# The theory of this package, for whoever brings none.
BACKGROUND = Background(
    records=REGISTRY,
    meanings={symbol: rule for chapter in CHAPTERS.values() for symbol, rule in chapter.meanings.items()},
    moments=MOMENTS,
    fitted=X,
)

_PACKAGE = Path(__file__).parents[1]
# Installed, the files lie inside the package; in a checkout, beside it.
_FOLDERS = (_PACKAGE / "_derivations", _PACKAGE.parent / "derivations")


@cache
def names() -> dict[str, Path]:
    """The files of the derivations by name, in the order of reading: 01_ridge.py is "ridge"."""
    folder = next(folder for folder in _FOLDERS if folder.is_dir())
    return {path.stem.split("_", 1)[1]: path for path in sorted(folder.glob("[0-9]*.py"))}


def build(name: str, records: Mapping[str, Formula] = REGISTRY) -> Derivation:
    """The derivation of a name, or of a file of your own whose path ends in .py, on these records."""
    if not isinstance(name, str):
        raise TypeError(f"name must be that of a derivation, or the path of a file, got {name!r}")
    path = Path(name) if name.endswith(".py") else look_up(name, names(), "derivation")
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return _module(path).derivation(records)


@cache
def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"derivations.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from error
    if not callable(getattr(module, "derivation", None)):
        raise ValueError(f"{path} has no function derivation(records)")
    return module


@dataclass(frozen=True)
class StepReport:
    """How the check of one step went."""

    step: str
    level: str
    passed: bool
    seen: str
    seconds: float
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """One derivation, run. Prints as a table of its steps."""

    name: str
    title: str
    steps: tuple[StepReport, ...]

    @property
    def passed(self) -> bool:
        """Whether no step failed; look for vacuous ones too."""
        return all(step.passed for step in self.steps)

    @property
    def levels(self) -> dict[str, int]:
        """How many steps were checked at each level, strongest first."""
        found = Counter(step.level for step in self.steps)
        return {level: found[level] for level in LEVELS if found[level]}

    @property
    def seconds(self) -> float:
        """Time of all checks."""
        return sum(step.seconds for step in self.steps)

    def level_behind(self, step: str) -> str:
        """The weakest level among a step and all that it rests on."""
        by_name = {one.step: one for one in self.steps}
        behind, pending = set(), {step}
        while pending:
            one = by_name[pending.pop()]
            behind.add(one.step)
            pending |= set(one.uses) - behind
        return max((by_name[name].level for name in behind), key=LEVELS.index)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return signed(self._plainly())

    def _plainly(self) -> dict[str, Any]:
        return {"passed": self.passed, "levels": self.levels} | asdict(self)

    def __str__(self) -> str:
        from riskcalc.results.tables import table, to_text

        grid = table(f"{self.name}: {self.title}", ("step", "level", "checked", "seconds"), left=3)
        for step in self.steps:
            grid.add_row(step.step, step.level if step.passed else "FAILED", step.seen, f"{step.seconds:.1f}")
        return to_text([grid, self.verdict])

    @property
    def verdict(self) -> str:
        """The outcome in a few words."""
        failed = sum(not step.passed for step in self.steps)
        counts = ", ".join(f"{count} {level}" for level, count in self.levels.items())
        return f"{failed} of {len(self.steps)} steps FAILED" if failed else f"{len(self.steps)} steps hold: {counts}."


@dataclass(frozen=True)
class Reports:
    """Several derivations, run. Prints as a table of derivations, the failed ones step by step below it."""

    reports: tuple[Report, ...]

    @property
    def passed(self) -> bool:
        """Whether all passed."""
        return all(report.passed for report in self.reports)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return signed({"passed": self.passed, "derivations": [report._plainly() for report in self.reports]})

    def __str__(self) -> str:
        from riskcalc.results.tables import table, to_text

        grid = table("derivations", ("name", "theorem", *LEVELS, "failed", "seconds"), left=2)
        for report in self.reports:
            failed = sum(not step.passed for step in report.steps)
            counts = [str(report.levels.get(level, "")) for level in LEVELS]
            grid.add_row(report.name, report.title, *counts, str(failed or ""), f"{report.seconds:.1f}")
        return to_text([grid, *(f"\n{report}" for report in self.reports if not report.passed)])


@overload
def derive(name: None = None, *, workers: int | None = None, progress: bool = False) -> Reports: ...


@overload
def derive(name: str, *, workers: int | None = None, progress: bool = False) -> Report: ...


def derive(name: str | None = None, *, workers: int | None = None, progress: bool = False) -> Report | Reports:
    """Run one derivation, or all of them: each step is checked by a machine, and reported with its level.

    Parameters
    ----------
    name : str, optional
        Of a derivation, or the path of a file of your own; all derivations if left out.
    workers : int, optional
        Processes for several derivations; as many as there are processors by default.
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
    if name is not None:
        return run(name)
    executor = None if workers == 1 else process_pool(workers)
    tasks = [(each,) for each in names()]
    return Reports(tuple(run_all(tasks, run, executor, f"{len(tasks)} derivations" if progress else None)))


def run(name: str) -> Report:
    """Build one derivation and check its steps."""
    derivation = build(name)
    return Report(name, derivation.title, tuple(map(check, derivation.steps)))


def check(step: Step, background: Background = BACKGROUND) -> StepReport:
    """Check one step before the background of its theory; whatever goes wrong in it is its failure."""
    began = time.perf_counter()
    try:
        outcome = step.check.run(step.claim, step.where, step.assuming, background)
    except Exception as error:
        outcome = Outcome(False, step.check.level, f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - began
    return StepReport(step.name, outcome.level, outcome.passed, outcome.seen, seconds, step.uses)
