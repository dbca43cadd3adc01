"""What neurons do to a standard normal input: activation functions, by name or of one's own.

`register` makes an activation known by its name. Where its constants and its kernel are in closed form, they are
registered for its class: `riskcalc.prediction.random_features.constants` and `riskcalc.problems.kernels.kernel`;
otherwise both are integrated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from riskcalc.inert import Inert
from riskcalc.lookup import look_up
from riskcalc.quoting import quoted

ACTIVATIONS: dict[str, type[Activation]] = {}


class Activation(Inert, ABC):
    """A function of a standard normal number: vectorised, finite and not constant.

    Attributes
    ----------
    name : str
        In problems, tables and JSON, and on the command line.
    smooth : bool
        Whether its Hermite coefficients fall faster than any power, so that few of them are its kernel.
    """

    name: Any = ""

    @abstractmethod
    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Its values."""

    def _written(self, place: Any = None) -> Any:
        return self.name

    def __repr__(self) -> str:
        return repr(self.name)


Kind = TypeVar("Kind", bound=type[Activation])


def register(kind: Kind) -> Kind:
    """Make an activation known by its name: a class decorator.

    Raises
    ------
    TypeError, ValueError
        If it is no `Activation`, lacks its name, or its name is taken.

    Examples
    --------
    >>> import numpy as np
    >>> import riskcalc as rc
    >>> from riskcalc.problems.activations import ACTIVATIONS, Activation, register
    >>> @register
    ... class Swish(Activation):
    ...     name = "swish"
    ...
    ...     def __call__(self, z):
    ...         return z / (1 + np.exp(-z))
    >>> problem = rc.RandomFeatures("swish", n_inputs=50, n_features=100, n_samples=80, ridge="1/10")
    >>> problem.activation
    'swish'
    >>> del ACTIVATIONS["swish"]
    """
    if not (isinstance(kind, type) and issubclass(kind, Activation)):
        raise TypeError(f"an activation is a subclass of riskcalc.problems.activations.Activation, got {kind!r}")
    if not (isinstance(kind.name, str) and kind.name):
        raise TypeError(f"the activation {kind.__name__} lacks its name, a text")
    if kind.name in ACTIVATIONS:
        raise ValueError(f"an activation is called {kind.name!r} already: {ACTIVATIONS[kind.name].__name__}")
    ACTIVATIONS[kind.name] = kind
    return kind


@register
class Relu(Activation):
    """max(z, 0)."""

    name = "relu"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The positive part."""
        return np.maximum(z, 0.0)


@register
class Erf(Activation):
    """erf(z), which is 2 Phi(sqrt(2) z) - 1."""

    name = "erf"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The error function."""
        from scipy.special import erf

        return erf(z)


@register
class Tanh(Activation):
    """tanh(z)."""

    name = "tanh"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The hyperbolic tangent."""
        return np.tanh(z)


@register
class Sign(Activation):
    """sign(z)."""

    name = "sign"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The sign."""
        return np.sign(z)


@register
class Linear(Activation):
    """z itself."""

    name = "linear"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The input."""
        return z


@register
class Softplus(Activation):
    """log(1 + exp(z))."""

    name = "softplus"

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The logarithm, without overflow."""
        return np.logaddexp(0.0, z)


class Function(Activation):
    """A vectorised function of one's own, as an activation."""

    def __init__(self, function: Callable[[np.ndarray], Any]):
        self.function = function

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """The values of the function; ValueError unless there is a finite number for each input."""
        values = np.asarray(self.function(z))
        if values.dtype.kind not in "fiub" or values.shape not in ((), z.shape):
            raise ValueError(
                f"activation must give one real number for each input, got {values.dtype} of shape {values.shape} for "
                f"inputs of shape {z.shape}; it is called with arrays"
            )
        return np.broadcast_to(values.astype(float), z.shape)

    def _written(self, place: Any = None) -> Any:
        raise TypeError(
            f"activation of a problem is the Python function {self.function!r}, which cannot be written; pickle it, or "
            "register it as an activation with a name"
        )

    def __repr__(self) -> str:
        return f"<{self.function!r}>"


def activation_of(value: Any) -> Activation:
    """The activation that is meant by a name, an activation or its class, or a vectorised function.

    Raises
    ------
    TypeError, ValueError
        For anything else; for an unknown name, with those that are near.
    """
    if isinstance(value, str):
        return look_up(value, ACTIVATIONS, "activation")()
    if isinstance(value, Activation):
        return value
    if isinstance(value, type) and issubclass(value, Activation) and value in ACTIVATIONS.values():
        return value()
    if not callable(value):
        raise TypeError(
            f"activation must be one of {', '.join(ACTIVATIONS)}, or a vectorised function, got {quoted(value)}"
        )
    return Function(value)
