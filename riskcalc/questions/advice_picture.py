"""Advice as a picture: predicted risks, and measured ones with their errors, of one budget or along several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskcalc.pictures.curves import Curve, curves_panel, dots_scale
from riskcalc.pictures.declared import Mark, Panel, Points, Rule, Scale

if TYPE_CHECKING:
    from riskcalc.questions.advice import Advice, Weighed

# Of the risk of predicting the mean: what is worse by more is left out of a picture.
WORST = 3.0
ROW, REST = 0.17, 0.75  # inches


def along_budgets(advice: Advice) -> Panel:
    """Lines predicted and points measured over the number of columns kept; the dense fit all across."""
    every = [one for one in (*advice.models, *advice.along) if _shown(one, advice)]
    names = dict.fromkeys(one.model for one in every)
    curves, points = [], []
    for name in names:
        own = sorted((one for one in every if one.model == name), key=lambda one: one.n_keep)
        if name == "dense":
            ends = sorted({one.n_keep for one in every})
            own = [own[0]] * len(ends)
            places = np.array(ends, float)
        else:
            places = np.array([one.n_keep for one in own], float)
        curves.append(Curve(name, own[0].label, places, _numbers(own, "predicted")))
        if advice.repeats and name != "dense":
            points.append(Points(places, _numbers(own, "measured"), name, y_error=_numbers(own, "stderr")))
    rules = [Rule(float(advice.n_keep), "the budget")]
    return curves_panel("n_keep", curves, rules, points, title="lines predicted, points measured")


def at_one_budget(advice: Advice) -> Panel:
    """A row for every model: predicted hollow, measured full."""
    every = [one for one in advice.models if _shown(one, advice)]
    rows = [(float(i), f"{one.label} *" if one.model == advice.best else one.label) for i, one in enumerate(every)]
    marks: list[Mark] = []
    for place, one in enumerate(every):
        where = np.array([float(place)])
        marks.append(Points(_numbers([one], "measured"), where, one.model, x_error=_numbers([one], "stderr")))
        marks.append(Points(_numbers([one], "predicted"), where, one.model, hollow=True))
    values = np.concatenate([_numbers(every, "predicted"), _numbers(every, "measured")])
    title = "hollow: predicted\n* recommended"
    return Panel(dots_scale("test risk", values), Scale("", rows=rows), marks, title, ROW * (len(rows) + 1) + REST)


def _shown(one: Weighed, advice: Advice) -> bool:
    """Whether a risk is worth room."""
    risk = one.measured if one.predicted is None else one.predicted
    return one.model == advice.best or (risk is not None and risk <= WORST * advice.null_risk)


def _numbers(models: Sequence[Weighed], name: str) -> np.ndarray:
    return np.array([np.nan if getattr(one, name) is None else getattr(one, name) for one in models], float)
