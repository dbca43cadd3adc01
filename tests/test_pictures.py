"""Pictures: what they show, as data, and that it can be read where it is drawn."""

from __future__ import annotations

import json
import sys
import warnings
from functools import cache
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from helpers import command_line, two_level
from matplotlib import pyplot
from matplotlib.text import Text

import riskcalc as rc
from riskcalc.pictures.declared import Area, Bars, Border, Line, Panel, Points, Region, Rule, Scale
from riskcalc.pictures.declared import Text as Word
from riskcalc.pictures.pictured import Pictured, plot_panels
from riskcalc.pictures.style import _FILLS, FORMATS, look_of
from riskcalc.policies import by_budget
from riskcalc.prediction.solvers import NotCovered
from riskcalc.questions.models import named
from riskcalc.questions.plotting.phases import family_of, phases
from riskcalc.questions.plotting.plot import KINDS
from riskcalc.questions.plotting.swept import Swept
from riskcalc.verification.verify import Check

matplotlib.use("Agg")
RATIOS = np.geomspace(0.2, 20, 16)  # neither 1 nor 10
SWEPT = ["hessian", "hessian+retrain", "small", "dense", "risk", "training_error"]


def marks(panel: Panel, kind: type) -> list[Any]:
    return [mark for mark in panel.marks if isinstance(mark, kind)]


def panel_of(result: Pictured) -> Panel:
    (panel,) = result._panels()
    return panel


@cache
def swept(*keep: float) -> Any:
    problem = two_level(noise_variance=1)
    if not keep:
        return rc.sweep(problem, {"aspect_ratio": RATIOS}, SWEPT, keep="1/10")
    return rc.sweep(problem, {"aspect_ratio": RATIOS, "keep": keep}, SWEPT)


def simulated(found: Any, se: float = 0.1) -> Any:
    """As if simulations had been exact, with these standard errors."""
    two = found.isel(aspect_ratio=slice(None, None, 6)).copy(deep=True)
    return two.assign(simulated_risk=two.risk * 1.0, simulated_risk_stderr=0 * two.risk + se)


# --- The law of the coefficients

POLICIES = {
    "magnitude": rc.Magnitude(keep="1/5"),
    "hessian": rc.Hessian(keep="1/5"),
    "surgeon": rc.BrainSurgeon(keep="1/5"),
    "oracle": rc.Oracle(keep="1/5"),
    "random": rc.Random(keep="1/5"),
    "sampled": rc.Sampled(keep="1/5"),
    "own": rc.Score("steep", "X**4 + Lambda/10", keep="1/5"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_as_much_is_kept_of_the_law_as_the_budget_says(name: str):
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[9, 1], signal=[-1, 2], noise_variance=1, ridge=0.1)
    found = rc.predict(problem, POLICIES[name])._later.coefficients()
    x = np.linspace(-40, 40, 20_001)
    assert np.trapezoid(found.density(x, kept=False), x) == pytest.approx(1, abs=1e-6)
    assert np.trapezoid(found.density(x, kept=True), x) == pytest.approx(0.2, abs=1e-3)
    assert found.dropped == pytest.approx(0.8)


@pytest.mark.parametrize("keep", [1, "9/10"])
def test_where_no_feature_with_variance_is_dropped_nothing_is(keep):
    problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[4, 1, 0], weights=[0.4, 0.4, 0.2], signal=1, ridge=0.1)
    panel = panel_of(rc.predict(problem, rc.Magnitude(keep=keep)))
    (before, *_), (area,) = marks(panel, Line), marks(panel, Area)
    assert not marks(panel, Rule)
    assert area.high == pytest.approx(before.y)


def test_draws_with_replacement_keep_what_is_drawn_at_all():
    problem = two_level(noise_variance=1)
    prediction = rc.predict(problem, rc.Sampled(keep="1/5", replacement=True))
    found = prediction._later.coefficients()
    x = np.linspace(-80, 80, 40_001)
    kept = np.trapezoid(found.density(x, kept=True), x)
    assert kept == pytest.approx(1 - found.dropped, abs=1e-3)
    assert kept == pytest.approx([0.1, 0.9] @ prediction.kept, abs=1e-3)


@pytest.mark.parametrize("kind", [rc.Magnitude, rc.Hessian])
def test_the_law_is_that_of_fitted_coefficients(kind: type):
    """A fit of one sample, without the theory: the law within the bound of Kolmogorov at 99.9 %, the threshold in
    the share that reaches it."""
    n, p, keep = 400, 800, 0.3
    values, signal = np.repeat([9.0, 1.0], p // 2), np.tile([-1.0, 2.0], p // 2)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)) * np.sqrt(values)
    y = X @ signal / np.sqrt(p) + rng.normal(size=n)
    fitted = np.sqrt(p) * np.linalg.solve(X.T @ X / n + 0.1 * np.eye(p), X.T @ y / n)
    scored = fitted * (np.sqrt(values) if kind is rc.Hessian else 1)
    law = {"eigenvalues": [9, 9, 1, 1], "signal": [-1, 2, -1, 2]}
    prediction = rc.predict(rc.LinearGaussian(aspect_ratio=2, noise_variance=1, ridge=0.1, **law), kind(keep=keep))
    found = prediction._later.coefficients()
    x = np.linspace(-60, 60, 60_001)
    below = np.cumsum(found.density(x, kept=False)) * (x[1] - x[0])
    assert abs(np.interp(np.sort(scored), x, below) - (np.arange(p) + 0.5) / p).max() < 1.95 / np.sqrt(p)
    assert (abs(scored) >= found.threshold).mean() == pytest.approx(keep, abs=3.3 * np.sqrt(keep * (1 - keep) / p))


def test_coefficients_of_a_fit_without_error_are_points():
    panel = panel_of(rc.predict(two_level(aspect_ratio="1/2"), rc.Hessian(keep="1/20")))
    before, after = [mark for mark in panel.marks if type(mark).__name__ == "Stems"]
    assert before.x.tolist() == [1, 1]
    assert after.y.tolist() == [0.05, 0]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: rc.predict(two_level(noise_variance=1, aspect_ratio=1)),
        lambda: rc.predict(two_level(noise_variance=1), rc.Group(4, keep="1/10")),
        lambda: rc.predict(two_level(noise_variance=1), rc.Optimal("1/10")),
        lambda: rc.small_model(two_level(noise_variance=1), "1/10"),
        lambda: rc.predict(rc.RankOne([1, 2], [1, 1], 12)),
    ],
)
def test_what_has_no_law_to_show_says_so(ask):
    with pytest.raises(NotCovered, match="coefficient"):
        ask().plot()


# --- Curves and their asymptotes


@pytest.mark.parametrize(
    ("given", "prune", "expected"),
    [
        ({"aspect_ratio": RATIOS}, None, [(1, "$p = n$")]),
        ({"aspect_ratio": RATIOS}, rc.Hessian(keep="1/10"), [(1, "$p = n$")]),
        ({"aspect_ratio": RATIOS}, rc.Procedure(rc.Hessian(keep="1/10"), rc.Retrain()), [(10, "$s = n$")]),
        ({"aspect_ratio": [0.5, 1, 2]}, None, [(1, "$p = n$")]),
        ({"aspect_ratio": RATIOS, "ridge": 1}, None, []),
        ({"aspect_ratio": RATIOS, "noise_variance": 0}, None, []),
        (
            {"aspect_ratio": 4},
            rc.Procedure(rc.Magnitude(keep=np.linspace(0.1, 0.9, 9)), rc.Retrain()),
            [(0.25, "$s = n$")],
        ),
        ({"aspect_ratio": [0.5, 1.0000000000000002, 2]}, None, [(1, "$p = n$")]),
        ({"n_samples": np.arange(20, 90, 7), "n_features": 40, "aspect_ratio": None}, None, [(40, "$p = n$")]),
        (
            {"n_samples": 40, "n_features": np.arange(20, 90, 7), "aspect_ratio": None},
            rc.Procedure.small("1/2"),
            [(80, "$s = n$")],
        ),
        ({"aspect_ratio": 4, "noise_variance": [1, 2, 3]}, None, []),
        ({"aspect_ratio": RATIOS, "eigenvalues": [4, 1, 0], "weights": None}, None, [(1.5, r"$\mathrm{rank} = n$")]),
    ],
)
def test_infinite_risks_are_breaks_with_their_asymptotes(given, prune, expected):
    panel = panel_of(rc.predict(two_level(**{"noise_variance": 1} | given), prune))
    assert [(rule.at, rule.label) for rule in marks(panel, Rule)] == expected
    risk = marks(panel, Line)[0]
    assert (np.diff(risk.x) >= 0).all()
    assert sorted({*risk.x[np.isinf(risk.y)]}) == [place for place, _ in expected]
    if expected and np.ndim(given["aspect_ratio"]):  # it goes up to it on both sides, also where it is asked for
        (place, _), finite = expected[0], np.isfinite(risk.y)
        for side in (risk.x < place, risk.x > place):
            assert risk.y[side & finite & (abs(risk.x - place) < 0.01 * place)].max() > 50


def test_curves_are_the_predictions():
    problem = two_level(noise_variance=1, aspect_ratio=RATIOS)
    comparison = rc.compare(problem, keep="1/10")
    panel = panel_of(comparison)
    for line in marks(panel, Line):
        risk = comparison.predictions[line.key].risk
        assert np.interp(RATIOS, line.x, line.y) == pytest.approx(risk)
        assert line.label == comparison.predictions[line.key].label
    shown = {line.key for line in marks(panel, Line)}
    assert shown == {"small", *(key for key, one in comparison.predictions.items() if one.procedure.feasible)}
    assert panel.x.log
    assert panel.y.log


def test_a_batch_of_two_axes_has_no_curve():
    with pytest.raises(ValueError, match=r"one axis, and this batch the shape \(2, 3\)"):
        rc.predict(two_level(aspect_ratio=[0.5, 2, 3], noise_variance=[[1], [2]])).plot()


def test_a_comparison_shows_what_risks_are_made_of():
    comparison = rc.compare(two_level(noise_variance=1), "1/10")
    panel = panel_of(comparison)
    dots = marks(panel, Points)
    names = dict(panel.y.rows)
    assert {dot.key: dot.x.item() for dot in dots} == comparison.risks
    assert [names[dot.y.item()] for dot in dots if not dot.hollow] == [
        comparison._name(key) + " *" * (key == comparison.best)
        for key in comparison._in_families()
        if key in comparison._competitors
    ]
    dropping, estimating = marks(panel, Bars)
    assert dropping.end - dropping.start == pytest.approx([float(one.misfit) for one in _in_order(comparison)])
    assert estimating.end == pytest.approx([float(one.risk) for one in _in_order(comparison)])
    assert (dropping.start == 1).all()


def _in_order(comparison: rc.Comparison) -> list[rc.Prediction]:
    return [comparison.predictions[key] for key in comparison._in_families()]


# --- Datasets


def test_risks_of_a_sweep_are_shown_with_its_asymptotes_and_simulations():
    found = swept()
    near = simulated(found)
    panel = KINDS["risk"](Swept.of(found), Swept.of(near))
    assert [(rule.at, rule.label) for rule in marks(panel, Rule)] == [(1, "$p = n$"), (10, "$s = n$")]
    infinite = {line.key: sorted({*line.x[np.isinf(line.y)]}) for line in marks(panel, Line)}
    assert infinite == {"hessian": [1], "hessian+retrain": [10], "small": [10], "dense": [1]}
    for points in marks(panel, Points):
        assert points.y == pytest.approx(near.risk.sel(model=points.key).values)
        assert points.y_error == pytest.approx(np.full(points.y.size, 0.2))


def test_a_chosen_row_of_a_map_has_the_asymptotes_of_its_budget():
    found = swept(0.1, 0.2, 0.5).sel(keep=0.2)
    panel = KINDS["risk"](Swept.of(found, ["small"]), None)
    assert [(rule.at, rule.label) for rule in marks(panel, Rule)] == [(5, "$s = n$")]


def test_regions_are_where_a_family_has_the_lowest_risk():
    found = swept(*np.linspace(0.02, 0.9, 20))
    models = ["hessian", "hessian+retrain", "small", "dense"]
    panel = phases(Swept.of(found, models), None)
    best = {"prune": ["hessian"], "retrain": ["hessian+retrain"], "small": ["small"], "dense": ["dense"]}
    risk = found.risk.transpose("model", "keep", "aspect_ratio")
    lowest = np.stack([risk.sel(model=keys).min("model").values for keys in best.values()])
    winner = np.array([*best])[lowest.argmin(axis=0)]
    drawn = marks(panel, Region)[0]  # with places between those of the grid
    grid = np.ix_(np.isin(drawn.y, found["keep"]), np.isin(drawn.x, found["aspect_ratio"]))
    regions = {mark.key.removeprefix("best "): mark.above[grid] > 0 for mark in marks(panel, Region)}
    apart = np.sort(lowest, axis=0)
    clear = apart[1] > apart[0] * (1 + 1e-8)
    assert clear.mean() > 0.9
    for family, inside in regions.items():
        assert np.array_equal(inside[clear], (winner == family)[clear])
    assert {*winner[clear]} == {*regions}
    for border in marks(panel, Border):
        one, other = border.label.split(" = ")
        above = border.above[grid]
        known = np.isfinite(above)
        first, second = (lowest[[*best].index(family)] for family in (one, other))
        assert np.array_equal((above > 0)[known], (first < second)[known])
    assert {"small = prune", "prune = dense"} <= {border.label for border in marks(panel, Border)}


def test_borders_are_the_edges_of_regions_on_a_coarse_grid():
    panel = phases(Swept.of(swept(0.02, 0.1, 0.9)), None)
    inside = {mark.key.removeprefix("best "): mark.above > 0 for mark in marks(panel, Region)}
    for border in marks(panel, Border):
        one, other = (inside[family] for family in border.label.split(" = "))
        known = np.isfinite(border.above)
        assert not (one & known & (border.above < 0)).any()
        assert not (other & known & (border.above > 0)).any()
        assert (one | other)[known].mean() > 0.97


def test_the_name_of_a_map_of_one_region_stands_in_its_middle():
    found = swept(*np.linspace(0.02, 0.9, 20))
    found = found.assign(risk=found.risk.where(found.model != "small", 0))
    (name,) = marks(phases(Swept.of(found, ["hessian", "small"]), None), Word)
    assert name.y == pytest.approx(0.46, abs=0.03)


def test_error_bars_are_within_the_panel():
    found = simulated(swept(), se=5.0).sel(model=["hessian"])
    panel = KINDS["risk"](Swept.of(found), Swept.of(found))
    ends = np.concatenate([one.y + one.y_error for one in marks(panel, Points)])
    assert np.median(ends[np.isfinite(ends)]) < panel.y.limits[1]


def test_markers_are_on_the_side_that_simulation_says_hollow_within_its_errors():
    keys, risks = ["hessian", "hessian+retrain", "small"], [[1.0, 2.0, 3.0], [1.5, 1.0, 3.5], [2.0, 3.0, 2.9]]
    found = swept(0.1, 0.2, 0.3).sel(model=keys).isel(aspect_ratio=slice(0, 2)).copy(deep=True)
    both = np.repeat(np.array(risks)[:, None, :], 2, axis=1)
    shape = ("model", "aspect_ratio", "keep")
    found = found.assign(simulated_risk=(shape, both), simulated_risk_stderr=(shape, 0 * both + 0.1))
    panel = phases(Swept.of(found), Swept.of(found))
    told = {points.label: ({*points.y.tolist()}, {*points.hollow.tolist()}) for points in marks(panel, Points)}
    assert told == {"prune": ({0.1}, {False}), "retrain": ({0.2}, {False}), "small": ({0.3}, {True})}


def test_training_errors_stand_beside_risks():
    found = swept()
    panel = KINDS["training"](Swept.of(found, ["dense", "small"]), None)
    dense, small = marks(panel, Line)
    for line, place in ((dense, 1), (small, 10)):  # in two parts
        here = found.sel(model=line.key)
        gap = int((place > RATIOS).sum())
        assert np.flatnonzero(np.isnan(line.y)).tolist() == [gap]
        assert np.delete(line.x, gap) == pytest.approx(here.training_error.values)
        assert np.delete(line.y, gap) == pytest.approx(here.risk.values)
    assert [points.hollow.tolist() for points in marks(panel, Points)] == [[True, False]] * 2


def test_agreement_is_simulated_over_predicted():
    near = simulated(swept())
    near["simulated_risk"] = near.simulated_risk * 1.1
    for points in marks(KINDS["agreement"](Swept.of(near), None), Points):
        assert points.y == pytest.approx(np.full(points.y.size, 1.1))
        assert points.y_error * points.x == pytest.approx(np.full(points.y.size, 0.2))


def test_families_are_told_by_names():
    families = {key: family_of(key) for key in named()}
    assert families["dense"] == "dense"
    assert {families[key] for key in named() if key.startswith("small")} == {"small"}
    assert {families[kind] for kind in by_budget()} == {"prune"}
    assert {families[f"{kind}+retrain"] for kind in by_budget()} == {"retrain"}


# --- Looks


def test_every_model_has_its_own_look():
    looks = {key: look_of(key) for key in [*named(), "group_magnitude_4", "own"]}
    told = {(one.color, str(one.dashes)): key for key, one in looks.items()}
    assert len(told) == len(looks), "lines"
    assert len({(one.color, str(one.marker)) for one in looks.values()}) == len(looks), "markers"


def test_colours_are_apart_in_grey():
    """By their lightness: of regions on a map, and of the lines that are compared most."""
    for colors in (_FILLS.values(), [look_of(key).color for key in ("dense", "hessian", "magnitude", "small")]):
        shades = sorted(_lightness(color) for color in colors)
        assert min(np.diff(shades)) > 8, shades


def _lightness(color: str) -> float:
    """L* of CIELAB."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in matplotlib.colors.to_rgb(color)
    )
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 116 * np.cbrt(light) - 16 if light > 0.008856 else 903.3 * light


# --- Drawing


def _verified() -> rc.Verification:
    checks = (
        Check("dense", "agree", 2.7, 2.72, 0.01, 2.71, 0.003, 0.008),
        Check("hessian, retrained on the same sample: training error", "undecided", *[1.0] * 4, 0.01, 0.02),
        Check("random", "vacuous", np.inf),
    )
    return rc.Verification(checks, 0.02, 0.99, (50, 100, 200), (64, 64, 64), 0)


NOISY = {"noise_variance": 1}
RESULTS = {
    "law": lambda: rc.predict(two_level(**NOISY), rc.Hessian(keep="1/10")),
    "points": lambda: rc.predict(two_level(aspect_ratio="1/2"), rc.Hessian(keep="1/10")),
    "errors": lambda: rc.predict(two_level(aspect_ratio=RATIOS, **NOISY), rc.Hessian(keep="1/10"), retrain=True),
    "dots": lambda: rc.compare(two_level(**NOISY), "1/10"),
    "infinite dots": lambda: rc.compare(two_level(**NOISY), "3/10"),
    "curves": lambda: rc.compare(two_level(aspect_ratio=RATIOS, **NOISY), "1/10", policies=[rc.Hessian]),
    "prunability": lambda: rc.prunability(two_level(**NOISY), 0.5),
    "sampling": lambda: rc.sampling_budget(two_level(aspect_ratio=[2, 3, 4], **NOISY), 0.5),
    "rounds": lambda: rc.rounds(two_level(**NOISY), rc.Magnitude, ["1/5"]),
    "verification": _verified,
}


@cache
def result(name: str) -> Any:
    return RESULTS[name]()


DATASETS = {
    "risk": lambda: (swept(), simulated(swept())),
    "training": lambda: (swept(), None),
    "agreement": lambda: (simulated(swept()), None),
    "phase": lambda: (swept(*np.linspace(0.02, 1, 25)), simulated(swept(0.1, 0.4, 0.8), 0.001)),
}


def check_readable(axes: Any) -> None:
    """Every text is inside of the figure, and apart from every other."""
    figure = axes.figure
    renderer, whole = figure.canvas.get_renderer(), figure.bbox
    hidden = set()
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    texts = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip() and one not in hidden]
    boxes = {one: one.get_window_extent(renderer) for one in texts}
    assert len(boxes) > 3
    for text, box in boxes.items():
        assert whole.x0 - 1 <= box.x0, text
        assert box.x1 <= whole.x1 + 1, text
        assert whole.y0 - 1 <= box.y0, text
        assert box.y1 <= whole.y1 + 1, text
    for one, other in combinations(texts, 2):
        first, second = boxes[one].padded(-1), boxes[other].padded(-1)
        assert not first.overlaps(second), (one.get_text(), other.get_text())


@pytest.mark.parametrize("name", [*RESULTS, *DATASETS])
def test_pictures_can_be_read(name: str, tmp_path):
    """At the width of one column, without a warning, and without a figure that stays open."""
    before = pyplot.get_fignums()
    suffix = FORMATS[[*RESULTS, *DATASETS].index(name) % 3]
    path = tmp_path / f"picture{suffix}"
    given: Any = result(name) if name in RESULTS else DATASETS[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes = given.plot(path=path) if name in RESULTS else rc.plot(given[0], name, simulated=given[1], path=path)
    assert path.stat().st_size > 1000
    assert pyplot.get_fignums() == before
    if not hasattr(axes.figure.canvas, "get_renderer"):
        matplotlib.backends.backend_agg.FigureCanvasAgg(axes.figure).draw()
    check_readable(axes)


def test_files_are_of_print(tmp_path):
    for suffix, columns in ((".png", 1), (".svg", 2), (".pdf", 2)):
        _verified().plot(path=tmp_path / f"p{suffix}", columns=columns)
    assert pyplot.imread(tmp_path / "p.png").shape[1] == round(3.35 * 300)
    assert float(ElementTree.parse(tmp_path / "p.svg").getroot().attrib["width"].removesuffix("pt")) == 6.9 * 72
    pdf = (tmp_path / "p.pdf").read_bytes()
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf


def test_pictures_are_drawn_where_they_are_asked_for():
    before, settings = pyplot.get_fignums(), dict(matplotlib.rcParams)
    found = result("prunability")
    figure, (left, right) = pyplot.subplots(1, 2)
    assert found.plot(right) is right
    assert not left.has_data()
    assert found.plot(figure.subfigures(1, 1).add_axes((0, 0, 1, 1))).has_data()
    own = found.plot(columns=2)
    assert own.figure.get_size_inches()[0] == 6.9
    with pytest.raises(ValueError, match="1 panels; give as many axes, got 2"):
        found.plot([left, right])
    pyplot.close(figure)
    pyplot.close(own.figure)
    assert pyplot.get_fignums() == before
    assert dict(matplotlib.rcParams) == settings


def test_legends_name_what_they_show():
    """In whatever order matplotlib lists it; and what was on the axes before."""
    figure, axes = pyplot.subplots()
    axes.plot([1, 2], [1, 2], color="#123456", label="mine")
    x = np.array([1.0, 2.0])
    marks = [Points(x, x, "hessian", "first"), Line(x, x, "second", "magnitude"), Line(x, x, "third", "dense")]
    plot_panels([Panel(Scale("x"), Scale("y"), marks)], axes, 1, None)
    legend = axes.get_legend()
    told = {}
    for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
        line = handle if hasattr(handle, "get_color") else handle[0]
        told[text.get_text()] = matplotlib.colors.to_hex(line.get_color()).upper()
    assert told == {
        "mine": "#123456",
        **{
            name: look_of(key).color
            for name, key in zip(("first", "second", "third"), ("hessian", "magnitude", "dense"), strict=True)
        },
    }
    pyplot.close(figure)


def test_several_panels_stand_below_each_other_on_one_column_and_side_by_side_on_two():
    panels = [panel_of(result("prunability")), panel_of(result("law"))]
    for columns, shape in ((1, (2, 1)), (2, (1, 2))):
        several = plot_panels(panels, None, columns, None)
        grid = several[0].get_gridspec()
        assert (grid.nrows, grid.ncols) == shape
        pyplot.close(several[0].figure)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "a.jpg"}, r"\.png, \.svg or \.pdf file, got a.jpg"),
        ({"path": "/none/such/a.png"}, "there is no folder"),
        ({"columns": 3}, "columns must be 1 or 2, got 3"),
        ({"columns": "2"}, "columns must be 1 or 2, got '2'"),
        ({"path": "a.png", "ax": 1}, "save the figure of your axes"),
    ],
)
def test_outputs_are_refused_before_the_work(given, message):
    with pytest.raises(ValueError, match=message):
        result("prunability").plot(**given)


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        (lambda found: 3, {}, "must be an xarray.Dataset"),
        (lambda found: found.drop_vars("risk"), {}, "has the risk of every model"),
        (lambda found: found, {"kind": "phse"}, "did you mean phase"),
        (lambda found: found, {"models": ["hesian"]}, "did you mean hessian"),
        (lambda found: found, {"models": "hessian"}, "must be a list of names"),
        (lambda found: found, {"models": []}, "must be a list of names"),
        (lambda found: found, {"kind": "phase"}, r"has 2 axes, and the dataset has aspect_ratio \(16\)"),
        (lambda found: found.isel(aspect_ratio=0), {}, "1 axis, and the dataset has none"),
        (
            lambda found: found.drop_vars("training_error"),
            {"kind": "training"},
            "training_error, which the dataset has",
        ),
        (lambda found: found.assign(risk=found.risk.astype(str)), {}, "risk must be numbers"),
        (lambda found: found.isel(aspect_ratio=[]), {}, "the dataset is empty"),
        (lambda found: found, {"kind": 5}, "kind must be one of risk, phase"),
        (lambda found: found, {"models": [5]}, "models must be names"),
        (lambda found: found, {"kind": "agreement"}, "needs simulated_risk"),
        (lambda found: found.assign(simulated_risk=found.risk), {"kind": "agreement"}, "needs simulated_risk_stderr"),
        (lambda found: found, {"simulated": "itself"}, "needs simulated_risk"),
        (lambda found: found, {"simulated": 3}, "must be an xarray.Dataset"),
        (lambda found: found.isel(model=[0]), {"simulated": "itself", "models": ["hessian"]}, "needs simulated_risk"),
        (
            lambda found: found.assign_coords(model=list("abcd")),
            {"simulated": "itself"},
            "a, b, c, d, none is simulated",
        ),
    ],
)
def test_datasets_that_are_none_are_refused(change, given, message):
    found = swept()
    given = {name: found if value == "itself" else value for name, value in given.items()}
    with pytest.raises((ValueError, TypeError), match=message):
        rc.plot(change(found), **given)


def test_what_was_edited_by_hand_is_drawn(tmp_path):
    """Labels and names of axes with dollar signs are no math; attributes that are none of a sweep are passed over."""
    found = swept().isel(model=[0, 1]).rename(aspect_ratio="$a_{")
    found = found.assign_coords(label=("model", ["$x_{$", r"$\frac$"])).assign_attrs(over="5")
    found["simulated_risk"] = found.risk
    for kind in ("risk", "training"):
        rc.plot(found, kind, path=tmp_path / "a.png")
    _, axes = pyplot.subplots()
    axes.plot([1, 2], label=r"my $\alpha$")
    rc.plot(found, ax=axes)
    axes.figure.draw_without_rendering()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [r"my $\alpha$", r"\$x_{\$", r"\$\frac\$"]
    pyplot.close(axes.figure)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'riskcalc\[plot\]'"):
        _verified().plot()


def test_the_command_line_draws_what_it_wrote(monkeypatch, capsys, tmp_path):
    picture = tmp_path / "a.png"
    written, sweep = tmp_path / "result.json", tmp_path / "sweep.nc"
    written.write_text(json.dumps(result("prunability").to_dict()))
    swept().to_netcdf(sweep, engine="scipy")
    for arguments in ([str(written)], [str(sweep), "--model", "hessian", "--model", "small", "--kind", "risk"]):
        code, out, err = command_line(monkeypatch, capsys, "plot", *arguments, "--output", str(picture))
        assert (code, out, err) == (0, "", "")
        assert picture.read_bytes().startswith(b"\x89PNG")
        picture.unlink()
    (tmp_path / "cut.nc").write_bytes(sweep.read_bytes()[:500])
    (tmp_path / "other.json").write_text(json.dumps({"kind": "Estimate"}))
    (tmp_path / "list.json").write_text("[1]")
    for arguments, message in (
        ([str(written), "--kind", "risk"], "--kind is of sweeps"),
        ([str(tmp_path / "cut.nc")], "cannot read"),
        ([str(tmp_path / "none.nc")], "No such file"),
        ([str(tmp_path / "other.json")], "no result with a picture is called 'Estimate'"),
        ([str(tmp_path / "list.json")], "of no result"),
        ([__file__], "neither the netCDF of a sweep nor JSON"),
        ([str(sweep), "--simulated", str(written)], "is no netCDF of a sweep"),
    ):
        code, out, err = command_line(monkeypatch, capsys, "plot", *arguments, "--output", str(picture))
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
        assert not picture.exists()
