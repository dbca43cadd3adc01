"""Correlated features fitted again on those kept: on the sample that chose them (T6 with matrices), or on another."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from riskcalc.lowering.state import State
from riskcalc.prediction.correlated.draws import PAIRS, in_pairs
from riskcalc.prediction.correlated.fit import effective_ridge, risks
from riskcalc.prediction.correlated.pruned import Drawing, Values, dots
from riskcalc.prediction.status import Status
from riskcalc.problems.correlated import ROUNDING
from riskcalc.references import correlated

_ERRORS = ("risk", "excess_risk", "training_error")


@dataclass
class Second:
    """Fits with one ridge on what is kept in draws, each made once; states of a batch have a row for each draw."""

    drawing: Drawing
    ridge: float
    _found: dict[int, State] = field(default_factory=dict)

    def found(self, place: int) -> State:
        """Of a batch: traces of M, its products with the truth, and with the noise of the fit that chose."""
        if place not in self._found:
            self._found[place] = self._made(place)
        return self._found[place]

    def controls(self, place: int) -> np.ndarray:
        """Of the draws, where what is kept depends on them."""
        chosen = self.drawing.policy.sees_fit
        return self.drawing.draws.batch(place).controls if chosen else np.zeros((PAIRS, 0))

    def _made(self, place: int) -> State:
        drawing, fit = self.drawing, self.drawing.fit
        drawn, chosen = drawing.draws.batch(place), drawing.policy.sees_fit
        masks, n, gamma = drawing.masks(drawn), fit.n_samples, fit.gamma or 1.0
        rows = [fit.truth[None], *((drawn.noise, drawn.residual) if chosen else ())]
        mixed = [np.broadcast_to(fit.features.mixed(one), masks.shape) for one in rows]
        solved: np.ndarray = np.zeros((len(rows), *masks.shape))
        least: np.ndarray = np.zeros(masks.shape)
        traces, nu2 = np.zeros((len(masks), 3)), 0.0
        for i, mask in enumerate(masks):
            kept = np.flatnonzero(mask)
            part, columns = fit.features.part(kept), np.stack([one[i, kept] for one in mixed], axis=1)
            nu2 = effective_ridge(part, self.ridge, n, nu2)
            solved[:, i, kept] = part.solve(nu2, columns).T
            least[i, kept] = part.solve(0.0, columns[:, :1])[:, 0] if nu2 > 0 else solved[0, i, kept]
            traces[i] = nu2, *(one / n for one in part.sums(nu2))
        through, dropped = [fit.features.seen(one) for one in solved], fit.truth - fit.features.seen(least)
        missed = fit.truth - through[0]
        nu2, trace, rest = traces.T
        state = {"nu2": nu2, "trace_M": trace, "trace_M_rest": rest, "schur": dots(dropped, dropped)}
        state |= {"miss_WW": np.maximum(dots(missed, missed), state["schur"])}
        if chosen:
            noise, memory = through[1:]
            state |= {
                "response_W": dots(drawn.noise, through[0]) / gamma,
                "response_G": dots(drawn.noise, noise) / gamma - trace,
                "response_Z": dots(drawn.noise, memory) / gamma,
                "shared_W": dots(drawn.error, missed),
                "shared_G": dots(drawn.error, noise),
                "shared_Z": dots(drawn.error, memory),
                "miss_WG": dots(missed, noise),
                "miss_WZ": dots(missed, memory),
                "miss_GG": dots(noise, noise) - gamma * (trace - rest),
                "miss_GZ": dots(noise, memory),
                "miss_ZZ": dots(memory, memory),
            }
        return {name: array[:, None] for name, array in state.items()}

    def alone(self, place: int) -> tuple[State, np.ndarray]:
        """The second fits of a batch as dense ones, with what is dropped beside their noise; and their statuses."""
        fit, work, found = self.drawing.fit, self.drawing.work, self.found(place)
        # What rounding leaves of the truth is no noise.
        schur = np.where(
            found["schur"] <= ROUNDING * fit.features.dimension * (fit.truth @ fit.truth), 0, found["schur"]
        )
        state = found | {"schur": schur, "sigma2": fit.state["sigma2"], "ridge": np.full((1, 1), self.ridge)}
        state |= {"nu": found["nu2"], "trace_A": found["trace_M"], "trace_A_rest": found["trace_M_rest"]}
        state |= {"dense_bias": found["miss_WW"] - found["schur"]}
        own, status = risks(state | {"sigma2": work.value(correlated.SMALL_NOISE, state) + 0 * schur}, work)
        beyond = work.value(correlated.SMALL_EXCESS_RISK, own | {"fit_excess_risk": own["excess_risk"]})
        return own | {"excess_risk": beyond}, status


def refit_fresh(second: Second) -> tuple[Values, int, int]:
    """Quantities, batches and status, on a sample that the masks do not depend on: means over these."""
    names = {"risk": "gamma", "excess_risk": "excess_risk", "training_error": "training_error", "misfit": "schur"}
    state, statuses = second.alone(0)
    status = int(statuses[0]) if len({*statuses}) == 1 else Status.OK
    if len(statuses) == 1:
        return {name: state[own][:, 0] for name, own in names.items()}, 1, status
    if (statuses == Status.INFINITE).any():
        lost = {name: np.array([np.inf]) for name in ("risk", "excess_risk")}
        return lost | {"training_error": np.zeros(1), "misfit": state["schur"].mean(axis=0)}, 1, Status.INFINITE

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        state, _ = second.alone(place)
        return in_pairs(np.concatenate([state[own] for own in names.values()], axis=1)), second.controls(place)

    def answer(averages: np.ndarray) -> Values:
        return dict(zip(names, averages.T, strict=True))

    return *second.drawing.known(gather, answer), status


def refit_same(second: Second) -> tuple[Values, int, int]:
    """The same, on the sample that the masks were found on."""
    fit, work = second.drawing.fit, second.drawing.work
    _, statuses = second.alone(0)
    if not second.drawing.policy.sees_fit or fit.gamma == 0 or (statuses != Status.OK).any():
        return refit_fresh(second)
    names = [name for name in second.found(0) if name != "nu2"]

    def gather(place: int) -> tuple[np.ndarray, np.ndarray]:
        state, _ = second.alone(place)
        columns = [second.found(place)[name] for name in names]
        return in_pairs(np.concatenate([*columns, state["q"]], axis=1)), second.controls(place)

    def answer(averages: np.ndarray) -> Values:
        state = fit.state | dict(zip((*names, "q2"), averages.T[:, :, None], strict=True))
        terms = work.linear_terms((correlated.STATIONARITY, correlated.COVARIANCE))
        k, f, g, l, h, m = work.lower(terms, {}, "correlated.equations")(state)  # k + f rho + g c = l + h rho + m c = 0
        determinant = f * m - g * h
        state |= {"rho": (g * l - k * m) / determinant, "c": (k * h - f * l) / determinant}
        state["retrained_risk"] = work.value(correlated.RETRAINED_RISK, state)
        found = [state["retrained_risk"], work.value(correlated.RETRAINED_EXCESS_RISK, state)]
        found += [work.value(correlated.RETRAINED_TRAINING_ERROR, state), state["schur"]]
        return dict(zip((*_ERRORS, "misfit"), (one[:, 0] for one in found), strict=True))

    return *second.drawing.known(gather, answer), Status.OK
