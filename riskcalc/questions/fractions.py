"""Fractions of the features that suffice, as a picture: a dot for each way to keep them, or curves along an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskcalc.exact import as_float
from riskcalc.pictures.curves import Curve, curves_panel, dots_scale
from riskcalc.pictures.declared import Mark, Panel, Points, Scale, Text
from riskcalc.problems import Problem
from riskcalc.results.labelled import one_axis

Ways = Mapping[str, tuple[str, Any]]


def fractions_panel(problem: Problem, ways: Ways, label: str) -> Panel:
    """Words and fractions of every way, by the key of what it looks like; nan where there is no such fraction."""
    shape = np.broadcast_shapes(*(np.shape(value) for _, value in ways.values()))
    if shape:
        name, values = one_axis(problem, None, shape)
        curves = [
            Curve(key, words, as_float(values), np.broadcast_to(np.asarray(found, float), shape))
            for key, (words, found) in ways.items()
        ]
        return curves_panel(name, curves, y=label)
    marks: list[Mark] = []
    found = np.array([float(value) for _, value in ways.values()])
    for place, (key, value) in enumerate(zip(ways, found, strict=True)):
        if np.isfinite(value):
            marks.append(Points(np.array([value]), np.array([place]), key))
        marks.append(Text(value, place, f"{value:.3g}" if np.isfinite(value) else "none"))
    rows = [(place, words) for place, (words, _) in enumerate(ways.values())]
    return Panel(dots_scale(label, found), Scale("", rows=rows), marks, height=0.2 * len(rows) + 0.65)
