"""The power of the checks: which mutants of the formulas do derivations, limits, quadrature and simulation catch?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri
from sympy import S

from riskcalc.derivation.checks import Enclosed
from riskcalc.derivation.claims import Equal, Less
from riskcalc.derivation.run import background_of, derive
from riskcalc.exact import as_float
from riskcalc.formulas.expectation import E
from riskcalc.formulas.nodes import positive
from riskcalc.formulas.records import Formula
from riskcalc.inert import signed
from riskcalc.policies import (
    BrainSurgeon,
    Group,
    Hessian,
    Magnitude,
    Optimal,
    Oracle,
    Policy,
    Procedure,
    Random,
    Retrain,
    Sampled,
)
from riskcalc.power.derivations import refusals
from riskcalc.power.mutation import Mutant, mutants
from riskcalc.prediction.predict import evaluate
from riskcalc.problems import LinearGaussian
from riskcalc.results.tables import Column, Part, Shown, Table
from riskcalc.simulation.progress import Progress
from riskcalc.simulation.simulate import make_plan, run_trials
from riskcalc.simulation.workers import process_pool, processors, run_all
from riskcalc.theory import REGISTRY
from riskcalc.theory.symbols import Lambda
from riskcalc.verification.equivalence import extrapolate

ROUNDING = 1e-10
RULES: tuple[type[Policy], ...] = (Magnitude, Hessian, Oracle, Random)

# Regimes of three atoms: below, above and far above one feature per sample; with ridge, noise and penalty, and
# without. Weights and budgets times the smallest sample are whole numbers, so that every size has the same law.
ASPECT_RATIOS = np.array([0.5, 2.0, 5.0, 2.0])
EIGENVALUES = np.array([[4.0, 1.0, 0.25], [9.0, 2.0, 0.5], [6.0, 1.5, 0.5], [3.0, 1.0, 0.4]])
SIGNAL = np.array([[1.0, 1.5, 0.5], [0.5, 1.0, 2.0], [1.0, 0.5, 1.5], [2.0, 0.5, 1.0]])
WEIGHTS = np.array([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5], [0.2, 0.4, 0.4], [0.1, 0.4, 0.5]])
NOISE = np.array([0.5, 0.25, 0.0, 0.3])
RIDGE = np.array([0.0, 0.0, 0.0, 0.3])
PENALTY = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 0.5], [1.0, 1.0, 1.0], [0.5, 1.0, 2.0]])
REGIMES: dict[str, Any] = {
    "aspect_ratio": ASPECT_RATIOS,
    "eigenvalues": EIGENVALUES,
    "signal": SIGNAL,
    "weights": WEIGHTS,
    "noise_variance": NOISE,
    "ridge": RIDGE,
    "penalty": PENALTY,
}
KEEP = np.array([0.3, 0.2, 0.1, 0.25])
# Budgets near the interpolation threshold of a second fit, where retraining on the same sample differs most from
# retraining on a fresh one: 0.45, 0.7, 1.4 and 1.4 features kept per sample.
NEAR = np.array([0.9, 0.35, 0.28, 0.7])
SAMPLES = 40
TRIALS = (8192, 4096, 2048)
# A prediction is contradicted beyond so many standard errors, and what a line in 1/n leaves out (relative).
SIGMAS = 5.0
FINITE_SIZE = 0.004
# What trying a mutant takes, more or less.
SECONDS = 2.0
# What evaluating a wrong formula may raise.
FAILURES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def regimes(**changes: Any) -> LinearGaussian:
    """The regimes as one batch, some arguments changed."""
    return LinearGaussian(**(REGIMES | changes))


Records = Mapping[str, Formula]


def models(keep: Any, near: Any) -> dict[str, Procedure]:
    """The models that are predicted and simulated."""
    found = {"dense": Procedure()} | {rule.name: Procedure(rule(keep=keep)) for rule in RULES}
    found |= {f"{rule.name}, fresh": Procedure(rule(keep=keep), Retrain(sample="fresh")) for rule in RULES}
    sample_rules = [rule for rule in RULES if rule.sees_fit]
    found |= {f"{rule.name}, near": Procedure(rule(keep=near)) for rule in sample_rules}
    found |= {f"{rule.name}, same": Procedure(rule(keep=near), Retrain()) for rule in sample_rules}
    others: tuple[Policy, ...] = (BrainSurgeon(keep), Sampled(keep), Sampled(keep, replacement=True), Optimal(keep))
    found |= {policy.kind: Procedure(policy) for policy in (*others, Group(2, keep=keep))}
    return found | {"small": Procedure.small(keep)}


def risks(
    problem: LinearGaussian, keep: Any = KEEP, near: Any = NEAR, records: Records = REGISTRY
) -> dict[str, np.ndarray]:
    """Predicted test risk, the same from its excess, and training error of every model."""
    asked, noise = models(keep, near), as_float(problem.noise_variance)
    predictions = evaluate(problem, asked.values(), records=records)
    found: dict[str, np.ndarray] = {}
    for name, procedure in asked.items():
        one = predictions[procedure]
        found |= {name: np.asarray(one.risk), f"{name}, training": np.asarray(one.training_error)}
        found[f"{name}, excess"] = np.asarray(one.excess_risk) + noise
    return found


@dataclass(frozen=True)
class Witness:
    """Simulated risks extrapolated to infinite size, with their standard errors; arrays by model, one per regime."""

    means: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]


def simulate_regimes(trials: Sequence[int] = TRIALS, workers: int | None = None, progress: bool = False) -> Witness:
    """The empirical witness for the regimes. Knows no formula."""
    limits = []
    for i in range(len(KEEP)):
        problem = LinearGaussian(**{name: values[i] for name, values in REGIMES.items()})
        asked = models(KEEP[i], NEAR[i])
        sizes, columns, spreads = [], [], []
        for rung, count_of in enumerate(trials):
            plan = make_plan(problem, list(asked.values()), SAMPLES * 2**rung)
            found = run_trials(plan, (0, i, rung), count_of, device="cpu", workers=workers, progress=progress)
            values = found.reshape(len(found), -1)
            sizes.append(plan.n_samples)
            columns.append(values.mean(axis=0))
            spreads.append(values.std(axis=0, ddof=1) / np.sqrt(len(values)))
        limits.append(extrapolate(np.array(sizes), np.array(columns), np.array(spreads)))
    names = [name for model in models(KEEP, NEAR) for name in (model, f"{model}, training")]
    means, errors = np.transpose([limit.value for limit in limits]), np.transpose([limit.error for limit in limits])
    return Witness(dict(zip(names, means, strict=True)), dict(zip(names, errors, strict=True)))


def contradicted(found: dict[str, np.ndarray], witness: Witness) -> list[str]:
    """The models whose predictions the simulation contradicts."""
    return [
        f"simulation({model})"
        for model, mean in witness.means.items()
        if not np.all(abs(found[model] - mean) <= SIGMAS * witness.errors[model] + FINITE_SIZE * (abs(mean) + 1e-9))
    ]


def violated(found: dict[str, np.ndarray], records: Records = REGISTRY) -> list[str]:
    """The limits and symmetries (T11) that predictions violate, given those of the regimes themselves."""
    null = NOISE + np.sum(WEIGHTS * EIGENVALUES * SIGNAL**2, axis=-1)
    everything = risks(regimes(), keep=np.ones(4), records=records)
    nothing = risks(regimes(), keep=np.full(4, 1e-9), records=records)
    spikes = risks(regimes(aspect_ratio=1e9), records=records)
    symmetries: dict[str, tuple[dict[str, np.ndarray], float]] = {
        "scaling the target": ({"signal": 2 * SIGNAL, "noise_variance": 4 * NOISE}, 4.0),
        "units of the features": (
            {"eigenvalues": 3 * EIGENVALUES, "signal": SIGNAL / np.sqrt(3), "ridge": 3 * RIDGE},
            1.0,
        ),
        "ridge times penalty": ({"penalty": 3 * PENALTY, "ridge": RIDGE / 3}, 1.0),
    }
    wrong = []
    for name, (changes, factor) in symmetries.items():
        other = risks(regimes(**changes), records=records)
        if any(not np.allclose(other[k], factor * found[k], rtol=ROUNDING, atol=1e-14) for k in found):
            wrong.append(name)
    whole, names = [rule.name for rule in RULES] + ["small"], models(KEEP, NEAR)
    limits = {
        "keeping everything": ([everything[k] for k in whole], everything["dense"], ROUNDING),
        "keeping nothing": ([nothing[k] for k in (*whole, "random, fresh")], null, 1e-3),
        "many features": (spikes["dense"], null, 1e-6),
        "excess risk": ([found[f"{k}, excess"] for k in names], [found[k] for k in names], ROUNDING),
        **_closed_forms(found, records),
    }
    wrong += [name for name, (one, other, rtol) in limits.items() if not np.allclose(one, other, rtol=rtol)]
    return wrong + _quadrature(records)


def _closed_forms(found: dict[str, np.ndarray], records: Records) -> dict[str, tuple[Any, Any, float]]:
    """Isotropic features (Hastie et al. 2022, Theorem 1 and Corollary 5), and least squares: found, expected, error."""
    ratio, noise, signal = np.array([0.4, 1.6, 3.0]), 0.7, 1.3
    flat = LinearGaussian(aspect_ratio=ratio, eigenvalues=1, signal=signal, noise_variance=noise)
    expected = noise + np.where(
        ratio < 1, noise * ratio / (1 - ratio), signal**2 * (1 - 1 / ratio) + noise / (ratio - 1)
    )
    dense = evaluate(flat, [Procedure()], records=records)[Procedure()]
    dropped = NOISE[0] + WEIGHTS[0, 2] * EIGENVALUES[0, 2] * SIGNAL[0, 2] ** 2
    dropped += (WEIGHTS[0, :2].sum() - KEEP[0]) * min(EIGENVALUES[0, :2] * SIGNAL[0, :2] ** 2)
    small = dropped / (1 - ASPECT_RATIOS[0] * KEEP[0])
    least = NOISE[0] * (1 - ASPECT_RATIOS[0])
    return {
        "isotropic risk": (dense.risk, expected, ROUNDING),
        "least squares": ([found["small"][0], found["dense, training"][0]], [small, least], ROUNDING),
    }


def _quadrature(records: Records) -> list[str]:
    """The mass kept by a threshold and the risk behind it, by midpoint sums over the normal variable."""
    points = ndtri((np.arange(20_000) + 0.5) / 20_000)
    wrong = []
    for kind, score in ((Magnitude, np.ones_like(EIGENVALUES)), (Hessian, np.sqrt(EIGENVALUES))):
        asked = Procedure(kind(keep=KEEP))
        prediction = evaluate(regimes(), [asked], records=records)[asked]
        nu, gamma, t = (
            np.asarray(x)[:, None] for x in (prediction.effective_ridge, prediction.dense_risk, prediction.threshold)
        )
        a = EIGENVALUES / (EIGENVALUES + PENALTY * nu)
        tau = np.sqrt(ASPECT_RATIOS[:, None] * gamma * EIGENVALUES) / (EIGENVALUES + PENALTY * nu)
        fitted = (a * SIGNAL)[..., None] + tau[..., None] * points
        mask = score[..., None] * abs(fitted) >= t[..., None]
        kept = np.sum(WEIGHTS * mask.mean(axis=-1), axis=-1)
        loss = EIGENVALUES * np.mean((SIGNAL[..., None] - mask * fitted) ** 2, axis=-1)
        risk = NOISE + np.sum(WEIGHTS * loss, axis=-1)
        if not (np.allclose(kept, KEEP, rtol=5e-4) and np.allclose(risk, prediction.risk, rtol=2e-3)):
            wrong.append(f"quadrature({kind.name})")
    return wrong


def caught_by(mutant: Mutant, witness: Witness) -> list[str]:
    """What catches a mutant, the quickest first: simulation, a derivation of its records, or limits and symmetries."""
    try:
        predicted = risks(regimes(), records=mutant.records)
    except FAILURES as error:
        return [f"{type(error).__name__} when evaluated"]
    beside = contradicted(predicted, witness)
    if beside:
        return beside
    refused = next(refusals(mutant.records, mutant.formulas), None)
    if refused is not None:
        return [refused]
    try:
        return violated(predicted, mutant.records)
    except FAILURES as error:
        return [f"{type(error).__name__} when evaluated"]


def equivalent(mutant: Mutant) -> bool:
    """Whether balls cannot tell the mutant from the original at 20 random points, where some feature has variance."""
    record = mutant.library.records[mutant.formulas[0]]
    sides = (form.lhs - form.rhs if form.is_Relational else form for form in (mutant.original, mutant.mutated))
    where = {symbol: rule for symbol, rule in record.where.items() if symbol != mutant.slot}
    live = Less(S.Zero, E(positive(Lambda)))
    return Enclosed(points=20).run(Equal(*sides), where, [live], background_of(mutant.library)).passed


@dataclass(frozen=True)
class Power(Shown):
    """How many mutants the checks catch. Prints as a table, the survivors below it.

    Attributes
    ----------
    caught : dict of str to list of str
        By mutant, in words: what caught it.
    survivors, equivalents : list of str
        Mutants that nothing caught; those that are equal to the original are listed apart and not counted.
    untried : int
        Mutants that an interrupt left.
    """

    caught: dict[str, list[str]]
    survivors: list[str]
    equivalents: list[str]
    untried: int = 0

    @property
    def fraction(self) -> float:
        """Of the mutants that are not equivalent, those caught."""
        return len(self.caught) / max(len(self.caught) + len(self.survivors), 1)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return signed({"fraction": self.fraction} | vars(self))

    def _parts(self) -> list[Part]:
        def kind(checks: list[str]) -> str:
            return checks[0].split("(")[0]

        kinds = Counter(map(kind, self.caught.values()))
        rows = [(name, str(count)) for name, count in kinds.most_common()]
        counted = len(self.caught) + len(self.survivors)
        lines = [f"{len(self.caught)} of {counted} mutants caught: {100 * self.fraction:.1f} %."]
        lines.append(f"{len(self.equivalents)} more are equal to the original and are not counted.")
        lines += [f"Interrupted: {self.untried} more were not tried."] if self.untried else []
        for title, which in (("Survivors:", self.survivors), ("Equivalent:", self.equivalents)):
            lines += [title, *(f"  {mutant}" for mutant in which)] if which else []
        return [Table("caught first by", (Column("check", words=True), Column("mutants")), rows), *lines]


def measure_power(workers: int | None = None, progress: bool = False) -> Power:
    """Put mutants of every registered formula before the derivations, limits and symmetries, and the simulation.

    Parameters
    ----------
    workers : int, optional
        Processes; as many as there are processors by default.
    progress : bool

    Raises
    ------
    ValueError
        If the checks refuse the formulas as they are.
    """
    wrong = [report.name for report in derive(workers=workers, progress=progress).reports if not report.passed]
    witness = simulate_regimes(workers=workers, progress=progress)
    found = risks(regimes())
    wrong += contradicted(found, witness) + violated(found)
    if wrong:
        raise ValueError(f"the formulas as they are fail {', '.join(wrong)}; no mutant was tried")
    return try_mutants(witness, workers=workers, progress=progress)


def try_mutants(witness: Witness, every: int = 1, workers: int | None = None, progress: bool = False) -> Power:
    """What catches every so-many-th mutant, if the checks pass the formulas as they are."""
    chosen = range(0, len(mutants()), every)
    executor = None if workers == 1 else process_pool(workers)
    size = 4
    tasks = [(chosen[i : i + size], witness) for i in range(0, len(chosen), size)]
    seconds = size * SECONDS / (1 if executor is None else workers or processors())
    shown = Progress(f"{len(chosen)} mutants" if progress else None, len(tasks), seconds)
    results = [result for part in run_all(tasks, _try_some, executor, shown, partial=True) for result in part]
    power = Power({}, [], [], len(chosen) - len(results))
    for name, checks, is_equivalent in results:
        if checks:
            power.caught[name] = checks
        else:
            (power.equivalents if is_equivalent else power.survivors).append(name)
    return power


def _try_some(which: range, witness: Witness) -> list[tuple[str, list[str], bool]]:
    results = []
    for mutant in (mutants()[i] for i in which):
        checks = caught_by(mutant, witness)
        results.append((str(mutant), checks, not checks and equivalent(mutant)))
    return results
