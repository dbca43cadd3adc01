"""What tells the regimes of a batch apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskcalc.problems import Problem


def inputs(problem: Problem, shape: tuple[int, ...], keep: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The aspect ratio, the budget, and whatever else varies, of every regime of a batch of this shape."""
    given: dict[str, Any] = {"p/n": problem.aspect_ratio, "noise": problem.noise_variance, "ridge": problem.ridge}
    shown = {name: value for name, value in given.items() if name == "p/n" or np.size(value) > 1}
    if keep is not None:
        shown["keep"] = keep
    return {name: np.broadcast_to(value, shape).ravel() for name, value in shown.items()}
