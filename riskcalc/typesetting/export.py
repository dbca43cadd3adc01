"""The public function `latex`: formulas, problems and predictions as LaTeX."""

from __future__ import annotations

import re

from sympy import Expr

from riskcalc.formulas.records import Formula
from riskcalc.lookup import look_up
from riskcalc.policies import Policy
from riskcalc.prediction.predict import Prediction
from riskcalc.problems import Problem
from riskcalc.problems.base import facts_latex
from riskcalc.theory import REGISTRY
from riskcalc.typesetting.displays import Equation, display, parts, rows_of
from riskcalc.typesetting.mathtext import mathtext
from riskcalc.typesetting.numbers import with_numbers
from riskcalc.typesetting.policies import with_policy
from riskcalc.verification.theories import Theory


def latex(
    what: str | Formula | Theory | Problem | Prediction,
    *,
    problem: Problem | None = None,
    policy: Policy | type[Policy] | None = None,
    one_line: bool = False,
) -> str:
    r"""A formula, a theory, a problem or a prediction as LaTeX, for an article with amsmath and amssymb, or for KaTeX.

    Parameters
    ----------
    what : str, Formula, Theory, Problem or Prediction
        The id of a registered formula, such as "dense.risk", or any of these themselves; a theory if what it predicts
        is a formula or an expression.
    problem : Problem, optional
        Put the numbers of this problem into the formula; its unknowns stay symbols. Means over up to three kinds of
        features are written as sums.
    policy : Policy, or the class of one, optional
        Define the mask of this policy in a formula about any mask, with its moments and its threshold; the budget stays
        a symbol. The optimal rule's is that where the features' kinds tell their coefficients.
    one_line : bool
        Write a formula on one line, between dollar signs, as matplotlib's mathtext draws it.

    Returns
    -------
    str
        One display, ``\begin{align*} ... \end{align*}``, or one line, with the definitions that a formula needs.

    Raises
    ------
    ValueError
        If no formula has this id (the message names the near ones); if the numbers are those of a batch of problems or
        regimes; if a problem or policy is given with something that is no formula; if the formula shows no
        mask, or another than the policy's, or an error that the policy has not; if what is to stand on one line is
        no formula, or needs more.
    TypeError
        If `what` is none of the above; if no numbers of such a problem can be put into a formula; if `policy` is none,
        or a class that takes more than a budget.

    Examples
    --------
    >>> import riskcalc as rc
    >>> print(rc.latex("dense.risk"))
    \begin{align*}
      \gamma &= \frac{\sigma^2 + \mathbb{E}\bigl[\Lambda B^2 (1 - a)^2\bigr]}{1 - \kappa\,\mathbb{E}[a^2]}, \\
      & \text{where}\quad a = \frac{\Lambda}{\Lambda + \nu D}
    \end{align*}
    >>> problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    >>> print(rc.latex("dense.effective_ridge", problem=problem))
    \begin{align*}
      \nu &= \frac{10}{3} \nu \Bigl(\frac{1}{10} a_1 + \frac{9}{10} a_2\Bigr), \\
      & \text{where}\quad a_1 = \frac{25}{25 + \nu},\qquad a_2 = \frac{1}{1 + \nu}
    \end{align*}
    >>> print(rc.latex("dense.effective_ridge", one_line=True))
    $\nu = \lambda + \kappa \nu\,\mathbb{E}[a] \quad \mathrm{where} \quad a = \frac{\Lambda}{\Lambda + \nu D}$
    >>> r"S = \mathbf{1}\{\omega \lvert X\rvert > t\}" in rc.latex("pruning.risk", policy=rc.Hessian)
    True
    """
    if isinstance(what, Theory) and what.is_formula:
        if isinstance(what.predict, Expr):
            name = re.sub(r"[&%#_$]", r"\\\g<0>", what.names[0])
            stated = [Equation(rf"\text{{{name}}}", what.predict)]
            return mathtext(stated, []) if one_line else display(*rows_of(stated, []))
        what = what.predict
    if isinstance(what, str):
        what = look_up(what, REGISTRY, "formula")
    if isinstance(what, Formula):
        return snippet(what if policy is None else with_policy(what, policy), problem, one_line=one_line)
    if one_line:
        raise ValueError("a formula is written on one line; give the id of one")
    if problem is not None:
        raise ValueError("the numbers of a problem are put into a formula; give the id of one")
    if policy is not None:
        raise ValueError("the mask of a policy is defined in a formula; give the id of one")
    if isinstance(what, (Problem, Prediction)):
        rows = facts_latex(what) if isinstance(what, Problem) else what.latex_rows()
        first, *others = (f"& {row}" for row in rows)
        return display([first], [*(f"{row}," for row in others[:-1]), *others[-1:]])
    raise TypeError(
        f"what must be the id of a formula, a Formula, a Theory of one, a problem or a Prediction, got {what!r}"
    )


def snippet(formula: Formula, problem: Problem | None = None, label: bool = False, one_line: bool = False) -> str:
    """A formula as a display, numbered, with its id as the label, if it is to have one; or on one line."""
    found = parts(formula) if problem is None else with_numbers(formula, problem)
    return mathtext(*found) if one_line else display(*rows_of(*found), label=formula.id if label else "")
