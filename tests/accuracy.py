"""How many digits float64 keeps: every policy, retrained or not, in random regimes, against 50 digits.

Either every number of a prediction is within what its status promises, or the status says that it is imprecise.

The full study, 4,000 regimes of every policy and second fit:  python tests/accuracy.py --regimes 4000
Groups take long in 50 digits:  python tests/accuracy.py --regimes 40 --policy "group hessian"
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from helpers import examples

import riskcalc as rc
from riskcalc.policies import Procedure, Retrain
from riskcalc.prediction.predict import evaluate
from riskcalc.prediction.status import MOST_ROUNDING

DIGITS = 50
# What an ok status promises of the test risk, its parts and the training error.
QUANTITIES = ("risk", "excess_risk", "misfit", "training_error", "dense_risk", "distortion")
# The largest relative errors of what is solved for, and of risks that no memory of the first fit changes.
ROOTS, RISKS = 1e-14, 1e-12
RETRAINED = {
    "": None,
    "+retrain": Retrain(),
    "+retrain, ridge": Retrain("1/100"),
    "+fresh": Retrain(sample="fresh"),
    "+fresh, ridge": Retrain("1/100", "fresh"),
}
# Groups take long in many digits, and are asked for by name; rounds are integrals in double precision.
SLOW = ("group", "iterative")
SIZE = 25  # regimes of a task
TINY = 1e-250  # tails below this are nothing to double precision


@dataclass(frozen=True)
class Regimes:
    """Problems with the same number of atoms, and a budget for each."""

    problem: rc.LinearGaussian
    keep: np.ndarray


def random_regimes(rng: np.random.Generator, count: int, atoms: int, hard: bool = False) -> Regimes:
    """Regimes spread over the hard corners.

    Eight decades of eigenvalues and some zeros, aspect ratios near one, budgets that are exact partial sums of the
    weights, noise and ridge down to nothing. `hard` are also budgets next to nothing and to everything, or to the
    threshold, and signals far above the noise.
    """
    eigenvalues = 10 ** rng.uniform(-4, 4, (count, atoms)) * (rng.random((count, atoms)) > 0.05)
    signal = rng.choice([0.0, 1.0, -1.0], (count, atoms), p=[0.1, 0.6, 0.3]) * 10 ** rng.uniform(-2, 1, (count, atoms))
    weights = rng.dirichlet(np.ones(atoms), count)
    near_one = 1 + rng.choice([-1.0, 1.0], count) * 10 ** rng.uniform(-12, -1, count)
    aspect_ratio = np.where(rng.random(count) < 0.3, near_one, 10 ** rng.uniform(np.log10(0.05), 2, count))
    noise = np.where(rng.random(count) < 0.3, 0.0, 10 ** rng.uniform(-12, 1, count))
    ridge = np.where(rng.random(count) < 0.5, 0.0, 10 ** rng.uniform(-10, 1, count))
    keep = np.where(rng.random(count) < 0.5, 10 ** rng.uniform(-4, -0.0005, count), rng.uniform(1e-4, 0.999, count))
    partial = np.cumsum(np.take_along_axis(weights, rng.permuted(np.tile(np.arange(atoms), (count, 1)), axis=1), 1), 1)
    chosen = partial[np.arange(count), rng.integers(atoms, size=count)]
    keep = np.where((rng.random(count) < 0.25) & (chosen > 1e-4) & (chosen < 0.999), chosen, keep)
    if hard:
        edge, at = 10 ** rng.uniform(-10, -2, count), rng.random(count)
        threshold = np.minimum((1 + rng.choice([-1.0, 1.0], count) * edge) / aspect_ratio, 1)
        keep = np.select([at < 0.15, at < 0.3, at < 0.45], [edge, 1 - edge, threshold], keep)
        signal = signal * np.where(rng.random(count) < 0.1, 10 ** rng.uniform(0, 9, count), 1)[:, None]
    problem = rc.LinearGaussian(
        aspect_ratio=aspect_ratio,
        eigenvalues=eigenvalues,
        signal=signal,
        weights=weights,
        noise_variance=noise,
        ridge=ridge,
    )
    return Regimes(problem, keep)


def answers(regimes: Regimes, digits: int | None) -> dict[str, Any]:
    """Roots, risks and statuses of a set of regimes."""
    comparison = rc.compare(regimes.problem, keep=regimes.keep, digits=digits)
    dense = comparison.predictions["dense"]
    found = {"nu": dense.effective_ridge, "gamma": dense.risk}
    for name in ("magnitude", "hessian"):
        found[f"{name}_t"] = comparison.predictions[name].threshold
    for name in ("magnitude", "hessian", "oracle", "random", "small"):
        found[f"{name}_risk"] = comparison.predictions[name].risk
        found[f"{name}_status"] = comparison.predictions[name].status
    return found | {"dense_status": dense.status}


LIMITS = dict.fromkeys(("nu", "gamma", "magnitude_t", "hessian_t"), ROOTS) | {
    f"{policy}_risk": RISKS for policy in ("magnitude", "hessian", "oracle", "random", "small")
}


def relative(one: Any, exact: Any) -> np.ndarray:
    """Relative errors of floats against many digits; inf where one of the two is no number."""

    def error(a: Any, b: Any) -> float:
        if a == b or (a != a and b != b):
            return 0.0
        return np.inf if a != a or b != b else abs(a - b) / max(abs(b), TINY)

    return np.array([float(error(a, b)) for a, b in zip(np.ravel(one), np.ravel(exact), strict=True)])


def relative_errors(regimes: Regimes) -> dict[str, np.ndarray]:
    """Relative errors of float64 against 50 digits; inf where the two differ in status."""
    fast, exact = answers(regimes, None), answers(regimes, DIGITS)
    errors = {}
    for name in LIMITS:
        status = f"{name.rsplit('_', 1)[0]}_status" if "_" in name else "dense_status"
        agree = np.isin(fast[status], ["imprecise"]) | (fast[status] == exact[status])
        errors[name] = np.where(agree, relative(fast[name], exact[name]), np.inf)
    return errors


def procedures(keep: np.ndarray, names: list[str] | None = None) -> dict[str, Procedure]:
    """Every policy with every second fit, or those that are named; and the small model and the dense fit."""
    found = {}
    for name, made in examples().items():
        if name.startswith(SLOW) if names is None else name not in names:
            continue
        rule = made("1/2").at(keep=keep)
        found |= {f"{name}{after}": Procedure(rule, again) for after, again in RETRAINED.items()}
    if names is None:
        found |= {"small": Procedure.small(keep), "dense": Procedure()}
    return found


@dataclass
class Tally:
    """What was found of one model.

    `worst` are the largest errors by quantity where the status is ok; `broken` the regimes in which an ok status does
    not hold what it promises, or the statuses differ; `needless` how often imprecise was said of numbers that are
    within the bound.
    """

    regimes: int = 0
    imprecise: int = 0
    needless: int = 0
    worst: dict[str, float] = field(default_factory=dict)
    broken: list[tuple[Any, str, float]] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)

    def add(self, other: Tally) -> Tally:
        """Both together."""
        worst = {name: max(self.worst.get(name, 0), other.worst.get(name, 0)) for name in self.worst | other.worst}
        return Tally(
            self.regimes + other.regimes,
            self.imprecise + other.imprecise,
            self.needless + other.needless,
            worst,
            self.broken + other.broken,
            self.statuses + other.statuses,
        )


def tally(fast: rc.Prediction, exact: rc.Prediction, place: Any = None) -> Tally:
    """One model in float64 beside the same in many digits."""
    status, right = np.ravel(fast.status), np.ravel(exact.status)
    imprecise, ok = status == "imprecise", status == "ok"
    found = Tally(len(status), int(imprecise.sum()), statuses=Counter(right.tolist()))
    for i in np.flatnonzero((status != right) & ~(imprecise & (right == "ok"))):
        found.broken.append(((place, int(i)), f"{status[i]}, not {right[i]}", np.inf))
    largest = np.zeros(len(status))
    for name in QUANTITIES:
        one, other = getattr(fast, name), getattr(exact, name)
        if one is None:
            continue
        errors = relative(one, other)
        found.worst[name] = float(errors[ok & (right == "ok")].max(initial=0))
        largest = np.maximum(largest, errors)
        for i in np.flatnonzero(ok & (right == "ok") & (errors > MOST_ROUNDING)):
            found.broken.append(((place, int(i)), name, float(errors[i])))
    found.needless = int((imprecise & (largest <= MOST_ROUNDING)).sum())
    return found


def tallies(regimes: Regimes, names: list[str] | None = None, place: Any = None) -> dict[str, Tally]:
    """Every model in these regimes; those that many digits do not cover are left out."""
    asked = procedures(regimes.keep, names)
    found = {}
    fast = evaluate(regimes.problem, asked.values(), covered=True)
    exact = evaluate(regimes.problem, asked.values(), DIGITS, covered=True)
    for name, one in asked.items():
        if one in fast and one in exact:
            found[name] = tally(fast[one], exact[one], place)
    return found


def _block(task: tuple[int, int, int, list[str] | None]) -> dict[str, Tally]:
    seed, count, atoms, names = task
    rng = np.random.default_rng([seed, atoms])
    return tallies(random_regimes(rng, count, atoms, hard=True), names, (seed, atoms))


def table(found: dict[str, Tally]) -> str:
    """Worst errors by quantity, and how often imprecise is said."""
    rows = ["| model | " + " | ".join(name.replace("_", " ") for name in QUANTITIES) + " | imprecise | needless |"]
    rows.append("|---" * (len(QUANTITIES) + 3) + "|")
    for name, one in found.items():
        cells = [f"{one.worst[quantity]:.0e}" if quantity in one.worst else "" for quantity in QUANTITIES]
        shares = [f"{100 * count / one.regimes:.2g} %" for count in (one.imprecise, one.needless)]
        rows.append(f"| {name} | {' | '.join([*cells, *shares])} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regimes", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--policy", action="append", help="One of the examples of policies; all if left out.")
    options = parser.parse_args()
    size = min(SIZE, options.regimes)
    tasks = [(options.seed + i, size, 1 + i % 8, options.policy) for i in range(-(-options.regimes // size))]
    found: dict[str, Tally] = {}
    began = time.monotonic()
    with ProcessPoolExecutor(options.workers) as pool:
        for done, block in enumerate(pool.map(_block, tasks), 1):
            found |= {name: found.get(name, Tally()).add(one) for name, one in block.items()}
            spent = time.monotonic() - began
            left = spent / done * (len(tasks) - done)
            print(f"\r{done * size} regimes, {spent:.0f} s, {left:.0f} s left ", end="", file=sys.stderr, flush=True)
    print(f"\n{len(tasks) * size} regimes; largest relative errors against {DIGITS} digits where the status is ok")
    print(table(found))
    broken = [(name, *each) for name, one in found.items() for each in one.broken]
    print(f"\n{len(broken)} broken promises (an error above {MOST_ROUNDING:g} with the status ok, or another status)")
    for each in broken[:40]:
        print(*each)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
