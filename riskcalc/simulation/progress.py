"""A progress bar on stderr, with the time left from the first second on."""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

# Part of the work as expected that weighs as much as what was measured.
TRUST = 0.2


class Progress:
    """How many of some tasks are done, and the time left; without a label, nothing.

    Within another one it is a part of that: its tasks are shown, and the time left is that of the whole.

    Parameters
    ----------
    label : str, optional
    total : int
        Number of tasks.
    expected : float
        Seconds that one may take, all workers together: what there is to go by before the first is done.
    """

    def __init__(self, label: str | None = None, total: int = 1, expected: float = 1.0):
        self.label, self.total, self.expected = label, total, expected
        self.done, self.whole, self._screen = 0, self, None

    def __enter__(self) -> Progress:
        if self.label is not None:
            self.whole = _shown.get() or self
            if self.whole is self:
                self._began, self._worked = time.monotonic(), 0.0
                columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), _TimeLeft()
                console = Console(stderr=True)
                unseen = not (console.is_terminal or console.is_jupyter)
                self._screen = Bars(*columns, console=console, transient=True, disable=unseen)
                self._bar = self._screen.add_task("", whole=self, count="")
                self._screen.start()
                _shown.set(self)
            self.whole._show(self)
        return self

    def advance(self) -> None:
        """One task is done."""
        if self.label is not None:
            self.done += 1
            self.whole._worked += self.expected
            self.whole._show(self)

    def left(self) -> float:
        """Seconds: what was expected, times how much longer than expected it took so far."""
        whole = self.total * self.expected
        trust = TRUST * whole + 1.0
        pace = (time.monotonic() - self._began + trust) / (self._worked + trust)
        return max(whole - self._worked, 0.0) * pace

    def _show(self, part: Progress) -> None:
        count = "" if part.total == 1 else f"{part.done}/{part.total}"
        assert self._screen is not None
        self._screen.update(self._bar, description=part.label, total=part.total, completed=part.done, count=count)

    def __exit__(self, *_: Any) -> None:
        if self._screen is not None:
            self._screen.stop()
            _shown.set(None)


# What is on the screen.
_shown: ContextVar[Progress | None] = ContextVar("shown", default=None)


class _TimeLeft(ProgressColumn):
    def render(self, task: Task) -> Text:
        """As hours, minutes and seconds."""
        seconds = min(task.fields["whole"].left(), 1e9)
        return Text(f"{timedelta(seconds=round(seconds))} left", style="progress.remaining")
