"""The command line and problem files, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from helpers import command_line, two_level

import riskcalc as rc
from riskcalc.command.problem_files import ProblemFile, question, read_keys

EXAMPLES = Path(rc.__file__).parent / "examples"
TWO_LEVEL = str(EXAMPLES / "two_level.toml")
ROUNDS = ("--policy", "iterative", "--keeps", ".5,.2")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: exit code, stdout, stderr."""

    return partial(command_line, monkeypatch, capsys)


@pytest.mark.parametrize("command", [["riskcalc"], [sys.executable, "-m", "riskcalc"]])
def test_a_stranger_runs_the_example(command):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*command, "compare", TWO_LEVEL], capture_output=True, text=True, env=environment, check=True)
    assert "Best within the budget: pruned by Hessian score, by 0.1436." in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_examples_run(run, path: Path):
    code, out, _ = run("compare", str(path))
    assert code == 0
    assert "predicted test risk" in out


def test_the_schema_documents_every_key():
    import riskcalc.command.problem_files as module

    assert all(f"{key} = " in module.__doc__ for key in ProblemFile.model_fields if key not in _ALTERNATIVES)
    assert all(key in module.__doc__ for key in _ALTERNATIVES)


_ALTERNATIVES = ("n_samples", "n_features", "n_keep")


def test_a_file_and_flags_ask_the_same(run):
    flags = [
        "--aspect-ratio",
        "10/3",
        "--eigenvalues",
        "25,1",
        "--signal",
        "1",
        "--weights",
        ".1,.9",
        "--keep",
        ".1",
        "--json",
    ]
    code, out, _ = run("compare", *flags)
    assert code == 0
    from_flags = json.loads(out)
    from_file = json.loads(run("compare", TWO_LEVEL, "--json")[1])
    assert from_flags["risks"] == from_file["risks"]
    assert from_flags["riskcalc"] == version("riskcalc")
    assert from_file["problem"]["aspect_ratio"] == "10/3"
    assert from_file["keep"] == "1/10"


def test_flags_replace_keys(run):
    values = json.loads(run("compare", TWO_LEVEL, "--keep", "1/5,3/10", "--noise-variance", "1/4", "--json")[1])
    problem = two_level(noise_variance="1/4")
    assert values["risks"]["hessian"] == rc.compare(problem, keep=["1/5", "3/10"]).risks["hessian"].tolist()
    assert values["risks"]["small"][1] == "inf"


def test_predict(run):
    code, out, _ = run("predict", TWO_LEVEL)
    assert code == 0
    assert "0.97648" in out
    values = json.loads(run("predict", TWO_LEVEL, "--policy", "hessian", "--digits", "30", "--json")[1])
    assert values["risk"] == "1.20640287709923401070971804121"
    assert values["model"] == "hessian"
    assert run("predict", TWO_LEVEL, "--policy", "random", "--keep", "0.5")[0] == 0


def test_power_law_flags(run):
    shared = ["--n-samples", "50", "--n-features", "200", "--n-keep", "20", "--json"]
    values = json.loads(run("compare", "--power-law", "1.2,0.3,200", *shared)[1])
    law = rc.laws.PowerLaw(1.2, 0.3, 200)
    assert rc.laws.Law.from_dict(values["problem"]["law"]) == law
    assert (
        values["risks"]["small"]
        == rc.compare(rc.LinearGaussian(law=law, n_samples=50, n_features=200), n_keep=20).risks["small"]
    )


def test_one_factor_of_one_feature_and_its_law_replaced(run, tmp_path):
    one = ("--loadings", "1", "--coefficients", "2", "--n-samples", "10")
    assert run("predict", *one, "--noise-variance", "1")[0] == 0
    path = tmp_path / "factor.toml"
    path.write_text("loadings = [2, 1]\ncoefficients = [1, 1]\nn_samples = 9\nnoise_variance = 1\n")
    code, out, _ = run("verify", str(path), "--n-keep", "1", "--tolerance", ".5", "--seconds", "1", "--json")
    assert code == 0
    assert [check["name"] for check in json.loads(out)["checks"]] == [
        "dense",
        "magnitude",
        "hessian",
        "oracle",
        "variance",
    ]
    path.write_text("loadings = [2, 1]\ncoefficients = [1, 1]\nn_samples = 9\nsignal = 1\n")
    _refused(run("predict", str(path)), "one factor determines signal; leave it out")
    path.write_text("eigenvalues = [2, 1]\nsignal = 1\nn_samples = 9\n")
    assert run("predict", str(path), *one)[0] == 0


def test_version_and_help(run):
    assert run("--version")[:2] == (0, f"riskcalc {version('riskcalc')}\n")
    assert "compare" in run("--help")[1]
    assert "--eigenvalues" in run("compare", "--help")[1]


@pytest.mark.filterwarnings("default")
def test_data(run, tmp_path):
    path = tmp_path / "table.csv"
    lines = ["a,b,y"] + [f"{i % 7},{(i * i) % 11},{2 * (i % 7) + (i % 3)}" for i in range(60)]
    path.write_text("\n".join(lines))
    asked = ["compare", "--data", str(path), "--target", "y", "--basis", "principal"]
    code, out, err = run(*asked, "--n-samples", "10", "--keep", ".5")
    assert (code, err) == (0, "")
    assert "pruning components is not pruning columns" in " ".join(out.split())
    code, _, err = run(*asked, "--n-samples", "4,10", "--n-keep", "1", "--ridge", ".1")
    assert (code, err) == (0, "")
    path.write_text("\n".join(lines[:11]))
    code, _, err = run(*asked, "--n-samples", "4", "--keep", ".5")
    assert code == 0
    assert err.startswith("riskcalc: warning: the table has 10 rows for 2 features")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,3\n1,x,3\n1,4,5\n", "column 'b', row 2: a finite number is needed, found 'x'"),
        ("a,b,y\n1,2,3\n1,,3\n", "column 'b' has 1 missing of 2 cells, the first in row 2; missing='drop' leaves out"),
        ("a,b,y\n1,2,3\n1,2\n", "has 1 missing of 2 cells"),
        ("a,b,z\n1,2,3\n", "has no column 'y' that could be the target; its columns are 'a', 'b', 'z'"),
        ("a,b,y\n", "has no rows below its header"),
        ("", "is empty"),
        ("y\n1\n2\n", "X must have at least two rows and one column"),
    ],
)
def test_bad_tables(run, tmp_path, text: str, message: str):
    path = tmp_path / "table.csv"
    path.write_text(text)
    _refused(run("compare", "--data", str(path), "--target", "y", "--n-samples", "4", "--keep", ".5"), message)


def _refused(result: tuple[int, str, str], message: str) -> None:
    code, out, err = result
    assert (code, out) == (2, "")
    assert err.startswith("riskcalc: error: ")
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "missing.toml"], "cannot read missing.toml"),
        (["compare", TWO_LEVEL, "--keep", "2"], "keep must be in (0, 1], got 2"),
        (["compare", TWO_LEVEL, "--keep", "nan"], "keep must be a finite number"),
        (["compare", TWO_LEVEL, "--n-keep", "3"], "n_keep needs a problem given by n_samples and n_features"),
        (["compare", TWO_LEVEL, "--keep", ".1", "--n-keep", "3"], "exactly one of keep and n_keep"),
        (["compare", TWO_LEVEL, "--keep", "1e-999999999"], "keep is too small for double precision"),
        (["compare", TWO_LEVEL, "--digits", "99999999"], "Invalid value for '--digits'"),
        (["compare", TWO_LEVEL, "--weights", ".1,.8"], "weights must sum to one over the atoms, got a sum of 0.9"),
        (["compare", TWO_LEVEL, "--n-samples", "3"], "give aspect_ratio, or both n_samples and n_features"),
        (["compare", TWO_LEVEL, "--n-samples", "3", "--aspect-ratio", "2"], "give either aspect_ratio, or n_samples"),
        (["compare", TWO_LEVEL, "--digits", "0"], "Invalid value for '--digits'"),
        (["compare", TWO_LEVEL, "--frobnicate"], "No such option"),
        (["compare", TWO_LEVEL, "--power-law", "1"], "power_law must be"),
        (["compare", TWO_LEVEL, "--power-law", "1,2,3", "--signal", "1"], "give either law, or eigenvalues"),
        (["compare", TWO_LEVEL, "--power-law", "1,2,3.5"], "power_law features must be an integer, got '3.5'"),
        (["compare", "--keep", ".1"], "eigenvalues is missing"),
        (["compare", "--aspect-ratio", "2", "--eigenvalues", "1", "--signal", "1"], "exactly one of keep and n_keep"),
        (["compare", "--data", "x.csv", "--keep", ".1"], "--data and --target must be given together"),
        (["compare", "--target", "y"], "--data and --target must be given together"),
        (["compare", "--data", "x.csv", "--target", "y", "--keep", ".1"], "a table of data needs n_samples"),
        (["compare", "--data", "x.csv", "--target", "y", "--n-samples", "3"], "cannot read x.csv"),
        (
            ["compare", "--data", "x.csv", "--target", "y", "--n-samples", "3", "--noise-variance", "1"],
            "a table of data determines noise_variance; leave it out",
        ),
        (["compare", TWO_LEVEL, "--n-samples", "many"], "n_samples must be an integer, got 'many'"),
        (["compare", TWO_LEVEL, "--n-samples", "1/0"], "n_samples must be an integer, got '1/0'"),
        (["predict", TWO_LEVEL, "--keep", ".1"], "got --keep .1, but it needs a --policy"),
        (["predict", TWO_LEVEL, "--n-keep", "0"], "got --n-keep 0, but it needs a --policy"),
        (["predict", TWO_LEVEL, *ROUNDS, "--keep", ".3"], "got --keep .3, but --keeps says what is kept"),
        (["simulate", TWO_LEVEL, *ROUNDS, "--n-keep", "3"], "got --n-keep 3, but --keeps says what is kept"),
        (["verify", TWO_LEVEL, *ROUNDS, "--keep", ".3"], "got --keep .3, but --keeps says what is kept"),
        (["rounds", TWO_LEVEL, "--keeps", ".5,.2", "--keep", ".3"], "got --keep .3, but --keeps says what each"),
        (["prunability", TWO_LEVEL, "--tolerance", "1", "--keep", ".3"], "got --keep .3, but prunability finds"),
        (["sampling-budget", TWO_LEVEL, "--relative-error", "1", "--keep", ".3"], "got --keep .3, but sampling-budget"),
        (["predict", TWO_LEVEL, "--policy", "best"], "Invalid value for '--policy'"),
        (["verify", TWO_LEVEL, "--mutants"], "--mutants is about the formulas; it takes no problem"),
        (["verify", "--mutants", "--seed", "3"], "--mutants is about the formulas; it takes no problem"),
        (["verify", TWO_LEVEL, "--retrain-ridge", "1"], "--retrain-ridge needs --retrain"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
def test_bad_arguments(run, arguments: list[str], message: str):
    _refused(run(*arguments), message)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rounds", TWO_LEVEL, "--keeps", ".5"],
        ["predict", TWO_LEVEL, "--policy", "iterative", "--keeps", ".5"],
        ["prunability", TWO_LEVEL, "--tolerance", "1"],
        ["sampling-budget", TWO_LEVEL, "--relative-error", "1"],
    ],
)
def test_a_files_budget_is_for_the_commands_that_take_one(run, arguments: list[str]):
    """And a single round is a list of rounds."""
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert out


@pytest.mark.parametrize("error", [ZeroDivisionError(), OverflowError("too large")])
def test_arithmetic_that_fails_is_told_in_one_line(run, monkeypatch, error: ArithmeticError):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(rc, "predict", fail)
    _refused(run("predict", TWO_LEVEL), f"the numbers asked about are out of reach: {type(error).__name__}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aspect_ratio = ", "is not valid TOML"),
        ("aspect = 2", "unknown key 'aspect'; known keys are aspect_ratio, n_samples"),
        ("aspect_ratio = true", "aspect_ratio must be a number or a list of numbers, got True"),
        ("n_samples = 2.5\nn_features = 3", "n_samples must be an integer"),
        ("aspect_ratio = inf\neigenvalues = 1\nsignal = 1", "aspect_ratio must be a finite number"),
        ("aspect_ratio = 2\neigenvalues = [1, [2]]\nsignal = 1", "eigenvalues"),
        ("aspect_ratio = 2\neigenvalues = []\nsignal = 1", "eigenvalues is empty"),
        ("aspect_ratio = 2\nn_samples = 3\neigenvalues = 1\nsignal = 1", "not both"),
        ("keep = 0.5\nn_keep = 3\naspect_ratio = 2\neigenvalues = 1\nsignal = 1", "exactly one of keep and n_keep"),
    ],
)
def test_bad_files(run, tmp_path, text: str, message: str):
    path = tmp_path / "problem.toml"
    path.write_text(text)
    _refused(run("compare", str(path), *([] if "keep" in text else ["--keep", "0.1"])), message)


def test_several_errors_at_once(tmp_path):
    path = tmp_path / "problem.toml"
    path.write_text("aspect_ratio = true\nfoo = 1\nbar = 2")
    with pytest.raises(ValueError, match=r"aspect_ratio must be.*unknown key 'foo'.*unknown key 'bar'"):
        question(read_keys(path))


def test_binary_and_directories_are_refused(run, tmp_path):
    _refused(run("compare", str(tmp_path)), "cannot read")
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    _refused(run("compare", str(path)), "cannot read")


def test_simulations_and_verdicts_are_printed_and_written(run):
    asked = (TWO_LEVEL, "--policy", "hessian", "--size", "60", "--workers", "1")
    code, out, err = run("simulate", *asked, "--trials", "20", "--retrain", "fresh")
    assert (code, err) == (0, "")
    assert "simulated, 20 trials" in out
    assert "training error" in out
    values = json.loads(run("simulate", *asked, "--trials", "20", "--json")[1])
    assert values["trials"] == values["training_error"]["trials"] == 20
    code, out, _ = run("verify", *asked, "--tolerance", "0.2")
    assert code == 0
    assert "Verdict: agree" in out
    assert json.loads(run("verify", *asked, "--tolerance", "0.2", "--json")[1])["verdict"] == "agree"


def test_the_power_is_printed_and_written(run, monkeypatch):
    from riskcalc.power import measure

    asked = []
    power = measure.Power({"a": ["simulation(dense)"]}, ["b"], [])
    monkeypatch.setattr(measure, "measure_power", lambda **given: asked.append(given) or power)
    code, out, _ = run("verify", "--mutants", "--workers", "2")
    assert code == 0
    assert "1 of 2 mutants caught: 50.0 %" in out
    assert asked[0]["workers"] == 2
    assert json.loads(run("verify", "--mutants", "--json")[1])["fraction"] == 0.5
