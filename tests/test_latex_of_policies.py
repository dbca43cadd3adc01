"""LaTeX of what a policy prunes: every mask, moment and threshold shown is defined; and the list of formulas."""

from __future__ import annotations

import json
import re
from functools import cache, partial

import pytest
from helpers import command_line, examples, katex, two_level

import riskcalc as rc
from riskcalc.formulas.records import Formula, LinearEquation
from riskcalc.formulas.symbols import H, S
from riskcalc.lowering.compile import closure
from riskcalc.policies.base import by_budget
from riskcalc.prediction.policies import in_full, mask
from riskcalc.theory import CHAPTERS, REGISTRY, masks, pruning, training_error
from riskcalc.theory.symbols import (
    M0,
    B,
    D,
    Lambda,
    alpha,
    crest,
    depth,
    kappa,
    nu2,
    part,
    ridge,
    ridge2,
    sigma2,
    size,
    t,
)
from riskcalc.typesetting.displays import LINE
from riskcalc.typesetting.expressions import tex
from riskcalc.typesetting.policies import with_policy
from riskcalc.typesetting.width import width

OTHERS = [name for name in examples() if name.startswith(("iterative", "group ")) and name != "group hessian"]
POLICIES = {name: make("1/2") for name, make in examples().items() if name not in OTHERS}
# Masks of one factor are others; the training error of unequal rows is written in what is dropped, N1 and N2, alone.
MASKED = [
    formula
    for formula in REGISTRY.values()
    if formula.moments is masks.MOMENTS
    and not formula.id.startswith(("rank_one.", "unequal_rows.pruned_training_error"))
]
# What a problem, its budget, a second fit and a policy of groups are given by; and the largest Lambda B^2 of a law.
GIVEN = {kappa, sigma2, ridge, alpha, Lambda, B, D, H, ridge2, nu2, size, crest}
BUDGET = re.compile(r"\\mathbb\{E\}\[(?:M_0|S)\] &?= \\alpha")


@cache
def displays() -> dict[tuple[str, str], Formula]:
    """Every formula about a mask with every policy's, and the policies' own errors."""
    found = {}
    for name, policy in POLICIES.items():
        errors = in_full(mask(policy)).errors
        own = {pruning.RISK: errors.risk, training_error.PRUNED: errors.training_error}
        for formula in [*(own.get(one, one) for one in MASKED), *errors.others]:
            if not formula.where.keys() & {M0}:  # those of pruning.hessian_risk and the like have a mask
                found[formula.id, name] = with_policy(formula, policy)
    return found


@cache
def written() -> dict[str, str]:
    return {" ".join(key): rc.latex(formula) for key, formula in displays().items()}


def undefined(formula: Formula, latex: str) -> set[str]:
    """The symbols that a display shows, and neither defines nor takes from a formula that it follows from."""
    shown = closure([formula.statement], formula.where)
    known = GIVEN | {formula.defines} | set(getattr(formula, "unknowns", ()))
    if BUDGET.search(latex):
        known |= {t, depth, part}
    behind, waiting = set(), [*formula.derived_from]
    while waiting:
        id = waiting.pop()
        if id not in behind:
            behind.add(id)
            waiting += REGISTRY[id].derived_from
    chapter = formula.id.partition(".")[0]
    known |= CHAPTERS[chapter].meanings.keys()
    near = [one for id, one in REGISTRY.items() if id in behind or id.startswith(f"{chapter}.")]
    known |= {one.defines for one in near if one.relation == "="} | {
        symbol for one in near if isinstance(one, LinearEquation) for symbol in one.unknowns
    }
    return {
        str(symbol)
        for symbol in shown - known
        if not re.search(rf"(?<![A-Za-z]){re.escape(tex(symbol))} &?=", latex)
        and not (symbol == S and ("M_0 = \\mathbb{E}[S" in latex or "\\mathbb{P}(S = 1" in latex))
    }


def test_every_mask_moment_and_threshold_is_defined():
    assert len(displays()) > 100
    missing = {key: undefined(one, written()[" ".join(key)]) for key, one in displays().items()}
    assert {key: symbols for key, symbols in missing.items() if symbols} == {}


def test_a_formula_about_any_mask_leaves_it_open_without_a_policy():
    assert undefined(REGISTRY["pruning.risk"], rc.latex("pruning.risk")) == {"S"}


@pytest.mark.parametrize("id", [one.id for one in REGISTRY.values() if M0 in one.where or one.defines == M0])
def test_registered_formulas_with_a_mask_define_it(id: str):
    """But for the weight of a score and the score of a ranking, which they are for any of."""
    assert undefined(REGISTRY[id], rc.latex(id)) <= {"omega", "score"}


def test_katex_takes_them_and_they_fit_a_line():
    assert katex(written()) == {}
    for name, display in written().items():
        for row in display.splitlines()[1:-1]:
            assert width(row.replace(r"\phantom{\text{where}\quad}", r"\qquad\quad")) < LINE + 4, f"{name}: {row}"
            assert not re.search(r", \\\\\n.*\\qquad \{\} [+-]", display), "a comma inside of a sum"


def test_a_policy_as_a_textbook_has_it():
    latex = rc.latex("pruning.risk", policy=rc.Hessian)
    assert r"S = \mathbf{1}\{\omega \lvert X\rvert > t\}" in latex
    assert r"\omega = \sqrt{\Lambda}" in latex
    assert r"M_0 = \mathbb{E}[S \mid \Lambda, B] = 1 - \Phi(z) + \Phi(z - 2 u)" in latex
    assert latex == rc.latex("pruning.risk", policy=rc.Hessian(keep=0.3)), "the budget stays a symbol"
    assert r"r = \Lambda B^2" in rc.latex("pruning.risk", policy=rc.Oracle)
    assert r"g \mu^2" in rc.latex("pruning.risk", policy=rc.Group(3, keep=0.5))
    chance = r"\mathbb{P}(S = 1 \mid X, \Lambda, B) = \min(1, \omega \lvert X\rvert/t)"
    assert chance in rc.latex("retraining.slack", policy=rc.Sampled)
    assert r"\Delta = " in rc.latex("sampling.risk", policy=rc.Sampled)
    assert r"\omega = \sqrt{\Lambda}" in rc.latex("masks.threshold_upper", policy=rc.Hessian)


def test_the_moments_shown_are_those_of_the_prediction():
    """With the numbers put in, and for each policy that the registered formulas name."""
    for name in ("hessian", "magnitude"):
        own, general = REGISTRY[f"pruning.{name}_risk"], with_policy(pruning.RISK, by_budget()[name])
        assert own.where.items() <= general.where.items()
    with_numbers = rc.latex("pruning.risk", policy=rc.Hessian, problem=two_level())
    assert r"\frac{10}{3}" in with_numbers
    assert katex({"numbers": with_numbers}) == {}


@pytest.mark.parametrize(
    ("id", "policy", "error", "message"),
    [
        ("dense.risk", rc.Hessian, ValueError, "dense.risk shows no mask that is pruned by Hessian score"),
        ("pruning.hessian_risk", rc.Magnitude, ValueError, "shows no mask that is pruned by magnitude"),
        ("pruning.risk", rc.Sampled, ValueError, "of what is sampled by sensitivity it is sampling.risk"),
        ("sampling.risk", rc.Hessian, ValueError, "shows no mask that is pruned by Hessian score"),
        ("iterative.risk", rc.Hessian, ValueError, "shows no mask"),
        ("pruning.risk", rc.Group, TypeError, "Group needs size: give a policy, not its class"),
        ("pruning.risk", rc.Iterative, TypeError, "give a policy, not its class"),
        ("pruning.risk", rc.Iterative("hessian", keeps=[0.5, 0.2]), TypeError, "mask of Iterative"),
        ("pruning.risk", "hessian", TypeError, "policy must be a policy such as rc.Hessian, got 'hessian'"),
        (two_level(), rc.Hessian, ValueError, "give the id of one"),
    ],
)
def test_what_is_refused(id, policy, error, message):
    with pytest.raises(error, match=message):
        rc.latex(id, policy=policy)


def test_the_command_line(monkeypatch, capsys):
    run = partial(command_line, monkeypatch, capsys)
    code, out, err = run("latex", "pruning.risk", "--policy", "hessian", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["latex"] == rc.latex("pruning.risk", policy=rc.Hessian)
    code, out, _ = run("latex", "pruning.risk", "--policy", "group", "--group-size", "3")
    assert code == 0
    assert r"\label{eq:pruning.risk}" in out
    assert r"\begin{align}" in run("latex", "--document", "pruning.risk", "--policy", "oracle")[1]
    for wrong in ("--policy hessian", "dense.risk --policy hessian", "pruning.risk --group-size 3"):
        code, out, err = run("latex", *wrong.split())
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_list_of_formulas(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    run = partial(command_line, monkeypatch, capsys)
    code, out, err = run("latex", "--list")
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert re.findall(r"^([a-z_]+\.\w+) ", out, re.MULTILINE) == list(REGISTRY)
    assert "one minus κ times the mean shrinkage" in out
    assert "$" not in out
    assert "\\" not in out
    assert out.startswith("The dense fit\n")
    listed = json.loads(run("latex", "--list", "--json")[1])
    assert [one["id"] for one in listed] == list(REGISTRY)
    assert listed[0] == {
        "id": "dense.effective_ridge",
        "title": "effective ridge of the dense fit",
        "chapter": "The dense fit",
    }
    assert json.loads(run("latex", "--list", "dense.risk", "--json")[1]) == [
        {"id": "dense.risk", "title": "test risk of the dense fit", "chapter": "The dense fit"}
    ]
    assert run("latex", "--list", "--document")[0] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no TeX", "no TeX"),
        (r"$\alpha < \mathbb{P}(\Lambda > 0)$", "α < ℙ(Λ > 0)"),  # noqa: RUF001
        (r"mean of $\sqrt\Lambda\,|X|$", "mean of √Λ|X|"),
        (r"$\frac{p}{n}$ and $p/n$", "p/n and p/n"),
        (r"$\sigma^2$, $\nu_0$, $\bar a$, $e^{1-x}$", "σ^2, ν_0, a\N{COMBINING MACRON}, e^(1 − x)"),  # noqa: RUF001
    ],
)
def test_tex_on_a_terminal(text: str, expected: str):
    from riskcalc.typesetting.plain import plain

    assert plain(text) == expected
