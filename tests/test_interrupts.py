"""What ends a command from outside ends it soon, with what it has, and leaves no process behind."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import riskcalc as rc
from riskcalc.power import measure
from riskcalc.simulation import workers
from riskcalc.simulation.progress import Progress

EXAMPLE = Path(rc.__file__).parent / "examples" / "two_level.toml"
# Seconds until a command must have ended.
SOON = 2.0
PROBLEM = rc.LinearGaussian(aspect_ratio=2, eigenvalues=1, signal=1, noise_variance="1/2")


def _group(session: int) -> dict[int, float]:
    """Processes of a session that are alive, and their seconds of work."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found[int(process.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def _ended_by(number: int, code: str, processes: int, work: float, everyone: bool = False) -> tuple[int, str, str]:
    """Send a signal to a process, or to its group as a terminal does, once so many have worked for so many seconds."""

    def interactive() -> None:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    command = [sys.executable, "-c", code]
    started = subprocess.Popen(command, stdout=-1, stderr=-1, text=True, preexec_fn=interactive, cwd=EXAMPLE.parent)
    patience = time.monotonic() + 60
    while time.monotonic() < patience and started.poll() is None:
        if sum(worked >= work for worked in _group(started.pid).values()) >= processes:
            break
        time.sleep(0.05)
    (os.killpg if everyone else os.kill)(started.pid, number)
    told = time.monotonic()
    try:
        out, err = started.communicate(timeout=30)
    finally:
        took = time.monotonic() - told
        time.sleep(1.0)
        left = _group(started.pid)
        for process in left:
            os.kill(process, signal.SIGKILL)
    assert took < SOON
    assert not left
    return started.returncode, out, err


def _command(*arguments: str) -> str:
    return f"import sys; from riskcalc.command.cli import main; sys.argv = {['riskcalc', *arguments]!r}; main()"


SIMULATE = _command("simulate", EXAMPLE.name, "--size", "60", "--trials", "50000000", "--workers", "2")


def test_a_simulation_ends_with_what_it_has():
    """While tasks are still made."""
    returned, out, err = _ended_by(signal.SIGINT, SIMULATE, processes=2, work=1.8)
    assert (returned, err) == (130, "")
    assert re.search(r"Interrupted after [\d,]+ of 50,000,000 trials\.", out)


def test_an_interrupt_while_workers_start_shows_no_traceback():
    returned, _, err = _ended_by(signal.SIGINT, SIMULATE, processes=3, work=0.02, everyone=True)
    assert returned == 130
    assert err.strip() == "riskcalc: interrupted"


def test_derivations_that_are_interrupted_have_not_passed():
    returned, out, err = _ended_by(signal.SIGTERM, _command("derive", "--workers", "2"), processes=3, work=0.5)
    assert (returned, out, err.strip()) == (143, "", "riskcalc: interrupted")


def test_mutants_that_were_not_tried_are_counted(monkeypatch):
    """An interrupt of the second task, of four mutants each."""
    tried = []

    def some(which: range, witness: Any) -> list[tuple[str, list[str], bool]]:
        if tried:
            raise KeyboardInterrupt
        tried.extend(which)
        return [(f"mutant {i}", ["a check(of it)"], False) for i in which]

    monkeypatch.setattr(measure, "_try_some", some)
    monkeypatch.setattr(measure, "mutants", lambda: range(10))
    power = measure.try_mutants(measure.Witness({}, {}), workers=1)
    assert (len(power.caught), power.untried, power.to_dict()["untried"]) == (4, 6, 6)
    assert "Interrupted: 6 more were not tried." in str(power)


def test_what_knows_no_interrupts_is_ended():
    """Here the main thread is for minutes in C that looks at no signals."""
    works = "with interruptible():\n    pbkdf2_hmac('sha256', b'', b'', 10**9)"
    code = f"from hashlib import pbkdf2_hmac\nfrom riskcalc.command.signals import interruptible\n{works}\n"
    returned, _, err = _ended_by(signal.SIGINT, code, processes=1, work=0.6)
    assert (returned, err) == (130, "riskcalc: interrupted\n")


def test_workers_end_with_a_process_that_is_killed():
    _ended_by(signal.SIGKILL, SIMULATE, processes=3, work=0.3)


def _simulated(seed: int) -> float:
    return float(rc.simulate(PROBLEM, n_samples=60, trials=400, seed=seed, device="cpu").mean)


def test_a_worker_of_somebodys_pool_simulates_by_itself():
    """Such a process may have no children; the numbers are those of any number of workers."""
    alone = [rc.simulate(PROBLEM, n_samples=60, trials=400, seed=s, device="cpu", workers=1).mean for s in (0, 1)]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_simulated, [0, 1]) == pytest.approx(alone, rel=1e-12)


def test_too_many_workers_are_refused():
    most = workers.MOST_WORKERS * workers.processors()
    with pytest.raises(ValueError, match=f"workers must be at most {most}, 16 for each processor, got {most + 1}"):
        workers.process_pool(most + 1)


# --- the time left


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time; what is shown, is shown as on a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_time_left_is_known_before_anything_is_done(clock: list[float], capsys):
    with Progress("ten tasks", 10, 4.0) as shown:
        assert shown.left() == 40
        for _ in range(5):  # twice as fast as expected
            clock[0] += 2.0
            shown.advance()
        assert 10 < shown.left() < 20
    assert "ten tasks" in capsys.readouterr().err


def test_a_part_counts_towards_the_whole(clock: list[float], capsys):
    with Progress("the whole", expected=100.0) as whole:
        with Progress("a part", 2, 10.0) as part:
            part.advance()
            assert whole.left() < 90
        assert whole.left() > 50
    with Progress("", 0) as nothing:
        assert nothing.left() == 0
    with Progress() as silent:
        silent.advance()
    assert "a part" in capsys.readouterr().err


def _fails(value: Any) -> None:
    raise ValueError(value)


def test_a_bar_is_taken_away_when_its_work_fails(capsys):
    for _ in range(2):
        with pytest.raises(ValueError, match="3"):
            workers.run_all([(3,)], _fails, None, Progress("work"))
