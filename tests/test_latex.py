"""LaTeX: what every export looks like, that KaTeX and pdflatex take it, and that the numbers put in are right."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import sympy
from helpers import katex
from sympy import Derivative, Integral, Limit, Mul, Rational, erf, exp, oo, pi, sqrt

import riskcalc as rc
from riskcalc.command.cli import main
from riskcalc.formulas import nodes
from riskcalc.formulas.expectation import E
from riskcalc.formulas.symbols import H
from riskcalc.theory import REGISTRY
from riskcalc.theory.symbols import (
    B,
    Lambda,
    X,
    a,
    abar,
    alpha,
    kappa,
    m,
    mu,
    nu,
    omega,
    ridge,
    s,
    sigma2,
    t,
    tau,
    u,
    z,
)
from riskcalc.typesetting.displays import LINE, Equation, record
from riskcalc.typesetting.document import article
from riskcalc.typesetting.export import snippet
from riskcalc.typesetting.expressions import Typesetter, tex
from riskcalc.typesetting.numbers import with_numbers
from riskcalc.typesetting.textbook import Written
from riskcalc.typesetting.width import width

TWO_LEVEL = rc.LinearGaussian(
    aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], noise_variance="1/4"
)
DECIMAL = rc.LinearGaussian(
    aspect_ratio=2.5,
    eigenvalues=[0.3, 1, 0],
    signal=[1, -2, 1],
    weights=[0.1, 0.6, 0.3],
    noise_variance=0.25,
    ridge=1e-7,
)
NATURAL = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[3, 1, 0], signal=2, penalty="natural", noise_variance=1)
WEIGHTED = rc.LinearGaussian(aspect_ratio=2, eigenvalues=[3, 1], signal=2, penalty=[1, "1/2"], ridge="1/8")
MANY = rc.LinearGaussian(law=rc.laws.PowerLaw(1.2, 0.3, 200), n_samples=50, n_features=200)
CONTINUOUS = rc.LinearGaussian(law=rc.laws.MarchenkoPastur(0.5, signal=2, signal_power=0.5), aspect_ratio=0.5)
CORRELATED = rc.Correlated([[1, "1/2"], ["1/2", 2]], [1, -0.3], n_samples=5, noise_variance="1/4")
FACTORS = rc.Correlated(rc.FactorCovariance([[1, 2]] * 9, 0.5), [1] * 9, n_samples=5, ridge=0.1)
PROBLEMS = (TWO_LEVEL, DECIMAL, NATURAL, WEIGHTED, MANY, CONTINUOUS, CORRELATED, FACTORS)
PREDICTIONS = (
    rc.predict(TWO_LEVEL),
    rc.predict(TWO_LEVEL, rc.Hessian(keep="1/10")),
    rc.predict(TWO_LEVEL, rc.Magnitude(keep=0.1), digits=30),
    rc.small_model(MANY, n_keep=20),
    rc.predict(rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)),
)


@cache
def stated() -> dict[str, str]:
    """Every formula as it is registered."""
    return {id: rc.latex(id) for id in REGISTRY}


@cache
def everything() -> dict[str, str]:
    """Every formula, also with the numbers of each problem, and every result."""
    numbers = {f"{id}, problem {i}": rc.latex(id, problem=one) for id in REGISTRY for i, one in enumerate(PROBLEMS)}
    return stated() | numbers | {f"result {i}": rc.latex(one) for i, one in enumerate((*PROBLEMS, *PREDICTIONS))}


needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is absent (texlive-latex-base)")


@pytest.mark.parametrize(
    ("id", "rows"),
    [
        (
            "dense.risk",
            [
                r"\gamma &= \frac{\sigma^2 + \mathbb{E}\bigl[\Lambda B^2 (1 - a)^2\bigr]}{1 - \kappa\,\mathbb{E}[a^2]}",
                r"& \text{where}\quad a = \frac{\Lambda}{\Lambda + \nu D}",
            ],
        ),
        (
            "dense.effective_ridge",
            [
                r"\nu &= \lambda + \kappa \nu\,\mathbb{E}[a]",
                r"& \text{where}\quad a = \frac{\Lambda}{\Lambda + \nu D}",
            ],
        ),
        (
            "dense.effective_ridge_upper",
            [
                r"\nu &\le \frac{\lambda + \delta x + \sqrt{(\lambda + \delta x)^2 + 4 \lambda x}}{2}",
                r"& \text{where}\quad x = \frac{\mathbb{E}[\Lambda/D]}{\mathbb{P}(\Lambda > 0)}",
            ],
        ),
        (
            "masks.threshold",
            [
                r"\mathbb{E}[M_0] &= \alpha",
                r"& \text{where}\quad M_0 = 1 - \Phi(z) + \Phi(z - 2 u),\qquad z = u - \mu,\qquad u = t/\varsigma",
                r"& \phantom{\text{where}\quad} \mu = m/\varsigma,\qquad \varsigma = \omega \tau,\qquad m = \omega a B,"
                r"\qquad \tau = \frac{\sqrt{\kappa \gamma \Lambda}}{\Lambda + \nu D}",
                r"& \phantom{\text{where}\quad} a = \frac{\Lambda}{\Lambda + \nu D}",
            ],
        ),
        (
            "pruning.risk",
            [
                r"R &= \sigma^2 + \mathbb{E}\bigl[\Lambda (B - S X)^2\bigr]",
                r"& \text{where}\quad X = a B + \tau H,\qquad a = \frac{\Lambda}{\Lambda + \nu D},"
                r"\qquad \tau = \frac{\sqrt{\kappa \gamma \Lambda}}{\Lambda + \nu D}",
            ],
        ),
        (
            "masks.threshold_lower",
            [r"t &\ge \frac{\sqrt{\pi/2}\,\delta_\alpha}{\mathbb{E}[\mathbf{1}\{\Lambda > 0\}/\varsigma]}"],
        ),
    ],
)
def test_formulas_as_a_textbook_has_them(id: str, rows: list[str]):
    assert rc.latex(id) == "\\begin{align*}\n  " + ", \\\\\n  ".join(rows) + "\n\\end{align*}"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (1 - kappa * E(a), r"1 - \kappa\,\mathbb{E}[a]"),
        (kappa - 1, r"\kappa - 1"),
        (1 - kappa + kappa**2, r"1 - \kappa + \kappa^2"),
        (X - B, "X - B"),
        (H * tau + B * a, r"a B + \tau H"),
        (E(B**2 * abar**2 * Lambda) * kappa * 2, r"2 \kappa\,\mathbb{E}[\Lambda \bar a^2 B^2]"),
        (-kappa, r"-\kappa"),
        (-E(a) - nu, r"-\nu - \mathbb{E}[a]"),
        ((kappa + nu) / 2, r"\frac{\kappa + \nu}{2}"),
        (kappa / 2, r"\frac{\kappa}{2}"),
        (Rational(1, 2) * E((B - X) ** 2), r"\frac{1}{2}\,\mathbb{E}\bigl[(B - X)^2\bigr]"),
        (sqrt(kappa) * sqrt(nu) / sqrt(2), r"\sqrt{\frac{\kappa \nu}{2}}"),
        (sqrt(sigma2), r"\sigma"),
        (sigma2**2, r"\sigma^4"),
        (exp(-(z**2) / 2) / sqrt(2 * pi), r"\frac{e^{-z^2/2}}{\sqrt{2 \pi}}"),
        ((1 + erf(z / sqrt(2))) / 2, r"\Phi(z)"),
        (kappa * (1 - nu) / (1 + nu), r"\frac{\kappa (1 - \nu)}{1 + \nu}"),
        (E(nodes.positive(Lambda)), r"\mathbb{P}(\Lambda > 0)"),
        (nodes.Outside(z, u), r"1 - \Phi(z) + \Phi(z - 2 u)"),
        (nodes.Inside(z, u) * nu, r"\nu \bigl(\Phi(z) - \Phi(z - 2 u)\bigr)"),
        (nodes.positive_root(nu, kappa), r"\frac{\nu + \sqrt{\nu^2 + 4 \kappa}}{2}"),
        (nodes.share(Lambda, nu), r"\frac{\Lambda}{\Lambda + \nu}"),
        (nodes.two_sided_quantile(alpha), r"\Phi^{-1}(1 - \alpha/2)"),
        (nodes.tail(z), r"\Phi(-z)"),
        (nodes.top(s, t, alpha), r"\mathbf{1}\{\varsigma > t\} + \alpha\,\mathbf{1}\{\varsigma = t\}"),
        (nu * nodes.top(s, t, alpha), r"\nu (\mathbf{1}\{\varsigma > t\} + \alpha\,\mathbf{1}\{\varsigma = t\})"),
        (nodes.top(-s, -t, alpha), r"\mathbf{1}\{\varsigma < t\} + \alpha\,\mathbf{1}\{\varsigma = t\}"),
        (Derivative(kappa * nu, nu), r"\frac{\partial}{\partial \nu} (\kappa \nu)"),
        (Integral(nodes.phi(t), (t, -oo, z)), r"\int_{-\infty}^{z} \phi(t)\,dt"),
        (Limit(kappa / nu, nu, 0), r"\lim_{\nu \to 0^+} \frac{\kappa}{\nu}"),
        (nodes.ratio(m, s * tau), r"\frac{m}{\tau \varsigma}"),
        (mu * nodes.phi(mu) - (mu - 2 * u) * ridge, r"\mu \phi(\mu) - \lambda (\mu - 2 u)"),
        (omega * (a * B - X), r"\omega (a B - X)"),
    ],
    ids=str,
)
def test_expressions_are_in_the_order_of_a_mathematician(expression: sympy.Expr, expected: str):
    assert tex(expression) == expected


def test_every_formula_is_exported_and_nothing_of_sympy_is_left():
    assert len(stated()) >= 25
    assert set(stated()) == set(REGISTRY)
    known = {
        *(
            "begin",
            "end",
            "text",
            "phantom",
            "quad",
            "qquad",
            "frac",
            "sqrt",
            "mathbb",
            "mathbf",
            "mathrm",
            "operatorname",
            "top",
            "bar",
            "hat",
            "cdot",
        ),
        *(
            *("Biggl", "Biggr"),
            "bigl",
            "bigr",
            "Bigl",
            "Bigr",
            "biggl",
            "biggr",
            "Biggl",
            "Biggr",
            "le",
            "ge",
            "approx",
            "mid",
            "sim",
            "to",
            "infty",
            "circ",
        ),
        *(
            "log",
            "sup",
            "max",
            "lvert",
            "rvert",
            "alpha",
            "beta",
            "gamma",
            "delta",
            "zeta",
            "eta",
            "theta",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "pi",
            "rho",
            "chi",
        ),
        *("sigma", "varsigma", "varphi", "overline", "varepsilon", "tau", "phi", "psi", "omega", "ell", "nabla"),
        *("partial", "perp", "arcsin", "Delta", "Gamma", "Lambda", "Phi", "Sigma"),
    }
    for name, latex in everything().items():
        assert set(re.findall(r"\\([A-Za-z]+)", latex)) <= known, name
        assert not re.search(r"\*\*|(?<![a-z])--|\+ -|- -|\+ \+|\(\)|\{\}(?! [+-])|nan|zoo", latex), name
        assert latex.count("{") == latex.count("}"), name
        for size in ("big", "Big", "bigg"):
            assert latex.count(rf"\{size}l") == latex.count(rf"\{size}r"), name


def test_katex_takes_every_export():
    notebook = {f"{one!r}": one._repr_latex_() for one in (*REGISTRY.values(), *PROBLEMS)}
    assert all(text.startswith("$$") and text.endswith("$$") for text in notebook.values())
    assert katex({"wrong": r"\frac{1"}).keys() == {"wrong"}
    assert katex(everything() | {name: text.strip("$") for name, text in notebook.items()}) == {}


def _compiled(folder: Path, name: str) -> str:
    """The log of pdflatex, run until references are right."""
    for _ in range(3):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def _well_set(log: str) -> None:
    overfull = [float(found) for found in re.findall(r"Overfull \\[hv]box \(([\d.]+)pt", log)]
    assert max(overfull, default=0) < 20, log
    assert "undefined" not in log
    assert "multiply defined" not in log


@needs_tex
def test_every_snippet_compiles_as_the_input_of_an_article(tmp_path: Path):
    lines = [r"\documentclass{article}", r"\usepackage{amsmath,amssymb}", r"\begin{document}"]
    labelled = {formula.id: snippet(formula, label=True) for formula in REGISTRY.values()}
    for i, (name, latex) in enumerate(
        (everything() | {f"{id}, labelled": latex for id, latex in labelled.items()}).items()
    ):
        (tmp_path / f"{i}.tex").write_text(latex + "\n")
        lines.append(rf"\input{{{i}}} % {name}")
    lines += [rf"\eqref{{eq:{id}}}" for id in labelled]
    (tmp_path / "all.tex").write_text("\n".join([*lines, r"\end{document}"]))
    _well_set(_compiled(tmp_path, "all.tex"))
    labels = re.findall(r"\\newlabel\{eq:([\w.]+)\}\{\{(\d+)\}", (tmp_path / "all.aux").read_text())
    assert labels == [(id, str(number)) for number, id in enumerate(REGISTRY, 1)], "one number per formula"


@needs_tex
@pytest.mark.parametrize("problem", [None, TWO_LEVEL, DECIMAL])
def test_the_document_compiles(problem: rc.LinearGaussian | None, tmp_path: Path):
    (tmp_path / "document.tex").write_text(article(list(REGISTRY.values()), problem))
    _well_set(_compiled(tmp_path, "document.tex"))


def test_the_document_explains_every_symbol_of_its_formulas():
    formula = REGISTRY["dense.coefficient"]
    text = article([formula])
    table = text.split(r"\section*{Symbols}")[1]
    explained = set(re.findall(r"^\$(.*?)\$ &", table, re.MULTILINE))
    assert explained == {"X", "a", "B", r"\tau", "H", r"\Lambda", r"\nu", "D", r"\kappa", r"\gamma"}
    assert r"\section{The dense fit}" in text
    assert "Chang et al. 2021" in text


@pytest.mark.parametrize("id", ["dense.risk", "dense.effective_ridge", "dense.slack", "dense.coefficient_risk"])
@pytest.mark.parametrize("problem", [TWO_LEVEL, DECIMAL, NATURAL, WEIGHTED])
def test_the_numbers_are_those_of_the_prediction(id: str, problem: rc.LinearGaussian):
    """The formula with numbers, evaluated from what is typeset, is the prediction."""
    prediction = rc.predict(problem)
    known = {"nu": prediction.effective_ridge, "gamma": prediction.risk}
    known["q"] = sqrt(prediction.training_error / prediction.risk)

    def value(expression: sympy.Expr) -> float:
        for _ in range(4):
            expression = expression.subs(rules)
        numbers = {symbol: _typed(symbol.name) for symbol in expression.atoms(Written)}
        return float(
            expression.subs(numbers).subs(
                {symbol: known[str(symbol)] for symbol in (expression.free_symbols - numbers.keys())}
            )
        )

    (equation,), where, _ = with_numbers(REGISTRY[id], problem)
    rules = {one.left: one.right for one in where}
    assert not equation.right.has(E)
    assert value(equation.left) == pytest.approx(value(equation.right), rel=1e-9)


def _typed(latex: str) -> Rational:
    fraction = re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", latex)
    scaled = re.fullmatch(r"(?:(.*) \\cdot )?10\^\{(-?\d+)\}", latex)
    if fraction:
        return Rational(*map(int, fraction.groups()))
    return Rational(scaled[1] or 1) * Rational(10) ** int(scaled[2]) if scaled else Rational(latex)


def test_numbers_are_written_as_they_were_typed():
    risk = rc.latex("dense.risk", problem=DECIMAL)
    assert r"0.25 + 0.1 \cdot 0.3 (1 - a_1)^2 + 0.6 \cdot 2^2 (1 - a_2)^2" in risk
    assert r"1 - 2.5 (0.1 a_1^2 + 0.6 a_2^2)" in risk
    assert r"a_1 = \frac{0.3}{0.3 + \nu}" in risk
    assert r"\nu &= 10^{-7} + 2.5 \nu" in rc.latex("dense.effective_ridge", problem=DECIMAL)
    exact = rc.latex("dense.risk", problem=TWO_LEVEL)
    assert r"\frac{1}{4} + \frac{1}{10} \cdot 25 (1 - a_1)^2 + \frac{9}{10} (1 - a_2)^2" in exact
    assert r"\mathbb{E}" in rc.latex("dense.risk", problem=MANY), "too many atoms to write out"
    masked = rc.latex("pruning.hessian_risk", problem=TWO_LEVEL)
    assert r"\mathbb{E}\bigl[\Lambda (B - S X)^2\bigr]" in masked
    assert r"(25, 1) & \text{with probability } \frac{1}{10}" in masked
    assert r"D = \Lambda" in rc.latex("masks.kept", problem=NATURAL)
    assert r"(\Lambda, B, D)" in rc.latex("masks.kept", problem=WEIGHTED)


def test_what_a_formula_is_about_stays_a_symbol():
    assert r"\lambda &=" in rc.latex("isotropic.optimal_ridge", problem=TWO_LEVEL)
    assert r"\kappa \to 1^+" in rc.latex("limits.peak_risk", problem=TWO_LEVEL)
    at_the_peak = rc.LinearGaussian(aspect_ratio=1, eigenvalues=1, signal=1, noise_variance=1)
    infinite = "isotropic.least_norm_risk"
    assert rc.latex(infinite, problem=at_the_peak) == rc.latex(infinite), "no number is put in where it divides by zero"


def test_problems_and_predictions():
    assert rc.latex(TWO_LEVEL) == (
        "\\begin{align*}\n"
        "  & \\kappa = \\frac{10}{3},\\quad \\sigma^2 = \\frac{1}{4},\\quad \\lambda = 0,\\quad D = 1, \\\\\n"
        "  & (\\Lambda, B) = \\begin{cases} (25, 1) & \\text{with probability } \\frac{1}{10} \\\\ "
        "(1, 1) & \\text{with probability } \\frac{9}{10} \\end{cases}\n"
        "\\end{align*}"
    )
    problem = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"])
    pruned = rc.latex(rc.predict(problem, rc.Hessian(keep="1/10")))
    assert r"R = 1.2064 \quad \text{(pruned by Hessian score)}" in pruned
    assert r"\gamma = 0.97648" in pruned
    assert r"\alpha = \frac{1}{10}" in pruned
    assert "1.20640287709923401070971804121" in rc.latex(rc.predict(problem, rc.Hessian(keep="1/10"), digits=30))
    assert r"\gamma = \infty" in rc.latex(PREDICTIONS[-1])
    assert r"p/n = 200/50" in rc.latex(MANY)
    assert r"\Lambda \sim \text{Marchenko--Pastur}(0.5),\quad B = 2 \Lambda^{0.5}" in rc.latex(CONTINUOUS)


def test_correlated_features():
    assert rc.latex(CORRELATED) == (
        "\\begin{align*}\n"
        "  & p = 2,\\quad n = 5,\\quad \\sigma^2 = \\frac{1}{4},\\quad \\lambda = 0, \\\\\n"
        "  & \\Sigma = \\begin{pmatrix} 1 & \\frac{1}{2} \\\\ \\frac{1}{2} & 2 \\end{pmatrix},"
        "\\quad \\beta = (1, -0.3)\n"
        "\\end{align*}"
    )
    assert r"\Sigma = LL^\top + \operatorname{diag}(d) \text{ of 9 features, 2 factors}" in rc.latex(FACTORS)
    assert r"\Sigma \text{ of 5 features}" in rc.latex(rc.Correlated([[1] * 5] * 5, [1] * 5, 7))


def test_what_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match=r"no formula is called 'dense.rsk'; did you mean dense.risk"):
        rc.latex("dense.rsk")
    batch = rc.LinearGaussian(aspect_ratio=[1, 2], eigenvalues=1, signal=1)
    with pytest.raises(ValueError, match=r"numbers can be put in for one problem, not for a batch of shape \(2,\)"):
        rc.latex("dense.risk", problem=batch)
    with pytest.raises(ValueError, match=r"one problem, not for a batch of shape \(2,\)"):
        rc.latex(batch)
    with pytest.raises(ValueError, match=r"one regime, not for a batch of shape \(2,\)"):
        rc.latex(rc.predict(batch))
    with pytest.raises(ValueError, match="give the id of one"):
        rc.latex(TWO_LEVEL, problem=TWO_LEVEL)
    with pytest.raises(TypeError, match="must be the id of a formula"):
        rc.latex(3)
    with pytest.raises(TypeError, match=r"problem must be a problem such as riskcalc.LinearGaussian"):
        rc.latex("dense.risk", problem=3)
    assert batch._repr_latex_() is None


def test_long_lines_are_broken_at_signs():
    terms = sum(E(Lambda**i * B**2) for i in range(1, 9))
    rows = Equation(nu, sigma2 + kappa * E(Lambda * (B - sum(X**i for i in range(1, 9))) ** 2) + terms).rows()
    assert len(rows) > 1
    assert all(width(row) < LINE + 2 for row in rows)
    assert all(re.match(r"&\\qquad \{\} [+-] ", row) for row in rows[1:])


def test_minus_a_sum_keeps_its_brackets():
    terms = [E(Lambda * B**2 / (Lambda + nu) ** i) for i in range(1, 20)]
    assert tex(Mul(-1, sum(terms[:2]), evaluate=False)) == f"-{Typesetter().bracket(tex(sum(terms[:2])))}"
    text = "".join(Equation(sigma2, Mul(-1, sum(terms), evaluate=False)).rows())
    assert re.search(r"&= -\\[a-zA-Z]+l\(", text)
    assert text.endswith("r)")


def test_the_command_line(monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["riskcalc", "latex", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return stopped.value.code or 0, captured.out, captured.err

    code, out, _ = run()
    assert code == 0
    assert re.findall(r"\\label\{eq:([\w.]+)\}", out) == list(REGISTRY)
    assert out.count(r"\begin{align}") == len(REGISTRY)
    assert run("dense.risk")[1] == record(REGISTRY["dense.risk"], label=True) + "\n"
    listed = json.loads(run("--json")[1])
    assert [entry["id"] for entry in listed] == list(REGISTRY)
    assert {entry["id"]: entry["latex"] for entry in listed} == stated()
    code, out, err = run("dense.risc", "--json")
    assert (code, out) == (2, "")
    assert err.startswith("riskcalc: error: no formula is called 'dense.risc'; did you mean dense.risk")
    example = str(Path(rc.__file__).parent / "examples" / "two_level.toml")
    assert r"\frac{10}{3}" in run("dense.risk", "--problem", example)[1]
    code, out, _ = run("--document", "dense.risk", "pruning.risk")
    assert code == 0
    assert out.startswith(r"\documentclass{article}")
    assert out.endswith("\\end{document}\n")
    assert out.count(r"\begin{align}") == 2
    assert run("--document", "--json")[0] == 2
