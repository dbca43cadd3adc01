"""What a prediction loads, which is neither SymPy nor the theory, and the recorded code that it runs in their place."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import recorded
import sympy
from helpers import two_level

import riskcalc as rc
from riskcalc.lowering import recorded as library
from riskcalc.lowering.compile import lower
from riskcalc.lowering.evaluator import Evaluator
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.lowering.multiprecision import Multiprecision
from riskcalc.prediction.predict import evaluate
from riskcalc.references import dense, found, masks, resolved, symbols
from riskcalc.theory import REGISTRY
from riskcalc.theory import masks as formulas_of_masks
from riskcalc.theory.symbols import Lambda, omega

AGAIN = "formulas have changed, or what is asked of them: python tests/recorded.py"
WRITTEN = json.loads(library.FILE.read_text(encoding="utf-8"))


def test_a_comparison_loads_no_symbolic_mathematics():
    """Nor what a table of a few regimes does without."""
    heavy = ("sympy", "riskcalc.theory", "riskcalc.formulas", "scipy.stats", "scipy.optimize", "scipy.linalg")
    heavy += ("flint", "loky", "latex2mathml", "matplotlib", "hypothesis")
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


def test_the_code_is_the_same_in_every_number_system():
    for text in [*WRITTEN["code"]][::8]:
        expressions, where, sized, inexact = found(text)
        lowered = lower(expressions, where, Multiprecision(30), sized=sized, inexact=inexact)
        assert lowered.source.splitlines() == WRITTEN["code"][text]["source"], text


def test_nothing_recorded_is_used_after_a_formula_was_edited(monkeypatch: pytest.MonkeyPatch):
    wanted, state = (dense.SLACK.reduced(),), {"ridge": np.ones((1, 1)), "nu": np.full((1, 1), 2.0)}
    known = library.recorded()
    assert known.code
    assert known.lowered("(something, else)", "name", True, FLOAT64) is None
    monkeypatch.setattr(library, "follows_from", lambda: "others")
    library.recorded.cache_clear()
    try:
        assert library.recorded() == library.Recorded()
        assert Evaluator(FLOAT64).lower(wanted, dense.SLACK.where, "slack", scalar_output=True)(state) == 0.5
    finally:
        library.recorded.cache_clear()


def test_variants_and_policies_of_ones_own_bypass_it():
    """Nothing is then asked by the text of references alone, but for what has no part in them."""
    policy = rc.Hessian(keep="1/10")
    asked, plain = rc.Procedure(policy), rc.predict(two_level(), policy)
    twice = replace(REGISTRY["pruning.risk"], statement=2 * REGISTRY["pruning.risk"].statement)
    varied = evaluate(two_level(), [asked], records={"pruning.risk": twice})[asked]
    assert varied.risk == pytest.approx(2 * plain.risk, rel=1e-14)
    assert varied.threshold == plain.threshold
    own = rc.predict(two_level(), rc.Score("root", "abs(X)*sqrt(Lambda)", keep="1/10"))
    assert own.risk == pytest.approx(plain.risk, rel=1e-14)


def test_references_are_found_when_they_are_combined_with_anything_else():
    definitions = masks.scored(masks.HESSIAN) | {symbols.omega: masks.SURGEON}
    assert repr(definitions) == "(masks.scored(masks.HESSIAN) | {symbols.omega: masks.SURGEON})"
    assert resolved(definitions)[omega] == formulas_of_masks.SURGEON
    assert pickle.loads(pickle.dumps(definitions)) == definitions
    assert masks.scored(Lambda)[omega] == Lambda
    assert (masks.INTERVAL | {omega: Lambda}) == {**formulas_of_masks.INTERVAL, omega: Lambda}
    assert ({omega: Lambda} | masks.INTERVAL) == {omega: Lambda, **formulas_of_masks.INTERVAL}
    assert dict(masks.INTERVAL) == formulas_of_masks.INTERVAL
    assert resolved(masks.THRESHOLD) is REGISTRY["masks.threshold"]
    with pytest.raises(AttributeError, match="has no attribute 'TRESHOLD'"):
        resolved(masks.TRESHOLD)
    with pytest.raises(ImportError, match="mask"):
        from riskcalc.references import mask  # noqa: F401
