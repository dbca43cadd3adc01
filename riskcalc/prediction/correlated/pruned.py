"""Correlated fits behind masks, and averages over draws of them until a risk is known well enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from riskcalc.lowering.evaluator import Evaluator
from riskcalc.policies import Policy
from riskcalc.prediction.correlated.averages import jackknife, leaving_out
from riskcalc.prediction.correlated.choices import scores_of, top
from riskcalc.prediction.correlated.closed import without_draws
from riskcalc.prediction.correlated.draws import Batch, Draws, in_pairs
from riskcalc.prediction.correlated.expansion import Dropped
from riskcalc.prediction.correlated.fit import Fit
from riskcalc.references import correlated

# Batches of draws, at most; and the numbers of a batch's coefficients, of all batches, at most.
MOST_BATCHES, MOST_NUMBERS = 512, 1 << 28

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Drawing:
    """Draws of a dense fit, and what a policy keeps of so many features in each."""

    draws: Draws
    policy: Policy
    number: int
    work: Evaluator

    @property
    def fit(self) -> Fit:
        """That is drawn."""
        return self.draws.fit

    def masks(self, drawn: Batch) -> np.ndarray:
        """What is kept in each draw; shape (1, p) where that is the same in all."""
        return top(scores_of(self.policy, self.fit, drawn, self.work), self.number, drawn)

    @cached_property
    def closed(self) -> Dropped | None:
        """What is dropped, if that is known without draws."""
        kept = None if self.policy.sees_fit else self.masks(self.draws.batch(0))
        return without_draws(self.fit, self.policy, kept, self.number, self.work)

    def kept(self, batches: int) -> np.ndarray:
        """How often each feature is kept in the first batches; without any, as it is known."""
        if not batches:
            assert self.closed is not None
            return self.closed.kept
        return np.mean([self.masks(self.draws.batch(place)).mean(axis=0) for place in range(batches)], axis=0)

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
    fit, policy, work = drawing.fit, drawing.policy, drawing.work
    gamma = fit.gamma or 1.0  # a fit without error has no noise

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        drawn = drawing.draws.batch(place)
        dropped = fit.features.seen(np.where(drawing.masks(drawn), 0, drawn.coefficients))
        scalars = [dots(drawn.error, dropped), dots(dropped, dropped), dots(drawn.noise, dropped) / gamma]
        return in_pairs(np.stack(scalars, axis=1)), drawn.controls

    def answer(averages: np.ndarray) -> Values:
        own = dict(zip(("D1", "D2", "h_dropped"), averages.T[:, :, None], strict=True))
        state = fit.state | own | {"dense_excess_risk": fit.state["excess_risk"]}
        formulas = {
            "risk": correlated.PRUNED_RISK,
            "excess_risk": correlated.PRUNED_EXCESS_RISK,
            "training_error": correlated.PRUNED_TRAINING_ERROR,
        }
        return {name: work.value(formula, state)[:, 0] for name, formula in formulas.items()}

    if (known := drawing.closed) is None:
        return drawing.known(gather, answer)
    values = answer(np.array([[known.D1, known.D2, known.h]]))
    # Of a series: what it leaves out, and what keeping so many features on average makes of the risk.
    error = known.remainder + 2 * known.variance / drawing.number**2 * values["risk"]
    return values | ({"integration_error": error} if policy.sees_fit else {}), 0


def dots(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Products of the rows."""
    return np.einsum("ij,ij->i", one, other)
