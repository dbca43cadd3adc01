"""Sweeps: values, datasets, and the commands that make them."""

from __future__ import annotations

import json
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest
import xarray
from helpers import command_line, two_level
from hypothesis import given
from hypothesis import strategies as st

import riskcalc as rc
from riskcalc.command import sweeps
from riskcalc.questions.axes import varied
from riskcalc.questions.models import model_of
from riskcalc.questions.sweep import grid
from riskcalc.questions.sweep.cells import STATUSES
from riskcalc.questions.sweep.grid import Grid

COVARIANCE = 0.6 ** abs(np.subtract.outer(np.arange(12), np.arange(12)))
CORRELATED = rc.Correlated(COVARIANCE, np.linspace(1, 0.2, 12), n_samples=30, noise_variance=0.5, ridge=0.1)
NEURONS = rc.RandomFeatures(activation="relu", n_inputs=60, n_features=90, n_samples=50, noise_variance=0.1, ridge=0.1)
BY_COUNT = rc.LinearGaussian(n_samples=80, n_features=120, eigenvalues=[4, 1], signal=1, noise_variance=1)

# Problem, axes, models, and what is held. Batches are of whole regimes, so rounding alone tells them from one alone.
CASES: dict[str, tuple[Any, ...]] = {
    "scalars": (
        two_level(noise_variance=1),
        {"ridge": [-0.01, 0, "1/3"], "aspect_ratio": [0.5, 1, 2], "keep": [0.1, "1/3"], "noise_variance": [0, 1]},
        ["dense", "hessian", "small", "magnitude+retrain"],
        "law",
    ),
    "first features": (
        two_level(noise_variance=1),
        {"aspect_ratio": ["1/10", 2, "10/3"], "keep": [0.1, 0.5]},
        2,
        "features",
    ),
    "counts": (BY_COUNT, {"n_samples": [40, 100], "n_features": [20, 120], "n_keep": [1, 20]}, 3, "law"),
    "neurons": (
        NEURONS,
        {"n_inputs": [30, 60], "n_features": [40, 90], "keep": [0.2, 0.5], "ridge": [0, 0.1]},
        2,
        "law",
    ),
    "correlated": (CORRELATED, {"n_samples": [20, 30], "keep": ["1/4", "1/2"]}, 2, "law"),
    "first correlated": (CORRELATED, {"n_features": [6, 12], "keep": ["1/2"]}, 2, "features"),
    "rounds": (two_level(noise_variance=1), {"aspect_ratio": [0.5, 2]}, [rc.Iterative("magnitude", [0.5, 0.2])], "law"),
}
MODELS = ["magnitude", "small", "hessian+retrain"]


@pytest.mark.parametrize("case", CASES)
def test_every_cell_is_the_prediction(case: str):
    problem, over, models, fix = CASES[case]
    models = MODELS[:models] if isinstance(models, int) else models
    found = rc.sweep(problem, over, [*models, "risk", "training_error", "misfit"], fix=fix, seed=3, workers=1)
    assert list(found.sizes) == ["model", *over]
    for place in np.ndindex(*map(len, over.values())):
        at = {name: values[i] for (name, values), i in zip(over.items(), place, strict=True)}
        budget = {name: at.pop(name) for name in ("keep", "n_keep") if name in at}
        one = varied(problem, at, fix)
        for number, model in enumerate(models):
            cell = found.isel(model=number, **dict(zip(over, place, strict=True)))
            if STATUSES[int(cell.status)] == "no_solution":
                with pytest.raises(ValueError, match="positive definite"):
                    rc.predict(one, model_of(model, **budget))
                continue
            alone = rc.predict(one, model_of(model, **budget), seed=3)
            assert STATUSES[int(cell.status)] == alone.status
            for name in ("risk", "training_error", "misfit", "integration_error"):
                expected = np.nan if (value := alone.values.get(name)) is None else value
                if name in cell:
                    np.testing.assert_allclose(cell[name], expected, rtol=1e-9, atol=1e-12)


def test_drawn_predictions_say_so():
    found = rc.sweep(CORRELATED, {"keep": ["1/4", "1/2"]}, ["magnitude", "dense"], tolerance=0.05, seed=1)
    assert (found.integration_error.sel(model="magnitude") > 0).all()
    assert found.attrs["tolerance"] == 0.05
    assert "integration_error" in found.risk.attrs["ancillary_variables"]
    assert "integration_error" not in rc.sweep(two_level(), {"keep": [0.1]}, ["hessian"])


def test_models_of_a_comparison_are_the_default():
    found = rc.sweep(two_level(noise_variance=1), {"aspect_ratio": [0.5, 2]}, keep=0.1)
    compared = rc.compare(two_level(noise_variance=1, aspect_ratio=2), keep=0.1)
    assert found.model.values.tolist() == [*compared.predictions]
    np.testing.assert_allclose(found.risk.sel(aspect_ratio=2), [*compared.risks.values()], rtol=1e-12)
    assert found.feasible.values.tolist() == [one.procedure.feasible for one in compared.predictions.values()]


def test_what_the_theory_does_not_cover():
    """A model that is named is refused if it is covered nowhere, and nan where it is not."""
    with pytest.raises(ValueError, match="covers pruning once, but not in rounds"):
        rc.sweep(CORRELATED, {"ridge": [0.1, 0.2]}, [rc.Iterative("magnitude", [0.5, 0.2]), rc.Magnitude(0.2)])
    singular = rc.Correlated(np.ones((4, 4)), np.ones(4), n_samples=20, noise_variance=1)
    found = rc.sweep(singular, {"ridge": [0, 0.1]}, [rc.BrainSurgeon(keep=0.5)])
    assert [STATUSES[code] for code in found.status.values[0]] == ["not_covered", "ok"]
    assert np.isnan(found.risk.values[0]).tolist() == [True, False]


def test_more_features_than_there_are_cannot_be_kept():
    found = rc.sweep(BY_COUNT, {"n_features": [10, 40], "n_keep": [5, 20]}, ["magnitude", "dense"], trials=2)
    infeasible = found.status.sel(model="magnitude") == STATUSES.index("infeasible")
    assert infeasible.values.tolist() == [[False, True], [False, False]]
    assert (np.isnan(found.risk).sel(model="magnitude") == infeasible).all()
    assert np.isfinite(found.risk.sel(model="dense")).all()


# --- simulation


def test_simulated_cells_are_near_the_predictions():
    """At 99.99 % for each of sixteen means, and what is left of finite size is under 2 % at this size."""
    found = rc.sweep(
        two_level(noise_variance=1, ridge="1/10"),
        {"aspect_ratio": [0.5, 2], "keep": [0.1, 0.3]},
        ["dense", "hessian", "small", "magnitude+retrain", "risk", "training_error"],
        trials=60,
        n_samples=200,
        seed=5,
        workers=1,
    )
    for name in ("risk", "training_error"):
        off = abs(found[f"simulated_{name}"] - found[name])
        assert (off < 4 * found[f"simulated_{name}_stderr"] + 0.02 * found[name]).all()
        assert (found[f"simulated_{name}_stderr"] > 0).all()


def test_draws_depend_on_the_values_and_the_seed_alone():
    """Not on the place of a cell, nor on what else is simulated; every model sees the same samples."""
    problem, how = two_level(noise_variance=1), {"trials": 3, "n_samples": 40, "workers": 1}
    small = rc.sweep(problem, {"aspect_ratio": [2], "keep": [0.1]}, ["hessian"], **how).simulated_risk
    large = rc.sweep(
        problem, {"aspect_ratio": [0.5, 2], "keep": [0.1, 0.2]}, ["dense", "hessian"], **how
    ).simulated_risk
    assert large.sel(model="hessian", aspect_ratio=2, keep=0.1) == small.item()
    dense = large.sel(model="dense")
    assert len(np.unique(dense)) == dense.size  # budgets have draws of their own
    other = rc.sweep(problem, {"aspect_ratio": [2], "keep": [0.1]}, ["hessian"], **how, seed=1).simulated_risk
    assert other.item() != small.item()
    everything = rc.sweep(problem, {"keep": [1]}, ["dense", "magnitude"], **how).simulated_risk
    assert everything[0] == everything[1]


def test_cells_that_cannot_be_simulated():
    problem, over = two_level(noise_variance=1), {"aspect_ratio": [0.5, 1]}
    with pytest.warns(UserWarning, match=r"in 1 of 2 cells a model .* at aspect_ratio = 1: .*no finite variance"):
        found = rc.sweep(problem, over, ["dense", "small"], keep=0.1, trials=4, n_samples=40)
    assert np.isnan(found.simulated_risk).values.tolist() == [[False, True], [False, False]]
    with pytest.raises(ValueError, match="no cell can be simulated"):
        rc.sweep(problem, {"aspect_ratio": [1]}, ["dense"], trials=4, n_samples=40)


@pytest.mark.parametrize(("problem", "rows"), [(two_level(), 200), (BY_COUNT, None)], ids=["ratio", "counts"])
def test_rows_that_are_not_given(problem, rows):
    found = rc.sweep(problem, {"noise_variance": [1]}, ["dense"], trials=2, workers=1)
    assert found.attrs.get("n_samples") == rows


# --- the grid


@given(st.lists(st.tuples(st.integers(1, 7), st.booleans()), min_size=1, max_size=4), st.integers(1, 12))
def test_blocks_are_the_grid(axes: list[tuple[int, bool]], regimes: int):
    """Each regime once, in blocks that are not too large, and one value of what has no batches."""
    whole = Grid({str(i): np.arange(size) - 2.0 for i, (size, _) in enumerate(axes)})
    batched = {str(i) for i, (_, one) in enumerate(axes) if one}
    seen = np.zeros(whole.shape, int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "REGIMES", regimes)
        blocks = whole.blocks(batched)
    for block in blocks:
        seen[block.where] += 1
        sizes = {name: len(values) for name, values in block.values.items()}
        assert np.prod([*sizes.values()]) <= regimes
        assert all(size == 1 for name, size in sizes.items() if name not in batched)
        for (name, values), part in zip(block.values.items(), block.where, strict=True):
            assert (values == whole.axes[name][part]).all()
            assert (values < 0).all() or (values >= 0).all()
    assert (seen == 1).all()


SWEEP = partial(rc.sweep, two_level())
LONG = np.linspace(0.1, 1, 30_000)
ON_RATIO = {"aspect_ratio": [1, 2]}
WRONG: dict[str, tuple[Any, str]] = {
    "axis": (lambda: SWEEP({"aspect": [1]}), "did you mean aspect_ratio"),
    "another problem's axis": (lambda: SWEEP({"n_samples": [1]}), "of a LinearGaussian or of its models is called"),
    "no dict": (lambda: SWEEP([1, 2]), "over must be a dict"),
    "no axis": (lambda: SWEEP({}), "over is empty"),
    "empty": (lambda: SWEEP({"keep": []}), "keep is empty"),
    "number": (lambda: SWEEP({"keep": 0.5}), "keep must be a list"),
    "descending": (lambda: SWEEP({"keep": [0.2, 0.1]}), "keep must increase from value to value, got 0.1 after 0.2"),
    "twice": (lambda: SWEEP({"keep": [0.1, 0.1]}), "keep must increase"),
    "nan": (lambda: SWEEP({"aspect_ratio": [1, np.nan]}), "aspect_ratio must be finite"),
    "beyond": (lambda: SWEEP({"keep": [0.5, 2]}), "keep must be in"),
    "batch": (lambda: rc.sweep(two_level(ridge=[0, 1]), ON_RATIO), "got a batch"),
    "no problem": (lambda: rc.sweep("x", ON_RATIO), "problem must be a problem"),
    "model": (lambda: SWEEP(ON_RATIO, ["hesian"], keep=0.1), "did you mean hessian"),
    "models": (lambda: SWEEP(ON_RATIO, "hessian", keep=0.1), "what must be a list"),
    "model twice": (lambda: SWEEP(ON_RATIO, [rc.Hessian(0.1), rc.Hessian(0.2)]), "what holds hessian twice"),
    "no budget": (lambda: SWEEP(ON_RATIO), "a budget is missing"),
    "no budget of a name": (lambda: SWEEP(ON_RATIO, ["small"]), "small needs a budget"),
    "two budgets": (lambda: SWEEP({"keep": [0.1]}, ["small"], keep=0.1), "given by keep and by keep"),
    "budget axes": (lambda: SWEEP({"keep": [0.1], "n_keep": [2]}), "which say the same"),
    "budgets": (lambda: SWEEP(ON_RATIO, ["small"], keep=[0.1, 0.2]), "several are an axis"),
    "counts without features": (lambda: SWEEP(ON_RATIO, ["small"], n_keep=3), "n_keep needs a problem given by"),
    "fix": (lambda: SWEEP(ON_RATIO, ["dense"], fix="feature"), "fix must be 'law' or 'features'"),
    "trials": (lambda: SWEEP(ON_RATIO, ["dense"], trials=-1), "trials must be at least 1"),
    "trials in part": (lambda: SWEEP(ON_RATIO, ["dense"], trials=1.5), "trials must be an integer"),
    "rows without trials": (lambda: SWEEP(ON_RATIO, ["dense"], n_samples=10), "give trials, too"),
    "rows twice": (
        lambda: rc.sweep(BY_COUNT, {"n_samples": [50]}, ["dense"], n_samples=40, trials=2),
        "n_samples is an axis, and 40",
    ),
    "seed": (lambda: SWEEP(ON_RATIO, ["dense"], seed=-1), "seed must be"),
    "tolerance": (lambda: SWEEP(ON_RATIO, ["dense"], tolerance=2), "tolerance must be"),
    "workers": (lambda: SWEEP(ON_RATIO, ["dense"], workers=0), "workers must be at least 1"),
    "executor": (lambda: SWEEP(ON_RATIO, ["dense"], trials=2, executor="pool"), "executor must be"),
    "huge": (
        lambda: SWEEP({name: np.linspace(0.1, 1, 30_000) for name in ("keep", "ridge", "aspect_ratio")}),
        "memory",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str):
    call, words = WRONG[case]
    with pytest.raises((ValueError, TypeError), match=words):
        call()


# --- the dataset


def test_the_dataset_says_what_it_is_of():
    problem, over = two_level(noise_variance=1), {"aspect_ratio": ["1/2", 2], "keep": [0.1]}
    found = rc.sweep(problem, over, ["hessian", "small"], trials=2, n_samples=50, seed=7, workers=1)
    assert rc.LinearGaussian.from_dict(json.loads(found.attrs["problem"])) == problem
    models = [rc.Procedure.from_dict(one) for one in json.loads(found.attrs["procedures"])]
    assert [model.key for model in models] == found.model.values.tolist() == ["hessian", "small"]
    assert json.loads(found.attrs["over"]) == {"aspect_ratio": [0.5, 2.0], "keep": [0.1]}
    told = {name: found.attrs[name] for name in ("fix", "seed", "trials", "n_samples")}
    assert told == {"fix": "law", "seed": 7, "trials": 2, "n_samples": 50}
    assert found.attrs["riskcalc"] == rc.__version__
    for name, variable in found.variables.items():
        if name not in ("model", "label"):
            assert variable.attrs["long_name"], name
            assert variable.attrs["units"] == "1", name
    assert found.aspect_ratio.attrs["symbol"] == r"\kappa"
    assert found.risk.attrs["ancillary_variables"] == "status simulated_risk"
    assert found.simulated_risk.attrs["ancillary_variables"] == "simulated_risk_stderr"
    assert found.status.attrs["flag_meanings"].split()[int(found.status[0, 0, 0])] == "ok"


def test_infinite_risks_and_none_are_told_apart():
    found = rc.sweep(two_level(noise_variance=1), {"aspect_ratio": [1]}, ["dense", "hessian+retrain"], keep=0.1)
    assert found.risk.values.ravel().tolist() == [np.inf, pytest.approx(np.nan, nan_ok=True)]


# --- the command


@pytest.fixture
def run(monkeypatch, capsys):
    return partial(command_line, monkeypatch, capsys)


FLAGS = ["--aspect-ratio", "2", "--eigenvalues", "25,1", "--signal", "1", "--weights", ".1,.9", "--noise-variance", "1"]


def test_the_command_is_the_function(run, tmp_path):
    path = tmp_path / "found.nc"
    grids = ["--over", "aspect_ratio=1/5:4/5:4", "--over", "keep=1/50,1/10"]
    models = ["--model", "hessian", "--model", "small", "--quantity", "training_error"]
    drawn = ["--trials", "3", "--size", "250", "--seed", "2", "--workers", "1"]
    code, out, err = run("sweep", *FLAGS, *grids, *models, *drawn, "--output", str(path))
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    assert "of 4 x 2 regimes" in out
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=[".1", ".9"], noise_variance=1)
    over = {"aspect_ratio": ["1/5", "2/5", "3/5", "4/5"], "keep": ["1/50", "1/10"]}
    what = ["hessian", "small", "risk", "training_error"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = rc.sweep(problem, over, what, trials=3, n_samples=250, seed=2, workers=1)
    with xarray.open_dataset(path, engine="scipy") as found:
        assert found.identical(expected)
    code, out, _ = run("sweep", *FLAGS, *grids, *models, *drawn, "--json")
    told = json.loads(out)
    assert told["data_vars"]["risk"]["data"][1] == expected.risk.values[1].tolist()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("keep=1/10:1/2:3", ["1/10", "3/10", "1/2"]),
        ("n-samples=10:1000:3:log", [10, 100, 1000]),
        ("n_features=3:5:9", [3, 4, 5]),
        ("ridge=0", [0]),
    ],
)
def test_grids_as_text(text: str, values: list[Any]):
    name, found = sweeps._axis(text)
    assert name == text.partition("=")[0].replace("-", "_")
    assert (exactly(found) == exactly(values)).all()


def exactly(values: Any) -> np.ndarray:
    from riskcalc.exact import exact_array

    return exact_array(values, "values")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--over", "aspect=1,2"], "did you mean aspect_ratio"),
        (["--over", "aspect_ratio"], "--over must be NAME=GRID"),
        (["--over", "aspect_ratio=2:1:4"], "from low to high"),
        (["--over", "aspect_ratio=1:2"], "LOW:HIGH:COUNT"),
        (["--over", "aspect_ratio=0:2:3:log"], "begin above 0"),
        (["--over", "aspect_ratio=1:2:1"], "two values or more"),
        (["--over", "keep=1/2,1/3"], "keep must increase"),
        (["--over", "keep=1/3", "--over", "keep=1/2"], "names an axis twice"),
        (["--over", "keep=1/3", "--keep", "1/2"], "--over keep says what is kept"),
        (["--over", "keep=1/3", "--output", "found.png"], "path must end in .nc"),
        (["--over", "keep=1/3", "--output", "/none/found.nc"], "there is no folder"),
        (
            ["--over", "keep=1/3", "--scheduler", "tcp://127.0.0.1:1"],
            "no Dask scheduler answers at 'tcp://127.0.0.1:1'",
        ),
        (["--over", "keep=1/3", "--scheduler", "nowhere"], "no Dask scheduler answers at 'nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_says_what_is_wrong(run, monkeypatch, arguments: list[str], words: str):
    monkeypatch.setattr(sweeps, "PATIENCE", 0.3)
    code, out, err = run("sweep", *FLAGS, "--model", "small", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err
