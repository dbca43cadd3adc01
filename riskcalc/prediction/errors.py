"""Errors of models over a batch along one axis, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from riskcalc.exact import as_float
from riskcalc.pictures.curves import Curve, curves_panel
from riskcalc.pictures.declared import Panel
from riskcalc.prediction.asymptotes import asymptotes, over_batch
from riskcalc.prediction.result import Prediction
from riskcalc.problems import Problem
from riskcalc.results.labelled import one_axis

WORDS = {"risk": "test risk", "training_error": "training error"}


def errors_panel(problem: Problem, predictions: Mapping[str, Prediction], quantities: Sequence[str]) -> Panel:
    """The risk, and what else is asked for, of every model, by its key; ValueError for a batch of several axes."""
    shape = np.broadcast_shapes(*(np.shape(one.risk) for one in predictions.values()))
    policy = next((one.prune for one in predictions.values() if one.prune is not None), None)
    name, values = one_axis(problem, policy, shape)
    models = {key: one.procedure for key, one in predictions.items()}
    far = asymptotes(name, values, over_batch(problem, models, name))
    curves = []
    for key, one in predictions.items():
        for place, quantity in enumerate(quantities):
            found = one.values.get(quantity)
            if found is None:
                continue
            number = np.broadcast_to(np.asarray(found, float), shape)
            x, y = (as_float(values), number) if place else far.broken(key, as_float(values), number)
            curves.append(Curve(key, WORDS[quantity] if len(quantities) > 1 else one.label, x, y, weak=place))
    return curves_panel(name, curves, far.rules, y=" or ".join(WORDS[quantity] for quantity in quantities))
