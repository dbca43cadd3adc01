"""How many digits float64 keeps: random regimes against 50-digit arithmetic.

The full study, about eight minutes on two cores:  python tests/accuracy.py --regimes 20000
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

import riskcalc as rc

# The largest relative errors allowed: a few roundings for roots and the dense risk, more for tails.
LIMITS = {"nu": 1e-14, "gamma": 1e-14, "magnitude_t": 1e-14, "hessian_t": 1e-14} | {
    f"{policy}_risk": 1e-12 for policy in ("magnitude", "hessian", "oracle", "random", "small")
}


@dataclass(frozen=True)
class Regimes:
    """Problems with the same number of atoms, and a budget for each."""

    problem: rc.LinearGaussian
    keep: np.ndarray


def random_regimes(rng: np.random.Generator, count: int, atoms: int) -> Regimes:
    """Regimes spread over the hard corners.

    Eight decades of eigenvalues and some zeros, aspect ratios near one, budgets that are exact partial sums of the
    weights, noise and ridge down to nothing.
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
    problem = rc.LinearGaussian(
        aspect_ratio=aspect_ratio,
        eigenvalues=eigenvalues,
        signal=signal,
        weights=weights,
        noise_variance=noise,
        ridge=ridge,
    )
    return Regimes(problem, keep)


def answers(regimes: Regimes, digits: int | None) -> dict[str, np.ndarray]:
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


def relative_errors(regimes: Regimes) -> dict[str, np.ndarray]:
    """Relative errors of float64 against 50 digits; inf where the two differ in status."""
    fast, exact = answers(regimes, None), answers(regimes, 50)
    errors = {}
    for name in LIMITS:
        status = f"{name.rsplit('_', 1)[0]}_status" if "_" in name else "dense_status"
        error = []
        for a, b, s, r in zip(fast[name], exact[name], fast[status], exact[status], strict=True):
            same = a == b or (a != a and b != b)
            error.append(0.0 if same and s == r else np.inf if s != r or b == 0 else float(abs(a - b) / abs(b)))
        errors[name] = np.array(error)
    return errors


def _block(task: tuple[int, int, int]) -> dict[str, np.ndarray]:
    seed, count, atoms = task
    return relative_errors(random_regimes(np.random.default_rng([seed, atoms]), count, atoms))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regimes", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    size = 50
    tasks = [(options.seed + i, size, 1 + i % 8) for i in range(-(-options.regimes // size))]
    with ProcessPoolExecutor() as pool:
        blocks = list(pool.map(_block, tasks))
    print(f"{sum(len(block['nu']) for block in blocks)} regimes; largest relative error of float64 against 50 digits")
    for name, limit in LIMITS.items():
        errors = np.concatenate([block[name] for block in blocks])
        worst = tasks[int(errors.argmax()) // size], int(errors.argmax()) % size
        print(f"{name:16s} {errors.max():8.1e}  limit {limit:.0e}  above it {np.sum(errors > limit):5d}  worst {worst}")


if __name__ == "__main__":
    main()
