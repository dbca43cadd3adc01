"""The README says what is: its code runs as it stands, and what it quotes is what its commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from readme import README, Quotation, quotations

TEXT = README.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("place", range(len(BLOCKS)))
def test_the_python_blocks_run_as_they_stand(place: int, tmp_path: Path):
    (tmp_path / "block.py").write_text(BLOCKS[place], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "block.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("quoted", [one for one in quotations(TEXT) if not one.slow], ids=lambda one: one.command[-40:])
def test_what_is_quoted_is_what_is_printed(quoted: Quotation):
    assert quoted.made() == quoted.printed


def test_it_is_read_in_one_sitting():
    assert len(TEXT.splitlines()) < 200
    first = next(quotations(TEXT)).printed.splitlines()
    assert len(first) <= 30
    assert max(map(len, first)) <= 80
