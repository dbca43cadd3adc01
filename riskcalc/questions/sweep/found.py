"""What a sweep has found so far: arrays over models and axes, filled in as results arrive."""

from __future__ import annotations

import warnings
from math import prod

import numpy as np

from riskcalc.exact import as_float
from riskcalc.memory import fits
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.solvers import NotCovered
from riskcalc.questions.sweep.cells import NOT_COVERED, SIMULATED, Predicted, Result
from riskcalc.questions.sweep.grid import Block, Grid
from riskcalc.questions.sweep.run import Job


class Found:
    """Arrays of shape (models, *axes), by the names of variables.

    Attributes
    ----------
    arrays : dict of str to ndarray
    """

    def __init__(self, predicted: Predicted, grid: Grid, simulated: bool):
        self.predicted, self.grid = predicted, grid
        names = [*predicted.quantities, "integration_error"]
        names += [name for name in SIMULATED if simulated and name.split("_", 1)[1].removesuffix("_stderr") in names]
        shape = (len(predicted.models), *grid.shape)
        told = " x ".join(map(str, shape))
        fits(8.0 * prod(shape) * (len(names) + 1), f"a sweep of {told} models and regimes")
        self.arrays = {name: np.full(shape, np.nan) for name in dict.fromkeys(names)}
        self.arrays["status"] = np.zeros(shape, dtype="i1")
        self._notes: list[tuple[Block, str]] = []

    def put(self, job: Job, result: Result) -> None:
        """Fill in a block."""
        for name in self.arrays.keys() & result.arrays.keys():
            self.arrays[name][(slice(None), *job.block.where)] = result.arrays[name]
        if result.note:
            self._notes.append((job.block, result.note))

    def check_covered(self) -> None:
        """NotCovered, in the words of the theory, for a model that it covers nowhere."""
        uncovered = (self.arrays["status"] == NOT_COVERED).reshape(len(self.predicted.models), -1).all(axis=1)
        for place in np.flatnonzero(uncovered):
            problem, models = self.predicted.at(self.grid.first)
            evaluate(problem, [models[place]])
            raise NotCovered(f"the theory of the problem does not cover the model {models[place].label}")

    def finish(self) -> dict[str, np.ndarray]:
        """The arrays that hold something. A warning says what could not be simulated; ValueError if nothing could."""
        if self._notes:
            block, note = min(self._notes, key=lambda told: tuple(part.start for part in told[0].where))
            if np.isnan(self.arrays["simulated_risk"]).all():
                raise ValueError(f"no cell can be simulated: {note}")
            place = ", ".join(f"{name} = {float(as_float(values)[0]):g}" for name, values in block.values.items())
            some = f"{len(self._notes)} of {prod(self.grid.shape)} cells"
            warnings.warn(f"in {some} a model cannot be simulated and is nan; at {place}: {note}", stacklevel=3)
        if np.isnan(self.arrays["integration_error"]).all():
            del self.arrays["integration_error"]
        return self.arrays
