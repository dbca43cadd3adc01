"""Groups where foreign special functions gave up: almost nothing dropped, many members, strong signals."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest

import riskcalc as rc
from riskcalc.lowering import chi_squared
from riskcalc.lowering.multiprecision import Multiprecision, context


@pytest.mark.parametrize(
    ("size", "exponent", "given"),
    [
        (1, 7, (".416", 0.1, [0.498, 0.723], [1.207, 6.058])),
        (2, 9, (".867", 0.1, [2.477, 2.907], [7.378, 0.457])),
        (8, 10, ("1.01", 0, [0.387, 0.14], [0.19, 4.617])),
        (3, 14, ("2", 0.5, [1, 4], [0, 300])),
    ],
)
def test_almost_everything_is_kept(size: int, exponent: int, given: tuple):
    """In a batch every regime has its answer, near that of 30 digits; dropping almost nothing changes little.

    The training error of a fit that nearly interpolates may be imprecise, the risk is not.
    """
    kappa, noise, eigenvalues, signal = given
    problem = rc.LinearGaussian(aspect_ratio=kappa, eigenvalues=eigenvalues, signal=signal, noise_variance=noise)
    keep = [Fraction(1, 2), 1 - Fraction(1, 10**exponent)]
    found = rc.predict(problem, rc.Group(size, keep=keep))
    known = rc.predict(problem, rc.Group(size, keep=keep), digits=30)
    assert set(found.status) <= {"ok", "imprecise"}
    assert found.risk == pytest.approx(known.risk.astype(float), rel=1e-12)
    assert found.risk[1] == pytest.approx(rc.predict(problem).risk, rel=1e-5)


@pytest.mark.parametrize("size", [5_000, 50_000])
def test_many_members(size: int):
    """Boundaries as sharp as these are nearly those of a ranking by the mean square of the score, group by group."""
    problem = rc.LinearGaussian(aspect_ratio=3, eigenvalues=[4, 1], signal=[1, 2], noise_variance=".1")
    found = rc.predict(problem, rc.Group(size, keep=".3"))
    known = rc.predict(problem, rc.Group(size, keep=".3"), digits=30)
    assert (found.status, known.status) == ("ok", "ok")
    assert found.risk == pytest.approx(float(known.risk), rel=1e-12)


def test_more_than_can_be_summed_is_said():
    problem = rc.LinearGaussian(aspect_ratio="1/2", eigenvalues=[4, 1], signal=[1e7, 1], noise_variance=1)
    assert rc.predict(problem, rc.Group(4, keep=".3"), digits=20).status == "not_converged"
    with Multiprecision(20).precision():
        mp = context()
        assert mp.isnan(chi_squared.density(mp, mp.mpf(10) ** 6, mp.mpf(10) ** 6, mp.mpf(4), mp.mpf(1)))


def test_what_is_no_number_stays_in_its_place():
    """One row of a batch that is nan, infinite or out of reach changes nothing in the others."""
    mu = np.array([[np.nan, 0.5, 0.5, 1e8, 0.5, 1e-3]]).T
    u = np.array([[1, np.nan, np.inf, 1e11, 2, 0]]).T
    size = np.array([[4, 4, 4, 1e19, 4, 4.0]]).T
    with np.errstate(all="ignore"):
        inside, outside = chi_squared.inside64(mu, u, size)[:, 0], chi_squared.outside64(mu, u, size)[:, 0]
    assert np.isnan(inside[[0, 1]]).all()
    assert inside[[2, 5]] == pytest.approx([1, 0], rel=1e-15)
    assert outside[[2, 5]] == pytest.approx([0, 1], rel=1e-15)
    assert inside[4] + outside[4] == pytest.approx(1, rel=1e-14)
    with Multiprecision(20).precision():
        mp = context()
        for row, known in ((0, None), (1, None), (2, (1, 0)), (5, (0, 1))):
            found = chi_squared.probabilities(mp, *(mp.mpf(float(array[row, 0])) for array in (mu, u, size)))
            assert found == known if known else all(map(mp.isnan, found))


def _integral(u: float, k: int, shift: float) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """Inside, outside and density by integrals over the direction of the shift, from central laws of k - 1 alone."""
    u, shift = mpmath.mpf(u), mpmath.mpf(shift)

    def mean(central):
        peak = min(max(shift, -u), u)
        places = sorted({-u, max(-u, peak - 3), peak, min(u, peak + 3), u})
        return mpmath.quad(lambda y: mpmath.npdf(y, shift) * central((u * u - y * y) / 2), places)

    half = mpmath.mpf(k - 1) / 2
    inside = mean(lambda x: mpmath.gammainc(half, 0, x, regularized=True))
    beyond = mpmath.ncdf(shift - u) + mpmath.ncdf(-shift - u)
    outside = beyond + mean(lambda x: mpmath.gammainc(half, x, mpmath.inf, regularized=True))
    return inside, outside, mean(lambda x: x ** (half - 1) * mpmath.exp(-x) / mpmath.gamma(half) / 2)


@pytest.mark.parametrize(("u", "k", "shift"), [(3, 4, 2.5), (0.25, 3, 4), (9, 7, 1), (5, 12, 0.125), (12, 5, 11)])
def test_sums_are_integrals_in_both_number_systems(u: float, k: int, shift: float):
    with mpmath.workdps(30):
        known = _integral(u, k, shift)
        with Multiprecision(25).precision():
            mp = context()
            size, mu = mp.mpf(k), mp.mpf(shift) / mp.sqrt(k)
            found = (
                *chi_squared.probabilities(mp, mu, mp.mpf(u), size),
                chi_squared.density(mp, mu, mp.mpf(u), size, size),
            )
            for one, other in zip(found, known, strict=True):
                assert abs(mpmath.mpf(one) / other - 1) < 1e-20
    arrays = [np.array([[value]]) for value in (shift / k**0.5, u, float(k))]
    doubles = chi_squared.inside64(*arrays), chi_squared.outside64(*arrays), chi_squared.density64(*arrays, arrays[2])
    for one, other in zip(doubles, known, strict=True):
        assert one.item() == pytest.approx(float(other), rel=1e-13)


def test_doubles_agree_with_digits_wherever_they_are_asked():
    """Sizes up to 50,000, shifts over five decades, out to tails of 1e-280: to the condition of the inputs."""
    rng = np.random.default_rng(0)
    count = 60
    size = rng.choice([1, 2, 3, 8, 100, 50_000], count).astype(float)
    shift = 10 ** rng.uniform(-2, 3, count)
    length = np.hypot(shift, np.sqrt(size))
    u = np.maximum(length + 6 * rng.normal(size=count), length * 10 ** rng.uniform(-2, 0, count))
    mu = shift / np.sqrt(size)
    doubles = (
        chi_squared.inside64(mu, u, size),
        chi_squared.outside64(mu, u, size),
        chi_squared.density64(mu, u, size + 2, size),
    )
    with Multiprecision(20).precision():
        mp = context()
        for i in range(count):
            own = [mp.mpf(float(array[i])) for array in (mu, u, size)]
            known = *chi_squared.probabilities(mp, *own), chi_squared.density(mp, *own[:2], own[2] + 2, own[2])
            # Rounding of u and of the shift moves the exponent of a tail by as much; some fifty are those of gammainc.
            rounding = 1e-15 * (60 + length[i] * (1 + abs(u[i] - length[i])))
            for one, other in zip(doubles, known, strict=True):
                assert other < 1e-280 or abs(one[i] / float(other) - 1) < rounding, (size[i], shift[i], u[i])


def test_nothing_on_the_way_imports_scipy_stats():
    code = (
        "import sys, riskcalc as rc; problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1], signal=1, "
        "noise_variance=1); str(rc.compare(problem, keep=.2)); rc.predict(problem, rc.Group(4, keep=.2), True); "
        "rc.predict(problem, rc.Group(4, keep=.2), digits=20); rc.prunability(problem, .1); "
        "import riskcalc.verification.verify; print('scipy.stats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
