"""What is finished of a sweep is kept, whatever ends it, and is part of the same dataset in the end."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
from helpers import command_line, two_level

import riskcalc as rc
from riskcalc.questions.sweep import cells, dataset, record, run

PROBLEM = two_level(noise_variance=1, aspect_ratio=2, ridge="1/10")
OVER = {"aspect_ratio": [0.5, 2], "keep": ["1/10", "1/5", "1/2"]}
CELLS = 6
FLAGS = ["--aspect-ratio", "2", "--eigenvalues", "25,1", "--signal", "1", "--weights", ".1,.9", "--noise-variance", "1"]
MODELS = ["hessian", "small"]


def swept(path: Path | None = None, over: Any = OVER, models: Any = MODELS, **changes: Any) -> xarray.Dataset:
    given = {"trials": 2, "n_samples": 40, "workers": 1} | changes
    return rc.sweep(PROBLEM, over, models, path=path, **given)


def lines_of(path: Path) -> list[bytes]:
    return path.with_name(f"{path.name}.cells").read_bytes().splitlines(keepends=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "found.nc"


@pytest.fixture
def simulated(monkeypatch) -> list[dict[str, Any]]:
    """The values of the cells that are simulated from now on."""
    seen: list[dict[str, Any]] = []
    once = cells.Simulated.of

    def of(self, values):
        seen.append(cells.written(values))
        return once(self, values)

    monkeypatch.setattr(cells.Simulated, "of", of)
    return seen


# --- killed, interrupted, resumed


def test_a_killed_sweep_resumes_to_the_same_bytes(tmp_path: Path):
    """Three times at random moments; `python tests/sweeps.py FOLDER 200 20` kills one of 200 cells twenty times."""
    script = Path(__file__).with_name("sweeps.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["same"]
    assert all(1 < lines < told["cells"] + 2 for lines in told["lines"]), "each was killed while it worked"


def test_an_interrupt_keeps_what_is_finished(path: Path, simulated, monkeypatch):
    whole, put = swept(), record.Record.append

    def interrupted(self, key, result):
        put(self, key, result)
        if len(simulated) == 3 + CELLS:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(record.Record, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        swept(path)
    assert not path.exists()
    simulated.clear()
    assert swept(path).identical(whole)
    assert len(simulated) == CELLS - 3


def test_the_command_says_that_cells_are_kept(path: Path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(rc, "sweep", interrupted)
    problem = ["--aspect-ratio", "1", "--eigenvalues", "1", "--signal", "1", "--keep", "1/2"]
    command = ["sweep", "--over", "aspect_ratio=1,2", *problem]
    for output, words in (([], ""), (["--output", str(path)], "the finished cells are kept: run it again to go on\n")):
        code, _, err = command_line(monkeypatch, capsys, *command, *output)
        assert code == 130
        assert ("kept" in err) == bool(words)
        assert words in err


def test_a_larger_grid_takes_what_there_is(path: Path, simulated):
    swept(path)
    simulated.clear()
    larger = {"aspect_ratio": [0.5, 2, 3], "keep": ["1/10", "1/5", "1/2"]}
    found = swept(path, larger)
    assert [one["aspect_ratio"] for one in simulated] == [[3.0]] * 3
    assert found.identical(swept(None, larger))
    with xarray.open_dataset(path, engine="scipy") as read:
        assert read.identical(found)


def test_the_numbers_of_a_record_are_read_without_loss(path: Path):
    arrays = {
        "risk": np.array([[np.nan, np.inf], [-0.0, 0.1 + 0.2]]),
        "status": np.array([[1, -5]], dtype="i1"),
        "least": np.array(5e-324),
    }
    with record.Record(path) as written:
        written.append("key", cells.Result(arrays, "a note"))
    with record.Record(path) as read:
        found = read.get("key")
        assert read.get("another") is None
    assert found is not None
    assert found.note == "a note"
    assert {name: array.tobytes() for name, array in found.arrays.items()} == {
        name: array.tobytes() for name, array in arrays.items()
    }


# --- damage


@pytest.mark.parametrize("cut", [1, 40, 10_000], ids=["newline", "end", "header"])
def test_a_last_line_that_was_cut_is_dropped(path: Path, simulated, cut: int):
    whole = swept(path)
    lines = lines_of(path)
    file = path.with_name("found.nc.cells")
    file.write_bytes(b"".join(lines)[:-cut] if cut < 10_000 else lines[0][:5])
    simulated.clear()
    if cut < 10_000:
        with pytest.warns(UserWarning, match="the last line of .* was not whole; its cell is run again"):
            again = swept(path)
    else:
        again = swept(path)
    assert again.identical(whole)
    assert len(simulated) == (1 if cut < 10_000 else CELLS)
    assert lines_of(path) == lines
    assert swept(path).identical(whole)


def test_a_line_whose_numbers_changed_is_not_believed(path: Path, simulated):
    whole = swept(path)
    file, lines = path.with_name("found.nc.cells"), lines_of(path)
    lines[3] = lines[3].replace(b"A", b"B")
    file.write_bytes(b"".join(lines))
    simulated.clear()
    with pytest.warns(UserWarning, match="1 damaged lines of .*, the first of them line 4, are passed over"):
        assert swept(path).identical(whole)
    assert len(simulated) == 1
    file.write_bytes(b"".join(lines)[:-1] + b"x\n")
    with pytest.warns(UserWarning, match=r"last line|damaged lines"):
        assert swept(path).identical(whole)


@pytest.mark.parametrize("content", [b"something else\n", b"something", b"\0" * 100], ids=repr)
def test_another_file_is_no_record(path: Path, content: bytes):
    file = path.with_name("found.nc.cells")
    file.write_bytes(content)
    with pytest.raises(ValueError, match="is no record of a sweep"):
        swept(path)
    assert file.read_bytes() == content


# --- where it is written


def test_an_output_of_another_sweep_is_not_overwritten(path: Path):
    swept(path)
    before = path.read_bytes()
    for changes, words in [
        ({"seed": 1}, "seed"),
        ({"trials": 3}, "trials"),
        ({"n_samples": 50}, "n_samples"),
        ({"models": ["hessian"]}, "procedures"),
        ({"models": [*MODELS, "misfit"]}, "quantities"),
    ]:
        with pytest.raises(ValueError, match=f"exists, and is a sweep that differs in its {words}; write elsewhere"):
            swept(path, **changes)
    with pytest.raises(ValueError, match="differs in its problem"):
        rc.sweep(two_level(), OVER, MODELS, trials=2, n_samples=40, path=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not netCDF", b"CDF\x02" + b"\xff" * 40, b"CDF\x01"], ids=repr)
def test_an_output_that_is_no_dataset_is_not_overwritten(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="exists, and is no netCDF of a sweep"):
        swept(path)
    assert path.read_bytes() == content


def test_places_that_cannot_be_written(tmp_path: Path):
    for place, words in [
        (tmp_path / "none" / "found.nc", "there is no folder"),
        (tmp_path / "found.csv", "path must end in .nc"),
        (tmp_path, "path must end in .nc"),
        (Path("/proc/found.nc"), "cannot write"),
    ]:
        with pytest.raises(ValueError, match=words):
            swept(place)
    (tmp_path / "folder.nc").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        swept(tmp_path / "folder.nc")


def test_a_folder_that_is_read_only(path: Path, monkeypatch):
    """Also for those who may write everywhere."""
    monkeypatch.setattr("riskcalc.files.os.access", lambda *_: False)
    with pytest.raises(ValueError, match=r"cannot write .*: there is no permission"):
        swept(path)
    monkeypatch.undo()

    def refused(*_: Any, **__: Any):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(record, "open", refused, raising=False)
    with pytest.raises(ValueError, match=r"cannot write .*found.nc.cells: Read-only file system"):
        swept(path)


def test_two_sweeps_do_not_write_one_record(path: Path):
    place = path.with_name("found.nc.cells")
    with record.Record(place), pytest.raises(ValueError, match="is being written by another sweep"):
        swept(path)
    code = f"""if True:
        from pathlib import Path
        from riskcalc.questions.sweep.record import Record
        with Record(Path({str(place)!r})):
            print("open", flush=True)
            input()"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(ValueError, match="is being written by another sweep"):
            swept(path)
        other.communicate("\n")
    assert swept(path).risk.shape == (2, 2, 3)


def test_a_full_disk_keeps_what_is_finished(path: Path, simulated):
    """The system itself refuses to write, half way through a line."""
    whole = swept(path)
    sizes = [len(line) for line in lines_of(path)]
    for name in path.parent.iterdir():
        name.unlink()
    simulated.clear()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes[:4]) + 10, limits[1]))
        with pytest.raises(ValueError, match=r"cannot write .*cells: File too large; .* before are kept: make room"):
            swept(path)
        assert [len(line) for line in lines_of(path)] == sizes[:4]
        resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes), limits[1]))  # which is less than the dataset
        with pytest.raises(ValueError, match=r"cannot write .*nc: .*; the finished cells are kept"):
            swept(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [one.name for one in path.parent.iterdir()] == ["found.nc.cells"]
    simulated.clear()
    assert swept(path).identical(whole)
    assert not simulated


def test_a_problem_that_cannot_be_written(path: Path):
    """Is swept, but not into a file, where nobody could tell what it is of."""
    problem = rc.RandomFeatures("relu", n_inputs=9, n_features=9, n_samples=9, noise_variance=1, target=np.sin)
    found = rc.sweep(problem, {"ridge": [0.1, 1]}, ["dense"], trials=2)
    assert "RandomFeatures" in found.attrs["problem"]
    with pytest.raises(TypeError, match="Python function, which cannot be written"):
        rc.sweep(problem, {"ridge": [0.1, 1]}, ["dense"], path=path)


# --- executors


def test_every_executor_gives_the_same(path: Path, monkeypatch):
    whole = swept()
    with ThreadPoolExecutor(2) as threads:
        assert swept(executor=threads).identical(whole)
    monkeypatch.setattr(run, "POOL", 0.0)
    assert swept(path, workers=2).identical(whole)
    assert swept(path).identical(whole)


class Breaks(ThreadPoolExecutor):
    """Does one task, and then loses its workers."""

    def submit(self, function, *arguments, **named):
        future = super().submit(function, *arguments, **named)
        if self._work_queue is not None and getattr(self, "used", False):
            future = Future()
            future.set_exception(BrokenProcessPool("a worker died"))
        self.used = True
        return future


def test_a_pool_that_breaks_keeps_what_is_finished(path: Path, simulated, monkeypatch):
    monkeypatch.setattr(run, "TASK", 0.0)
    whole = swept()
    simulated.clear()
    with Breaks(1) as pool, pytest.raises(ChildProcessError, match=r"finished before are kept: run it again"):
        swept(path, executor=pool)
    with Breaks(1) as pool, pytest.raises(ChildProcessError, match=r"ended by something else$"):
        swept(executor=pool)
    kept = len(lines_of(path)) - 2
    simulated.clear()
    assert swept(path).identical(whole)
    assert len(simulated) == CELLS - kept
    assert issubclass(BrokenProcessPool, BrokenExecutor)


def test_tasks_are_pickled(path: Path):
    """To processes that get nothing but what is pickled."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert swept(executor=pool, over={"keep": ["1/5"]}).identical(swept(over={"keep": ["1/5"]}))


def test_a_lost_worker_of_a_cluster_loses_nothing(path: Path, monkeypatch, capsys):
    """A Dask worker is killed while it works; its tasks are done elsewhere. The command finds the cluster, too."""
    from distributed import Client, LocalCluster

    over = {"keep": np.linspace(0.1, 0.9, 16)}
    how = {"over": over, "trials": 40, "n_samples": 80}
    whole, file = swept(**how), path.with_name("found.nc.cells")
    given = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**given, silence_logs=50) as cluster, Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill() -> None:
            while not file.exists() or file.read_bytes().count(b"\n") < 4:
                time.sleep(0.002)
            os.kill(next(iter(pids.values())), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        found = swept(path, executor=client, **how)
        killer.join()
        command = ["sweep", *FLAGS, "--over", "keep=1/5", "--model", "small", "--trials", "2", "--size", "40"]
        address = ["--scheduler", cluster.scheduler_address]
        assert command_line(monkeypatch, capsys, *command, *address) == command_line(monkeypatch, capsys, *command)
    assert found.identical(whole)
    assert len(lines_of(path)) == 2 + 16


def test_a_dataset_is_written_whole_or_not_at_all(path: Path, monkeypatch):
    before = swept(path)

    def fails(*_: Any):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(dataset.os, "replace", fails)
    with pytest.raises(ValueError, match="No space left on device; the finished cells are kept"):
        swept(path)
    with xarray.open_dataset(path, engine="scipy") as found:
        assert found.identical(before)
    assert sorted(one.name for one in path.parent.iterdir()) == ["found.nc", "found.nc.cells"]
