"""What README.md quotes, made by one command: every command that it shows is run, and what it prints put below it.

python tests/readme.py        # some fifteen minutes on two cores; --quick leaves out what takes longer than a minute
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
# A command, and below it what it prints. What takes minutes says so in a comment of its own line.
_QUOTED = re.compile(r"```sh\n(?P<commands>(?:(?!```).)*?)\n```\n\n```text\n(?P<printed>.*?)```\n", re.DOTALL)
_SLOW = "# minutes"


@dataclass(frozen=True)
class Quotation:
    """The commands of a block, and where in the text stands what the last of them printed."""

    commands: tuple[str, ...]
    printed: str
    place: tuple[int, int]

    @property
    def command(self) -> str:
        return self.commands[-1]

    @property
    def slow(self) -> bool:
        return _SLOW in self.command

    def made(self) -> str:
        """What the commands print now, but for what sets up, beside the files of the project, in 80 columns."""
        found = Path(sys.executable).parent
        script = "\n".join(line.rpartition("&&")[2].strip().replace(".venv/bin/", "") for line in self.commands)
        environment = os.environ | {"PATH": f"{found}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"}
        with TemporaryDirectory() as folder:
            for path in ROOT.iterdir():
                Path(folder, path.name).symlink_to(path)
            done = subprocess.run(
                ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
            )
        return done.stdout


def quotations(text: str) -> Iterator[Quotation]:
    """Every command of a text whose output is quoted."""
    for found in _QUOTED.finditer(text):
        yield Quotation(tuple(found["commands"].splitlines()), found["printed"], found.span("printed"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out what takes longer than a minute")
    quick = parser.parse_args().quick
    text = README.read_text(encoding="utf-8")
    for one in reversed([*quotations(text)]):  # from the end, so that places stay true
        if one.slow and quick:
            continue
        print(one.command, flush=True)
        text = text[: one.place[0]] + one.made() + text[one.place[1] :]
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
