"""The public function `plot`: a picture of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riskcalc.lookup import look_up
from riskcalc.pictures.curves import AXES, Curve, curves_panel, error_scale
from riskcalc.pictures.declared import Line, Mark, Panel, Points, Rule, Scale, plain
from riskcalc.pictures.pictured import check_asked, plot_panels
from riskcalc.questions.plotting.phases import ERRORS, competitors, phases
from riskcalc.questions.plotting.swept import Swept
from riskcalc.quoting import quoted

BARS = "markers: simulated; bars: two standard errors"


def plot(
    dataset: Any,
    kind: str | None = None,
    models: Sequence[str] | None = None,
    *,
    simulated: Any = None,
    ax: Any = None,
    columns: int = 1,
    path: Any = None,
) -> Any:
    """Draw a dataset of a sweep by matplotlib, an extra: ``pip install 'riskcalc[plot]'``.

    Parameters
    ----------
    dataset : xarray.Dataset
        As `sweep` gives it; axes of one value are none. Choose values of others by ``dataset.sel``.
    kind : str, optional
        Over one axis "risk" (if not given): risks, broken where they are infinite, with simulations where there are
        any; or "training": test risk over training error, along the axis. Over two axes "phase" (if not given): which
        family of models is best, with the lines on which two are equal. Over any, "agreement": simulated over predicted
        risk.
    models : sequence of str, optional
        The models shown, by their names in the dataset; all if not given, and in a phase diagram those that can be had
        within the budget, and "small".
    simulated : xarray.Dataset, optional
        Whose simulations are shown, if not the dataset's own: of the same axes at other values.
    ax, columns, path
        As of ``plot`` of a result: axes to draw on, the width of a new figure, a file to write.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If the dataset is none of a sweep, or has not what the picture needs, or the file cannot be written.
    ImportError
        Without matplotlib.

    Examples
    --------
    >>> import riskcalc as rc
    >>> problem = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9])
    >>> found = rc.sweep(problem, {"aspect_ratio": [0.5, 1, 2, 4, 8]}, ["hessian", "small"], keep=0.1)
    >>> axes = rc.plot(found, path="/dev/null/risks.png")
    Traceback (most recent call last):
    ...
    ValueError: cannot write /dev/null/risks.png: Not a directory
    """
    check_asked(ax, columns, path)
    swept = Swept.of(dataset, models)
    if not isinstance(kind, str | None):
        raise TypeError(f"kind must be one of {', '.join(KINDS)}, got {quoted(kind)}")
    if kind is None:
        kind = "phase" if len(swept.axes) > 1 else "risk"
    panel = look_up(kind, KINDS, "kind of picture")
    if kind == "phase" and models is None:
        swept = Swept.of(dataset, models := competitors(swept))
    other = swept
    if simulated is not None:
        every = Swept.of(simulated).models
        if not (there := [key for key in swept.models if key in every]):
            raise ValueError(f"of the models shown, {', '.join(swept.models)}, none is simulated in the other dataset")
        other = Swept.of(simulated, there)
        for name in ("simulated_risk", "simulated_risk_stderr"):
            other.sees(name, kind, "give what was swept with trials")
    return plot_panels([panel(swept, other if other.simulated else None)], ax, columns, path)


def _risk(swept: Swept, simulated: Swept | None) -> Panel:
    (name,) = swept.needs(1, "risk")
    x, far = swept.axes[name], swept.asymptotes
    curves = [Curve(key, swept.labels[key], *far.broken(key, x, swept.one("risk", key))) for key in swept.models]
    points = []
    if simulated is not None:
        if simulated.needs(1, "risk") != [name]:
            raise ValueError(f"what is simulated is over {next(iter(simulated.axes))}, and the curves over {name}")
        for key in simulated.models:
            y, error = (simulated.one(one, key) for one in ("simulated_risk", "simulated_risk_stderr"))
            there = np.isfinite(y)
            points.append(Points(simulated.axes[name][there], y[there], key, y_error=ERRORS * error[there]))
    return curves_panel(name, curves, far.rules, points, title=BARS if points else "")


def _training(swept: Swept, simulated: Swept | None) -> Panel:
    (name,) = swept.needs(1, "training")
    training = swept.sees("training_error", "training", 'sweep with "training_error" among what is asked for')
    values, symbol = swept.axes[name], AXES.get(name, ("", ""))[1].partition("=")[0].strip()
    ends = [f"${symbol} = {one:.3g}$" if symbol else plain(f"{name} = {one:.3g}") for one in values[[0, -1]]]
    marks: list[Mark] = []
    for place, key in enumerate(swept.models):
        x, y = training[place], swept.one("risk", key)
        known = np.isfinite(x) & np.isfinite(y)
        gaps = np.searchsorted(values, swept.asymptotes.places(key))  # past which the curve is another one
        across, up = (np.insert(np.where(known, one, np.nan), gaps, np.nan) for one in (x, y))
        marks.append(Line(across, up, swept.labels[key], key))
        if known.any():
            ends = np.flatnonzero(known)[[0, -1]]
            marks.append(Points(x[ends], y[ends], key, hollow=np.array([True, False])))
    finite = training[np.isfinite(training)]
    below = error_scale("training error", [finite]) if (finite > 0).all() else Scale("training error")
    title = f"hollow: {ends[0]}; filled: {ends[1]}"
    return Panel(below, error_scale("test risk", [swept.arrays["risk"]]), marks, title)


def _agreement(swept: Swept, simulated: Swept | None) -> Panel:
    swept = simulated or swept
    for name in ("simulated_risk", "simulated_risk_stderr"):
        swept.sees(name, "agreement", "sweep with trials")
    marks: list[Mark] = [Rule(1.0, axis="y", dotted=False)]
    shown = []
    for key in swept.models:
        risk, mean, error = (swept.one(name, key) for name in ("risk", "simulated_risk", "simulated_risk_stderr"))
        known = np.isfinite(risk) & np.isfinite(mean) & (risk > 0)
        if known.any():
            x, ratio, bars = risk[known], mean[known] / risk[known], ERRORS * error[known] / risk[known]
            marks.append(Points(x, ratio, key, swept.labels[key], y_error=bars))
            shown.append(x)
    if not shown:
        raise ValueError("no model was simulated where its predicted risk is finite and not zero")
    return Panel(
        error_scale("predicted test risk", shown), Scale("simulated over predicted"), marks, "bars: two standard errors"
    )


KINDS: dict[str, Callable[[Swept, Swept | None], Panel]] = {
    "risk": _risk,
    "phase": phases,
    "training": _training,
    "agreement": _agreement,
}
