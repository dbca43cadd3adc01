"""A map over two axes: which family of models is best, and where two are equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates

from riskcalc.pictures.curves import axis_scale
from riskcalc.pictures.declared import Border, Mark, Panel, Points, Region, Text
from riskcalc.questions.plotting.swept import Swept

FAMILIES = ("small", "prune", "retrain", "dense")
# Logarithms of risks that differ by less than this are equal.
EQUAL = 1e-9
# Of a panel, what a name takes: half its width and half its height.
ROOM = np.array([0.13, 0.06])
# Values of an axis, with those between them, that risks are compared at.
FINE = 400
# Simulated risks that differ by fewer standard errors do not tell which is lower.
ERRORS = 2.0


def family_of(key: str) -> str:
    """What a model is made by."""
    if key.partition("_")[0] == "small" or key == "dense":
        return key.partition("_")[0]
    return "retrain" if "+" in key else "prune"


def competitors(swept: Swept) -> list[str]:
    """Of models that were not chosen: those that can be had, and the small model that is told its features."""
    shown = [key for key in swept.models if key in swept.feasible or key == "small"]
    return shown if len({*map(family_of, shown)}) > 1 else [*swept.models]


def phases(swept: Swept, simulated: Swept | None) -> Panel:
    """The panel of a dataset over two axes, the first of them across."""
    across, up = swept.needs(2, "phase")
    best, x, y = _best(swept)
    if len(best) < 2:
        raise ValueError(
            f"a phase diagram compares families of models, and the dataset has only one, {next(iter(best))}; "
            "name models of others"
        )
    below, beside = (replace(axis_scale(name, one), limits=(one[0], one[-1])) for name, one in swept.axes.items())
    marks: list[Mark] = []
    points = [] if simulated is None else [*_simulated(simulated, across, up)]
    taken = [_unit(x, y, one.x, one.y, below.log, beside.log) for one in points]
    for family, above in _leads(best).items():
        if not (above > EQUAL).any():
            continue
        place = _place_of_name(above > 0, taken)
        marks.append(Region(x, y, above.T, family if place is None else "", f"best {family}"))
        if place is not None:
            marks.append(Text(x[place[0]], y[place[1]], family, centred=True))
    marks += points
    marks += (Border(x, y, above.T, label) for above, label in _borders(best))
    title = "markers: best in simulations\nhollow: within two standard errors of the next" if points else ""
    return Panel(below, beside, marks, title, height=2.7)


def _best(swept: Swept) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The logarithm of the lowest risk in each family, above all finite ones where there is none; and its axes.

    Between the values of a coarse grid it is a straight line: where two families are equal, and where a third is lower,
    then agree.
    """
    families: dict[str, list[np.ndarray]] = {}
    for key in swept.models:
        families.setdefault(family_of(key), []).append(swept.one("risk", key))
    with np.errstate(divide="ignore"):
        found = {
            family: np.log(np.min(np.where(np.isnan(families[family]), np.inf, families[family]), axis=0))
            for family in FAMILIES
            if family in families
        }
    every = np.stack([*found.values()])
    finite = every[np.isfinite(every)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    nowhere = np.asarray(np.isposinf(every).all(axis=0))
    axes = [*swept.axes.values()]
    places = [_between(len(values)) for values in axes]
    unknown = nowhere[np.ix_(*(np.rint(one).astype(int) for one in places))]
    grid = np.meshgrid(*places, indexing="ij")
    found = {family: np.clip(one, low - 1, high + 1) for family, one in found.items()}
    somewhere = _best_somewhere(found)  # others are not between the values of the grid, either
    finer = {
        family: map_coordinates(one if family in somewhere else 0 * one + high + 2, grid, order=1)
        for family, one in found.items()
    }
    x, y = (np.interp(one, np.arange(len(values)), values) for one, values in zip(places, axes, strict=True))
    return {key: np.where(unknown, np.nan, one) for key, one in finer.items()}, x, y


def _best_somewhere(best: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Families without which the lowest risk were higher; all, if they are equal all over."""
    if (np.ptp([*best.values()], axis=0) <= EQUAL).all():
        return best
    found = dict(best)
    for family in reversed([*best]):
        rest = [one for other, one in found.items() if other != family]
        if rest and not (np.min(rest, axis=0) - found[family] > EQUAL).any():
            del found[family]
    return found


def _between(count: int) -> np.ndarray:
    """Places along so many values, these among them, of which there are enough."""
    steps = max(FINE // count, 1)
    return np.arange((count - 1) * steps + 1) / steps


def _leads(best: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """By how much the best of the others is above each family, on a logarithmic scale.

    Where several are equal, the one that is best beside that place leads; the first of them, if they are so all over.
    """
    every = np.stack([*best.values()])
    order = np.argsort(every, axis=0, kind="stable")
    first, second = (np.take_along_axis(every, order[i : i + 1], axis=0)[0] for i in (0, 1))
    equal, winner = second - first <= EQUAL, order[0]
    if not equal.all():
        nearest: Any = distance_transform_edt(equal, return_distances=False, return_indices=True)
        winner = winner[tuple(nearest)]
    found = {}
    for place, family in enumerate(best):
        rest = np.min(np.delete(every, place, axis=0), axis=0)
        found[family] = np.where(equal, np.where(winner == place, EQUAL, -EQUAL), rest - every[place])
    return found


def _borders(best: Mapping[str, np.ndarray]) -> Iterator[tuple[np.ndarray, str]]:
    """Where two families are equal, and no third is lower."""
    several = [*best]
    for i, one in enumerate(several):
        for other in several[i + 1 :]:
            gap = best[other] - best[one]
            gap = np.where(abs(gap) <= EQUAL, np.nan, gap)  # equal all over, or just there
            rest = [best[third] for third in several if third not in (one, other)]
            if rest:
                lower = np.min(rest, axis=0) < np.minimum(best[one], best[other]) - EQUAL
                gap = np.where(lower, np.nan, gap)
            if (gap > 0).any() and (gap < 0).any():
                yield gap, f"{one} = {other}"


def _simulated(swept: Swept, across: str, up: str) -> Iterator[Points]:
    """Where cells were simulated: the family that is best there, hollow where the next is within the errors."""
    names = swept.needs(2, "phase")
    if {*names} != {across, up}:
        raise ValueError(f"what is simulated is over {' and '.join(names)}, and the map over {across} and {up}")
    risks = {family: np.full([len(one) for one in swept.axes.values()], np.inf) for family in FAMILIES}
    errors = {family: np.zeros_like(one) for family, one in risks.items()}
    for key in swept.models:
        family, risk = family_of(key), swept.one("simulated_risk", key)
        lower = risk < risks[family]
        risks[family][lower] = risk[lower]
        errors[family][lower] = swept.one("simulated_risk_stderr", key)[lower]
    every, spread = np.stack([*risks.values()]), np.stack([*errors.values()])
    order = np.argsort(every, axis=0, kind="stable")[:2]
    (first, second), (own, next_) = (np.take_along_axis(one, order, axis=0) for one in (every, spread))
    with np.errstate(invalid="ignore"):
        sure = second - first > ERRORS * np.hypot(own, next_)
    grids = np.meshgrid(*swept.axes.values(), indexing="ij")
    x, y = (grids[names.index(name)] for name in (across, up))
    for place, family in enumerate(FAMILIES):
        here = (order[0] == place) & (second < np.inf)
        if here.any():
            yield Points(x[here], y[here], f"best {family}", family, hollow=~sure[here])


def _unit(x: np.ndarray, y: np.ndarray, px: np.ndarray, py: np.ndarray, *logs: bool) -> np.ndarray:
    """Points as fractions of a panel, shape (m, 2)."""
    found = []
    for ends, values, log in ((x, px, logs[0]), (y, py, logs[1])):
        ends, values = (np.log(one) if log else one for one in (ends, values))
        found.append((values - ends[0]) / (ends[-1] - ends[0]))
    return np.stack(found, axis=-1)


def _place_of_name(inside: np.ndarray, taken: Sequence[np.ndarray]) -> tuple[int, int] | None:
    """A place of a region that is far from its edge, and from what is marked; None where it has no room for a name."""
    shape = np.array(inside.shape)
    steps = np.maximum(shape // 40, 1)
    rows, columns = (np.arange(step // 2, size, step) for step, size in zip(steps, shape, strict=True))
    coarse = inside[np.ix_(rows, columns)]
    where = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1) / (shape - 1)
    own, others = where[coarse], [where[~coarse], *taken]
    if not len(own):
        return None
    edge = np.minimum(own, 1 - own) / ROOM
    room = edge.min(axis=1)
    for some in others:
        if len(some):
            apart = abs(own[:, None] - some[None]) / ROOM
            room = np.minimum(room, apart.max(axis=2).min(axis=1))
    at = int((room + edge.sum(axis=1) / 1e3).argmax())  # of equal ones the one in the middle
    if room[at] < 1:
        return None
    i, j = np.argwhere(coarse)[at]
    return int(rows[i]), int(columns[j])
