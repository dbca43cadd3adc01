"""A theory of the user's, for `verify`: a prediction, and a function that simulates one trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import as_float, exact_array


@dataclass(frozen=True)
class Theory:
    """A theory of yours, for `verify`: a prediction, and a function that simulates one trial.

    Parameters
    ----------
    predict : callable or sympy expression
        A function of the sample size that gives the prediction; or an expression in riskcalc's symbols (means over the
        law by `riskcalc.formulas.expectation.E`), evaluated at `inputs`.
    trial : callable
        A function of the sample size and a NumPy generator that simulates one trial.
    names : sequence of str
        Of the quantities that both give, one number or one array each.
    inputs : mapping, optional
        Values of the symbols of an expression, by name; for symbols of the law one value per atom, and their
        "weights".

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
        if not (callable(self.predict) or self._is_expression()):
            raise TypeError(
                f"predict must be a function of the sample size or a SymPy expression, got {self.predict!r}"
            )
        if not callable(self.trial):
            raise TypeError(f"trial must be a function of the sample size and a generator, got {self.trial!r}")

    def at(self, n_samples: int) -> np.ndarray:
        """The predictions at a sample size, shape (m,)."""
        value = self._evaluated() if self._is_expression() else self.predict(n_samples)
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

    def _is_expression(self) -> bool:
        import sympy

        return isinstance(self.predict, sympy.Expr)  # some are callable, such as a symbol

    def _evaluated(self) -> Any:
        from riskcalc.formulas.expectation import E
        from riskcalc.lowering.evaluator import PLAIN

        state = {
            name: np.atleast_2d(as_float(exact_array(value, f"inputs[{name!r}]")))
            for name, value in self.inputs.items()
        }
        state |= {"total": np.ones((1, 1))}
        needed = {str(symbol) for symbol in self.predict.free_symbols}
        if self.predict.has(E):
            needed.add("weights")
        missing = needed - state.keys()
        if missing:
            raise ValueError(f"inputs lack {', '.join(sorted(missing))}")
        return np.ravel(PLAIN.lower((self.predict,), {}, "theory", scalar_output=True)(state))
