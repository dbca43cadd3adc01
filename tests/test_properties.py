"""Identities, limits and orderings (T11) over random regimes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from helpers import ROUNDING, Regime, all_risks, regimes
from hypothesis import assume, given
from hypothesis import strategies as st

import riskcalc as rc

MODELS = ("dense", "small", "magnitude", "hessian", "oracle", "random")


def agree(found: dict[str, float], expected: dict[str, float], factor: float = 1.0, rel: float = ROUNDING) -> None:
    for model in MODELS:
        assert found[model] == pytest.approx(factor * expected[model], rel=rel, abs=0, nan_ok=False), model


@given(regimes(), st.integers(-8, 8))
def test_scaling_the_target_scales_every_risk(regime: Regime, power: int):
    c = 2.0**power
    scaled = regime.scaled(signal=tuple(c * b for b in regime.signal), noise_variance=c * c * regime.noise_variance)
    agree(all_risks(scaled), all_risks(regime), factor=c * c)


@given(regimes(), st.floats(-2, 2, allow_subnormal=False))
def test_units_of_the_features_do_not_matter(regime: Regime, exponent: float):
    c = 10.0**exponent
    scaled = regime.scaled(
        eigenvalues=tuple(c * x for x in regime.eigenvalues),
        signal=tuple(b / math.sqrt(c) for b in regime.signal),
        ridge=c * regime.ridge,
    )
    assume(_clear_ranking(regime))
    agree(all_risks(scaled), all_risks(regime))


@given(regimes(), st.floats(-2, 2, allow_subnormal=False))
def test_only_the_product_of_ridge_and_penalty_matters(regime: Regime, exponent: float):
    c = 10.0**exponent
    penalty = regime.penalty or (1.0,) * len(regime.weights)
    scaled = regime.scaled(penalty=tuple(c * d for d in penalty), ridge=regime.ridge / c)
    agree(all_risks(scaled), all_risks(regime))


@given(regimes(), st.randoms(use_true_random=False))
def test_permuting_atoms_changes_nothing(regime: Regime, random):
    order = list(range(len(regime.weights)))
    random.shuffle(order)
    lists = {
        name: tuple(getattr(regime, name)[i] for i in order)
        for name in ("eigenvalues", "signal", "weights", "penalty")
        if getattr(regime, name) is not None
    }
    agree(all_risks(regime.scaled(**lists)), all_risks(regime))


@given(regimes(), st.data())
def test_splitting_an_atom_changes_nothing(regime: Regime, data):
    i = data.draw(st.integers(0, len(regime.weights) - 1))
    doubled = {
        name: (*getattr(regime, name), getattr(regime, name)[i])
        for name in ("eigenvalues", "signal", "penalty")
        if getattr(regime, name) is not None
    }
    half = regime.weights[i] / 2
    weights = (*regime.weights[:i], half, *regime.weights[i + 1 :], half)
    agree(all_risks(regime.scaled(weights=weights, **doubled)), all_risks(regime))


@given(regimes())
def test_signs_of_coefficients_do_not_matter(regime: Regime):
    flipped, risks = all_risks(regime.scaled(signal=tuple(-b for b in regime.signal))), all_risks(regime)
    assert flipped.pop("optimal") == pytest.approx(risks.pop("optimal"), rel=1e-6, nan_ok=True)  # on a grid
    assert flipped == pytest.approx(risks, rel=0, abs=0, nan_ok=True)


@given(regimes())
def test_zero_weights_do_not_matter(regime: Regime):
    padded = {
        "eigenvalues": (*regime.eigenvalues, 7.0),
        "signal": (*regime.signal, 0.3),
        "weights": (*regime.weights, 0.0),
        "penalty": None if regime.penalty is None else (*regime.penalty, 2.0),
    }
    agree(all_risks(regime.scaled(**padded)), all_risks(regime))


@given(regimes())
def test_keeping_everything_is_the_dense_fit(regime: Regime):
    risks = all_risks(regime.scaled(keep=1.0))
    agree(risks, dict.fromkeys(MODELS, risks["dense"]))


@given(regimes(noise=True), st.integers(4, 8))
def test_keeping_nothing_is_predicting_zero(regime: Regime, decades: int):
    """|risk - null| <= 2 sqrt(E[S L B^2] E[S L X^2]) + E[S L X^2], with L = Lambda, and E[S Y] <= sqrt(keep E Y^2)."""
    dense = rc.predict(regime.problem())
    assume(dense.status == "ok")
    keep = 10.0**-decades
    lam, b, w = (np.array(x) for x in (regime.eigenvalues, regime.signal, regime.weights))
    d = np.ones_like(lam) if regime.penalty is None else np.array(regime.penalty)
    m = lam * b / (lam + d * dense.effective_ridge)
    s = np.sqrt(regime.aspect_ratio * dense.risk * lam) / (lam + d * dense.effective_ridge)
    fitted = math.sqrt(keep * np.sum(w * lam**2 * (m**4 + 6 * m**2 * s**2 + 3 * s**4)))
    true = math.sqrt(keep * np.sum(w * lam**2 * b**4))
    bound = 2 * math.sqrt(true * fitted) + fitted
    risks = all_risks(regime.scaled(keep=keep))
    for model in ("magnitude", "hessian", "oracle", "random"):
        assert abs(risks[model] - regime.total_signal()) <= bound * (1 + ROUNDING) + ROUNDING * regime.total_signal()


@given(regimes(ridge=False))
def test_a_vanishing_ridge_is_none(regime: Regime):
    """The risk moves by less and less as the ridge is divided by a hundred, towards the ridgeless one."""
    assume(abs(regime.aspect_ratio - 1) > 0.05 and abs(regime.aspect_ratio * regime.keep - 1) > 0.05)
    limit = all_risks(regime)
    assume(all(risk > 1e-8 for risk in limit.values()))
    scale = min(x / d for x, d in zip(regime.eigenvalues, regime.penalty or regime.eigenvalues, strict=True))
    scale = scale if regime.penalty else min(regime.eigenvalues)
    far, near = (all_risks(regime.scaled(ridge=scale * ridge)) for ridge in (1e-5, 1e-9))
    for model in ("dense", "random", "small"):
        assert abs(near[model] / limit[model] - 1) <= 1e-3 * abs(far[model] / limit[model] - 1) + 1e-9


@given(regimes())
def test_oracle_keeps_the_budget_and_masks_are_probabilities(regime: Regime):
    comparison = rc.compare(regime.problem(), keep=regime.keep)
    for model in ("magnitude", "hessian", "oracle", "random", "small"):
        if comparison.predictions[model].status == "infinite" and model != "small":
            continue
        kept = comparison.predictions[model].kept
        assert ((kept >= 0) & (kept <= 1 + 1e-15)).all()
        assert np.dot(kept, regime.weights) == pytest.approx(regime.keep, rel=1e-12)


@given(regimes())
def test_dense_risk_is_at_least_the_noise_and_grows_with_it(regime: Regime):
    dense = rc.predict(regime.problem())
    assert dense.risk >= regime.noise_variance
    more = rc.predict(regime.scaled(noise_variance=regime.noise_variance + 0.5).problem())
    assert more.risk >= dense.risk
    assert dense.excess_risk == pytest.approx(dense.risk - regime.noise_variance, abs=1e-12 * dense.risk)


@given(regimes(noise=True))
def test_risk_is_affine_in_the_noise(regime: Regime):
    """gamma = (noise + E[...]) / (...): three noise levels lie on a line."""
    low, middle, high = (
        rc.predict(regime.scaled(noise_variance=c * regime.noise_variance).problem()).risk for c in (1, 2, 3)
    )
    assert low + high == pytest.approx(2 * middle, rel=1e-12)


@given(regimes(ridge=False, noise=True, penalty=False))
def test_many_features_per_sample_predict_nothing(regime: Regime):
    dense = rc.predict(regime.scaled(aspect_ratio=1e12).problem())
    assert dense.risk == pytest.approx(regime.total_signal(), rel=1e-5)


@given(regimes(ridge=False, noise=True, penalty=False), st.integers(6, 12))
def test_the_peak_at_one_feature_per_sample(regime: Regime, decades: int):
    """Both sides of the peak are noise / |kappa - 1| to leading order; the left side exactly."""
    ratio = max(regime.eigenvalues) / min(regime.eigenvalues)
    signal = regime.total_signal() / regime.noise_variance
    gap = 10.0**-decades
    kappa = 1 - gap
    left = rc.predict(regime.scaled(aspect_ratio=kappa).problem()).risk
    mass = math.fsum(regime.weights)
    assert left == pytest.approx(regime.noise_variance / math.fsum([1, -kappa * mass]), rel=1e-3)
    kappa = 1 + gap
    right = rc.predict(regime.scaled(aspect_ratio=kappa).problem()).risk
    assert right * gap == pytest.approx(regime.noise_variance, rel=max(1e-3, 10 * gap * ratio * (1 + signal)))


def _clear_ranking(regime: Regime) -> bool:
    """Whether no two scores are so close that rounding could reorder them."""
    scores = sorted(lam * b * b for lam, b in zip(regime.eigenvalues, regime.signal, strict=True) if b)
    return all(high > low * (1 + 1e-9) for low, high in itertools.pairwise(scores))
