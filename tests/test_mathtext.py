"""Formulas on one line are drawn by matplotlib's mathtext, every one of them."""

from __future__ import annotations

import json

import pytest
from helpers import command_line
from matplotlib.mathtext import MathTextParser

import riskcalc as rc
from riskcalc.theory import REGISTRY

PARSER = MathTextParser("path")
TWO_LEVEL = rc.LinearGaussian(aspect_ratio="10/3", eigenvalues=[25, 1], signal=1, weights=["1/10", "9/10"], ridge=-0.1)


def test_every_formula_is_drawn():
    for id in REGISTRY:
        text = rc.latex(id, one_line=True)
        assert text.startswith("$") and text.endswith("$") and "\n" not in text and "&" not in text  # noqa: PT018
        PARSER.parse(text)


def test_with_numbers_and_the_mask_of_a_policy():
    numbers = rc.latex("dense.effective_ridge", problem=TWO_LEVEL, one_line=True)
    assert numbers.startswith(r"$\nu = ")
    assert r"a_2 = \frac{1}{1 + \nu}" in numbers
    for text in (numbers, rc.latex("pruning.risk", policy=rc.Hessian, one_line=True)):
        PARSER.parse(text)
    with pytest.raises(ValueError, match="law of the features is listed, which takes several lines"):
        rc.latex("pruning.risk", problem=TWO_LEVEL, one_line=True)
    with pytest.raises(ValueError, match="a formula is written on one line; give the id of one"):
        rc.latex(TWO_LEVEL, one_line=True)


def test_the_command_line(monkeypatch, capsys):
    formula = rc.latex("dense.risk", one_line=True)
    assert command_line(monkeypatch, capsys, "latex", "dense.risk", "--one-line") == (0, formula + "\n", "")
    code, out, _ = command_line(monkeypatch, capsys, "latex", "dense.risk", "--one-line", "--json")
    assert (code, json.loads(out)) == (0, [{"id": "dense.risk", "latex": formula}])
    for other in ("--document", "--list"):
        code, _, told = command_line(monkeypatch, capsys, "latex", "dense.risk", "--one-line", other)
        assert code == 2
        assert "not both" in told
