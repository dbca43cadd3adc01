"""The command line is hard to break: whatever it is given, it answers or refuses, in one line, soon, in little memory.

Inputs are made of what is registered: every option of every command with bad values, every command that reads files
with files that are none, every command that runs somebody's Python with Python that fails, and outputs that cannot be
written.
"""

from __future__ import annotations

import itertools
import json
import os
import pickle
import re
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import cloudpickle
import pytest
from helpers import command_line

from riskcalc import files, memory
from riskcalc.command.cli import app
from riskcalc.command.problem_files import ProblemFile
from riskcalc.modules import failures_of, run_file

pytestmark = pytest.mark.filterwarnings("default")

# Seconds that one answer may take on a busy machine, and bytes beyond what this process has.
SOON, LITTLE = 20, 4 << 30
PROBLEM = {"aspect-ratio": "2", "eigenvalues": "4,1", "signal": "1", "noise-variance": ".5"}
# What each command needs beside a problem, so that an answer is quick.
NEEDED: dict[str, dict[str, str]] = {
    "predict": {"policy": "hessian", "keep": ".3"},
    "compare": {"keep": ".3"},
    "prunability": {"tolerance": "1"},
    "sampling-budget": {"relative-error": "1"},
    "rounds": {"keeps": ".5"},
    "crossover": {"within": "1,3", "keep": ".3"},
    "optimum": {"within": "0,1"},
    "peak": {"within": "1,3", "keep": ".3"},
    "simulate": {"size": "8", "trials": "2", "workers": "1"},
    "verify": {"size": "20", "seconds": "1e-9", "workers": "1"},
}
BAD = (
    *("nan", "inf", "-inf", "-1", "0", "-0", "1e400", "1e-400", "1e999999999", "1e-999999999", "1e" + "9" * 20, "1e3"),
    *("", " ", "0x10", "1_000", "\uff11\uff12", "None", "True", "[]", "--", ".", "1j", "1 2", "1/0", "0/0", "1/-2"),
    *("1,,2", ",", "1,nan", "1,1,1,1,1,1,1", "1;2", "1e5/3", "1/1e999999999", "1/3/5", "18446744073709551616", "1e18"),
    *("9" * 400, "9" * 5000, "a" * 100_000, "0." + "0" * 1000 + "1", "1," * 200 + "1", "(" * 900, "X" + "**64" * 9),
    *("\x1b[31mred", "\u202egnp", "a\nb", "\r", "\x07", "\udcff", "\0", "%s%n", "../..", "{0}", "$HOME", "é" * 9),
)


class Hang(BaseException):
    """An answer that takes too long."""


@pytest.fixture(scope="module", autouse=True)
def bounded() -> Iterator[None]:
    """Little memory for all of them; pipes to which nobody writes are soon given up."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + LITTLE, before[1]))
    patience, files.PATIENCE = files.PATIENCE, 0.05
    yield
    files.PATIENCE = patience
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def ask(monkeypatch, capsys):
    """Run the command line in this process: an answer, or one line."""

    def hang(*_: Any) -> None:
        raise Hang

    def call(*arguments: str, codes: tuple[int, ...] = (0, 2)) -> tuple[int, str, str]:
        before = signal.signal(signal.SIGALRM, hang)
        signal.setitimer(signal.ITIMER_REAL, SOON)
        try:
            code, out, err = command_line(monkeypatch, capsys, *arguments)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert code in codes
        lines = err.splitlines()
        assert all(line.isprintable() and len(line) < 1100 for line in lines), err
        assert all(line.startswith("riskcalc: warning: ") for line in lines[: len(lines) - (code == 2)]), err
        if code == 2:
            assert lines[-1].startswith("riskcalc: error: "), err
            assert out == ""
        return code, out, err

    return call


def sound(code: int, out: str, err: str) -> None:
    """What is refused is refused for a reason of ours; what is answered is a number where its status is ok."""
    if code == 2:
        assert not re.match(r"riskcalc: error: [A-Z]\w*: ", err.splitlines()[-1]), err
    elif out.startswith("{"):
        found = json.loads(out)
        for one in found.get("predictions", {"": found}).values():
            if one.get("status", "") == "ok":
                assert one["risk"] != "nan"
                assert float(one["risk"]) >= 0


def options(command: str) -> list[click.Option]:
    """Those that take a value."""
    found = [one for one in app.commands[command].params if isinstance(one, click.Option)]
    return [one for one in found if not one.is_flag and one.name != "chapter"]


def flags(**given: str) -> list[str]:
    return [f"--{name}={value}" for name, value in given.items()]


def _bad_values() -> Iterator[tuple[str, str, str]]:
    """Every value for some option of every command, every option of every command with several."""
    for command in NEEDED:
        values = itertools.cycle(BAD)
        for option in options(command):
            for value in itertools.islice(values, 3 if len(BAD) % 3 else 4):
                yield command, option.opts[0][2:], value


@pytest.mark.parametrize(("command", "option", "value"), [*_bad_values()], ids=itertools.count())
def test_bad_values(ask, command: str, option: str, value: str):
    given = {**PROBLEM, **NEEDED[command], option: value}
    sound(*ask(command, *flags(**given), "--json", codes=(0, 1, 2) if command == "verify" else (0, 2)))


@pytest.mark.parametrize("value", BAD, ids=itertools.count())
def test_every_bad_value_as_a_number(ask, value: str):
    """Where any number is looked at, and where counts are."""
    sound(*ask("predict", *flags(**PROBLEM | {"noise-variance": value}), "--json"))
    sound(*ask("predict", *flags(**PROBLEM | {"eigenvalues": f"1,{value}", "signal": f"{value},1"}), "--json"))
    sound(*ask("predict", "--n-samples=10", f"--n-features={value}", "--eigenvalues=1", "--signal=1", "--json"))


_GOOD = {
    **{"n-samples": "10", "n-features": "20", "weights": ".5,.5", "power-law": "1,.2,20", "marchenko-pastur": ".5"},
    **{"uniform": "1,2", "beta": "2,3", "signal-power": "0", "loadings": "1,2", "coefficients": "1,2", "ridge": ".1"},
    **{"penalty": "natural", "keep": ".3", "n-keep": "3", "data": "no.csv", "target": "y", "aspect-ratio": "3"},
}


@pytest.mark.parametrize("pair", [*itertools.combinations(_GOOD, 2)], ids=" ".join)
def test_contradictory_pairs(ask, pair: tuple[str, str]):
    given = PROBLEM | {name: _GOOD[name] for name in pair}
    sound(*ask("predict", "--policy=magnitude", *flags(**given), "--json"))


# --- files


def _hostile_files(folder: Path) -> Iterator[str]:
    contents = {
        "empty": b"",
        "binary": bytes(range(256)) * 50,
        "deep list": b"eigenvalues = " + b"[" * 5000 + b"]" * 5000,
        "deep table": b"a" + b".a" * 5000 + b" = 1",
        "long line": b"eigenvalues = [" + b"1," * 200_000 + b"]",
        "long text": b'eigenvalues = "' + b"1" * 1_000_000 + b'"',
        "long key": b"k" * 100_000 + b" = 1",
        "byte order": "\ufeffaspect_ratio = 2".encode(),
        "utf-16": "aspect_ratio = 2".encode("utf-16"),
        "twice": b"ridge = 1\nridge = 2",
        "unknown": b'"\\u001b[31m" = 1',
        "missing": b"signal = 1",
        "huge exponent": b"aspect_ratio = 1e99999999999999999999",
        "huge integer": b"n_samples = " + b"9" * 5000,
        "date": b"ridge = 1979-05-27T07:32:00Z",
        "zeros": b"\0" * 1000,
        "csv": b"a,b,y\n1,2,3\n",
        "escape\x1b[31m": b"ridge = -1",
        "two\nlines": b"ridge = -1",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        yield str(folder / name)
    for name, value in itertools.product(ProblemFile.model_fields, ("true", "{a = 1}", "[[[1]]]", '[1, "x"]', "nan")):
        (folder / f"{name} {value}").write_text(f"{name} = {value}\n")
        yield str(folder / f"{name} {value}")
    (folder / "sparse").touch()
    os.truncate(folder / "sparse", 1 << 40)
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "dangling").symlink_to(folder / "nothing")
    (folder / "closed").write_text("ridge = 1")
    (folder / "closed").chmod(0)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "s"))
    yield from (str(folder / name) for name in ("sparse", "pipe", "loop", "dangling", "closed", "s", "nothing"))
    yield from (
        str(folder),
        "/dev/zero",
        "/dev/null",
        "/dev/tty",
        "/proc/self/mem",
        "n" * 300,
        "a\0b",
        "\udcff",
        "-",
        "",
    )


def test_hostile_problem_files(ask, tmp_path):
    every = [*_hostile_files(tmp_path)]
    assert len(every) > 100
    for path in every:
        sound(*ask("predict", path, "--json"))
    for command, path in zip(itertools.cycle(NEEDED), every, strict=False):
        sound(*ask(command, path, *flags(**NEEDED[command]), codes=(0, 1, 2) if command == "verify" else (0, 2)))
        assert ask("latex", "dense.risk", "--problem", path)[0] == 2


def test_hostile_tables(ask, tmp_path):
    for path in _hostile_files(tmp_path):
        assert ask("predict", "--data", path, "--target=y", "--n-samples=4")[0] == 2


def test_a_pipe_is_read(ask, tmp_path):
    reads, writes = os.pipe()
    os.write(writes, b"aspect_ratio = 2\neigenvalues = 1\nsignal = 1\n")
    os.close(writes)
    assert ask("predict", f"/dev/fd/{reads}")[0] == 0
    os.close(reads)


# --- Python of somebody's own

FAILING = (
    *("raise RuntimeError('x')", "import nowhere", "raise MemoryError", "f = lambda: f()\nf()", "raise SystemExit(0)"),
    *("raise SystemExit('text')", "class Own(BaseException): pass\nraise Own", "raise StopIteration", "raise 3", ""),
    *("def", "(" * 300, "x = '\\x1b[31m'\nraise ValueError(x)", "raise ValueError('long' * 100_000)", "1/0", "a\0b"),
    *("raise UnicodeDecodeError('x', b'', 0, 1, 'y')", "raise OSError(2, 'x')", "assert 0", "raise GeneratorExit"),
    *("derivation = 3", "def derivation(records): raise RuntimeError('\\n')", "def derivation(records): return 3"),
    *("raise ExceptionGroup('g', [ValueError(1)])", "\t x", "x: int"),
)
RUNNING = (
    ("derive",),
    ("latex", "--chapter"),
    ("source", "dense.risk", "--chapter"),
    ("verify", "--chapter"),
    ("derive", "--chapter"),
)


@pytest.mark.parametrize("text", FAILING, ids=itertools.count())
def test_python_that_fails(ask, tmp_path, text: str):
    path = tmp_path / "own.py"
    path.write_text(text)
    for command in RUNNING:
        err = ask(*command, str(path), codes=(2,))[2]
        assert "own.py" in err
        assert "riskcalc/" not in err


def test_an_interrupt_in_somebodys_python(ask, monkeypatch, capsys, tmp_path):
    (tmp_path / "own.py").write_text("raise KeyboardInterrupt")
    code, out, err = command_line(monkeypatch, capsys, "derive", str(tmp_path / "own.py"))
    assert (code, out, err.strip()) == (130, "", "riskcalc: interrupted")


def test_a_line_that_failed_in_another_process_is_told(tmp_path):
    """Functions that were pickled for it have lost the names of their files."""
    path = tmp_path / "own.py"
    path.write_text("def deeper(n):\n    return 1 / n\n\n\ndef trial(n):\n    return deeper(n)\n")
    trial = pickle.loads(cloudpickle.dumps(run_file(path).trial))
    assert trial.__code__.co_filename != str(path)
    told = r"a trial fails: line 6, in trial, return deeper\(n\); line 2, in deeper, return 1 / n: ZeroDivisionError"
    with pytest.raises(ValueError, match=told):
        exec("with failures_of('a trial'): trial(0)", {"failures_of": failures_of, "trial": trial})


def test_python_that_is_none(ask, tmp_path):
    (tmp_path / "huge.py").touch()
    os.truncate(tmp_path / "huge.py", 1 << 40)
    assert "holds more than 16 MiB" in ask("derive", str(tmp_path / "huge.py"))[2]
    for path in [*_hostile_files(tmp_path)][-25:]:
        for command in RUNNING[1:]:
            assert ask(*command, path)[0] == 2
        assert ask("derive", f"{path}.py")[0] == 2


# --- what is written


@pytest.mark.parametrize("command", [("catalogue",), ("derive", "--tex"), ("derive", "ridge", "--tex")], ids=" ".join)
def test_outputs_that_cannot_be_written(ask, monkeypatch, tmp_path, command: tuple[str, ...]):
    """They are refused before anything is derived."""
    monkeypatch.setattr("riskcalc.derivation.run.run_all", None)
    monkeypatch.setattr("riskcalc.derivation.run.run", None)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "no" / "x")
    os.mkfifo(tmp_path / "pipe")
    paths = ("no/x", "file/x", "", "pipe", "loop", "dangling", "n" * 300, "loop/x", "a\0b", "no\x1b[31m/x")
    for path in (*(str(tmp_path / path) for path in paths), "/proc/x/y", "/", "/dev/none/x"):
        code, _, err = ask(*command, path)
        assert code == 2
        assert "cannot write" in err


def test_examples_are_not_written_anywhere(ask, tmp_path):
    (tmp_path / "file").touch()
    for path in ("/proc/x", str(tmp_path / "file"), str(tmp_path / "file" / "x"), "a\0b", "n" * 300):
        assert ask("examples", path)[0] == 2


# --- sizes


@pytest.mark.parametrize(
    "given",
    [
        {"size": "1000000000000"},
        {"size": "1000000"},
        {"trials": "1000000000000000"},
        {"power-law": "1,.2,1000000000000", "signal": None},
    ],
    ids=str,
)
def test_sizes_beyond_memory_are_refused_with_what_they_need(ask, given: dict[str, Any]):
    asked = {name: value for name, value in (PROBLEM | NEEDED["simulate"] | given).items() if value is not None}
    if "power-law" in given:
        del asked["eigenvalues"]
    code, _, err = ask("simulate", *flags(**asked))
    assert code == 2
    assert re.search(r"would need [\d.e+]+ (GiB|TiB|PiB|EiB) of memory, and there is", err)


def test_memory_is_counted(monkeypatch):
    assert memory.limit() <= resource.getrlimit(resource.RLIMIT_AS)[0]
    monkeypatch.setattr(memory, "limit", lambda: 2.5 * 1024**3)
    memory.fits(2.5 * 1024**3, "this")
    with pytest.raises(ValueError, match=r"this would need 3 GiB of memory, and there is 2\.5 GiB; take less"):
        memory.fits(3 * 1024**3, "this")
