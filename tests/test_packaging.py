"""What the wheel holds and writes for those who installed it, what shells complete, and what checkers see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from helpers import command_line, examples, two_level

import riskcalc as rc
from riskcalc.results.quantities import QUANTITIES, Quantities

PACKAGE = Path(rc.__file__).parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PACKAGE.parent, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_package_its_types_its_examples_and_its_derivations(wheel: zipfile.ZipFile):
    held = set(wheel.namelist())
    assert {"riskcalc/py.typed", "riskcalc/__init__.pyi"} <= held
    assert {str(path.relative_to(PACKAGE.parent)) for path in PACKAGE.rglob("*.py")} <= held
    assert {f"riskcalc/examples/{path.name}" for path in (PACKAGE / "examples").glob("*.toml")} <= held
    derivations = {path.name for path in (PACKAGE.parent / "derivations").glob("*.py")}
    assert len(derivations) > 5
    assert {f"riskcalc/_derivations/{name}" for name in derivations} <= held
    assert not [name for name in held if "tests" in name or "__pycache__" in name]


def test_the_wheel_says_where_its_theory_is_from(wheel: zipfile.ZipFile):
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    lines = wheel.read(metadata).decode().splitlines()
    assert "Project-URL: Paper, https://arxiv.org/abs/2012.08749" in lines
    assert f"Version: {version('riskcalc')}" in lines


def test_the_wheel_runs_without_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path):
    wheel.extractall(tmp_path / "site")

    def run(*command: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run("-m", "riskcalc", "examples", "mine")
    following = next(line for line in said.splitlines() if line.startswith("Next: riskcalc "))
    assert "Best within the budget" in run("-m", *following.removeprefix("Next: ").split())
    found = run("-c", "from riskcalc.theory.library import LIBRARY; print(*LIBRARY.derivations)").split()
    assert len(found) == len([*(PACKAGE.parent / "derivations").glob("[0-9]*.py")])


# --- examples


@pytest.fixture
def run(monkeypatch, capsys):
    return partial(command_line, monkeypatch, capsys)


def test_examples_are_written_and_never_over_others(run, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("examples")
    assert (code, err) == (0, "")
    originals = {path.name: path.read_bytes() for path in (PACKAGE / "examples").glob("*.toml")}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == originals
    assert all(f"wrote {name}\n" in out for name in originals)
    kept = tmp_path / "power_law.toml"
    kept.write_text("mine")
    (tmp_path / "two_level.toml").unlink()
    code, out, err = run("examples")
    assert (code, out) == (2, "")
    assert "power_law.toml" in err
    assert "would be overwritten" in err
    assert err.count("\n") == 1
    assert kept.read_text() == "mine"
    assert not (tmp_path / "two_level.toml").exists(), "all or nothing"
    assert run("examples", "power_law.toml")[0] == 2
    code, out, _ = run("examples", "a folder/in it")
    assert code == 0
    assert "Next: riskcalc compare 'a folder/in it/two_level.toml'\n" in out


def test_the_schema_of_problem_files_is_printed(run):
    from riskcalc.command.problem_files import ProblemFile

    code, out, _ = run("examples", "--schema")
    assert code == 0
    assert all(key in out for key in ProblemFile.model_fields)


# --- completion


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("riskcalc exa", "examples"),
        ("riskcalc latex pruning.h", "pruning.hessian_risk"),
        ("riskcalc source masks.threshold_l", "masks.threshold_lower"),
        ("riskcalc predict --policy mag", "magnitude"),
    ],
)
def test_shells_complete(line: str, expected: str, monkeypatch, capsys):
    monkeypatch.setenv("_RISKCALC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    assert command_line(monkeypatch, capsys)[1] == f"plain,{expected}\n"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_help_says_how_shells_are_told(shell: str, run, monkeypatch, capsys):
    assert f"_RISKCALC_COMPLETE={shell}_source riskcalc" in run("--help")[1]
    assert '  eval "$(_RISKCALC_COMPLETE=bash_source riskcalc)"' in run("--help")[1]
    monkeypatch.setenv("_RISKCALC_COMPLETE", f"{shell}_source")
    assert "_RISKCALC_COMPLETE" in command_line(monkeypatch, capsys)[1]


# --- types


def test_checkers_know_every_quantity():
    own = {name for name in QUANTITIES if name in vars(rc.Prediction)}
    assert Quantities.__annotations__.keys() | own == QUANTITIES.keys()


@pytest.mark.parametrize("digits", [None, 20])
@pytest.mark.parametrize("batch", [False, True])
def test_quantities_are_what_checkers_are_told(batch: bool, digits: int | None):
    types = get_type_hints(Quantities)
    problem = two_level(noise_variance=["1/4", "1/2"] if batch else "1/4")
    asked = [None, *(make("1/2") for name, make in examples().items() if not name.startswith(("iterative", "group m")))]
    for policy in asked if digits is None else asked[:3]:
        prediction = rc.predict(problem, policy, digits=digits)
        for name, kind in types.items():
            value = getattr(prediction, name)
            as_told = isinstance(value, kind) if digits is None or value is None else hasattr(value, "__float__")
            assert as_told or name == "status", (policy, name, value)
            assert value is None or isinstance(value, np.ndarray) is batch, (policy, name, value)


_USER = """
import numpy as np
import riskcalc as rc

problem = rc.LinearGaussian(aspect_ratio=[2, 3], eigenvalues=[25, 1], signal=1)
prediction = rc.predict(problem, rc.Hessian(keep=0.1))
reveal_type(prediction.risk)
reveal_type(prediction.threshold)
half = np.sqrt(prediction.risk - prediction.excess_risk) / 2
comparison = rc.compare(problem, keep=0.1)
reveal_type(comparison.risks["dense"])
reveal_type(comparison.best)
reveal_type(comparison.margin)
reveal_type(rc.simulate(problem).mean)
text: str = rc.latex("pruning.risk", policy=rc.Hessian) + rc.source("dense.risk")
prediction.rsk
prediction.misfit + 1
"""


def test_checkers_see_numbers_and_arrays_and_what_is_misspelt(tmp_path: Path):
    path = tmp_path / "user.py"
    path.write_text(_USER)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(path)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"extraPaths": [str(PACKAGE.parent)]}))
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)["generalDiagnostics"]
    array = "ndarray[tuple[Any, ...], dtype[Any]]"
    revealed = [one["message"].partition(" is ")[2].strip('"') for one in told if one["severity"] == "information"]
    assert revealed == [
        f"float | {array}",
        f"float | {array} | None",
        f"float | {array}",
        f"str | {array} | None",
        f"float | {array}",
        "float",
    ]
    wrong = [one["message"] for one in told if one["severity"] == "error"]
    assert len(wrong) == 2, wrong
    assert 'Cannot access attribute "rsk"' in wrong[0]
    assert '"None"' in wrong[1]
