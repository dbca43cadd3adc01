"""What verifications in a test may take."""

from __future__ import annotations

import math

import hypothesis

from riskcalc.exact import above_zero


def settings(*, seconds: float, total: float = 60.0) -> hypothesis.settings:
    """A budget for `riskcalc.verify` in a test: as many examples as fit.

    Parameters
    ----------
    seconds : float
        What `verify` is given for each example.
    total : float
        Seconds for the test.

    Returns
    -------
    hypothesis.settings
        `max_examples` is total / seconds. Without a deadline, without the health check that finds examples slow to
        draw, because the first one loads what it needs, and without the phase that explains a failure, which calls the
        test hundreds of times.

    Notes
    -----
    `verify` draws its first trials whatever their time, so that examples of large samples take longer than `seconds`:
    keep budgets and aspect ratios moderate (near the interpolation threshold it refuses), or give `n_samples`. Each
    verdict "agree" or "disagree" is wrong with a probability of at most 1 - `confidence`, and so any of the test's with
    `max_examples` times that: choose the confidence by it. A test that fails is shrunk, for five minutes at most, by
    further calls of `verify`; the seed of `verify` makes their trials the same again, but how many fit in a time may
    differ: fail on "disagree", which no lack of time produces, and not on "undecided".

    Examples
    --------
    >>> import riskcalc as rc
    >>> from hypothesis import given
    >>> from riskcalc import strategies
    >>> budget = strategies.settings(seconds=2, total=4)
    >>> @budget
    ... @given(strategies.problems(noise=True, singular=False, aspect_ratio=(2, 5)), strategies.policies(keep=(0.2, 1)))
    ... def test_theory_and_simulation_agree(problem, policy):
    ...     confidence = 1 - 1e-4 / budget.max_examples  # no false alarm in ten thousand runs of the test
    ...     found = rc.verify(problem, policy, tolerance=0.1, confidence=confidence, seconds=2)
    ...     assert found.verdict != "disagree", str(found)
    >>> test_theory_and_simulation_agree()
    """
    seconds, total = (above_zero(value, name, math.inf) for name, value in (("seconds", seconds), ("total", total)))
    if total < seconds:
        raise ValueError(f"total must be at least the seconds of one example, {seconds:g}, got {total:g}")
    return hypothesis.settings(
        max_examples=int(total / seconds),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        phases=[phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain],
    )
