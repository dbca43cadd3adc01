"""Correlated features on the command line: matrices and vectors in files, in problem files and in flags."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import command_line

import riskcalc as rc
from riskcalc.command.problem_files import question, read_keys

P = 6
COVARIANCE = 0.5 ** abs(np.arange(P)[:, None] - np.arange(P))
COEFFICIENTS = np.linspace(-1, 1, P)
LOADINGS = np.column_stack([np.ones(P), COEFFICIENTS])
REST = {"n_samples": 14, "noise_variance": 0.25}
DRAWN = ("--trials", "5", "--workers", "1", "--device", "cpu", "--json")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: exit code, stdout, stderr."""
    return lambda *arguments: command_line(monkeypatch, capsys, *map(str, arguments))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the files are; it is not the folder where the command line runs."""
    there, here = tmp_path / "data", tmp_path / "elsewhere"
    there.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    arrays = {"S": COVARIANCE, "b": COEFFICIENTS, "L": LOADINGS, "d": np.full(P, 0.5)}
    for name, array in arrays.items():
        np.save(there / f"{name}.npy", array)
        np.savetxt(there / f"{name}.csv", array, delimiter=",", fmt="%.17g")
    np.save(there / "columns.npy", np.asfortranarray(LOADINGS))
    return there


def asked(folder: Path, text: str) -> rc.Correlated:
    """The problem in a file of this text."""
    path = folder / "problem.toml"
    path.write_text(text + "\nn_samples = 14\nnoise_variance = 0.25\n")
    return question(read_keys(path)).problem


@pytest.mark.parametrize(
    "text",
    [
        'covariance = "S.npy"\ncoefficients = "b.npy"',
        'covariance = "S.csv"\ncoefficients = "b.csv"',
        f'covariance = "../data/S.npy"\ncoefficients = {COEFFICIENTS.tolist()}',
        f"covariance = {COVARIANCE.tolist()}\ncoefficients = {COEFFICIENTS.tolist()}",
    ],
)
def test_a_covariance_in_a_problem_file(folder: Path, text: str):
    problem = asked(folder, text)
    np.testing.assert_array_equal(np.asarray(problem.covariance, float), COVARIANCE)
    np.testing.assert_array_equal(np.asarray(problem.coefficients, float), COEFFICIENTS)
    assert (problem.n_samples, float(problem.noise_variance)) == (14, 0.25)


@pytest.mark.parametrize("loadings", ['"L.npy"', '"L.csv"', '"columns.npy"', str(LOADINGS.tolist())])
@pytest.mark.parametrize("variances", ["0.5", '"d.csv"', str([0.5] * P)])
def test_factors_in_a_problem_file(folder: Path, loadings: str, variances: str):
    problem = asked(folder, f'loadings = {loadings}\nvariances = {variances}\ncoefficients = "b.npy"')
    np.testing.assert_array_equal(np.asarray(problem.covariance.loadings, float), LOADINGS)
    np.testing.assert_array_equal(np.broadcast_to(np.asarray(problem.covariance.variances, float), P), np.full(P, 0.5))


def test_a_list_of_loadings_is_of_one_factor(folder: Path):
    for loadings in (COEFFICIENTS.tolist(), '"b.npy"'):
        problem = asked(folder, f'loadings = {loadings}\nvariances = 1\ncoefficients = "b.csv"')
        np.testing.assert_array_equal(np.asarray(problem.covariance.loadings, float), COEFFICIENTS[:, None])
    assert isinstance(asked(folder, 'loadings = "b.csv"\ncoefficients = "b.npy"'), rc.RankOne)


def test_flags_ask_as_files_do_and_replace_their_keys(run, folder: Path):
    path = folder / "problem.toml"
    path.write_text('covariance = "S.npy"\ncoefficients = "b.csv"\nn_samples = 14\nnoise_variance = 0.25\nn_keep = 2\n')
    found = [
        run("simulate", *arguments, "--policy", "magnitude", *DRAWN)
        for arguments in (
            [path],
            [
                *("--covariance", folder / "S.csv", "--coefficients", folder / "b.npy"),
                *("--n-samples", "14", "--noise-variance", "0.25", "--n-keep", "2"),
            ],
            [path, "--loadings", folder / "L.npy", "--variances", "1/2"],
        )
    ]
    assert [code for code, *_ in found] == [0, 0, 0], found
    means = [json.loads(out)["mean"] for _, out, _ in found]
    assert means[0] == means[1] != means[2]
    factor = rc.Correlated(rc.FactorCovariance(LOADINGS, 0.5), COEFFICIENTS, **REST)
    assert means[2] == rc.simulate(factor, rc.Magnitude(n_keep=2), trials=5, workers=1, device="cpu").mean


def _damaged(folder: Path) -> None:
    np.save(folder / "object.npy", np.array([[None]]), allow_pickle=True)
    np.save(folder / "complex.npy", np.eye(2) * 1j)
    np.save(folder / "nan.npy", np.full((P, P), np.nan))
    whole = (folder / "S.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:-8])
    with (folder / "huge.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
        np.lib.format.write_array_header_1_0(file, header)
    (folder / "text.npy").write_text("one, two")
    (folder / "names.csv").write_text("a,b\n1,2\n")
    (folder / "ragged.csv").write_text("1,2\n3\n")
    (folder / "empty.csv").write_text("")
    (folder / "wide.csv").write_text("1,2,3\n4,5,6\n")
    (folder / "folder.csv").mkdir()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.npy", "No such file"),
        ("object.npy", "must hold real numbers, got object"),
        ("complex.npy", "must hold real numbers, got complex128"),
        ("nan.npy", "must be finite, got nan"),
        ("short.npy", r"says shape (6, 6) of float64, but holds 280 bytes"),
        ("huge.npy", "says shape (1000000000, 1000000000) of float64, but holds 0 bytes"),
        ("text.npy", "magic string is not correct"),
        ("names.csv", "could not convert string 'a'"),
        ("ragged.csv", "number of columns changed"),
        ("empty.csv", "holds no number"),
        ("wide.csv", "square"),
        ("folder.csv", "cannot read"),
        ("S.txt", "must be a file of numbers, named .npy or .csv"),
    ],
)
def test_what_is_no_matrix_is_refused_in_one_line(run, folder: Path, name: str, message: str):
    _damaged(folder)
    flags = ("--covariance", folder / name, "--coefficients", folder / "b.csv", "--n-samples", "14")
    code, out, err = run("predict", *flags)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('covariance = "S.npy"', "needs coefficients; give coefficients, covariance, n_samples"),
        ('covariance = "S.txt"\ncoefficients = [1]', "rows of numbers, or a file named .npy or .csv, got 'S.txt'"),
        ('covariance = "S.npy"\nloadings = [1]\ncoefficients = "b.npy"', "determines loadings; leave it out"),
        ('covariance = "S.npy"\nweights = 1\ncoefficients = "b.npy"', "determines weights"),
        ('variances = 1\ncoefficients = "b.npy"', "needs loadings"),
        ('covariance = "S.npy"\ncoefficients = [1, 2]', "coefficients"),
        ('loadings = "L.npy"\nvariances = [1, 2]\ncoefficients = "b.npy"', "variances"),
        ('loadings = "L.npy"\ncoefficients = "b.npy"', "loadings must be a list of numbers"),
    ],
)
def test_keys_that_do_not_fit_are_named(folder: Path, text: str, message: str):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        asked(folder, text)
    assert "\n" not in str(caught.value)
