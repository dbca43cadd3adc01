"""What ends a command from outside: it stops soon, tells what it has, and leaves no process."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
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
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    threading.Thread(target=_end_late, args=(ear, handlers.keys()), daemon=True).start()
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    try:
        for number in handlers:
            signal.signal(number, interrupt)
        yield came
    finally:
        for number, old in handlers.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(before)
        mouth.close()


def _end_late(ear: socket.socket, numbers: Collection[int]) -> None:
    """End the process a while after a signal, whose number is heard also while others work."""
    with ear:
        heard = ear.recv(1)
        while heard and heard[0] not in numbers:
            heard = ear.recv(1)
        late = time.monotonic() + GRACE
        while heard and (left := late - time.monotonic()) > 0:
            ear.settimeout(left)
            with suppress(TimeoutError):
                heard = heard if ear.recv(1) else b""
    if heard:
        os.write(2, b"\x1b[?25hriskcalc: interrupted\n" if os.isatty(2) else b"riskcalc: interrupted\n")
        os._exit(128 + heard[0])
