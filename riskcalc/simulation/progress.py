"""A progress bar on stderr, with the time left from the first second on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text


class _TimeLeft(ProgressColumn):
    """What was expected to be left, times how much longer than expected it took so far."""

    # Seconds of work as expected that weigh as much as what is measured.
    TRUST = 2.0

    def render(self, task: Task) -> Text:
        """As hours, minutes and seconds."""
        expected, elapsed = task.fields["expected"], task.elapsed or 0.0
        pace = (elapsed + self.TRUST) / (task.completed * expected + self.TRUST)
        left = ((task.total or 0) - task.completed) * expected * pace
        return Text(f"{timedelta(seconds=round(min(left, 1e12)))} left", style="progress.remaining")


class Progress:
    """How many of some tasks are done, and the time left; without a label, nothing.

    Parameters
    ----------
    label : str, optional
    total : int
        Number of tasks.
    expected : float
        Seconds that one may take, all workers together: what there is to go by before the first is done.
    """

    def __init__(self, label: str | None = None, total: int = 0, expected: float = 1.0):
        self.label, self.total, self.expected = label, total, expected

    def __enter__(self) -> Progress:
        if self.label is not None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _TimeLeft())
            self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
            self._bar = self._bars.add_task(self.label, total=self.total, expected=self.expected)
            self._bars.start()
        return self

    def advance(self) -> None:
        """One task is done."""
        if self.label is not None:
            self._bars.advance(self._bar)

    def __exit__(self, *_: Any) -> None:
        if self.label is not None:
            self._bars.stop()
