"""The generated code is shown, of every formula, and it is the code that runs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from helpers import command_line, two_level

import riskcalc as rc
from riskcalc.formulas.records import FixedPoint
from riskcalc.lowering.float64 import FLOAT64
from riskcalc.theory import REGISTRY


@pytest.mark.parametrize("id", REGISTRY)
def test_every_formula_has_a_source(id: str):
    functions: dict = {}
    exec(compile(rc.source(id), id, "exec"), functions)
    assert functions.keys() & {"law", "value"}
    assert rc.source(id).splitlines()[0].startswith(f"# {id}: ")


def test_the_source_computes_what_is_predicted():
    prediction = rc.predict(two_level(noise_variance="1/4"))
    Lambda, B, weights = np.array([25.0, 1.0]), np.ones(2), np.array([0.1, 0.9])
    known = {"sigma2": 0.25, "kappa": 10 / 3, "q": np.sqrt(prediction.training_error / prediction.risk)}
    functions = dict(FLOAT64.functions)
    exec(rc.source("dense.risk"), functions)
    terms = functions["law"](B=B, D=1.0, Lambda=Lambda, nu=prediction.effective_ridge)
    (risk,) = functions["value"](*((weights * term).sum() for term in terms), **known)
    assert risk == pytest.approx(prediction.risk, rel=1e-13)


def test_of_a_fixed_point_it_is_what_the_solver_evaluates():
    nu = rc.predict(two_level()).effective_ridge
    functions = dict(FLOAT64.functions)
    exec(rc.source("dense.effective_ridge"), functions)
    part, remainder, slope, _ = functions["law"](D=1.0, Lambda=np.array([25.0, 1.0]), nu=nu)
    assert 10 / 3 * (np.array([0.1, 0.9]) * part).sum() == pytest.approx(1, rel=1e-13)
    assert np.allclose(part + remainder, 1)
    assert np.allclose(slope, part * remainder)
    for id, formula in REGISTRY.items():
        if isinstance(formula, FixedPoint):
            assert "part, remainder, slope and bend" in rc.source(id).splitlines()[0]


def test_of_ones_own_formulas_and_expressions():
    from riskcalc.formulas.expectation import E
    from riskcalc.theory.symbols import Lambda, sigma2

    assert "Lambda**2" in rc.source(sigma2 + E(Lambda**2))
    with pytest.raises(TypeError, match="formula must be the id of a formula"):
        rc.source(3)  # pyright: ignore[reportArgumentType]


def test_the_command_line(monkeypatch, capsys):
    run = partial(command_line, monkeypatch, capsys)
    assert run("source", "dense.risk") == (0, rc.source("dense.risk") + "\n", "")
    code, out, err = run("source", "dense.rsk")
    assert (code, out) == (2, "")
    assert "no formula is called 'dense.rsk'; did you mean dense.risk" in err
    assert run("source")[0] == 2
