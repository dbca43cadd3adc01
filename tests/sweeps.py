"""A sweep that is killed at random moments and resumed, again and again; prints what became of it.

Run:  python tests/sweeps.py FOLDER [CELLS KILLS SEED]
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import riskcalc as rc

PROBLEM = rc.LinearGaussian(
    aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance=1, ridge="1/10"
)


def swept(path: Path | None, cells: int, **how):
    """Cells of some ten milliseconds each."""
    keeps = np.linspace(0.05, 0.95, cells // 2)
    over = {"aspect_ratio": [0.5, 1.5], "keep": keeps}
    return rc.sweep(PROBLEM, over, ["hessian", "small"], trials=25, n_samples=80, path=path, workers=1, **how)


def killed(path: Path, record: Path, cells: int, lines: int, after: float) -> bool:
    """Whether a child that swept was still at it when it was killed, some time after so many lines were there."""
    child = os.fork()
    if child == 0:
        swept(path, cells)
        os._exit(0)
    while lines_of(record) < lines and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def lines_of(record: Path) -> int:
    return record.read_bytes().count(b"\n") if record.exists() else 0


def main(folder: Path, cells: int = 40, kills: int = 3, seed: int = 0) -> None:
    """Kill a sweep at random moments, resume it, and compare with one that nobody killed."""
    rng, path, record = np.random.default_rng(seed), folder / "killed.nc", folder / "killed.nc.cells"
    whole, found = swept(folder / "whole.nc", cells), []
    for lines in np.sort(rng.integers(1, cells, kills)):
        alive = killed(path, record, cells, lines, rng.uniform(0, 0.03))
        found.append(lines_of(record) if alive else None)
    resumed = swept(path, cells)
    same = path.read_bytes() == (folder / "whole.nc").read_bytes() and resumed.identical(whole)
    print(json.dumps({"same": same, "lines": found, "cells": cells}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
