"""What a prediction loads, which is neither SymPy nor the theory, and the recorded code that it runs in their place."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import recorded
import sympy

from riskcalc.lowering import recorded as library

AGAIN = "formulas have changed, or what is asked of them: python tests/recorded.py"
WRITTEN = json.loads(library.FILE.read_text(encoding="utf-8"))


def test_a_comparison_loads_no_symbolic_mathematics():
    """Nor what a table of a few regimes does without."""
    heavy = ("sympy", "riskcalc.theory", "riskcalc.formulas", "scipy.stats", "scipy.optimize", "matplotlib", "loky")
    heavy += ("latex2mathml", "hypothesis")
    code = (
        "import sys; from riskcalc.command.cli import app\n"
        "app(['compare', 'riskcalc/examples/two_level.toml'], standalone_mode=False)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_record_is_of_the_formulas_as_they_are():
    assert WRITTEN["follows_from"] == library.follows_from(), AGAIN
    if WRITTEN["sympy"] != sympy.__version__:
        pytest.skip(f"recorded with SymPy {WRITTEN['sympy']}, whose code may be in another order")
    assert recorded.made(WRITTEN["facts"], WRITTEN["code"]) == WRITTEN, AGAIN


def test_everything_that_is_asked_is_recorded():
    """By every policy with all its choices, not retrained and retrained on either sample, in every kind of regime."""
    work = recorded.asked()
    assert {text for text, _ in work.lowered} == WRITTEN["code"].keys(), AGAIN
    assert work.facts.keys() == WRITTEN["facts"].keys(), AGAIN
