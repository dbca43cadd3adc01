"""Times as ratios: two functions timed in turn, so that a busy machine slows both."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable


def of_children() -> float:
    """CPU time of processes that were started and have ended."""
    return os.times().children_user + os.times().children_system


def ratio(
    benchmark, run, floor, rounds: int = 15, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float]:
    """Median and smallest ratio of two functions timed in turn; the first is recorded as the benchmark."""
    run(), floor()
    ratios = []
    for _ in range(rounds):
        start = clock()
        run()
        middle = clock()
        floor()
        ratios.append((middle - start) / (clock() - middle))
    benchmark.pedantic(run, rounds=3)
    return statistics.median(ratios), min(ratios)
