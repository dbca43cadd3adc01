"""The quantities of a prediction, each declared once: results, tables, JSON, LaTeX and documentation read this."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np

from riskcalc.results.values import Number


@dataclass(frozen=True)
class Quantity:
    """One quantity.

    Attributes
    ----------
    name : str
        Of the attribute, the key in JSON and the row of a table.
    meaning : str
    latex : str
        Its symbol, where LaTeX shows it.
    always : bool
        Whether every prediction has it, if only as None; others are left out where they are None.
    digits : bool
        Whether it has the digits that were asked for; errors and words have not.
    """

    name: str
    meaning: str
    latex: str = ""
    always: bool = True
    digits: bool = True


_DECLARED = (
    Quantity("risk", "Test risk, noise included; inf or nan as the status says.", "R"),
    Quantity(
        "excess_risk",
        "Risk minus noise variance, computed without that subtraction but for several rounds of iterative pruning.",
    ),
    Quantity(
        "misfit",
        "The part of the excess risk that is the signal of dropped features; the rest is the error in what is kept.",
    ),
    Quantity(
        "dense_risk", 'Test risk of the fit before pruning; for "small" of the small model itself.', latex=r"\gamma"
    ),
    Quantity("training_error", "Mean squared residual on the sample last fitted to.", "T"),
    Quantity(
        "threshold",
        "Of the score: sqrt(p)|beta| for magnitude, times sqrt(Lambda) for Hessian (for sampled, from where on "
        "features are kept surely; for groups, the norm of their scores), times sqrt(Lambda + D nu) for the surgeon; "
        "your own score as it is; Lambda B^2 for oracle and small; Lambda for variance; the gain "
        "Lambda (2 x E[B|x] - x^2) for optimal. None where there is none.",
        "t",
    ),
    Quantity("effective_ridge", "Of the first fit; None where there is none.", r"\nu"),
    Quantity(
        "status",
        '"ok"; "infinite" (risk inf: at the interpolation threshold, with noise); "exact_recovery" (the fit before '
        'pruning has no error); "not_converged" (risk nan: no root was found, numbers overflowed, or masks were to be '
        'found from an infinite fit); "near_threshold" (risk nan: inputs are rounded numbers within whose rounding the '
        'threshold lies; give them exactly, by n_keep, a Fraction or a string); "imprecise" (see the rounding error; '
        "ask for digits).",
        digits=False,
    ),
    Quantity("share", "With one factor: of the loadings' squares, what the kept features have.", r"\zeta", False),
    Quantity(
        "distortion",
        "Of sampling: mean square of what a prediction x'b is off that of the dense fit, over the mean square of the "
        "latter.",
        always=False,
    ),
    Quantity(
        "integration_error",
        "Of iterative pruning, of a score of your own that is no weight times |X|, and of draws with correlated "
        "features; None for all else. Of draws it is the standard error of the risk, by the jackknife. Of such a "
        "score it is what a scan with half the points changes in the risk. Of rounds it is zero for one, which is "
        "pruning once and no integral; for several the larger of the standard error of the risk's integration and of "
        "what the same integration misses of the risk of pruning once, which is known exactly, to the budget of any "
        "round. So it covers rare events that matter to pruning once, but not those that are rare after later fits "
        "only.",
        always=False,
        digits=False,
    ),
    Quantity(
        "finite_size",
        "For a problem by counts: what its number of samples adds to the limit of the risk, relatively. Exact for "
        "least squares on features that its sample does not choose; elsewhere the order, judged by the last fit; inf "
        "where samples are too near an interpolation threshold for the limit to say anything.",
        always=False,
    ),
    Quantity(
        "finite_sample_risk",
        "The mean test risk at this number of samples itself, where it is known: of least squares on features that its "
        "sample does not choose; infinite where samples and features differ by one at most. nan elsewhere.",
        always=False,
    ),
    Quantity(
        "gaussian_risk",
        "Of a table: what the risk would be if its rows were Gaussian, of the same covariance. The difference is what "
        "heavy rows cost. None for all else.",
        always=False,
    ),
    Quantity(
        "rounding_error",
        "Estimate of the largest relative error by rounding of the risk, the excess risk and the training error; "
        'above 1e-6 the status is "imprecise". None where none is.',
        always=False,
        digits=False,
    ),
    Quantity("quadrature_error", "How far the risk is from those of coarser quadratures.", always=False, digits=False),
)


class Quantities:
    """What type checkers know of the quantities, which `Prediction` looks up by name; None where there is none."""

    risk: Number
    excess_risk: Number
    misfit: Number | None
    dense_risk: Number | None
    training_error: Number | None
    threshold: Number | None
    effective_ridge: Number | None
    status: str | np.ndarray
    share: Number | None
    distortion: Number | None
    integration_error: Number | None
    finite_size: Number | None
    finite_sample_risk: Number | None
    gaussian_risk: Number | None
    rounding_error: Number | None


QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _DECLARED}


def documented() -> str:
    """The quantities as a section of a docstring."""
    wrap = textwrap.TextWrapper(width=110, initial_indent=" " * 8, subsequent_indent=" " * 8)
    return "\n".join(f"    {quantity.name}\n{wrap.fill(quantity.meaning)}" for quantity in _DECLARED) + "\n"
