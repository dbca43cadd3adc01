"""What leaves riskcalc for people to read: derivations on the command line and as articles, and the catalogue."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from riskcalc.derivation.claims import Equal, Less
from riskcalc.derivation.reports import Report, Reports, StepReport
from riskcalc.derivation.run import build
from riskcalc.theory import REGISTRY
from riskcalc.theory.library import LIBRARY
from riskcalc.typesetting.article import derivation_article
from riskcalc.typesetting.catalogue import catalogue
from riskcalc.typesetting.expressions import tex

needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is absent (texlive-latex-base)")


def _passed(name: str) -> Report:
    """The report of a derivation, as if it had been run."""
    derivation = build(name)
    steps = (StepReport(step.name, step.check.level, True, "seen", 0.0, step.uses) for step in derivation.steps)
    return Report(name, derivation.title, tuple(steps))


@pytest.fixture(scope="module")
def reports() -> Reports:
    return Reports(tuple(_passed(name) for name in LIBRARY.derivations))


def _run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "riskcalc", *arguments], capture_output=True, text=True, check=False)


def test_derive_prints_a_table_of_steps_and_writes_an_article(tmp_path: Path):
    done = _run("derive", "coefficients", "--tex", str(tmp_path / "coefficients.tex"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"dense\.coefficient_risk +symbolic", done.stdout)
    assert re.search(r"\d+ steps hold: \d+ symbolic\.", done.stdout)
    article = (tmp_path / "coefficients.tex").read_text()
    assert article.startswith(r"\documentclass")
    assert r"\textbf{Not proved here.}" in article


def test_derive_serialises():
    found = json.loads(_run("derive", "coefficients", "--json").stdout)
    assert found["passed"] is True
    assert set(found["levels"]) == {"symbolic"}
    assert {"step", "level", "passed", "seen", "seconds", "uses"} == set(found["steps"][0])


def test_derive_names_the_near_ones_and_fails_with_a_wrong_step(tmp_path: Path):
    unknown = _run("derive", "coeficients")
    assert unknown.returncode == 2
    assert unknown.stderr == "riskcalc: error: no derivation is called 'coeficients'; did you mean coefficients?\n"
    (tmp_path / "wrong.py").write_text(
        "from riskcalc.derivation.claims import Equal\n"
        "from riskcalc.derivation.record import Derivation\n"
        "from riskcalc.theory.symbols import kappa\n"
        "def derivation(records):\n"
        "    d = Derivation('Wrong', 'Squares.', 'None.', 'Nothing.')\n"
        "    d.step('square', Equal((kappa + 1)**2, kappa**2 + 1), 'Forget the middle.')\n"
        "    return d\n"
    )
    nowhere = _run("derive", "coefficients", "--tex", str(tmp_path / "nowhere" / "x.tex"))
    assert nowhere.returncode == 2
    assert "riskcalc: error:" in nowhere.stderr
    assert "there is no folder" in nowhere.stderr
    wrong = _run("derive", str(tmp_path / "wrong.py"))
    assert wrong.returncode == 1
    assert "1 of 1 steps FAILED" in wrong.stdout


def test_reports_print_as_a_table(reports: Reports):
    text = str(reports)
    for name in LIBRARY.derivations:
        assert re.search(rf"^{name} ", text, re.MULTILINE)
    assert reports.to_dict()["passed"] is True
    broken = StepReport("step", "symbolic", False, "not shown", 0.0, ())
    text = str(Reports((Report("name", "Title", (broken,)),)))
    assert "1 of 1 steps FAILED" in text


def test_the_level_behind_a_step_is_the_weakest_it_rests_on():
    steps = [
        StepReport("first", "simulated", True, "", 0.0, ()),
        StepReport("second", "enclosed", True, "", 0.0, ()),
        StepReport("third", "symbolic", True, "", 0.0, ("second",)),
        StepReport("fourth", "symbolic", True, "", 0.0, ("third",)),
    ]
    report = Report("name", "Title", tuple(steps))
    assert report.level_behind("fourth") == "enclosed"
    assert report.level_behind("first") == "simulated"


@pytest.mark.parametrize("name", LIBRARY.derivations)
def test_no_claim_says_the_same_on_both_sides(name: str):
    for step in build(name).steps:
        if isinstance(step.claim, Equal | Less):
            assert tex(step.claim.left) != tex(step.claim.right), step.name


@needs_tex
def test_the_derivations_compile_as_an_article(reports: Reports, tmp_path: Path):
    (tmp_path / "all.tex").write_text(derivation_article(reports))
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    overfull = [float(found) for found in re.findall(r"Overfull \\hbox \(([\d.]+)pt", done.stdout)]
    assert max(overfull, default=0) < 20, done.stdout


class _Page(HTMLParser):
    """What a page holds: its anchors and links, and its tags as they open and close."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]):
        found = {name: value or "" for name, value in attrs}
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[name] for name in ("href", "src") if name in found]
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str):
        assert self.open.pop() == tag

    def handle_data(self, data: str):
        self.words += data


def test_the_catalogue_holds_every_formula_and_needs_no_network(reports: Reports):
    page = _Page(catalogue(reports))
    assert page.open == []
    assert set(page.ids) == set(REGISTRY)
    assert set(page.links) <= {f"#{id}" for id in REGISTRY}  # nothing is fetched
    left = re.findall(r"\\[A-Za-z]+|&", page.words)
    assert left == [], "TeX that did not become MathML"
    assert page.words.count("derivation") >= len(REGISTRY)
    assert len(re.findall(r"\((?:symbolic|enclosed|simulated)\)", page.words)) >= len(REGISTRY)
