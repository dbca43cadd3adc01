"""The trials of a chapter as one theory: what its formulas predict, and what is simulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskcalc.evaluation.evaluate import evaluate_all
from riskcalc.formulas.chapters import Chapter, Trial
from riskcalc.formulas.records import Formula
from riskcalc.modules import failures_of
from riskcalc.theory.library import library_of
from riskcalc.verification.theories import Theory


def theory_of(chapter: Chapter) -> Theory:
    """All trials of a chapter. ValueError if it has none."""
    if not chapter.trials:
        raise ValueError(f"the chapter {chapter.id!r} has no trials, so there is nothing to verify its formulas by")
    values = predictions(chapter)
    return Theory(lambda n_samples: values, _Together(chapter.id, chapter.trials), _names(chapter))


def predictions(chapter: Chapter, records: Mapping[str, Formula] | None = None) -> np.ndarray:
    """What the formulas of all trials give, with other formulas in the place of some; shape (m,)."""
    library, found = library_of(chapter), []
    records = library.records if records is None else records
    for trial in chapter.trials:
        for id, value in zip(
            trial.formulas, evaluate_all(trial.formulas, trial.inputs, records, library.meanings), strict=True
        ):
            if np.ndim(value) > 0:
                raise ValueError(f"a trial of {id} is at inputs of one regime, where it is one number, got {value}")
            found.append(value)
    return np.array(found)


def _names(chapter: Chapter) -> tuple[str, ...]:
    """Ids, numbered from the second trial of a formula on."""
    seen: Counter[str] = Counter()
    names = []
    for id in (id for trial in chapter.trials for id in trial.formulas):
        seen[id] += 1
        names.append(id if seen[id] == 1 else f"{id}, trial {seen[id]}")
    return tuple(names)


@dataclass(frozen=True)
class _Together:
    """One run of every trial."""

    chapter: str
    trials: tuple[Trial, ...]

    def __call__(self, n_samples: int, rng: np.random.Generator) -> np.ndarray:
        """The values that all of them measured."""
        found = []
        for trial in self.trials:
            with failures_of(f"a trial of {self.chapter}"):
                values = np.atleast_1d(np.asarray(trial.simulate(n_samples, rng), dtype=float))
            if values.shape != (len(trial.formulas),):
                raise ValueError(f"the trial of {', '.join(trial.formulas)} must give one number each, got {values}")
            found.append(values)
        return np.concatenate(found)
