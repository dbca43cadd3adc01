"""What the formulas must satisfy among themselves, at 40 digits: each record's forms agree, roots solve, bounds bound.

The checks take any set of records, so that mutants can be put before them. `states` holds solved regimes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from mpmath import mp, mpf

from riskcalc.evaluation.models import evaluate_chunk
from riskcalc.evaluation.regimes import chunks
from riskcalc.exact import exact_array
from riskcalc.formulas.records import Definitions, FixedPoint, Formula
from riskcalc.formulas.symbols import Expression
from riskcalc.lowering.compile import lower
from riskcalc.lowering.multiprecision import Multiprecision
from riskcalc.lowering.state import State
from riskcalc.problems import LinearGaussian
from riskcalc.theory import masks
from riskcalc.theory.symbols import m, omega, s

SYSTEM = Multiprecision(60)
EQUAL = mpf(10) ** -40
Records = Mapping[str, Formula]


@cache
def states() -> dict[str, State]:
    """Solved regimes by the kind of mask that the state holds ("dense" has none, "small" the fit on the best)."""
    problem = LinearGaussian(
        aspect_ratio=["3/2", "5/2", "7/10", "12/5"],
        eigenvalues=[["7/2", "5/4", "1/3"], [9, 2, "1/2"], [4, 1, "1/5"], ["11/4", "4/3", 0]],
        signal=[["2/3", "3/2", "5/3"], [1, "1/2", "7/3"], ["4/3", 1, "1/2"], ["3/4", 2, 1]],
        weights=[["1/5", "3/10", "1/2"], ["1/4", "1/4", "1/2"], ["1/10", "2/5", "1/2"], ["3/10", "1/2", "1/5"]],
        noise_variance=["1/4", "2/5", "1/3", "3/7"],
        ridge=["1/7", 0, "2/9", "1/5"],
        penalty=[[1, "3/2", "2/3"], [1, 1, 1], ["1/2", 2, 1], [1, "4/3", 3]],
    )
    keep = exact_array(["7/25", "7/20", "1/4", "3/5"], "keep")
    found: dict[str, State] = {}
    with SYSTEM.precision():
        (chunk,) = chunks(problem, keep, SYSTEM)
        models = evaluate_chunk(chunk, ("dense", "small", "magnitude", "hessian", "oracle", "random"), SYSTEM)
        dense = models["dense"]
        assert dense.training_error is not None
        found["dense"] = dense.fit.state | {
            "excess_risk": dense.excess_risk,
            "training_error": dense.training_error,
            "live_excess": _live(chunk.state) - chunk.state["alpha"],
        }
        for name in ("magnitude", "hessian", "oracle", "random"):
            (group,) = models[name].groups
            found[name] = group.state
        for name, weight in masks.SCORE_WEIGHTS.items():
            where = masks.COEFFICIENT | {omega: weight} | masks.SCORE
            scores = lower((m, s, omega), where, SYSTEM)(found[name])
            found[name] |= dict(zip(("m", "s", "omega"), scores, strict=True))
            found[name]["omega"] = found[name]["omega"] + 0 * scores[0]
        small = models["small"]
        found["small"] = small.groups[0].state | {
            "fit_excess_risk": small.fit.excess_risk,
            "gamma": small.fit.state["gamma"],
        }
    return found


def _live(state: State) -> np.ndarray:
    return (state["weights"] * (state["Lambda"] > 0)).sum(axis=-1, keepdims=True)


def value(expression: Expression, where: Definitions, state: State) -> Any:
    """An expression at 60 digits."""
    return lower((expression,), where, SYSTEM, scalar_output=True)(state)


def same(one: Any, other: Any, within: Any = EQUAL) -> bool:
    """Whether two arrays agree in every entry, relative to the larger; nan agrees with nothing."""
    gap, size = np.abs(one - other), np.maximum(np.abs(one), np.abs(other))
    return bool(np.all((gap <= within * size) | (gap <= within * within)))


# Which solved state a record is evaluated in, by the start of its id.
_STATES = {
    "dense": "dense",
    "masks.threshold": "magnitude",
    "masks.lag": "lag",
    "pruning.magnitude": "magnitude",
    "pruning.hessian": "hessian",
    "pruning.ranking": "oracle",
    "pruning.random": "random",
    "small_model": "small",
}


def state_of(id: str) -> State:
    """The solved state for a record."""
    kind = _STATES[max((prefix for prefix in _STATES if id.startswith(prefix)), key=len)]
    if kind == "lag":
        numbers = {"B_pivot": "5/3", "abar_pivot": "2/7", "omega_pivot": "8/5", "omega": "6/7"}
        return states()["dense"] | {name: np.array([[_number(x)]]) for name, x in numbers.items()}
    return states()[kind]


def forms_agree(formula: Formula) -> bool:
    """The statement is the evaluation form."""
    if formula.evaluation is None or isinstance(formula, FixedPoint):
        return True
    where = masks.RANKING_MOMENTS | dict(formula.where)  # a small model's mask is a ranking
    state, statement = state_of(formula.id), replace(formula, evaluation=None)
    return same(value(statement.reduced(), where, state), value(formula.reduced(), where, state))


def root_solves(formula: FixedPoint) -> bool:
    """The solved root satisfies the statement and the balance; the terms are complements and derivatives."""
    state = state_of(formula.id)
    solvable = np.flatnonzero((state[str(formula.defines)] > 0)[:, 0])
    state = {name: array[solvable] if len(array) > 1 else array for name, array in state.items()}

    def at(expression: Expression, step: Any = 0) -> Any:
        moved = {str(formula.defines): state[str(formula.defines)] * mp.exp(step)}
        return value(expression, formula.where, state | moved)

    h = mpf(10) ** -20
    residual = at(formula.statement.lhs) - at(formula.statement.rhs)
    one = at(formula.part) * 0 + 1
    small = mpf(10) ** -30
    return (
        bool(np.all(np.abs(residual) < EQUAL))
        and bool(np.all(np.abs(at(formula.mismatch)) < EQUAL))
        and same(at(formula.part) + at(formula.remainder), one)
        and same((at(formula.part, -h) - at(formula.part, h)) / (2 * h), at(formula.slope), small)
        and same((at(formula.slope, h) - at(formula.slope, -h)) / (2 * h), at(formula.bend), small)
        and all(
            same(at(rate), at(formula.slope) / at(side))
            for rate, side in zip(formula.rates, (formula.part, formula.remainder), strict=False)
        )
    )


def bounds_hold(records: Records) -> bool:
    """Each bound is on its side of the root, and sharp where it is said to be."""
    dense, scored = states()["dense"], states()["magnitude"]
    ridged = np.flatnonzero((dense["nu"] > 0)[:, 0])
    upper, lower_ = (records[f"dense.effective_ridge_{side}"].reduced() for side in ("upper", "lower"))
    if not np.all((value(lower_, {}, dense) <= dense["nu"])[ridged] & (dense["nu"] <= value(upper, {}, dense))[ridged]):
        return False
    single = _one_atom()
    if not (same(value(lower_, {}, single), single["nu"]) and same(value(upper, {}, single), single["nu"])):
        return False
    upper, lower_ = (records[f"masks.threshold_{side}"].reduced() for side in ("upper", "lower"))
    if not np.all(value(lower_, {}, scored) <= scored["t"]):
        return False
    if not np.all(scored["t"] <= value(upper, {}, scored).max(axis=-1, keepdims=True)):
        return False
    return _sharp_tail(upper) and _sharp_center(lower_)


def _one_atom() -> State:
    """A dense fit of one kind of features, and features without variance: nu solves a quadratic."""
    q = {
        name: _number(x) for name, x in {"kappa": "7/3", "ridge": "2/5", "l": "5/4", "live": "3/4", "D": "4/3"}.items()
    }
    excess = q["kappa"] * q["live"] - 1
    b = q["l"] * excess + q["ridge"]
    nu = (b + mp.sqrt(b**2 + 4 * q["ridge"] * q["l"])) / 2
    scalars = {"kappa": q["kappa"], "ridge": q["ridge"], "excess": excess, "nu": nu, "total": mpf(1)}
    law = {"Lambda": [q["l"] * q["D"], mpf(0)], "D": [q["D"], mpf(2)], "weights": [q["live"], 1 - q["live"]]}
    return {name: np.array([[x]]) for name, x in scalars.items()} | {name: np.array([x]) for name, x in law.items()}


def _scored(mean: Any, spread: Any, **scalars: Any) -> State:
    atoms = {"m": mean, "s": spread, "Lambda": mpf(1), "weights": mpf(1), "total": mpf(1)}
    return {name: np.array([[x]]) for name, x in (atoms | scalars).items()}


def _sharp_tail(upper: Expression) -> bool:
    """For a vanishing budget, the logarithm of the mass beyond the bound is that of the budget, to 2 %."""
    for mean in (mpf(0), mpf(7)):
        alpha = mpf(10) ** -400
        state = _scored(mean, _number("3/2"), alpha=alpha)
        t = value(upper, {}, state)[0, 0]
        beyond = (
            mp.erfc((t - mean) / (state["s"][0, 0] * mp.sqrt(2)))
            + mp.erfc((t + mean) / (state["s"][0, 0] * mp.sqrt(2)))
        ) / 2
        if not (0 < beyond < alpha and mp.log(beyond) / mp.log(alpha) < mpf("1.02")):
            return False
    return True


def _sharp_center(lower_: Expression) -> bool:
    """With nearly everything kept, the mass inside the bound of a score of mean zero is the mass to be dropped."""
    state = _scored(mpf(0), _number("3/2"), live_excess=mpf(10) ** -12)
    law = {
        "s": ["3/2", "1/3", "1e-100"],  # the last has no variance, and no part in the bound
        "m": ["0", "0", "0"],
        "Lambda": ["1", "2", "0"],
        "weights": ["1/4", "1/2", "1/4"],
    }
    state |= {name: np.array([[_number(x) for x in atoms]]) for name, atoms in law.items()}
    t = value(lower_, {}, state)
    live = list(zip(state["weights"][0], state["s"][0], strict=True))[:2]
    inside = sum(w * mp.erf(t[0, 0] / (spread * mp.sqrt(2))) for w, spread in live)
    return bool(abs(inside / state["live_excess"][0, 0] - 1) < mpf(10) ** -6)


def _number(text: str) -> Any:
    return SYSTEM.number(np.array([[Fraction(text)]], dtype=object))[0, 0]


def coefficients_give_the_risk(records: Records) -> bool:
    """The law of the coefficients gives back the dense risk."""
    law, dense = records["dense.coefficient_risk"], states()["dense"]
    return same(value(law.reduced(), law.where, dense), dense["gamma"])


def least_squares_slack(records: Records) -> bool:
    """At nu = 0 the slack is one minus kappa times the mean shrinkage, all of one."""
    slack, least = records["dense.slack"], records["dense.least_squares_slack"]
    state = states()["dense"] | {"nu": 0 * states()["dense"]["nu"]}
    live = state | {"Lambda": state["Lambda"] + 1, "excess": state["kappa"] - 1}
    statement = replace(slack, evaluation=None).reduced()
    return same(value(least.reduced(), least.where, live), value(statement, slack.where, live))


def every_mask_has_the_same_risk(records: Records) -> bool:
    """The risk of every kind of mask is the one statement about masks."""
    generic = records["pruning.risk"]
    return all(f.statement == generic.statement for id, f in records.items() if id.startswith("pruning."))


WHOLE: tuple[Callable[[Records], bool], ...] = (
    bounds_hold,
    coefficients_give_the_risk,
    least_squares_slack,
    every_mask_has_the_same_risk,
)


def failures(records: Records, changed: Iterable[str]) -> list[str]:
    """The identities that a set of records violates, by name; only `changed` records can violate their own."""
    found = []
    with SYSTEM.precision():
        for formula in map(records.__getitem__, changed):
            if not forms_agree(formula):
                found.append(f"forms_agree({formula.id})")
            if isinstance(formula, FixedPoint) and not root_solves(formula):
                found.append(f"root_solves({formula.id})")
        found += [check.__name__ for check in WHOLE if not check(records)]
    return found
