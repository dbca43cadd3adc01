"""Groups keep whole groups, however the budget is told."""

from __future__ import annotations

import pytest

import riskcalc as rc

GIVEN = {"eigenvalues": [4, 1], "signal": 1, "noise_variance": 1}
PROBLEM = rc.LinearGaussian(n_samples=50, n_features=100, **GIVEN)


@pytest.mark.parametrize("keep", [".17", 0.17, [0.2, 0.17], "1/100", 0.99])
@pytest.mark.parametrize(
    "ask",
    [
        lambda keep: rc.predict(PROBLEM, rc.Group(5, keep=keep)),
        lambda keep: rc.predict(PROBLEM, rc.Group(5, keep=keep), retrain=True, digits=20),
        lambda keep: rc.compare(PROBLEM, keep=keep, policies=[rc.Group(5, keep=1)]),
        lambda keep: rc.simulate(PROBLEM, rc.Group(5, keep=keep), trials=2, workers=1, device="cpu"),
    ],
)
def test_a_fraction_is_refused_where_its_number_of_features_is(ask, keep):
    with pytest.raises(ValueError, match=r"keep = .* is (17|1|99) features, which groups of 5 do not divide"):
        ask(keep)


def test_whole_groups_are_kept_however_they_are_told():
    """0.15 is no double; a fraction of no whole number of features, or of no number of them, means the limit."""
    for keep, n_keep in ((0.15, 15), ("3/20", 15), (1, 100), (0.05, 5), (1 - 0.05, 95)):
        one, two = (rc.predict(PROBLEM, rc.Group(5, **budget)).risk for budget in ({"keep": keep}, {"n_keep": n_keep}))
        assert one == pytest.approx(two, rel=1e-12)
    limit = rc.LinearGaussian(aspect_ratio=2, **GIVEN)
    for problem, keep in ((PROBLEM, "0.173"), (limit, ".17")):
        assert rc.predict(problem, rc.Group(5, keep=keep)).status == "ok"


def test_batches_are_checked_regime_by_regime():
    batch = rc.LinearGaussian(n_samples=50, n_features=[100, 40], **GIVEN)
    assert rc.predict(batch, rc.Group(5, keep=[0.2, 0.25])).risk.shape == (2,)
    with pytest.raises(ValueError, match=r"keep = 0.3 is 12 features"):
        rc.predict(batch, rc.Group(5, keep=[0.2, 0.3]))
    with pytest.raises(ValueError, match="shapes do not match"):
        rc.predict(batch, rc.Group(5, keep=[0.2, 0.25, 0.3]))
