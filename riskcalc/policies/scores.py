"""A ranking of one's own, in one line: by any score of a fitted coefficient and of its feature."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, reduce
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.expressions import Expression, of_sympy, parse
from riskcalc.policies.base import POLICIES, Option, Ranking, register

# What a score may depend on, and what is known of it.
SYMBOLS = {"X": "real", "Lambda": "nonnegative", "D": "positive", "nu": "nonnegative"}
_KNOWN = {"Lambda": "variances", "D": "penalty weights", "nu": "effective ridge"}
# A score with more turning points in a coefficient, as far as it is looked at, is not taken for piecewise monotone.
MOST_TURNS = 60
# Where a score is tried before anything is asked of it: the coefficient, and what else there is.
_NEAR = np.concatenate([np.linspace(-10, 10, 1001), *np.multiply.outer([-1, 1], np.geomspace(1e-6, 10, 71))])
_TRIED = {"Lambda": (0.01, 0.25, 1.0, 4.0, 100.0), "D": (0.25, 1.0, 4.0), "nu": (0.1, 1.0, 10.0)}
_FAR = np.concatenate([*np.multiply.outer([-1, 1], np.geomspace(10, 1e6, 51)), _NEAR])
# Names of models that are none of these, and how such names begin.
_TAKEN = ("dense", "small", "replaced")
_BEGINNINGS = ("small_by", "sampled", "replaced", "group", "iterative", "optimal")


@register
class Score(Ranking):
    """Keep the features with the largest scores of your own: a function of (X, Lambda, D, nu), piecewise monotone in X.

    X is sqrt(p) times the fitted coefficient, Lambda the variance of its feature, D its penalty weight, and nu the
    effective ridge of the fit (on a sample, its estimate from that sample). Features that tie share what is left.

    Parameters
    ----------
    name : str
        In tables and JSON: a word of letters, digits and underscores that is no other policy's.
    score : str, SymPy expression, or function
        Of at least zero. A text has these names, exact numbers, + - * / ** and abs, sqrt, exp, log, max, min, sign,
        tanh and atan; 0.25 is a quarter. A SymPy expression is in the symbols of `riskcalc.theory.symbols`. A Python
        function is called with such symbols and gives an expression.
    keep, n_keep
        As for every `Policy`.
    function : callable, optional
        The same score in NumPy, of arrays of (X, Lambda, D, nu) that broadcast: by it the simulator scores, a witness
        of its own. Without it the simulator evaluates the expression, and says that the witnesses share it. It counts
        neither for equality nor in JSON; a policy with a lambda for it does not pickle, but goes to worker processes.

    Attributes
    ----------
    score : str
        The expression, exact.

    Raises
    ------
    TypeError, ValueError
        If the score is no such expression, does not depend on X, or is negative, not real, not finite or not piecewise
        monotone where it is tried, naming the value and the place; or the name is taken.

    Notes
    -----
    A score that is |X| times a positive weight is thresholded in closed form, as magnitude and Hessian are; every other
    is scanned in X, broken where it crosses its threshold, and its masked moments are closed forms between the
    crossings. `Prediction.integration_error` says how well the scan resolves it.

    Examples
    --------
    >>> Score("between", "abs(X) * Lambda**0.25", keep=0.1)
    Score(name='between', score='abs(X)*Lambda**(1/4)', keep=0.1)
    >>> Score("between", lambda X, Lambda, D, nu: abs(X) * Lambda ** (1 / 4), keep=0.1).score
    'Lambda**(1/4)*abs(X)'
    """

    name = "own"
    _beside = ("function",)
    choices = (
        Option("name", str, "Of --score-expression, in tables and JSON.", "score-name", "score"),
        Option("score", Expression, "A score of your own, such as 'abs(X)*Lambda**(1/4)'.", "score-expression"),
    )

    def __init__(
        self,
        name: str,
        score: Any,
        keep: ArrayLike | str | None = None,
        n_keep: int | None = None,
        *,
        function: Callable[..., Any] | None = None,
    ):
        super().__init__(keep, n_keep)
        self.name = _free(name)
        self.score = str(_expression(score))
        _check_expression(self.score)
        if function is not None:
            _check_function(function)
        self.function = function

    @property
    def label(self) -> str:
        """In words."""
        return f"pruned by {self.name.replace('_', ' ')}"

    @property
    def expression(self) -> Expression:
        """The score as data."""
        return parse(self.score, tuple(SYMBOLS))

    @property
    def again(self) -> bool:
        """Unless the effective ridge of the first fit is in it."""
        return "nu" not in self.expression.names

    @property
    def knows(self) -> tuple[str, ...]:
        """What else than the coefficient is in it."""
        return tuple(word for name, word in _KNOWN.items() if name in self.expression.names)

    @property
    def shares_score(self) -> bool:
        """Unless it has a function of its own."""
        return self.function is None

    @property
    def _arguments(self) -> dict[str, Any]:
        return self.options | {"function": self.function}

    def scores(self, xp: Any, X: Any, Lambda: Any, D: Any, nu: Any) -> Any:
        """The expression's values on arrays of a namespace, of the shape that they broadcast to."""
        return evaluated(self.expression, xp, {"X": X, "Lambda": Lambda, "D": D, "nu": nu})


def evaluated(expression: Expression, xp: Any, names: dict[str, Any]) -> Any:
    """The values of an expression on arrays of an array API namespace."""
    functions = {name: getattr(xp, name) for name in ("abs", "sqrt", "exp", "log", "sign", "tanh", "atan")}
    functions |= {
        "max": lambda *values: reduce(xp.maximum, values),
        "min": lambda *values: reduce(xp.minimum, values),
    }
    with np.errstate(all="ignore"):  # what comes of it is checked
        values = expression.value(names, functions, lambda number: xp.asarray(float(number), dtype=names["X"].dtype))
        return values + 0 * names["X"]


def check_scores(xp: Any, scores: Any, places: dict[str, Any], what: str) -> None:
    """Refuse scores that are negative beyond rounding, or no numbers, naming the first such and its place."""
    known = xp.where(xp.isfinite(scores), abs(scores), xp.zeros_like(scores))
    wrong = xp.reshape(~(scores >= -1e-12 * xp.max(known)) | ~xp.isfinite(scores), (-1,))
    if not bool(xp.any(wrong)):
        return
    first = int(xp.argmax(xp.asarray(wrong, dtype=xp.int8)))
    place = {name: xp.broadcast_to(array, scores.shape) for name, array in places.items()}
    value, *numbers = (float(xp.reshape(array, (-1,))[first]) for array in (scores, *place.values()))
    where = ", ".join(f"{name} = {number:.6g}" for name, number in zip(place, numbers, strict=True))
    is_so = "no real number" if value != value else "infinite" if abs(value) == np.inf else f"{value:.6g}"
    raise ValueError(f"{what} is {is_so} at {where}; a score is a finite number of at least 0")


def turns(scores: np.ndarray) -> np.ndarray:
    """How often scores along the last axis turn from rising to falling, or back."""
    steps = np.sign(np.diff(scores, axis=-1))
    # A plateau goes on as what came before it.
    at = np.where(steps != 0, np.arange(steps.shape[-1]), 0)
    filled = np.take_along_axis(steps, np.maximum.accumulate(at, axis=-1), axis=-1)
    return (filled[..., 1:] * filled[..., :-1] < 0).sum(axis=-1)


def check_turns(scores: np.ndarray, what: str) -> None:
    """Refuse scores along the last axis that turn too often."""
    if (most := turns(scores).max(initial=0)) > MOST_TURNS:
        raise ValueError(
            f"{what} is not piecewise monotone in X as far as it is scanned: it has {most} turning points there, and "
            f"may have {MOST_TURNS}"
        )


def _free(name: Any) -> str:
    """A name that no other model has."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(f"name must be a word of letters, digits and underscores, got {name!r}")
    if name in POLICIES or name in _TAKEN or name.startswith(tuple(f"{word}_" for word in _BEGINNINGS)):
        raise ValueError(f"a model is called {name!r} already, or is by the way it begins; take another name")
    return name


def _expression(score: Any) -> Expression:
    """A score as data, from its text, from SymPy, or from a function of symbols."""
    if isinstance(score, str):
        return parse(score, tuple(SYMBOLS))
    if callable(score) and not hasattr(score, "free_symbols"):
        score = _called(score)
    if not hasattr(score, "free_symbols"):
        raise TypeError(
            "score must be a SymPy expression, its text, or a function of (X, Lambda, D, nu) that gives one, "
            f"got {score!r}"
        )
    return of_sympy(score, SYMBOLS)


def _called(function: Callable[..., Any]) -> Any:
    """What a function makes of symbols."""
    import sympy

    symbols = [sympy.Symbol(name, **{known: True}) for name, known in SYMBOLS.items()]
    try:
        return sympy.sympify(function(*symbols), strict=True)
    except Exception as error:
        raise ValueError(
            f"score, called with the symbols {', '.join(SYMBOLS)}, gives no expression "
            f"({type(error).__name__}: {error}); what NumPy alone computes is function="
        ) from error


@cache
def _check_expression(text: str) -> None:
    """Refuse a score that cannot rank, as far as trying tells."""
    expression = parse(text, tuple(SYMBOLS))
    if "X" not in expression.names:
        raise ValueError(f"the score {text} does not depend on X: it ranks nothing by the fit")
    free = [name for name in _TRIED if name in expression.names]
    others = np.array(list(product(*(_TRIED[name] for name in free))), dtype=float)
    given = {name: others[:, [i]] for i, name in enumerate(free)}

    def tried(x: np.ndarray) -> np.ndarray:
        return evaluated(expression, np, given | {"X": np.sort(x) + np.zeros((len(others), 1))})

    scores, everywhere = tried(_NEAR), tried(_FAR)
    check_scores(np, scores, {"X": np.sort(_NEAR), **given}, f"the score {text}")
    check_turns(scores, f"the score {text}")
    known = np.where(np.isfinite(everywhere), everywhere, scores[:, :1])
    highest, lowest = known.max(axis=1), known.min(axis=1)
    if np.all(highest - lowest <= 1e-12 * highest):
        raise ValueError(f"the score {text} is constant in X: it ranks nothing by the fit")


def _check_function(function: Any) -> None:
    """Refuse what does not score arrays as the simulator has them."""
    if not callable(function):
        raise TypeError(f"function must be a function of arrays (X, Lambda, D, nu), got {function!r}")
    rng = np.random.default_rng(0)
    X, Lambda, D, nu = (
        rng.normal(size=(3, 5)),
        rng.uniform(0.1, 4, (1, 5)),
        np.ones((1, 5)),
        rng.uniform(0.1, 4, (3, 1)),
    )
    check_scores(np, by_function(function, np, X, Lambda, D, nu), {"X": X, "Lambda": Lambda}, "function")


def by_function(function: Callable[..., Any], xp: Any, X: Any, Lambda: Any, D: Any, nu: Any) -> Any:
    """What a function of one's own scores; ValueError if that is nothing to rank X by."""
    given = {"X": X, "Lambda": Lambda, "D": D, "nu": nu}
    try:
        scores = xp.asarray(function(*given.values()))
    except Exception as error:
        raise ValueError(f"function fails on arrays (X, Lambda, D, nu): {type(error).__name__}: {error}") from error
    if scores.shape != X.shape or not xp.isdtype(scores.dtype, "real floating"):
        raise ValueError(
            f"function must give real scores of the shape of X, {X.shape}, got {scores.dtype} of shape {scores.shape}"
        )
    return scores
