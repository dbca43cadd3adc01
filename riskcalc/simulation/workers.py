"""Tasks on several processes, with progress, and what is finished when interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from itertools import count, takewhile
from multiprocessing import resource_tracker
from typing import Any
from weakref import WeakSet

from riskcalc.simulation.progress import Progress

# Tasks that an executor has at a time; of the others nothing is made yet.
AHEAD = 256
# Processes for each processor.
MOST_WORKERS = 16
# Seconds until an interrupt is seen, and until workers see that nobody waits for them.
PROMPT = 0.2

_pools: WeakSet[Executor] = WeakSet()


def process_pool(workers: int | None = None) -> Executor | None:
    """Processes with one BLAS thread each, as many as this process may use; kept for the next call.

    They need no guard in the calling script, run functions defined anywhere, and end with this process however it ends.
    None in a process that another one started to work: it works alone.
    """
    if multiprocessing.current_process().name != "MainProcess":
        return None
    from loky import get_reusable_executor

    if workers is not None and workers > MOST_WORKERS * processors():
        most = f"{MOST_WORKERS * processors()}, {MOST_WORKERS} for each processor"
        raise ValueError(f"workers must be at most {most}, got {workers}")
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    own = {"initializer": _serve, "initargs": (os.getpid(),), "env": one_thread}
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # which, once it runs, leaves alone what `_submitted` blocks
    pool = get_reusable_executor(max_workers=workers or processors(), **own)
    _pools.add(pool)
    return pool


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serve(parent: int) -> None:
    """An interrupt is for the process that waits for the results; without that process there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(PROMPT)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def run_all(
    tasks: Iterable[tuple[Any, ...]],
    function: Callable[..., Any],
    executor: Executor | None,
    progress: Progress | None = None,
    *,
    partial: bool = False,
) -> list[Any]:
    """`function` of every task, in order, by an executor or (None) in this process; tasks are made when there is need.

    An interrupt ends the processes of this module and raises KeyboardInterrupt; if a `partial` answer is of use it
    gives the results up to the first task not finished, if there are any.
    """
    found: dict[int, Any] = {}
    try:
        run_each(tasks, function, executor, found.__setitem__, progress)
    except KeyboardInterrupt:
        if not (partial and 0 in found):
            raise
    return [found[number] for number in takewhile(found.__contains__, count())]


def run_each(
    tasks: Iterable[tuple[Any, ...]],
    function: Callable[..., Any],
    executor: Executor | None,
    finished: Callable[[int, Any], None],
    progress: Progress | None = None,
) -> None:
    """The same, with no answer: `finished` is called in this process with the number and the result of each task, as
    soon as there is one, in any order. Its error, or that of a task, ends all."""
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"executor must be a concurrent.futures.Executor, got {executor!r}")
    with progress or Progress() as shown:

        def advance(number: int, result: Any) -> None:
            finished(number, result)
            shown.advance()

        if executor is None:
            for number, task in enumerate(tasks):
                advance(number, function(*task))
        else:
            _in_parallel(iter(tasks), function, executor, advance)


def _in_parallel(
    tasks: Iterator[tuple[Any, ...]],
    function: Callable[..., Any],
    executor: Executor,
    finished: Callable[[int, Any], None],
) -> None:
    flying: dict[Future, int] = {}
    with _interrupts_noted() as noted:
        more, numbers = True, count()
        try:
            while not noted and (more or flying):
                while more and len(flying) < AHEAD and not noted:
                    task = next(tasks, None)
                    if more := task is not None:
                        flying[_submitted(executor, function, task)] = next(numbers)
                for future in wait(flying, PROMPT, FIRST_COMPLETED).done:
                    finished(flying[future], future.result())
                    del flying[future]
        except BaseException:
            for future, number in flying.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    finished(number, future.result())
            raise
        finally:
            if more or flying:
                _give_up(executor, flying)
    if noted:  # by a handler that does not raise
        raise KeyboardInterrupt


def _submitted(executor: Executor, function: Callable[..., Any], task: tuple[Any, ...]) -> Future:
    """A task under way. Processes that start for it never see an interrupt, not even before they can ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        return executor.submit(function, *task)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        return executor.submit(function, *task)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _give_up(executor: Executor, flying: Iterable[Future]) -> None:
    """Nobody waits for these any more; of an executor of somebody's own, what runs is left to run."""
    if executor in _pools:
        pool: Any = executor  # loky's, which can end its workers
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no pgrep, loky tells so, and kills what it knows of
            pool.shutdown(wait=True, kill_workers=True)
        return
    for future in flying:
        future.cancel()


@contextmanager
def _interrupts_noted() -> Iterator[list[int]]:
    """Signals that would interrupt this process are noted, and arrive at the end.

    Raised anywhere, they would leave an executor half way through what it does, its locks held.
    """
    noted: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[0])
