"""How pictures look in print: sizes, type, and a look for every model that is the same in all pictures.

Colours are those of Paul Tol's high-contrast scheme and of Okabe and Ito: apart for the colour-blind, and in grey by
their lightness, by dashes and by the shape of markers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

from riskcalc.policies import POLICIES

# Inches, of one column and of two.
WIDTHS = {1: 3.35, 2: 6.9}
# What a picture is written as, by the suffix of its file.
FORMATS = (".png", ".svg", ".pdf")
DOTS = 300  # per inch, of a PNG

SETTINGS: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.2,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.6,
    "hatch.linewidth": 0.4,
    "pdf.fonttype": 42,  # TrueType, which editors and journals take
    "svg.fonttype": "path",
    "svg.hashsalt": "riskcalc",
    "savefig.dpi": DOTS,
    "figure.dpi": 110,
    "mathtext.fontset": "dejavusans",
}


@dataclass(frozen=True)
class Look:
    """How a model is drawn."""

    color: str
    dashes: Any
    marker: Any


SOLID, DASHED, DOTTED, DASH_DOT = "solid", (0, (4, 1.6)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5))
# Of what is said beside the main thing.
WEAK = ((0, (1, 2)), (0, (3, 2)), (0, (6, 2, 1, 2)))
# In the order in which policies are registered: magnitude dark red, Hessian dark blue, ...
_COLORS = ("#BB5566", "#004488", "#56B4E9", "#009E73", "#999999", "#CC79A7")
_COLORS += ("#882255", "#D55E00", "#332288", "#999933", "#661100", "#44AA99")
_MARKERS = "o^v<>pXdPh*H"
_SMALL, _DENSE = "#DDAA33", "#000000"
# What becomes of a rule, where rows tell rules apart.
STAGES = {
    "pruned": Look("#000000", SOLID, "o"),
    "retrained": Look("#004488", SOLID, "s"),
    "fresh data": Look("#BB5566", SOLID, "D"),
}
_SMALL_NAMES = [one.small_name or f"small_by_{name}" for name, one in POLICIES.items() if not one.sees_fit]


def look_of(key: str) -> Look:
    """The look of a model by its key, the same in all pictures.

    A colour and a marker for each policy, dashed and with stars after a second fit on the same sample, dotted on a
    fresh one; small models share a colour, and the dense fit, and what is of no model, are black.
    """
    if key in STAGES:
        return STAGES[key]
    if key in _SIDES:
        return Look(_DENSE, SOLID, _SIDES[key])
    rule, _, again = key.partition("+")
    if not rule:
        return Look(_DENSE, SOLID, "o")
    if rule == "dense":
        return Look(_DENSE, DOTTED, "s")
    if rule.startswith("small"):
        place = min(_SMALL_NAMES.index(rule) if rule in _SMALL_NAMES else 3, 3)
        return Look(_SMALL, (DASH_DOT, *WEAK[:2], SOLID)[place], "D8PX"[place])
    places = {name: place for place, name in enumerate(POLICIES)}
    near = [name for name in places if rule.startswith(name)]
    if not near:  # nothing of riskcalc's: by its number, or by its name alone
        place = int(rule) if rule.isdecimal() else crc32(rule.encode())
        return Look(_COLORS[place % len(_COLORS)], (SOLID, *WEAK)[place // 12 % 4], _MARKERS[place % len(_MARKERS)])
    place = places[max(near, key=len)]
    color, points = _COLORS[place % len(_COLORS)], place % 6 + 4
    if not again:
        return Look(color, SOLID, _MARKERS[place % len(_MARKERS)])
    if again == "retrain":
        return Look(color, DASHED, (points, 1, 0))
    return Look(color, DOTTED, (points, 1, 180))


# Families of models, on a map: light colours, apart in grey, and the marker of what is best when simulated.
_FILLS = {"best prune": "#A8C3E6", "best small": "#FBEFC9", "best retrain": "#D08B98", "best dense": "#787878"}
_SIDES = dict(zip(_FILLS, "^Dos", strict=True))


def fill_of(key: str) -> str:
    """The colour of the region of a map where a family is the best."""
    return _FILLS[key]
