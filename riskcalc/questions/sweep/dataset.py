"""What a sweep found, as a labelled dataset, and as a netCDF file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from riskcalc import __version__
from riskcalc.files import check_output
from riskcalc.policies import Procedure
from riskcalc.problems import Problem
from riskcalc.questions.sweep.cells import STATUSES, Predicted, Simulated, written
from riskcalc.questions.sweep.grid import Grid
from riskcalc.quoting import printable
from riskcalc.results.labelled import INPUTS, extra
from riskcalc.results.quantities import QUANTITIES

# Meaning and symbol of each axis.
AXES = {
    "aspect_ratio": (INPUTS["aspect_ratio"], r"\kappa"),
    "n_samples": (INPUTS["n_samples"], "n"),
    "n_features": (INPUTS["n_features"], "p"),
    "n_inputs": ("Dimension of the inputs of random features, d.", "d"),
    "noise_variance": (INPUTS["noise_variance"], r"\sigma^2"),
    "ridge": (INPUTS["ridge"], r"\lambda"),
    "keep": (INPUTS["keep"], r"\alpha"),
    "n_keep": ("Number of features kept, the budget.", "s"),
}
# Of variables that are no quantities of predictions: what they mean.
MEANINGS = {
    "status": "What stands behind a prediction.",
    "simulated_risk": "Mean test risk of simulated trials; nan where the model was not simulated.",
    "simulated_risk_stderr": "Standard error of the simulated risk.",
    "simulated_training_error": "Mean training error of simulated trials; nan where the model was not simulated.",
    "simulated_training_error_stderr": "Standard error of the simulated training error.",
}
# What belongs to a variable, as the CF conventions say it.
ANCILLARY = {
    "risk": ("status", "integration_error", "simulated_risk"),
    "simulated_risk": ("simulated_risk_stderr",),
    "training_error": ("status", "simulated_training_error"),
    "simulated_training_error": ("simulated_training_error_stderr",),
}
# What tells one sweep from another, whatever the grid is, among its attributes.
IDENTITY = ("problem", "procedures", "quantities", "fix", "seed", "trials", "n_samples", "tolerance")


def attributes(predicted: Predicted, simulated: Simulated | None, grid: Grid) -> dict[str, Any]:
    """Everything that the numbers follow from; what was not given is left out."""
    told = {
        "title": f"sweep over {', '.join(grid.axes)}",
        "riskcalc": __version__,
        "problem": _problem(predicted.problem),
        "procedures": json.dumps([_plainly(model) for model in predicted.models]),
        "quantities": json.dumps(predicted.quantities),
        "over": json.dumps(written(grid.axes)),
        "fix": predicted.fix,
        "seed": predicted.seed if predicted.seed < 2**31 else str(predicted.seed),  # as netCDF has integers
        "trials": 0 if simulated is None else simulated.trials,
        "n_samples": None if simulated is None else simulated.n_samples,
        "tolerance": predicted.tolerance,
    }
    return {name: value for name, value in told.items() if value is not None}


def _plainly(value: Any) -> Any:
    """What it is as plain values; shown as text if it cannot be written."""
    try:
        return value.to_dict()
    except (TypeError, ValueError):
        return repr(value)


def _problem(problem: Problem) -> str:
    told = _plainly(problem)
    return told if isinstance(told, str) else json.dumps(told)


def dataset(arrays: dict[str, np.ndarray], models: Sequence[Procedure], grid: Grid, told: dict[str, Any]) -> Any:
    """The arrays over models and axes. ImportError without xarray."""
    xarray, along = extra("xarray"), ("model", *grid.axes)
    coordinates: dict[str, Any] = {
        "model": [model.key for model in models],
        "label": ("model", [model.label for model in models], {"long_name": "The model, in words."}),
        "feasible": (
            "model",
            np.array([model.feasible for model in models], dtype="i1"),
            {"long_name": "Whether it meets the budget and can be computed from data alone: 1, or 0.", "units": "1"},
        ),
    }
    for name, values in grid.axes.items():
        meaning, symbol = AXES.get(name, (name, ""))
        facts = {"long_name": meaning, "units": "1"} | ({"symbol": symbol} if symbol else {})
        coordinates[name] = (name, np.asarray(values, dtype=float), facts)
    return xarray.Dataset(
        {name: (along, array, _facts(name, arrays)) for name, array in arrays.items()}, coordinates, told
    )


def _facts(name: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Attributes of a variable, as the CF conventions name them."""
    meaning = MEANINGS.get(name) or QUANTITIES[name].meaning
    facts: dict[str, Any] = {"long_name": meaning, "units": "1"}
    if name in QUANTITIES and QUANTITIES[name].latex:
        facts["symbol"] = QUANTITIES[name].latex
    if name == "status":
        facts |= {"flag_values": np.arange(len(STATUSES), dtype="i1"), "flag_meanings": " ".join(STATUSES)}
    if there := [one for one in ANCILLARY.get(name, ()) if one in arrays]:
        facts["ancillary_variables"] = " ".join(there)
    return facts


def check_place(path: Path, told: dict[str, Any]) -> None:
    """Refuse, by a ValueError, a file that cannot be written, or that is anything but a sweep of the same kind."""
    if path.suffix != ".nc":
        raise ValueError(f"path must end in .nc, for netCDF, got {printable(str(path))}")
    check_output(path)
    if not path.exists():
        return
    try:
        with extra("xarray").open_dataset(path, engine="scipy") as found:
            before = dict(found.attrs)
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"{printable(str(path))} exists, and is no netCDF of a sweep; write elsewhere") from error
    other = [name for name in IDENTITY if _compared(before.get(name)) != _compared(told.get(name))]
    if other:
        raise ValueError(
            f"{printable(str(path))} exists, and is a sweep of another {' and another '.join(other)}; "
            "write elsewhere, or remove it"
        )


def _compared(value: Any) -> Any:
    """An attribute by its content, whichever version wrote it."""
    if not isinstance(value, str):
        return None if value is None else float(value)
    try:
        return _unsigned(json.loads(value))
    except ValueError:
        return value


def _unsigned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unsigned(one) for name, one in value.items() if name != "riskcalc"}
    return [_unsigned(one) for one in value] if isinstance(value, list) else value


def write(found: Any, path: Path) -> None:
    """Write a dataset as netCDF: whole, or not at all. ValueError if it cannot be written."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        found.to_netcdf(beside, engine="scipy", format="NETCDF3_64BIT")
        os.replace(beside, path)
    except OSError as error:
        raise ValueError(
            f"cannot write {printable(str(path))}: {error.strerror or error}; the finished cells are kept: "
            "make room, and run it again"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
