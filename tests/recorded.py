"""What riskcalc/lowering/recorded.json holds, made by one command, after formulas have changed or others are asked for.

python tests/recorded.py        # some ten seconds
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import sympy

import riskcalc as rc
from riskcalc.expressions import Expression
from riskcalc.lowering import evaluator as evaluators
from riskcalc.lowering.compile import lower
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.recorded import FILE, follows_from, recorded
from riskcalc.policies import POLICIES, Policy, Ranking
from riskcalc.policies.base import rankings
from riskcalc.prediction.predict import evaluate
from riskcalc.references import found

REFITS = (None, rc.Retrain(), rc.Retrain(sample="fresh"))
TWO = {"eigenvalues": [25, 1], "signal": 1, "weights": [".1", ".9"]}
# One for each way in which a fit, its masks and its errors come about.
PROBLEMS = {
    "many": rc.LinearGaussian(aspect_ratio=2, noise_variance=1, **TWO),
    "few": rc.LinearGaussian(aspect_ratio=".5", noise_variance=1, **TWO),
    "ridge": rc.LinearGaussian(aspect_ratio=2, noise_variance=1, ridge=1, penalty="natural", **TWO),
    "negative ridge": rc.LinearGaussian(aspect_ratio=3, noise_variance=1, ridge="-1/1000", **TWO),
    "counts": rc.LinearGaussian(n_samples=80, n_features=40, noise_variance=1, **TWO),
    "no error": rc.LinearGaussian(aspect_ratio=".5", **TWO),
    "no variance": rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1, 0], signal=1, noise_variance=1),
    "nothing": rc.LinearGaussian(aspect_ratio=2, eigenvalues=0, signal=1, noise_variance=1),
    "unlike": rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1, 1], signal=[1, 2, -1], noise_variance=1),
    "sharp": rc.LinearGaussian(
        aspect_ratio=".5", eigenvalues=[4, 1], signal=1, weights=["1/4", "3/4"], noise_variance="1e-12"
    ),
    "steep": rc.LinearGaussian(aspect_ratio="1.000001", noise_variance="1e-6", ridge="1e-9", **TWO),
    "many features": rc.LinearGaussian(
        aspect_ratio=2, law=rc.laws.Empirical(np.linspace(1, 2, 20_000), np.ones(20_000)), noise_variance=1
    ),
    "correlated": rc.Correlated(np.eye(8) + 0.3, np.arange(8.0), 6, noise_variance=1, ridge=1),
    "correlated, few": rc.Correlated(np.eye(8) + 0.3, np.arange(8.0), 20, noise_variance=1),
    "unequal rows": rc.LinearGaussian(aspect_ratio=2, noise_variance=1, ridge=1, row_variances=[4, 1, 0], **TWO),
    "unequal rows, no ridge": rc.LinearGaussian(aspect_ratio=2, noise_variance=1, row_variances=[4, 1], **TWO),
    **{
        f"{activation} features": rc.RandomFeatures(
            activation, n_inputs=20, n_features=40, n_samples=30, noise_variance=1, nodes=8
        )
        for activation in ("relu", "erf", "sign", "linear")
    },
    "generic": rc.LinearGaussian(aspect_ratio=3, noise_variance=1, ridge="1/5", basis="generic", **TWO),
    "generic, no ridge": rc.LinearGaussian(aspect_ratio="5/2", noise_variance=1, basis="generic", **TWO),
    "generic, few": rc.LinearGaussian(
        aspect_ratio="3/5", eigenvalues=[4, 1, 0], signal=1, noise_variance=1, basis="generic"
    ),
    **{
        f"a table, {kind}": rc.Table(np.vander(np.cos(np.arange(24)), 9)[:, :8], np.arange(24) % 5, n, ridge=ridge)
        for kind, n, ridge in (("ridge", 10, ".1"), ("few", 14, 0), ("many", 5, 0))
    },
    "one factor": rc.RankOne([2, 1, 1, 1] * 2, [1, 1, 0, -1] * 2, 20, noise_variance=1),
}


def policies(keep: Any) -> Iterator[Policy]:
    """Every registered policy whose mask is written in formulas of ours, with all its choices."""
    values = {bool: (False, True), int: (2,), Ranking: tuple(rankings().values())}
    for kind in POLICIES.values():
        names = [option.name for option in kind.choices]
        kinds = [option.kind for option in kind.choices]
        if not {list, tuple, Expression} & {*kinds}:
            for chosen in product(*(values[one] for one in kinds)):
                yield kind(**dict(zip(names, chosen, strict=True)), keep=keep)


def asked() -> Evaluator:
    """What evaluates formulas in double precision, after everything was asked of it, and nothing else."""
    evaluators._plain.cache_clear()
    for problem in PROBLEMS.values():
        for keep in ("1/4", "1/2", 1) if problem.n_atoms < 10 else ("1/4",):
            pruned = [rc.Procedure(policy, refit) for policy in policies(keep) for refit in REFITS]
            small = [rc.Procedure.small(keep, by=kind) for kind in (rc.Oracle, rc.Variance, rc.Random)]
            for procedure, prediction in evaluate(problem, [rc.Procedure(), *small, *pruned], covered=True).items():
                if procedure.retrain is None or procedure.is_small:  # masks are the same for all refits
                    _ = prediction.kept
    for ranking in rankings().values():
        if ranking.again:
            rounds = rc.Iterative(ranking, [".6", ".3", ".2"])
            evaluate(PROBLEMS["many"], [rc.Procedure(rounds, refit) for refit in REFITS])
    return evaluators.evaluator(FLOAT64, {})


def code(text: str) -> dict[str, Any]:
    """What is recorded of expressions, the definitions that they share, and of which of them sizes are told."""
    expressions, where, sized, inexact = found(text)
    lowered = lower(expressions, where, FLOAT64, sized=sized, inexact=inexact)
    law, value = (None if names is None else list(names) for names in (lowered.law_inputs, lowered.value_inputs))
    return {"law": law, "value": value, "source": lowered.source.splitlines()}


def made(facts: Any, texts: Any) -> dict[str, Any]:
    """The file, of facts and code of these texts."""
    return {
        "follows_from": follows_from(),
        "sympy": sympy.__version__,
        "facts": {text: found(text) for text in sorted(facts)},
        "code": {text: code(text) for text in sorted(texts)},
    }


def main() -> None:
    work = asked()
    FILE.write_text(json.dumps(made(work.facts, {text for text, _ in work.lowered}), indent=1) + "\n", encoding="utf-8")
    recorded.cache_clear()
    print(f"wrote {FILE}: {len(recorded().code)} pieces of code")


if __name__ == "__main__":
    main()
