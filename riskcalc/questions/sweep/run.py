"""The work of a sweep: blocks that are predicted at once, here; and cells, each by itself, by an executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass

import numpy as np

from riskcalc.exact import as_float
from riskcalc.questions.sweep.cells import Cells, Result, Simulated, Values
from riskcalc.questions.sweep.grid import Block
from riskcalc.questions.sweep.record import Record
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.simulate import SPEED
from riskcalc.simulation.workers import process_pool, processors, run_each

# Seconds that predictions of one regime may take, and a simulated cell besides its multiplications; that a task of a
# process takes at least, if there are cells for it; and of all cells together, from which processes are worth starting.
PREDICTION, CELL, TASK, POOL = 0.05, 0.01, 0.1, 2.0


@dataclass(frozen=True)
class Job:
    """What is computed and recorded as one: a block, and what is asked of it. `seconds` is what it may take."""

    cells: Cells
    block: Block
    seconds: float = 1.0

    @classmethod
    def simulated(cls, cells: Simulated, block: Block) -> Job:
        """A cell that is simulated."""
        n, p = (float(as_float(np.asarray(size))) for size in _size(cells, block.values))
        work = cells.trials * n * p * (min(n, p) + 40) * (1 + len(cells.models))
        return cls(cells, block, CELL + work / SPEED)


def _size(cells: Simulated, values: Values) -> tuple[object, object]:
    """Rows and features of a sample, more or less."""
    given = {name: array[0] for name, array in values.items()}
    problem = cells.problem
    rows = cells.n_samples or given.get("n_samples", problem.n_samples)
    if "n_features" in given:
        return rows, given["n_features"]
    if problem.n_features is not None:
        return rows, problem.n_features
    return rows, float(given.get("aspect_ratio", problem.aspect_ratio)) * rows


def compute(jobs: Sequence[tuple[Cells, Values]]) -> list[Result]:
    """The results of some jobs: what a process is given to do."""
    return [cells.of(values) for cells, values in jobs]


@dataclass
class Work:
    """Jobs that are done unless the record knows them, and recorded as they finish.

    Attributes
    ----------
    record : Record or None
    put : callable
        What takes the result of a job.
    """

    record: Record | None
    put: Callable[[Job, Result], None]

    def run(self, jobs: Sequence[Job], executor: Executor | None, workers: int, label: str | None) -> None:
        """Do them, in tasks that are worth it. KeyboardInterrupt, or the error of one, after what was done is kept."""
        tasks: list[list[Job]] = []
        for job in jobs:
            if self._known(job):
                continue
            if not tasks or executor is None or sum(one.seconds for one in tasks[-1]) >= TASK:
                tasks.append([])
            tasks[-1].append(job)
        if not tasks:
            return
        seconds = sum(job.seconds for task in tasks for job in task) / len(tasks) / workers

        def finished(number: int, results: Sequence[Result]) -> None:
            for job, result in zip(tasks[number], results, strict=True):
                if self.record is not None:
                    self.record.append(job.cells.key(job.block.values), result)
                self.put(job, result)

        work = ([(job.cells, job.block.values) for job in task] for task in tasks)
        try:
            run_each(((task,) for task in work), compute, executor, finished, Progress(label, len(tasks), seconds))
        except BrokenExecutor as error:
            kept = "" if self.record is None else "; the cells finished before are kept: run it again"
            raise ChildProcessError(f"a process that worked for the sweep was ended by something else{kept}") from error

    def _known(self, job: Job) -> bool:
        if self.record is None or (result := self.record.get(job.cells.key(job.block.values))) is None:
            return False
        self.put(job, result)
        return True


def pool_for(jobs: Sequence[Job], workers: int | None) -> Executor | None:
    """A pool of processes, if there is work for one, whether or not some of it was done before: where a cell is
    computed decides on its last digit."""
    if workers == 1 or sum(job.seconds for job in jobs) < POOL:
        return None
    return process_pool(workers)


def size_of(executor: Executor | None, workers: int | None) -> int:
    """How many may work at once."""
    return 1 if executor is None else workers or getattr(executor, "_max_workers", None) or processors()
