"""What can be asked: a linear Gaussian regression problem in the proportional limit."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskcalc.exact import exact_array
from riskcalc.laws import Atoms, Continuous, Law, PowerLaw, matching_shapes, plain


class LinearGaussian:
    """Linear regression with Gaussian features of diagonal covariance, in the limit n, p -> infinity with p/n fixed.

    A feature has variance Lambda and coefficient B/sqrt(p), drawn from a law; y = x'beta + noise. Features and target
    are centred. The fit minimises ``|y - X beta|^2/n + ridge * sum(penalty * beta^2)``; with ridge = 0 it is least
    squares, or the interpolator of least (penalty-weighted) norm.

    Parameters
    ----------
    aspect_ratio : array_like > 0, optional
        Features per sample, p/n. Give this, or `n_samples` and `n_features`.
    n_samples, n_features : array_like of int, optional
        The same as two counts; policies may then use `n_keep`.
    law : Law, optional
        The joint law of (Lambda, B). Give this, or `eigenvalues` and `signal` (and `weights`) as for `laws.Atoms`.
    eigenvalues, signal, weights : array_like, shape (..., K), optional
    noise_variance : array_like >= 0
    ridge : array_like >= 0
        Corresponds to ``alpha = n_samples * ridge`` in scikit-learn's `Ridge`.
    penalty : None, "natural" or array_like > 0 of shape (..., K)
        Penalty weight per feature: None for 1 (gradient descent's geometry), "natural" for Lambda (natural
        gradient's; features of zero variance then get zero), or weights. A continuous law takes one weight only.

    Attributes
    ----------
    shape : tuple of int
        Shape of the batch of problems: the broadcast of all scalars, and of the atom arguments without their last
        axis.

    Raises
    ------
    ValueError, TypeError
        Naming the argument, its value, and what would be right.

    Notes
    -----
    A Python float means its exact binary value; Fraction, Decimal and strings such as "10/3" are exact.

    Examples
    --------
    >>> problem = LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=[0.1, 0.9])
    >>> problem.shape, problem.n_atoms
    ((), 2)
    """

    def __init__(
        self,
        *,
        aspect_ratio: ArrayLike | str | None = None,
        n_samples: ArrayLike | None = None,
        n_features: ArrayLike | None = None,
        law: Law | None = None,
        eigenvalues: ArrayLike | str | None = None,
        signal: ArrayLike | str | None = None,
        weights: ArrayLike | str | None = None,
        noise_variance: ArrayLike | str = 0.0,
        ridge: ArrayLike | str = 0.0,
        penalty: ArrayLike | str | None = None,
    ):
        self.law = _law(law, eigenvalues, signal, weights)
        self.n_samples, self.n_features, self.aspect_ratio = _sizes(aspect_ratio, n_samples, n_features)
        self.noise_variance = _at_least_zero(noise_variance, "noise_variance")
        self.ridge = _at_least_zero(ridge, "ridge")
        self.penalty = _penalty(penalty)
        if isinstance(self.law, Continuous) and isinstance(self.penalty, np.ndarray) and self.penalty.shape[-1] != 1:
            raise ValueError(
                "penalty must be None, 'natural' or one number where the law is continuous (its atoms are nodes of a "
                f"quadrature, not kinds of features), got {self.penalty.shape[-1]} weights"
            )
        atoms = {"law": np.empty(self.law.shape, bool)}
        if isinstance(self.penalty, np.ndarray):
            atoms["penalty"] = self.penalty
        atom_shape = matching_shapes(atoms)
        self.n_atoms = atom_shape[-1]
        if self.law.weights is not None and self.n_atoms != self.law.n_atoms:
            raise ValueError(f"penalty has {self.n_atoms} atoms, but the weights of the law are for {self.law.n_atoms}")
        self.shape = matching_shapes(
            {
                "the law without its atoms": np.empty(atom_shape[:-1], bool),
                "aspect_ratio": self.aspect_ratio,
                "noise_variance": self.noise_variance,
                "ridge": self.ridge,
            }
        )

    def __repr__(self) -> str:
        shown = self.to_dict()
        if self.law.n_atoms > 8:
            shown = {name: value for name, value in shown.items() if name not in ("eigenvalues", "signal", "weights")}
            shown["law"] = repr(self.law)
        return f"LinearGaussian({', '.join(f'{name}={value}' for name, value in shown.items())})"

    def _repr_latex_(self) -> str | None:
        if self.shape != ():
            return None  # a batch is shown as text
        return aligned_latex(facts_latex(self))

    def to_dict(self) -> dict[str, Any]:
        """The resolved problem as plain values (exact numbers that are not floats as strings)."""
        sizes = {"aspect_ratio": plain(self.aspect_ratio)}
        if self.n_samples is not None and self.n_features is not None:
            sizes = {"n_samples": plain(self.n_samples), "n_features": plain(self.n_features)} | sizes
        arrays = {"eigenvalues": self.law.eigenvalues, "signal": self.law.signal, "weights": self.law.weights}
        law = {name: plain(array) for name, array in arrays.items() if array is not None}
        rest = {"noise_variance": plain(self.noise_variance), "ridge": plain(self.ridge)}
        if self.penalty is not None:
            rest["penalty"] = self.penalty if isinstance(self.penalty, str) else plain(self.penalty)
        return sizes | law | rest


def check_problem(problem: Any) -> None:
    """Refuse anything but a problem."""
    if not isinstance(problem, LinearGaussian):
        raise TypeError(f"problem must be a riskcalc.LinearGaussian, got {problem!r}")


def _law(law: Law | None, eigenvalues: Any, signal: Any, weights: Any) -> Law:
    if law is not None:
        if not isinstance(law, Law):
            raise TypeError(f"law must be a riskcalc.laws.Law, got {law!r}")
        if any(argument is not None for argument in (eigenvalues, signal, weights)):
            raise ValueError("give either law, or eigenvalues, signal and weights, not both")
        return law
    for name, argument in (("eigenvalues", eigenvalues), ("signal", signal)):
        if argument is None:
            raise ValueError(f"{name} is missing; give eigenvalues and signal, or a law")
    return Atoms(eigenvalues, signal, weights)


def _sizes(aspect_ratio: Any, n_samples: Any, n_features: Any):
    if aspect_ratio is not None:
        if n_samples is not None or n_features is not None:
            raise ValueError("give either aspect_ratio, or n_samples and n_features, not both")
        ratio = exact_array(aspect_ratio, "aspect_ratio")
        if np.any(ratio <= 0):
            raise ValueError(f"aspect_ratio must be above 0, got {ratio[ratio <= 0].flat[0]}")
        return None, None, ratio
    if n_samples is None or n_features is None:
        raise ValueError("give aspect_ratio, or both n_samples and n_features")
    n, p = _counts(n_samples, "n_samples"), _counts(n_features, "n_features")
    matching_shapes({"n_samples": n, "n_features": p})
    return n, p, np.asarray(np.frompyfunc(lambda p, n: Fraction(int(p), int(n)), 2, 1)(p, n), dtype=object)


def _counts(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if np.any(array < 1):
        raise ValueError(f"{name} must be at least 1, got {array.min()}")
    return array


def _at_least_zero(value: Any, name: str) -> np.ndarray:
    array = exact_array(value, name)
    if np.any(array < 0):
        raise ValueError(f"{name} must be at least 0, got {array[array < 0].flat[0]}")
    return array


def _penalty(penalty: Any) -> str | np.ndarray | None:
    if penalty is None or (isinstance(penalty, str) and penalty == "natural"):
        return penalty
    if isinstance(penalty, str):
        raise ValueError(f"penalty must be None, 'natural' or an array of weights above 0, got {penalty!r}")
    array = np.atleast_1d(exact_array(penalty, "penalty"))
    if np.any(array <= 0):
        raise ValueError(f"penalty must be above 0, got {array[array <= 0].flat[0]}")
    return array


# What follows writes problems as LaTeX. It knows no formula, so that a problem stays inert data.

MOST_ATOMS = 8  # more are not listed


def as_typed(value: Any) -> Fraction:
    """The number that was typed: of a float the shortest decimal that means it."""
    return Fraction(repr(float(value))) if isinstance(value, (float, np.floating)) else Fraction(value)


def decimal_latex(text: str) -> str:
    """A decimal number such as 1.5e-07 as LaTeX."""
    if text in ("inf", "+inf", "nan"):
        return r"\text{undefined}" if text == "nan" else r"\infty"
    digits, _, power = text.partition("e")
    scale = f"10^{{{int(power)}}}" if power else ""
    return rf"{digits} \cdot {scale}" if power and digits not in ("1", "1.0") else scale or digits


def number_latex(value: Any) -> str:
    """A number as LaTeX: an integer, a decimal, or a fraction if that is no longer than its decimal."""
    typed = as_typed(value)
    sign, size = "-" if typed < 0 else "", abs(typed)
    if isinstance(value, (float, np.floating)) and size.denominator != 1:
        return sign + decimal_latex(repr(float(size)))
    if size.denominator == 1:
        return sign + (str(size) if size < 10**15 else decimal_latex(f"{float(size):.15g}"))
    decimal, digits = f"{float(size):.15g}", len(f"{size.numerator}{size.denominator}")
    if (Fraction(decimal) == size and len(decimal) < digits) or digits > 24:
        return sign + decimal_latex(decimal)
    return rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}"


def law_latex(problem: LinearGaussian) -> str:
    """The law of a feature of one problem as LaTeX, atom by atom if there are few."""
    law, penalty = problem.law, problem.penalty
    own = () if penalty is None or isinstance(penalty, str) else (penalty,)
    if isinstance(law, Continuous) or problem.n_atoms > MOST_ATOMS:
        return _law_in_words(law)
    weights = np.array([Fraction(1, problem.n_atoms)]) if law.weights is None else law.weights
    cases = [
        rf"({', '.join(map(number_latex, atom))}) & \text{{with probability }} {number_latex(weight)}"
        for weight, *atom in np.broadcast(weights, law.eigenvalues, law.signal, *own)
    ]
    names = r"(\Lambda, B, D)" if own else r"(\Lambda, B)"
    return names + r" = \begin{cases} " + r" \\ ".join(cases) + r" \end{cases}"


def _law_in_words(law: Law) -> str:
    if isinstance(law, PowerLaw):
        ranks = r"x \text{ uniform on } (0, 1)" if law.n_features is None else r"x = (i - 1/2)/p"
        decays = number_latex(-law.decay), number_latex(-law.signal_decay)
        return rf"\Lambda = x^{{{decays[0]}}},\quad B = x^{{{decays[1]}}},\quad {ranks}"
    if not isinstance(law, Continuous):
        return rf"(\Lambda, B) \text{{ takes }} {law.n_atoms} \text{{ values}}"
    arguments = ", ".join(number_latex(getattr(law, name)) for name in law._arguments)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "--", type(law).__name__)
    if callable(law.coefficient):
        return rf"\Lambda \sim \text{{{name}}}({arguments}),\quad B \text{{ a function of }} \Lambda"
    power = {0.0: "", 1.0: r" \Lambda"}.get(law.signal_power, rf" \Lambda^{{{number_latex(law.signal_power)}}}")
    scale = "" if law.coefficient == 1 and power else number_latex(law.coefficient)
    return rf"\Lambda \sim \text{{{name}}}({arguments}),\quad B = {scale}{power}"


def facts_latex(problem: LinearGaussian) -> list[str]:
    """What is given, in rows of LaTeX; ValueError for a batch of problems."""
    if problem.shape != ():
        raise ValueError(f"LaTeX is written for one problem, not for a batch of shape {problem.shape}")
    ratio = number_latex(problem.aspect_ratio[()])
    if problem.n_samples is not None and problem.n_features is not None:
        ratio = rf"p/n = {problem.n_features}/{problem.n_samples}"
    penalty = problem.penalty
    own = ["D = 1"] if penalty is None else [r"D = \Lambda"] if isinstance(penalty, str) else []
    facts = [rf"\kappa = {ratio}", rf"\sigma^2 = {number_latex(problem.noise_variance[()])}"]
    facts += [rf"\lambda = {number_latex(problem.ridge[()])}", *own]
    return [r",\quad ".join(facts), law_latex(problem)]


def results_latex(
    problem: LinearGaussian, keep: Any, label: str, values: dict[str, Any], as_text: Callable[[Any], str]
) -> list[str]:
    """Results and what is given, in rows of LaTeX; the first result is that of the model of this label."""
    shape = np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    if shape != ():
        raise ValueError(f"LaTeX is written for one regime, not for a batch of shape {shape}")
    facts = facts_latex(problem)
    if keep is not None:
        facts[0] += rf",\quad \alpha = {number_latex(keep[()])}"
    texts = {name: as_text(value) for name, value in values.items() if value is not None}
    first, *others = (f"{name} = {decimal_latex(text)}" for name, text in texts.items())
    short = sum(map(len, texts.values())) < 50
    return [rf"{first} \quad \text{{({label})}}", *([r",\quad ".join(others)] if short else others), *facts]


def aligned_latex(rows: list[str]) -> str:
    """Rows as a notebook shows them."""
    return r"$$\begin{aligned} & " + r", \\ & ".join(rows) + r" \end{aligned}$$"
