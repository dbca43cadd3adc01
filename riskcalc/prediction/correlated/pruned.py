"""Averages over draws of correlated fits behind masks, until the risk is known well enough; risks of pruned fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.policies import Policy
from riskcalc.prediction.correlated.averages import jackknife, leaving_out
from riskcalc.prediction.correlated.choices import scores_of, top
from riskcalc.prediction.correlated.draws import Batch, batch, in_pairs
from riskcalc.prediction.correlated.fit import Fit
from riskcalc.references import correlated

# Batches of draws, at most; and the numbers of a batch's coefficients, of all batches, at most.
MOST_BATCHES, MOST_NUMBERS = 512, 1 << 28

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Drawing:
    """Draws of a dense fit, and what a policy keeps of so many features in each."""

    fit: Fit
    policy: Policy
    number: int
    work: Evaluator

    def batch(self, place: int) -> Batch:
        """Draws by their place."""
        return batch(self.fit, self.work.integration.seed, place)

    def masks(self, drawn: Batch) -> np.ndarray:
        """What is kept in each draw; shape (1, p) where that is the same in all."""
        scores = scores_of(self.policy, self.fit, drawn, self.work)
        if not self.policy.by_chance:
            scores = np.where(self.fit.features.variances > 0, scores, -1)  # of no use, so kept last
        return top(scores, self.number, drawn)

    def kept(self, batches: int) -> np.ndarray:
        """How often each feature is kept in the first batches."""
        return np.mean([self.masks(self.batch(place)).mean(axis=0) for place in range(batches)], axis=0)

    def known(
        self, gather: Callable[[int], tuple[np.ndarray, np.ndarray]], answer: Callable[[np.ndarray], Values]
    ) -> tuple[Values, int]:
        """The values of an answer to averages, with the standard error of its risk, and the batches that it takes.

        `gather` gives, of a batch by its place, what is averaged over pairs of draws, and controls.
        """
        most = int(np.clip(MOST_NUMBERS // (self.fit.features.dimension * 32), 4, MOST_BATCHES))
        gathered: list[tuple[np.ndarray, np.ndarray]] = []
        wanted = 1
        while True:
            gathered += [gather(place) for place in range(len(gathered), wanted)]
            values, controls = (np.concatenate(parts) for parts in zip(*gathered, strict=True))
            found = answer(leaving_out(values, controls))
            error, risk = jackknife(found["risk"]), found["risk"][0]
            if error <= self.work.integration.tolerance * risk or wanted == most or not np.isfinite(error):
                return {name: one[:1] for name, one in found.items()} | {"integration_error": np.array([error])}, wanted
            wanted = min(most, max(wanted + 1, 3 * wanted // 2))


def prune(drawing: Drawing) -> tuple[Values, int]:
    """Risk and training error of the dense fit behind masks."""
    fit, work = drawing.fit, drawing.work

    gamma = fit.gamma or 1.0  # a fit without error has no noise

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = drawing.batch(place)
        dropped = fit.features.seen(np.where(drawing.masks(drawn), 0, drawn.coefficients))
        scalars = [dots(drawn.error, dropped), dots(dropped, dropped), dots(drawn.noise, dropped) / gamma]
        return in_pairs(np.stack(scalars, axis=1)), drawn.controls

    def answer(averages: np.ndarray) -> Values:
        own = dict(zip(("D1", "D2", "h_dropped"), averages.T[:, :, None], strict=True))
        state = fit.state | own | {"fit_excess_risk": fit.state["excess_risk"]}
        formulas = {
            "risk": correlated.PRUNED_RISK,
            "excess_risk": correlated.PRUNED_EXCESS_RISK,
            "training_error": correlated.PRUNED_TRAINING_ERROR,
        }
        return {name: work.value(formula, state)[:, 0] for name, formula in formulas.items()}

    return drawing.known(gather, answer)


def dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Products of the rows."""
    return np.einsum("ij,ij->i", one, other)
