"""What the checks of derivations found, as tables and as plain values."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from riskcalc.derivation.checks import LEVELS
from riskcalc.inert import signed
from riskcalc.results.tables import Column, Part, Shown, Table


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
class Report(Shown):
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

    def _parts(self) -> list[Part]:
        columns = [*(Column(name, words=True) for name in ("step", "level", "checked")), Column("seconds")]
        rows = [
            [step.step, step.level if step.passed else "FAILED", step.seen, f"{step.seconds:.1f}"]
            for step in self.steps
        ]
        return [Table(f"{self.name}: {self.title}", columns, rows), self.verdict]

    @property
    def verdict(self) -> str:
        """The outcome in a few words."""
        failed = sum(not step.passed for step in self.steps)
        counts = ", ".join(f"{count} {level}" for level, count in self.levels.items())
        return f"{failed} of {len(self.steps)} steps FAILED" if failed else f"{len(self.steps)} steps hold: {counts}."


@dataclass(frozen=True)
class Reports(Shown):
    """Several derivations, run. Prints as a table of derivations, the failed ones step by step below it."""

    reports: tuple[Report, ...]

    @property
    def passed(self) -> bool:
        """Whether all passed."""
        return all(report.passed for report in self.reports)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return signed({"passed": self.passed, "derivations": [report._plainly() for report in self.reports]})

    def _parts(self) -> list[Part]:
        levels = [level for level in LEVELS if any(level in report.levels for report in self.reports)]
        failed = [part for report in self.reports if not report.passed for part in report._parts()]
        counted = [*levels, *(["failed"] if failed else []), "seconds"]
        columns = [Column("name", words=True), Column("theorem", words=True), *map(Column, counted)]
        rows = []
        for report in self.reports:
            wrong = sum(not step.passed for step in report.steps)
            counts = {level: str(count) for level, count in report.levels.items()}
            counts |= {"failed": str(wrong or ""), "seconds": f"{report.seconds:.1f}"}
            rows.append([report.name, report.title, *(counts.get(name, "") for name in counted)])
        return [Table("derivations", columns, rows), *failed]
