"""Frames of pandas and datasets of xarray: named axes, inputs, quantities, and what they are of."""

from __future__ import annotations

import json
from typing import Any

import mpmath
import numpy as np
import pytest
from helpers import two_level

import riskcalc as rc
from riskcalc.laws import PowerLaw, Uniform
from riskcalc.results.labelled import INPUTS
from riskcalc.results.quantities import QUANTITIES

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")

NOISE, RATIOS, KEEPS = np.array([0.1, 0.2])[:, None], ["10/3", 1, 2], np.array([0.1, 0.3, 0.5, 1])[:, None, None]
GRID = two_level(aspect_ratio=RATIOS, noise_variance=NOISE)


def test_one_input_along_an_axis_names_it():
    found = rc.predict(GRID, rc.Magnitude(keep=KEEPS)).to_xarray()
    assert found.risk.dims == ("keep", "noise_variance", "aspect_ratio")
    for keep in (0.1, 0.5):
        for noise in (0.1, 0.2):
            one = rc.predict(two_level(aspect_ratio=2, noise_variance=noise), rc.Magnitude(keep=keep))
            assert found.risk.sel(keep=keep, noise_variance=noise, aspect_ratio=2) == pytest.approx(one.risk, rel=1e-13)
    assert found.ridge == 0
    assert found.model == "magnitude"
    assert set(found.data_vars) <= set(QUANTITIES)
    assert rc.predict(two_level(ridge=[0, 1])).to_xarray().risk.dims == ("ridge",)


@pytest.mark.parametrize(
    ("problem", "policy", "axes"),
    [
        # two inputs along one axis; one input along two axes; nothing along an axis
        (two_level(aspect_ratio=[1.5, 2], noise_variance=[0.1, 0.2]), None, ("axis_0",)),
        (two_level(aspect_ratio=[[1.5, 2], [3, 4]]), None, ("axis_0", "axis_1")),
        (two_level(aspect_ratio=[[1.5, 2], [3, 4]], noise_variance=[0.1, 0.2]), None, ("axis_0", "axis_1")),
        (two_level(aspect_ratio=[[1.5, 2]]), None, ("axis_0", "aspect_ratio")),
        # a batch of laws
        (two_level(eigenvalues=[[25, 1], [16, 1]]), None, ("axis_0",)),
        (two_level(eigenvalues=[[25, 1], [16, 1]], ridge=[[0.1], [0.2], [0.3]]), None, ("ridge", "axis_1")),
        (two_level(eigenvalues=[[25, 1], [16, 1]], aspect_ratio=[2, 3]), None, ("axis_0",)),
        (two_level(penalty=[[1, 2], [2, 1]]), None, ("axis_0",)),
        # counts; what follows from them names nothing
        (
            rc.LinearGaussian(n_samples=[30, 60], n_features=80, eigenvalues=1, signal=1),
            rc.Hessian(n_keep=9),
            ("n_samples",),
        ),
        (
            rc.LinearGaussian(n_samples=40, n_features=[50, 80], eigenvalues=1, signal=1),
            rc.Hessian(n_keep=9),
            ("n_features",),
        ),
        (
            rc.LinearGaussian(n_samples=40, n_features=[50, 80], eigenvalues=1, coefficients=0.1),
            rc.Hessian(keep=[[0.1], [0.2], [0.3]]),
            ("keep", "n_features"),
        ),
        (rc.LinearGaussian(n_samples=[30, 60], n_features=[50, 80], eigenvalues=1, signal=1), None, ("axis_0",)),
        (rc.RankOne([2, 1, 1], [1, 1, -1], 12), rc.Magnitude(keep=["1/3", "2/3"]), ("keep",)),
        (two_level(), rc.Magnitude(0.1), ()),
    ],
)
def test_axes(problem: Any, policy: Any, axes: tuple[str, ...]):
    prediction = rc.predict(problem, policy)
    found = prediction.to_xarray()
    assert found.risk.dims == axes
    assert found.risk.values == pytest.approx(prediction.risk, nan_ok=True)
    for name in set(axes) & set(INPUTS):
        assert found[name].dims == (name,)
    flat = found.to_dataframe() if axes else None
    assert flat is None or len(flat) == np.size(prediction.risk)
    for name in found.coords:
        if name != "model" and name in INPUTS:
            given = prediction.budget if name == "keep" else getattr(problem, name)
            assert np.array_equal(
                found[name].broadcast_like(found.risk).values, np.broadcast_to(given, found.risk.shape).astype(float)
            )


def test_a_frame_has_one_row_a_regime():
    prediction = rc.predict(GRID, rc.Magnitude(keep=KEEPS), True)
    frame = prediction.to_pandas()
    assert len(frame) == 4 * 2 * 3
    assert list(frame.columns[:5]) == ["model", "aspect_ratio", "noise_variance", "ridge", "keep"]
    assert set(frame.model) == {"magnitude+retrain"}
    (row,) = frame[(frame.keep == 0.3) & (frame.noise_variance == 0.2) & (frame.aspect_ratio == 2)].itertuples()
    one = rc.predict(two_level(aspect_ratio=2, noise_variance=0.2), rc.Magnitude(keep=0.3), True)
    assert row.risk == pytest.approx(one.risk, rel=1e-13)
    assert row.status == one.status
    single = rc.predict(two_level(), rc.Hessian("1/10")).to_pandas()
    assert len(single) == 1
    assert single.risk[0] == rc.predict(two_level(), rc.Hessian("1/10")).risk


def test_a_comparison_has_an_axis_of_models():
    comparison = rc.compare(GRID, 0.1)
    found, frame = comparison.to_xarray(), comparison.to_pandas()
    assert found.risk.dims == ("model", "noise_variance", "aspect_ratio")
    assert len(frame) == len(comparison.predictions) * 6
    for model, risk in comparison.risks.items():
        assert np.array_equal(found.risk.sel(model=model), risk, equal_nan=True)
        assert np.array_equal(frame.risk[frame.model == model], risk.ravel(), equal_nan=True)
    assert (found.best.values == comparison.best).all()
    assert np.array_equal(found.margin, comparison.margin, equal_nan=True)
    assert found.prune_beats_small.dtype == bool
    assert np.isnan(found.threshold.sel(model="dense")).all()
    pivoted = frame.pivot(index=["noise_variance", "aspect_ratio"], columns="model", values="risk")
    assert pivoted.shape == (6, len(comparison.predictions))
    single = rc.compare(two_level(), 0.1).to_xarray()
    assert (single.risk.dims, single.best.dims, single.best.item()) == (("model",), (), "hessian")
    nothing = rc.compare(rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1), 1)
    assert nothing.to_xarray().best.item() == ""


def test_what_they_are_of_and_what_quantities_mean():
    prediction = rc.predict(GRID, rc.Magnitude(0.1))
    for found in (prediction.to_xarray(), prediction.to_pandas(), rc.compare(GRID, 0.1).to_pandas()):
        assert rc.LinearGaussian.from_dict(json.loads(found.attrs["problem"])) == GRID
        assert found.attrs["riskcalc"] == rc.__version__
    found = prediction.to_xarray()
    assert found.risk.attrs == {"long_name": QUANTITIES["risk"].meaning, "symbol": "R"}
    assert found.aspect_ratio.attrs["long_name"].startswith("Features per sample")
    unwritable = rc.LinearGaussian(aspect_ratio=2, law=Uniform(1, 2, signal=np.sin, nodes=8))
    assert rc.predict(unwritable).to_xarray().attrs["problem"] == repr(unwritable)


def test_digits_are_kept():
    comparison = rc.compare(two_level(noise_variance="1/7"), "1/10", digits=30)
    found, frame = comparison.to_xarray(), comparison.to_pandas()
    risk = comparison.risks["hessian"]
    assert found.risk.sel(model="hessian").item() == risk
    assert frame.risk[frame.model == "hessian"].item() == risk
    assert isinstance(frame.risk[0], mpmath.mpf)


def test_every_kind_of_law_and_policy():
    for problem in (two_level(), rc.LinearGaussian(aspect_ratio=2, law=PowerLaw(0.3, 0.1), noise_variance=0.1)):
        for policy in (rc.Group(2, keep=0.2), rc.Sampled(0.2), rc.Iterative("magnitude", [0.6, 0.2])):
            found = rc.predict(problem, policy, True)
            assert found.to_xarray().risk.item() == found.to_pandas().risk[0] == found.risk


@pytest.mark.parametrize("name", ["pandas", "xarray"])
def test_without_the_extra(monkeypatch, name: str):
    def missing(wanted: str) -> Any:
        raise ImportError(wanted)

    monkeypatch.setattr("riskcalc.extras.import_module", missing)
    prediction = rc.predict(two_level())
    with pytest.raises(ImportError, match=rf"this needs {name}: pip install 'riskcalc\[{name}\]'"):
        getattr(prediction, f"to_{name}")()
