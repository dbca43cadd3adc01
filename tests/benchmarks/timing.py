"""Times as ratios: two functions timed in turn, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time


def ratio(benchmark, run, floor, rounds: int = 15) -> tuple[float, float]:
    """Median and smallest ratio of two functions timed in turn; the first is recorded as the benchmark."""
    run(), floor()
    ratios = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        middle = time.perf_counter()
        floor()
        ratios.append((middle - start) / (time.perf_counter() - middle))
    benchmark.pedantic(run, rounds=3)
    return statistics.median(ratios), min(ratios)
