"""A survey as a picture: a row for every rule, a dot for each thing that becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from riskcalc.pictures.curves import error_scale
from riskcalc.pictures.declared import Band, Line, Mark, Panel, Points, Scale, Text
from riskcalc.pictures.style import STAGES
from riskcalc.prediction.result import Prediction

ROW, REST = 0.16, 0.5  # inches
# What becomes of a rule; how a marker is written.
PRUNED, RETRAINED, FRESH = STAGES
GLYPHS = dict(zip(STAGES, "●▪◇", strict=True))
# Of the panel, what a letter told at its right takes of the width of one column, and what all of them may.
LETTER, MOST = 0.03, 0.6
# A row's name, and its models by what becomes of the rule.
Row = tuple[str, Mapping[str, Prediction]]


def rule_dots(kinds: Mapping[str, Sequence[Row]], references: Mapping[str, Prediction], title: str) -> Panel:
    """Rules under their kinds, from the top down; lines for models that prune nothing. What is off the scale, as it is
    infinite or far from the rest, is told at the right."""
    every = [one for rows in kinds.values() for _, models in rows for one in models.values()]
    several = [*every, *references.values()]
    ends = [[float(one.risk) + side * _bar(one) for one in several] for side in (0, 1)]
    scale = error_scale("test risk", ends)
    left, right = scale.limits or (0.0, 1.0)
    marks: list[Mark] = []
    rows: list[tuple[float, str]] = []
    dots: dict[str, list[tuple[float, float, float]]] = {}
    spans: list[float] = []
    for kind, several in kinds.items():
        top = len(rows)
        marks += [Band(top - 0.5, top + 0.5, "", axis="y"), Text(left, top, kind)]
        rows += [(top, ""), *((top + 1 + i, name) for i, (name, _) in enumerate(several))]
        spans += [top + 0.5, len(rows) - 0.5, np.nan]
        for place, (_, models) in enumerate(several, start=top + 1):
            risks = {stage: float(one.risk) for stage, one in models.items()}
            far = {stage: risk for stage, risk in risks.items() if not left <= risk <= right}
            for stage, one in models.items():
                x = np.nan if stage in far else risks[stage]
                dots.setdefault(stage, []).append((x, place, _bar(one)))
            marks += [Text(np.inf, place, _told(far))] if far else []
    y = np.array(spans)
    for key, one in references.items():
        risk = float(one.risk)
        marks.append(Line(0 * y + risk, y, key if left <= risk <= right else f"{key} {_number(risk)}", key))
    for stage, several in dots.items():
        x, place, error = np.transpose(several)
        marks.append(Points(x, place, stage, stage, x_error=error if error.any() else None, hollow=stage == FRESH))
    letters = max((len(one.text) + 1 for one in marks if isinstance(one, Text) and one.x == np.inf), default=0)
    across = replace(scale, limits=(left, _widened(left, right, min(MOST, LETTER * letters), scale.log)))
    told = [title, "bars: two standard errors" if any(map(_bar, every)) else ""]
    return Panel(across, Scale("", rows=rows), marks, "\n".join(filter(None, told)), ROW * len(rows) + REST)


def _bar(one: Prediction) -> float:
    """Half an error bar, of two standard errors."""
    return 2 * float(one.integration_error or 0)


def _widened(left: float, right: float, share: float, log: bool) -> float:
    """The end of a scale with room at its right, that share of the width."""
    more = share / (1 - share)
    return right * (right / left) ** more if log else right + (right - left) * more


def _told(far: Mapping[str, float]) -> str:
    """Risks that are off the scale, each after its markers."""
    markers: dict[str, str] = {}
    for stage, risk in far.items():
        markers[_number(risk)] = markers.get(_number(risk), "") + GLYPHS[stage]
    return ", ".join(f"{several} {risk}" for risk, several in markers.items())


def _number(risk: float) -> str:
    return "?" if risk != risk else "∞" if risk == np.inf else f"{risk:.3g}"
