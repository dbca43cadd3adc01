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
# Of the panel, what a letter told at its right takes of the width of one column.
LETTER = 0.03
# A row's name, and its models by what becomes of the rule.
Row = tuple[str, Mapping[str, Prediction]]


def rule_dots(kinds: Mapping[str, Sequence[Row]], references: Mapping[str, Prediction], title: str) -> Panel:
    """Rules under their kinds, from the top down; lines for models that prune nothing. What is off the scale, as it is
    infinite or far above the rest, is told at the right."""
    every = [one for rows in kinds.values() for _, models in rows for one in models.values()]
    scale = error_scale("test risk", [[float(one.risk) for one in (*every, *references.values())]])
    left, most = scale.limits or (0, 1)
    marks: list[Mark] = []
    places: list[tuple[float, str]] = []
    dots: dict[str, list[tuple[float, float, float]]] = {}
    spans: list[float] = []
    for kind, rows in kinds.items():
        top = len(places)
        marks += [Band(top - 0.5, top + 0.5, "", axis="y"), Text(left, top, kind)]
        places.append((top, ""))
        for place, (name, models) in enumerate(rows, start=top + 1):
            places.append((place, name))
            risks = {stage: float(one.risk) for stage, one in models.items()}
            for stage, one in models.items():
                x = risks[stage] if risks[stage] <= most else np.nan
                dots.setdefault(stage, []).append((x, place, float(one.integration_error or 0)))
            if far := {stage: risk for stage, risk in risks.items() if not risk <= most}:
                marks.append(Text(np.inf, place, _told(far)))
        spans += [top + 0.5, len(places) - 0.5, np.nan]
    y = np.array(spans)
    marks += [
        Line(0 * y + float(one.risk), y, _word(key, float(one.risk), most), key) for key, one in references.items()
    ]
    for stage, several in dots.items():
        x, rows, error = np.transpose(several)
        marks.append(Points(x, rows, stage, stage, x_error=error if error.any() else None, hollow=stage == FRESH))
    told = max((len(one.text) + 1 for one in marks if isinstance(one, Text) and one.x == np.inf), default=0)
    return Panel(_widened(scale, LETTER * told), Scale("", rows=places), marks, title, ROW * len(places) + REST)


def _widened(scale: Scale, share: float) -> Scale:
    """With room at the right, that share of the width."""
    if scale.limits is None:
        return scale
    left, most = scale.limits
    room = (most / left) ** (share / (1 - share)) * most if scale.log else most + (most - left) * share / (1 - share)
    return replace(scale, limits=(left, room))


def _told(far: Mapping[str, float]) -> str:
    """Risks that are off the scale, each after its marker."""
    by_risk: dict[str, str] = {}
    for stage, risk in far.items():
        by_risk[_number(risk)] = by_risk.get(_number(risk), "") + GLYPHS[stage]
    return ", ".join(f"{glyphs} {risk}" for risk, glyphs in by_risk.items())


def _word(key: str, risk: float, most: float) -> str:
    return key if risk <= most else f"{key} {_number(risk)}"


def _number(risk: float) -> str:
    return "?" if risk != risk else "∞" if risk == np.inf else f"{risk:.3g}"
