"""The code of this package's formulas, lowered beforehand, with which a prediction needs no SymPy.

`tests/recorded.py` writes it. It counts for the very files that it follows from: whoever edits a formula has its new
code at once, more slowly, until it is written again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from riskcalc.lowering.lowered import Lowered
from riskcalc.lowering.systems import NumberSystem

FILE = Path(__file__).with_name("recorded.json")
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Recorded:
    """What is recorded, by the text of references.

    Attributes
    ----------
    facts : mapping of str to plain values
    code : mapping of str to mapping
        By expressions and the definitions that they share: lines of source, and the names of inputs.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def lowered(self, asked: str, name: str, scalar_output: bool, system: NumberSystem) -> Lowered | None:
        """The code of some expressions in a number system, if it is recorded."""
        if asked not in self.code:
            return None
        own = self.code[asked]
        value = None if own["value"] is None else tuple(own["value"])
        return Lowered(name, "\n".join(own["source"]) + "\n", tuple(own["law"]), value, scalar_output, system)


@cache
def recorded() -> Recorded:
    """What is recorded of the formulas as they are; nothing where they were edited since."""
    written = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    if written.get("follows_from") != follows_from():
        return Recorded()
    return Recorded(written["facts"], written["code"])


def follows_from() -> str:
    """A hash of the files that decide what code formulas have."""
    folders = (_PACKAGE / "formulas", _PACKAGE / "theory")
    files = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    files += [_PACKAGE / "lowering" / name for name in ("compile.py", "sizes.py", "recorded.py")]
    return sha256("\n".join(path.read_text(encoding="utf-8") for path in files).encode()).hexdigest()
