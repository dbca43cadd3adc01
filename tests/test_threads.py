"""Precision is a thread's own: predictions in threads, beside others that use mpmath and python-flint."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import flint
import mpmath
import pytest
from helpers import two_level

import riskcalc as rc

DIGITS = 40
PROBLEMS = [two_level(aspect_ratio=f"{k}/7", noise_variance=".1", ridge="1/100") for k in range(8, 20)]


@contextmanager
def stranger() -> Iterator[None]:
    """A thread that computes with mpmath at precisions of its own; ours must not show in what it gets."""
    stop, seen = threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            for dps in (3, 200):
                mpmath.mp.dps = dps
                seen.append((mpmath.sqrt(2)._mpf_[3], mpmath.mp.prec, dps))

    thread = threading.Thread(target=work)
    before = mpmath.mp.dps
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        mpmath.mp.dps = before
    precisions = {3: 13, 200: 668}
    assert all(precision == precisions[dps] and 0 <= precision - bits < 10 for bits, precision, dps in seen)


def everything(problem: rc.LinearGaussian) -> list[str]:
    """Answers in many digits, as text."""
    predicted = rc.predict(problem, rc.Hessian(keep=".1"), True, digits=DIGITS)
    tented = rc.predict(problem, rc.Sampled(keep=".1"), digits=DIGITS)
    compared = rc.compare(problem, ".1", digits=DIGITS, policies=[rc.Magnitude])
    given = {"kappa": 2, "ridge": "1/10", "Lambda": [25, 1], "D": 1, "weights": ["1/10", "9/10"]}
    ball = rc.evaluate("dense.effective_ridge", given, DIGITS, enclosed=True)
    assert ball.rad() < 1e-39
    return [repr(one) for one in (predicted.risk, predicted.kept, tented.risk)] + [str(compared), str(ball)]


def test_threads_answer_as_one_does():
    before = mpmath.mp.dps, flint.ctx.prec
    alone = [everything(problem) for problem in PROBLEMS[:4]]
    assert (mpmath.mp.dps, flint.ctx.prec) == before
    with stranger(), ThreadPoolExecutor(4) as pool:
        together = list(pool.map(everything, PROBLEMS[:4]))
    assert together == alone
    assert (mpmath.mp.dps, flint.ctx.prec) == before


def test_an_answer_of_a_thread_is_whole_elsewhere():
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(rc.predict, PROBLEMS[0], rc.Magnitude(keep=".1"), digits=DIGITS).result()
    here = rc.predict(PROBLEMS[0], rc.Magnitude(keep=".1"), digits=DIGITS)
    assert found == here
    assert (found.kept == here.kept).all()
    with mpmath.workdps(60):
        assert abs(found.risk / here.risk - 1) < mpmath.mpf(10) ** -39  # arithmetic of the user's own mpmath


@pytest.mark.parametrize("dps", [2, 100])
def test_the_precision_of_the_caller_changes_nothing(dps: int):
    """Neither values nor the table and its sentences."""
    comparison = rc.compare(PROBLEMS[0], ".1", digits=DIGITS)
    law = rc.LinearGaussian(aspect_ratio=2, law=rc.laws.Uniform(1, 2, nodes=8), noise_variance=0.1)
    small = rc.small_model(law, keep=".3", digits=20)
    told = str(comparison), comparison.margin, small.quadrature_error
    with mpmath.workdps(dps):
        again = rc.compare(PROBLEMS[0], ".1", digits=DIGITS)
        small = rc.small_model(law, keep=".3", digits=20)
        assert (str(again), again.margin, small.quadrature_error) == told
        assert mpmath.mp.dps == dps


def test_a_number_of_another_context_is_read_exactly():
    own = mpmath.MPContext()
    own.dps = 50
    problem = two_level(aspect_ratio=own.mpf(10) / 3)
    with mpmath.workdps(50):
        assert problem == two_level(aspect_ratio=mpmath.mpf(10) / 3)
