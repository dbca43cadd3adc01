"""A chapter of one's own has what riskcalc's have; and what is no chapter is refused in one line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import HERE, command_line, katex
from mpmath import mp
from sympy import Eq, S, Symbol

import riskcalc as rc
from riskcalc.chapters import NONNEGATIVE, POSITIVE, Chapter, E, Equation, Formula, Trial, law_symbol, positive, scalar
from riskcalc.power.chapters import measure_chapter
from riskcalc.power.mutation import mutants
from riskcalc.theory import CHAPTERS, REGISTRY
from riskcalc.theory.library import LIBRARY, library_of
from riskcalc.theory.symbols import Lambda, kappa, sigma2

HERE_ONLY = {"workers": 1}
ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "notebooks" / "own_chapter.py"
OWN = rc.load_chapter(NOTEBOOK)
PENALTY, COMPANION, RISK = OWN.formulas
POINT = OWN.trials[0].inputs
x = scalar("x_of_chapter", "an unknown", POSITIVE, "x")


@pytest.fixture
def run(monkeypatch, capsys):
    return lambda *arguments: command_line(monkeypatch, capsys, *arguments)


def _written(folder: Path, text: str) -> str:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


# --- the example


def test_the_example_is_the_least_risk_of_ridge_regression():
    """Riskcalc's own prediction at that penalty, and at no other is it less."""
    problem = rc.LinearGaussian(
        aspect_ratio=2,
        eigenvalues=[4, 1],
        signal=[3**0.5] * 2,
        weights=POINT["weights"],
        noise_variance="1/2",
        ridge=[0.25, 1 / 3, 0.45],
    )
    near = rc.predict(problem).risk
    assert rc.evaluate(RISK, POINT, chapter=OWN) == pytest.approx(near[1], rel=1e-13)
    assert near.argmin() == 1
    with mp.workdps(60):
        given = POINT | {"D": 1, "B": 1, "ridge": "1/3"}
        nu = rc.evaluate("dense.effective_ridge", given, 50)
        assert abs(rc.evaluate(RISK, POINT, 50, chapter=OWN) / (nu * mp.mpf(3) / 2) - 1) < 1e-49
    ball = rc.evaluate(RISK, POINT, 30, enclosed=True, chapter=OWN)
    assert ball.contains(rc.evaluate(RISK, POINT, 60, enclosed=True, chapter=OWN))


def test_the_example_fits_a_page():
    assert len(NOTEBOOK.read_text().splitlines()) <= 60


def test_its_trial_agrees_and_a_planted_error_does_not(tmp_path: Path):
    found = rc.verify(OWN, **HERE)
    assert found.verdict == "agree", str(found)
    assert [check.name for check in found.checks] == ["best.risk", "best.companion"]
    planted = NOTEBOOK.read_text().replace("sigma2 / (best * v), SOURCE", "sigma2 / best, SOURCE")
    wrong = rc.load_chapter(_written(tmp_path, planted))
    found = rc.verify(wrong, **HERE)
    assert [check.verdict for check in found.checks] == ["disagree", "agree"]
    assert not rc.derive(chapter=wrong).passed
    with pytest.raises(ValueError, match=r"fail best, a trial of best\.risk; no mutant was tried"):
        measure_chapter(wrong, **HERE_ONLY)


def test_its_mutants_are_caught_by_its_own_derivation_and_trials():
    power = measure_chapter(OWN, **HERE_ONLY)
    assert power.fraction >= 0.98, str(power)
    assert len(power.caught) >= 50
    assert all(name.startswith("best.") for name in power.caught)
    by_trials = measure_chapter(replace(OWN, derivations={}), **HERE_ONLY)
    assert by_trials.fraction >= 0.98, str(by_trials)
    assert any("trial(best.companion)" in checks for checks in by_trials.caught.values())
    assert "trial" in str(by_trials)
    by_derivation = measure_chapter(replace(OWN, trials=()), **HERE_ONLY)
    assert by_derivation.fraction >= 0.98, str(by_derivation)


def test_a_mutant_that_nothing_catches_survives():
    loose = Formula("loose.sum", "sum", x, kappa + sigma2 + E(Lambda * positive(Lambda)), "test")
    weak = Chapter(
        "loose",
        "Loose",
        (loose,),
        trials=(Trial(("loose.sum",), {"kappa": 1, "sigma2": 0, "Lambda": 1, "weights": 1}, lambda n, rng: 2.0),),
    )
    power = measure_chapter(weak, **HERE_ONLY)
    assert any("drop the term sigma2" in name for name in power.survivors)
    assert any("drop the term kappa" in name for name in power.caught)
    assert any("drop the factor positive(Lambda)" in name for name in power.equivalents)
    assert 0 < power.fraction < 1


def test_ours_are_registered_in_the_same_way():
    assert all(type(chapter) is Chapter for chapter in CHAPTERS.values())
    assert LIBRARY.records == REGISTRY
    own = library_of(OWN)
    assert set(own.formulas) == {"best.penalty", "best.companion", "best.risk"}
    assert set(own.records) == {*REGISTRY, *own.formulas}
    assert {id for mutant in mutants(own) for id in mutant.formulas} == set(own.formulas)
    assert rc.load_chapter(NOTEBOOK) is OWN  # a file is run once


# --- LaTeX, and the command line


def test_latex(run, tmp_path: Path):
    displays = {formula.id: rc.latex(formula) for formula in OWN.formulas}
    displays |= {f"{id} in a notebook": f._repr_latex_().strip("$") for id, f in library_of(OWN).formulas.items()}
    assert katex(displays) == {}
    assert r"\frac{\sigma^2}{\lambda^* v}" in displays["best.risk"]
    code, out, _ = run("latex", "--chapter", str(NOTEBOOK), "--json")
    assert code == 0
    assert {entry["id"]: entry["latex"] for entry in json.loads(out)} == {f.id: rc.latex(f) for f in OWN.formulas}
    assert r"\label{eq:best.risk}" in run("latex", "best.risk", "--chapter", str(NOTEBOOK))[1]
    code, article, _ = run("latex", "--document", "--chapter", str(NOTEBOOK))
    assert r"\title{The best ridge}" in article
    assert r"Solved for $v$ between $\frac{1}{\lambda^* + \kappa\,\mathbb{E}[\Lambda]}$ and" in article
    assert "companion Stieltjes transform at" in article
    assert run("derive", "best", "--chapter", str(NOTEBOOK), "--tex", str(tmp_path / "derived.tex"))[0] == 0
    (tmp_path / "article.tex").write_text(article)
    if shutil.which("pdflatex"):
        for name in ("article", "derived"):
            done = subprocess.run(
                ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            assert done.returncode == 0, done.stdout[-2000:]


def test_prose_of_ones_own_compiles(run, tmp_path: Path):
    """Signs that TeX takes for its own, and an id beside a word with an underscore."""
    text = (
        "from riskcalc.chapters import Chapter, Formula\n"
        "from riskcalc.theory.symbols import gamma, kappa\n"
        "one = Formula('mine.one', 'a_b & 50 % of #1', gamma, kappa, 'A & B; see dense.risk and mine.one', \n"
        "              derived_from=('dense.risk',))\n"
        "CHAPTER = Chapter('mine', 'Mine & yours', (one,))\n"
    )
    article = run("latex", "--document", "--chapter", _written(tmp_path, text))[1]
    assert r"\textbf{A\_b \& 50 \% of \#1}" in article
    assert r"Source: A \& B; see \texttt{dense.\allowbreak risk} and \eqref{eq:mine.one}." in article
    assert r"\title{Mine \& yours}" in article


def test_derive_verify_and_catalogue(run, tmp_path: Path):
    at = ("--chapter", str(NOTEBOOK))
    code, out, _ = run("derive", *at)
    assert code == 0
    assert re.search(r"best +The best ridge +5", out)
    code, out, _ = run("derive", "best", "--json", *at)
    assert json.loads(out)["levels"] == {"symbolic": 5}
    code, out, _ = run("verify", *at, "--workers", "1", "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "agree")
    page = tmp_path / "page.html"
    assert run("catalogue", str(page), *at)[0] == 0
    text = page.read_text()
    assert set(re.findall(r'<article id="([\w.]+)"', text)) == {"best.penalty", "best.companion", "best.risk"}
    assert text.count("best (symbolic)") == 3
    assert text.count("<dt>solved for</dt>") == 1
    assert "<code>dense.risk</code>" in text
    assert 'href="#dense.risk"' not in text  # which is not on this page


def test_a_planted_error_and_a_wrong_step_end_with_exit_code_1(run, tmp_path: Path):
    planted = NOTEBOOK.read_text().replace("sigma2 / (best * v), SOURCE", "sigma2 / best, SOURCE")
    at = ("--chapter", _written(tmp_path, planted))
    code, out, _ = run("verify", *at, "--workers", "1")
    assert (code, "Verdict: disagree" in out) == (1, True)
    code, out, _ = run("derive", *at)
    assert (code, "1 of 5 steps FAILED" in out) == (1, True)
    code, _, err = run("verify", "--mutants", *at, "--workers", "1")
    assert (code, "no mutant was tried" in err) == (2, True)


def test_mutants_on_the_command_line(run):
    code, out, _ = run("verify", "--mutants", "--chapter", str(NOTEBOOK), "--workers", "1", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["fraction"] >= 0.98
    assert len(found["caught"]) >= 50


# --- where chapters come from

BARE = """
from riskcalc.chapters import Chapter, Formula
from riskcalc.theory.symbols import gamma, kappa
CHAPTER = Chapter("mine", "Mine", (Formula("mine.one", "one", gamma, kappa, "test"),))
"""


def test_an_installed_package_has_chapters(run, tmp_path: Path, monkeypatch):
    """Its entry point names a chapter, or a module with one."""
    (tmp_path / "theirs.py").write_text(BARE)
    (tmp_path / "broken_theirs.py").write_text("import theirs\nx = 1 / 0\n")
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[riskcalc.chapters]\nmine = theirs:CHAPTER\nwhole = theirs\nbroken = broken_theirs\nodd = theirs:gamma\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert rc.load_chapter("mine").id == "mine"
    assert rc.load_chapter("whole") is rc.load_chapter("mine")
    assert "mine.one" in run("latex", "--chapter", "mine")[1]
    for name, message in {
        "mien": r"no chapter is called 'mien'; did you mean mine\?",
        "broken": r"broken \(broken_theirs\) fails: line 2, in <module>, x = 1 / 0: ZeroDivisionError: division",
        "odd": r"odd \(theirs:gamma\) defines no riskcalc\.chapters\.Chapter",
    }.items():
        code, _, err = run("latex", "--chapter", name)
        assert (code, err.count("\n")) == (2, 1)
        assert re.search(message, err), err
    monkeypatch.undo()
    with pytest.raises(ValueError, match="no installed package has any; a file ends in"):
        rc.load_chapter("mine")


HEAD = "from riskcalc.chapters import *\nfrom riskcalc.theory.symbols import Lambda, gamma, kappa\nimport sympy\n"
ONE = HEAD + "one = Formula('mine.one', 'one', gamma, kappa, 'test')\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"mine\.py defines no riskcalc\.chapters\.Chapter"),
        ("from riskcalc.theory.dense import CHAPTER\n", r"defines no riskcalc\.chapters\.Chapter"),
        (
            ONE + "A = Chapter('mine', 'M', (one,))\nB = Chapter('mine', 'M', (one,))\n",
            r"defines 2 chapters, mine and mine",
        ),
        ("def (\n", r"mine\.py, line 1: invalid syntax"),
        (
            "x = 1\n\ndef f():\n    return x / 0\n\nf()\n",
            r"fails: line 6, in <module>, f\(\); line 4, in f, return x / 0: Zero",
        ),
        (
            "import no_such_module\n",
            r"fails: line 1, in <module>, import no_such_module: ModuleNotFoundError: No module",
        ),
        ("import sys\nsys.exit(3)\n", r"fails: line 2, in <module>, sys\.exit\(3\): SystemExit: 3"),
        (HEAD + "Formula('a')\n", r"fails: line 4, in <module>, Formula\('a'\): TypeError"),
        (HEAD + "C = Chapter('dense', 'Mine', ())\n", r"the chapter id 'dense' is taken: The dense fit"),
        (
            HEAD + "C = Chapter('mine', 'Mine', 3)\n",
            r"formulas of the chapter 'mine' must be a tuple of Formula, got 3",
        ),
        (
            ONE + "C = Chapter('mine', 'M', (one,), trials=(3,))\n",
            r"trials of the chapter 'mine' must be a tuple of Trial",
        ),
        (
            ONE + "C = Chapter('mine', 'M', (one,), derivations=len)\n",
            r"derivations of 'mine' must be functions by name",
        ),
        (
            HEAD + "C = Chapter('mine', 'M', (Formula('mine.a', '', gamma, kappa, 's'),))\n",
            r"mine\.a needs a title and",
        ),
        (HEAD + "C = Chapter('My own', 'Mine', ())\n", r"the id of a chapter is a name in small letters, got 'My own'"),
        (ONE + "C = Chapter('other', 'Mine', (one,))\n", r"its id must begin with 'other\.'"),
        (ONE + "C = Chapter('mine', 'Mine', (one, one))\n", r"formula 'mine\.one' is registered twice"),
        (
            HEAD + "C = Chapter('mine', 'M', (Formula('mine.a', 'a', gamma, sympy.Symbol('Lambda'), 's'),))\n",
            r"mine\.a is written in Symbol\('Lambda'\), which was not declared; did you mean the declared LawSym",
        ),
        (
            HEAD + "C = Chapter('mine', 'M', (Formula('mine.a', 'a', gamma, sympy.Symbol('wobble'), 's'),))\n",
            r"mine\.a is written in Symbol\('wobble'\), .* say what it means by scalar or law_symbol",
        ),
        (HEAD + "w = scalar('w', '', POSITIVE, 'w')\n", r"ValueError: w needs a meaning and its LaTeX"),
        (HEAD + "w = scalar('gamma', 'mine', POSITIVE, 'w')\n", r"gamma was declared in .* before, as .*, and now in"),
        (HEAD + "w = scalar('lambda', 'mine', POSITIVE, 'w')\n", r"a symbol cannot be called 'lambda'"),
        (HEAD + "w = scalar('weights', 'mine', POSITIVE, 'w')\n", r"a symbol cannot be called 'weights'"),
        (
            HEAD
            + "C = Chapter('mine', 'M', (Formula('mine.a', 'a', gamma, kappa, 's', derived_from=('dense.rsik',)),))\n",
            r"no formula behind mine\.a is called 'dense\.rsik'; did you mean dense\.risk",
        ),
        (
            ONE + "C = Chapter('mine', 'M', (one,), trials=(Trial(('mine.oen',), {}, lambda n, rng: 1),))\n",
            r"no formula of a trial is called 'mine\.oen'; did you mean mine\.one",
        ),
        (ONE + "Trial('mine.one', {}, len)\n", r"formulas of a trial are a tuple of ids, got 'mine\.one'"),
        (
            ONE + "Trial(('mine.one',), {}, 3)\n",
            r"simulate must be a function of the sample size and a generator, got 3",
        ),
    ],
)
def test_what_is_no_chapter_is_told_in_one_line(run, text: str, message: str, tmp_path: Path):
    code, out, err = run("verify", "--chapter", _written(tmp_path, text))
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("riskcalc: error: ")
    assert re.search(message, err), err
    assert "riskcalc/formulas" not in err
    assert "importlib" not in err


def test_files_that_are_not_there_and_commands_that_do_not_fit(run, tmp_path: Path):
    for arguments, message in {
        ("latex", "--chapter", "nowhere.py"): "there is no file nowhere.py",
        ("latex", "--chapter", str(tmp_path)): "no chapter is called",
        ("latex", "best.rsik", "--chapter", str(NOTEBOOK)): "no formula is called 'best.rsik'; did you mean best.risk",
        ("latex", "dense.risk", "--chapter", str(NOTEBOOK)): "no formula is called 'dense.risk'",
        ("derive", "bset", "--chapter", str(NOTEBOOK)): "no derivation is called 'bset'; did you mean best?",
        ("verify", "--chapter", str(NOTEBOOK), "--keep", "0.1"): "--chapter is about its own formulas",
        ("verify", "--chapter", _written(tmp_path, BARE)): "the chapter 'mine' has no trials",
        ("verify", "--mutants", "--chapter", _written(tmp_path, BARE)): "has neither derivations nor trials",
    }.items():
        code, _, err = run(*arguments)
        assert (code, err.count("\n")) == (2, 1), err
        assert message in err
    with pytest.raises(TypeError, match="source must be the path of a file or the name of an entry point"):
        rc.load_chapter(3)


def test_a_file_that_changed_is_run_again(tmp_path: Path):
    path = _written(tmp_path, BARE)
    assert rc.load_chapter(path).title == "Mine"
    _written(tmp_path, BARE.replace('"Mine"', '"Still mine"'))
    assert rc.load_chapter(path).title == "Still mine"


# --- what a chapter must be


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (Equation("own.x", "x", x, kappa + x, "s", lower=S.One, upper=kappa), "own.x is no equation in x_of_chapter"),
        (Equation("own.x", "x", x, Eq(kappa, sigma2), "s", lower=S.One, upper=kappa), "no equation in x_of_chapter"),
        (Equation("own.x", "x", x, Eq(x, kappa), "s"), "solved between lower and upper"),
        (Equation("own.x", "x", x, Eq(x, kappa), "s", lower=S.One, upper=2 * x), "free of x_of_chapter"),
        (Equation("own.x", "L", Lambda, Eq(Lambda, kappa), "s", lower=S.One, upper=kappa), "one value per regime"),
        (Equation("own.x", "x", x, Eq(x, kappa), "s", lower=Symbol("lo"), upper=kappa), r"Symbol\('lo'\)"),
        (Formula("own.x", "x", x, kappa, "s", where={Symbol("m"): kappa}), r"Symbol\('m'\)"),
    ],
)
def test_formulas_that_a_chapter_refuses(formula: Formula, message: str):
    with pytest.raises(ValueError, match=message):
        Chapter("own", "Own", (formula,))


def test_meanings_are_of_declared_symbols():
    with pytest.raises(ValueError, match=r"chapter 'own' is written in Symbol\('m'\)"):
        Chapter("own", "Own", (), meanings={Symbol("m"): kappa})


def test_a_name_may_be_another_symbol_in_another_file(tmp_path: Path):
    """But not one of the theory's, and not in one formula. The derivations of riskcalc have a v of their own."""
    text = HEAD + "v = scalar('v', 'mine', REAL, 'v')\none = Formula('mine.one', 'one', gamma, v, 's')\n"
    chapter = rc.load_chapter(_written(tmp_path, text + "C = Chapter('mine', 'M', (one,))\n"))
    assert LIBRARY.derivations["training_error"](REGISTRY).steps
    assert rc.latex(chapter.formulas[0]) == "\\begin{align*}\n  \\gamma &= v\n\\end{align*}"
    both = (
        text
        + "C = Chapter('mine', 'M', (Formula('mine.a', 'a', gamma, v + E(law_symbol('v', 'w', REAL, 'v')), 's'),))\n"
    )
    with pytest.raises(ValueError, match=r"two symbols in mine\.a are called v; rename one"):
        rc.load_chapter(_written(tmp_path, both))


def test_trials_that_do_not_fit():
    one = Formula("own.one", "one", x, kappa + 0 * sigma2, "test")

    def asked(inputs, simulate):
        return rc.verify(Chapter("own", "Own", (one,), trials=(Trial(("own.one",), inputs, simulate),)), **HERE)

    assert asked({"kappa": 2}, lambda n, rng: 2.0).verdict == "agree"
    for inputs, simulate, message in (
        ({"kappa": [1, 2]}, lambda n, rng: 2.0, r"a trial of own\.one is at inputs of one regime"),
        ({"kapa": 2}, lambda n, rng: 2.0, r"no input of own\.one is called 'kapa'; did you mean kappa"),
        ({"kappa": 2}, lambda n, rng: [2.0, 3.0], r"the trial of own\.one must give one number each"),
        ({"kappa": 2}, lambda n, rng: 1 / 0, r"a trial of own fails: line \d+, in <lambda>.*ZeroDivisionError"),
        ({"kappa": 2}, lambda n, rng: float("nan"), r"trial must give finite numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            asked(inputs, simulate)


def test_trials_of_the_same_formula_are_told_apart():
    one = Formula("own.one", "one", x, kappa, "test")
    trials = tuple(Trial(("own.one",), {"kappa": k}, lambda n, rng, k=k: float(k)) for k in (1, 2))
    found = rc.verify(Chapter("own", "Own", (one,), trials=trials), **HERE)
    assert [check.name for check in found.checks] == ["own.one", "own.one, trial 2"]
    assert [check.predicted for check in found.checks] == [1, 2]


def test_errors_of_a_derivation_are_its_own_lines(tmp_path: Path, run):
    text = (
        ONE
        + "def d(records):\n    return records['mine.two']\nC = Chapter('mine', 'M', (one,), derivations={'d': d})\n"
    )
    code, _, err = run("derive", "--chapter", _written(tmp_path, text))
    assert (code, err.count("\n")) == (2, 1)
    nothing = text.replace("records['mine.two']", "None")
    assert (
        "the derivation d gives no Derivation, but None" in run("derive", "--chapter", _written(tmp_path, nothing))[2]
    )
    assert re.search(r"the derivation d fails: line 6, in d, return records\['mine\.two'\]: KeyError: 'mine\.two'", err)


def test_a_trial_runs_on_several_processes(tmp_path: Path):
    """Its file is no module that they could import."""
    found = rc.verify(rc.load_chapter(NOTEBOOK), tolerance=0.5, workers=2)
    assert found.verdict == "agree"


def test_laws_of_ones_own_symbols():
    """Symbols of the law that riskcalc does not know, in a mean and in LaTeX."""
    w = law_symbol("w_of_chapter", "a weight of a feature", NONNEGATIVE, "w")
    one = Formula("own.one", "one", x, E(w * Lambda) / E(w), "test")
    assert rc.evaluate(one, {"w_of_chapter": [1, 3], "Lambda": [4, 8], "weights": ["1/2", "1/2"]}) == 7
    assert r"\mathbb{E}[w]" in rc.latex(one) or r"\mathbb{E}[w " in rc.latex(one)


# --- a problem kind in the place of a trial

KIND = """
from riskcalc.chapters import Chapter, Derivation, E, Formula, Simulated, scalar, POSITIVE
from riskcalc.theory.symbols import gamma

LEAST = Formula("orthonormal.risk", "test risk", gamma, (1 + kappa) * sigma2, "columns are orthogonal")


def derivation(records):
    d = Derivation("Orthonormal designs", "The risk below.", "None.", "Nothing.")
    d.registered(records["orthonormal.risk"], sigma2 + kappa * sigma2, "Noise, and its share in the fit.")
    problem = Orthonormal(aspect_ratio="1/2", eigenvalues=1, signal=[2, "1/2"], noise_variance=1)
    d.simulated("the limit", "Simulated risks tend to it.", "Half as many features as samples.", Simulated(problem))
    return d


CHAPTER = Chapter("orthonormal", "Orthonormal designs", (LEAST,), derivations={"orthonormal": derivation})
"""


def test_a_chapter_may_bring_a_kind_of_problem(tmp_path: Path):
    """The recipe of CONTRIBUTING.md, with a chapter below it: its solver and its sampler need only be imported."""
    recipes = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    recipe = next(text for text in recipes if "class Orthonormal" in text)
    path = _written(tmp_path, recipe + KIND)
    command = [sys.executable, "-m", "riskcalc", "derive", "--chapter", path, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["derivations"][0]["levels"] == {"symbolic": 1, "simulated": 1}
