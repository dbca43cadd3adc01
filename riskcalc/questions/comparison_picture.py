"""A comparison at one budget as a picture: a dot for every model, and what its risk is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from riskcalc.pictures.curves import dots_scale
from riskcalc.pictures.declared import Bars, Mark, Panel, Points, Rule, Scale, Text
from riskcalc.prediction.result import Prediction

# Between rows of a family, and from one family to the next.
STEP, LEAP = 1.0, 1.5
ROW, REST = 0.17, 0.75  # inches


def dots(families: Sequence[Sequence[tuple[str, Prediction]]], best: str | None) -> Panel:
    """Names and predictions of every family, from the top down; references are hollow."""
    every = [(place, name, one) for place, name, one in _placed(families)]
    risks = np.array([float(one.risk) for _, _, one in every])
    noise = float(every[0][2].problem.noise_variance)
    finite = risks[np.isfinite(risks)]
    across = dots_scale("test risk", finite, noise)
    marks: list[Mark] = [Rule(noise, "noise", dotted=False)] if noise > 0 and not across.log else []
    if not across.log:
        marks += _parts(every, noise)
    for (place, _, one), risk in zip(every, risks, strict=True):
        if np.isfinite(risk):
            hollow = not one.procedure.feasible
            marks.append(Points(np.array([risk]), np.array([place]), one.procedure.key, hollow=hollow))
        marks.append(Text(risk, place, f"{risk:.3g}" if np.isfinite(risk) else str(one.status).replace("_", " ")))
    rows = [(place, f"{name} *" if one.procedure.key == best else name) for place, name, one in every]
    title = "" if best is None else "* best within the budget\nhollow: references"
    return Panel(across, Scale("", rows=rows), marks, title, ROW * (rows[-1][0] + 1) + REST)


def _placed(families: Sequence[Sequence[tuple[str, Prediction]]]) -> Iterator[tuple[float, str, Prediction]]:
    place = 0.0
    for family in families:
        for name, one in family:
            yield place, name, one
            place += STEP
        place += LEAP - STEP


def _parts(every: Sequence[tuple[float, str, Prediction]], noise: float) -> Iterator[Bars]:
    """What dropping costs, and what estimating does, beyond the noise."""
    split = [(place, one) for place, _, one in every if one.misfit is not None and np.isfinite(float(one.risk))]
    if not split:
        return
    places = np.array([place for place, _ in split])
    risks, misfits = (np.array([float(getattr(one, name)) for _, one in split]) for name in ("risk", "misfit"))
    yield Bars(places, noise + 0 * misfits, noise + misfits, "dropping", 1.0)
    yield Bars(places, noise + misfits, risks, "estimating", 0.0)
