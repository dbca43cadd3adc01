"""What ends a command from outside: it stops soon, tells what it has, and leaves no process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

# Seconds that a command may take to tell what it has: it may be inside a library that knows of no interrupts.
GRACE = 1.5


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """SIGINT and SIGTERM raise KeyboardInterrupt, and end the process if that does not; gives those that came."""
    came: list[int] = []

    def interrupt(number: int, _: Any) -> None:
        came.append(number)
        raise KeyboardInterrupt

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: old for number, old in handlers.items() if old is not signal.SIG_IGN}  # as nohup has it
    ended, (ear, mouth) = threading.Event(), os.pipe()
    os.set_blocking(mouth, False)
    threading.Thread(target=_end_late, args=(ear, handlers.keys(), ended), daemon=True).start()
    before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    try:
        for number in handlers:
            signal.signal(number, interrupt)
        yield came
    finally:
        for number, old in handlers.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(before)
        ended.set()
        os.close(mouth)


def _end_late(ear: int, numbers: Collection[int], ended: threading.Event) -> None:
    """End the process a while after a signal, whose number is heard also while others work."""
    heard = os.read(ear, 1)
    while heard and heard[0] not in numbers:
        heard = os.read(ear, 1)
    if heard and not ended.wait(GRACE):
        os.write(2, b"\x1b[?25hriskcalc: interrupted\n" if os.isatty(2) else b"riskcalc: interrupted\n")
        os._exit(128 + heard[0])
    os.close(ear)
