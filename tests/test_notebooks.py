"""The notebooks run, and what they verify agrees: at full size, while dots in figures are of a few trials."""

from __future__ import annotations

import os
import re
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


# And how many figures.
NAMES = {
    "two_level": 2,
    "own_theory": 0,
    "own_chapter": 0,
    "retraining": 1,
    "prunability": 1,
    "figures": 4,
    "gallery": 4,
}
# What is said less of, to be quick.
FEWER = {
    r"\btrials=\d+": "trials=2",
    r"\bPOINTS = \d+": "POINTS = 6",
    r"\bIMAGES, LARGE, SEEDS = .*": 'IMAGES, LARGE, SEEDS = "digits", False, 2',
    r"\bWIDTHS = \(\d.*": "WIDTHS = (2, 4)",
    r"\bCHANNELS = \(\d.*": "CHANNELS = (1, 2)",
    r"\bSHOWN = .*": "SHOWN = (4,)",
    r"\bSMALL, SMALL_CHANNELS, STEPS = .*": "SMALL, SMALL_CHANNELS, STEPS = 2, 1, 30",
    r"\bHIDDEN, NARROW, DRAWS, ROWS, TOLERANCE = .*": "HIDDEN, NARROW, DRAWS, ROWS, TOLERANCE = 8, 1, 5, (40, 60), 0.2",
}


@pytest.mark.parametrize(("name", "figures"), NAMES.items())
def test_runs_and_agrees(name: str, figures: int, tmp_path: Path, monkeypatch, capsys):
    """Run as the scripts that they are; what they show is counted, and closed."""
    shown = []

    def show() -> None:
        shown.extend(plt.get_fignums())
        plt.close("all")

    source = (NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8")
    for pattern, fewer in FEWER.items():
        source = re.sub(pattern, fewer, source)
    monkeypatch.setattr(plt, "show", show)
    monkeypatch.chdir(tmp_path)
    try:
        exec(compile(source, str(tmp_path / f"{name}.py"), "exec"), {"__name__": "__main__"})
    finally:
        plt.close("all")
    assert "Verdict: agree" in capsys.readouterr().out.splitlines()[-1]
    assert len(shown) == figures


def test_runs_as_a_notebook(tmp_path: Path, monkeypatch):
    """In a kernel of its own: the one that trains networks, whose library this process is better without."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS), prepend=os.pathsep)
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")  # compiling takes longer than running
    converted = tmp_path / "networks.ipynb"
    jupytext.write(jupytext.read(NOTEBOOKS / "networks.py"), converted)
    notebook = nbformat.read(converted, as_version=4)
    for cell in notebook.cells:
        for pattern, fewer in FEWER.items():
            cell.source = re.sub(pattern, fewer, cell.source)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "Verdict: agree" in outputs[-1]["text"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
