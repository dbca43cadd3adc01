"""A theory of the user's, for `verify`: a prediction, and a function that simulates one trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike

from riskcalc.evaluation.evaluate import evaluate
from riskcalc.formulas.records import Formula


@dataclass(frozen=True)
class Theory:
    """A theory of yours, for `verify`: a prediction, and a function that simulates one trial.

    Parameters
    ----------
    predict : callable, sympy expression, Formula or str
        A function of the sample size that gives the prediction; or an expression in declared symbols (means over the
        law by `riskcalc.formulas.expectation.E`), a formula, or the id of a registered one, evaluated at `inputs` as by
        `riskcalc.evaluate`.
    trial : callable
        A function of the sample size and a NumPy generator that simulates one trial.
    names : sequence of str
        Of the quantities that both give, one number or one array each.
    inputs : mapping, optional
        Values of the symbols of an expression or a formula, by name; for symbols of the law one value per atom, and
        their "weights".

    Examples
    --------
    The mean of a squared normal variable is one:

    >>> from riskcalc import Theory, verify
    >>> chi = Theory(predict=lambda n: 1.0, trial=lambda n, rng: (rng.standard_normal(n) ** 2).mean(), names=["square"])
    >>> verify(chi, workers=1).verdict
    'agree'
    """

    predict: Any
    trial: Callable[[int, np.random.Generator], ArrayLike]
    names: Sequence[str] = ("value",)
    inputs: Mapping[str, ArrayLike] = field(default_factory=dict)

    def __post_init__(self):
        if not (callable(self.predict) or self.is_formula):
            raise TypeError(
                f"predict must be a function of the sample size, a formula or a SymPy expression, got {self.predict!r}"
            )
        if not callable(self.trial):
            raise TypeError(f"trial must be a function of the sample size and a generator, got {self.trial!r}")

    def at(self, n_samples: int) -> np.ndarray:
        """The predictions at a sample size, shape (m,)."""
        value = evaluate(self.predict, self.inputs) if self.is_formula else self.predict(n_samples)
        return self._vector(value, "predict")

    def drawn(self, n_samples: int, rng: np.random.Generator) -> np.ndarray:
        """The values of one trial, shape (m,)."""
        value = self.trial(n_samples, rng)
        values = self._vector(value, "trial")
        if not np.isfinite(values).all():
            raise ValueError(f"trial must give finite numbers, got {value!r}")
        return values

    def _vector(self, value: Any, giver: str) -> np.ndarray:
        try:
            values = np.atleast_1d(np.asarray(value, dtype=float))
        except (TypeError, ValueError):
            values = np.empty(0)
        if values.shape != (len(self.names),):
            raise ValueError(f"{giver} must give {len(self.names)} numbers ({', '.join(self.names)}), got {value!r}")
        return values

    @property
    def is_formula(self) -> bool:
        """Whether the prediction is written as a formula, not computed by a function."""
        return isinstance(self.predict, (str, Formula, sympy.Expr))  # some expressions are callable, such as a symbol

    def _repr_latex_(self) -> str | None:
        if not self.is_formula:
            return None
        public = import_module("riskcalc")  # as for formulas
        return f"$${public.latex(self).replace('align*', 'aligned')}$$"
