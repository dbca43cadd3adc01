"""Blocks of trials on several processes, with progress, and what is finished when interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def process_pool(workers: int | None = None) -> Executor:
    """Processes with one BLAS thread each, as many as this process may use; kept for the next call.

    They need no guard in the calling script, and run functions defined anywhere.
    """
    from loky import get_reusable_executor

    count = workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return get_reusable_executor(max_workers=count, initializer=_leave_interrupts, env=one_thread)


def _leave_interrupts() -> None:
    """An interrupt is for the process that waits for the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_all(
    tasks: Iterable[tuple[Any, ...]],
    function: Callable[..., Any],
    executor: Executor | None,
    label: str | None = None,
) -> list[Any]:
    """`function` of every task, in order, by an executor or (None) in this process.

    With a label, a progress bar on stderr. An interrupt returns the results up to the first task not finished.
    """
    tasks = list(tasks)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=label is None) as progress:
        bar = progress.add_task(label or "", total=len(tasks))
        if executor is None:
            return _in_turn(tasks, function, lambda: progress.advance(bar))
        return _in_parallel(tasks, function, executor, lambda: progress.advance(bar))


def _in_turn(tasks: list[tuple[Any, ...]], function: Callable[..., Any], advance: Callable[[], None]) -> list[Any]:
    results = []
    try:
        for task in tasks:
            results.append(function(*task))
            advance()
    except KeyboardInterrupt:
        if not results:
            raise
    return results


def _in_parallel(
    tasks: list[tuple[Any, ...]], function: Callable[..., Any], executor: Executor, advance: Callable[[], None]
) -> list[Any]:
    futures: list[Future] = [executor.submit(function, *task) for task in tasks]
    pending = set(futures)
    try:
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for _ in done:
                advance()
    except KeyboardInterrupt:
        for future in futures:
            future.cancel()
        finished = []
        for future in futures:
            if not future.done() or future.cancelled():
                break
            finished.append(future.result())
        if not finished:
            raise
        return finished
    return [future.result() for future in futures]
