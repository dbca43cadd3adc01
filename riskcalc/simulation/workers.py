"""Blocks of trials on several processes, with progress, and what is finished when interrupted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, as_completed
from itertools import takewhile
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def process_pool(workers: int | None = None) -> Executor:
    """Processes with one BLAS thread each, as many as this process may use; kept for the next call.

    They need no guard in the calling script, and run functions defined anywhere.
    """
    from loky import get_reusable_executor

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return get_reusable_executor(max_workers=workers or usable, initializer=_leave_interrupts, env=one_thread)


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
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, got {executor!r}")
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
    try:
        for future in as_completed(futures):
            future.result()  # the error of one task ends all
            advance()
    except KeyboardInterrupt:
        # In the workers of some executors it arrives as well, as the error of their tasks.
        finished = list(takewhile(_is_finished, futures))
        if not finished:
            raise
        return [future.result() for future in finished]
    finally:
        for future in futures:
            future.cancel()
    return [future.result() for future in futures]


def _is_finished(future: Future) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
