"""A fixed sample of the accuracy study: float64 against 50 digits (the whole of it: tests/accuracy.py)."""

import pytest
from accuracy import LIMITS, random_regimes, relative_errors
from numpy.random import default_rng


@pytest.mark.parametrize("atoms", range(1, 9))
def test_float64_keeps_its_digits(atoms: int):
    errors = relative_errors(random_regimes(default_rng([2026, atoms]), 40, atoms))
    for name, limit in LIMITS.items():
        assert errors[name].max() <= limit, name


def test_the_study_would_notice():
    """An answer off by one part in 10^12 is outside the limits of the roots."""
    regimes = random_regimes(default_rng([1, 3]), 5, 3)
    off = type(regimes)(regimes.problem, regimes.keep * (1 + 1e-10))
    from accuracy import answers

    moved, exact = answers(off, None)["magnitude_t"], answers(regimes, 50)["magnitude_t"]
    assert max(abs(a - b) / b for a, b in zip(moved, exact, strict=True)) > LIMITS["magnitude_t"]
