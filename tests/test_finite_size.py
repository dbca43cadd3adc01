"""What predictions say of the number of samples: exactly where the risk is known at every size, its order elsewhere."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf

import riskcalc as rc
from riskcalc.policies import Procedure, Retrain
from riskcalc.simulation.simulate import make_plan, run_trials

LAW = {"eigenvalues": [4, 1], "signal": [1, 1], "weights": ["1/4", "3/4"], "noise_variance": 0.5}


def counted(n: int, p: int, **changes) -> rc.LinearGaussian:
    return rc.LinearGaussian(n_samples=n, n_features=p, **LAW | changes)


# Misfit of the half of the features that is of less, any, variance.
INDEPENDENT = {
    "small": (Procedure.small("1/2"), 0.5),
    "small, by chance": (Procedure.small("1/2", by=rc.Random), 0.875),
    "oracle, same sample": (Procedure(rc.Oracle("1/2"), Retrain()), 0.5),
    "random, fresh sample": (Procedure(rc.Random("1/2"), Retrain(0, "fresh")), 0.875),
}


@pytest.mark.parametrize("name", INDEPENDENT)
def test_least_squares_is_known_at_every_size(name: str):
    procedure, misfit = INDEPENDENT[name]
    for n, p in ((40, 36), (40, 60), (23, 40)):
        found, s = rc.predict(counted(n, p), procedure), p // 2
        exact = Fraction(0.5 + misfit) * (n - 1) / (n - s - 1)
        assert found.finite_sample_risk == pytest.approx(float(exact), rel=1e-14)
        assert found.risk * (1 + found.finite_size) == pytest.approx(float(exact), rel=1e-13)
        more = rc.predict(counted(n, p), procedure, digits=40)
        with mp.workdps(60):
            assert abs(more.finite_sample_risk / (mpf(exact.numerator) / exact.denominator) - 1) < mpf(10) ** -39


def test_within_one_feature_of_the_samples_the_mean_is_infinite():
    batch = rc.predict(counted(40, np.array([20, 36, 38, 39, 40, 41, 44, 400])))
    assert batch.finite_sample_risk[:6].tolist() == pytest.approx([0.5 * 39 / 19, 0.5 * 39 / 3, 19.5, *3 * [np.inf]])
    assert np.isnan(batch.finite_sample_risk[6:]).all()  # interpolators have no such formula
    assert np.isinf(batch.finite_size).tolist() == [False, False, False, True, True, True, False, False]
    # Without noise nothing is added, and with a ridge nothing is infinite.
    assert rc.predict(counted(40, 39, noise_variance=0)).finite_sample_risk == 0
    assert rc.predict(counted(40, 39, ridge=0.1)).finite_size < 0.05
    assert rc.predict(counted(40, 39, ridge=0.1)).finite_sample_risk is None


def test_dead_features_do_not_count_unless_chance_decides_how_many():
    law = {"eigenvalues": [4, 1, 0], "signal": 1, "weights": ["1/4", "1/2", "1/4"]}
    assert rc.predict(counted(40, 48, **law)).finite_sample_risk == pytest.approx(0.5 * 39 / 3)
    assert rc.predict(counted(40, 48, **law), Procedure.small("1/2", by=rc.Random)).finite_sample_risk is None
    assert rc.predict(counted(40, 48, **law), Procedure.small("3/4", by=rc.Variance)).finite_sample_risk is not None


EVERY = {
    "dense": Procedure(),
    "pruned": Procedure(rc.Magnitude("1/2")),
    "same": Procedure(rc.Magnitude("1/2"), Retrain()),
    "fresh": Procedure(rc.Magnitude("1/2"), Retrain(0, "fresh")),
    "small": Procedure.small("1/2"),
}


def simulated(problem: rc.LinearGaussian, trials: int) -> dict[str, tuple[float, float, rc.Prediction]]:
    """Mean test risk and its standard error, beside the prediction."""
    found = run_trials(make_plan(problem, list(EVERY.values()), None), 3, trials, workers=1)[..., 0]
    errors = found.std(axis=0, ddof=1) / np.sqrt(trials)
    told = (rc.predict(problem, procedure) for procedure in EVERY.values())
    return dict(zip(EVERY, zip(found.mean(axis=0), errors, told, strict=True), strict=True))


@pytest.mark.parametrize(
    ("p", "ridge", "trials"),
    [(32, 0, 1500), (48, 0, 1500), (60, 0, 1000), (120, 0, 500), (40, 0.05, 500), (160, -0.1, 500)],
)
def test_simulations_at_forty_samples(p: int, ridge: float, trials: int):
    """The exact risks are met; the others are off their limits by twice the order told at most."""
    for name, (mean, error, told) in simulated(counted(40, p, ridge=ridge), trials).items():
        assert abs(mean / told.risk - 1) < 2 * told.finite_size + 5 * error / told.risk, name
        if told.finite_sample_risk is not None and np.isfinite(told.finite_sample_risk):
            assert abs(mean - told.finite_sample_risk) < 5 * error, name
        if name == "dense" and told.finite_size > 0.1:  # near the threshold it is no mere bound
            assert mean / told.risk - 1 > told.finite_size / 3 + 3 * error / told.risk


def test_it_exists_for_counts_only():
    names = ("finite_size", "finite_sample_risk")
    for problem in (rc.LinearGaussian(aspect_ratio=0.9, **LAW), rc.RankOne([1, 2], [1, 1], 10, 0.5)):
        found = rc.predict(problem)
        assert all(getattr(found, name) is None for name in names)
        assert not found.to_dict().keys() & set(names)
    found = rc.predict(counted(40, 36))
    assert found.to_dict()["finite_sample_risk"] == pytest.approx(6.5)
    assert set(names) <= set(found.to_xarray())


def test_words():
    assert str(rc.predict(counted(40, 36))).endswith("At n = 40 the mean test risk is exactly 6.5.")
    assert "\nAt n = 40 the mean test risk is infinite.\n" in str(rc.predict(counted(40, 39)))
    pruned = str(rc.predict(counted(40, 36), rc.Magnitude(0.5)))
    assert pruned.endswith("At n = 40 the mean test risk is off the limit by about 30 %.")
    assert "is far from the limit.\n" in str(rc.predict(counted(40, 39), rc.Magnitude(0.5)))
    assert "At n" not in str(rc.predict(counted(400, 40)))
    assert "At n" not in str(rc.predict(counted(40, 36, noise_variance=0)))  # zero at every size
    assert "At n" not in str(rc.predict(counted(40, 40)))  # its limit is infinite, too, and says so
    comparison = rc.compare(counted(40, 36), keep="1/2")
    told = " ".join(str(comparison).split())
    assert "At n = 40 the mean is: ² exactly 6.5, ⁴ off the limit by about 30 %." in told
    several = " ".join(str(rc.compare(counted(40, np.array([36, 39, 400])), keep="1/4")).split())
    assert "In 2 of 3 regimes a risk is off its limit by more than 5 % at the number of samples given" in several


def test_problems_by_counts_are_told_apart_and_read_again():
    problem = counted(40, 36)
    assert problem != counted(40, 39)
    for one in (problem, counted(40, np.array([36, 39])), rc.predict(problem), rc.compare(problem, keep="1/2")):
        assert type(one).from_dict(one.to_dict()) == one
        assert pickle.loads(pickle.dumps(one)) == one
