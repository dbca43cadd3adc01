"""Imports point one way, importing is cheap, and the code is clean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import riskcalc
from riskcalc.policies import POLICIES

PACKAGE = Path(riskcalc.__file__).parent

# A module may import from the modules listed before it, and from its own folder.
ORDER = (
    "quoting",
    "memory",
    "files",
    "text",
    "exact",
    "lookup",
    "extras",
    "modules",
    "inert",
    "expressions",
    "laws",
    "policies",
    "problems",
    "strategies",
    "simulation",
    "formulas",
    "references",
    "lowering",
    "theory",
    "results",
    "evaluation",
    "prediction",
    "questions",
    "verification",
    "derivation",
    "chapters",
    "typesetting",
    "power",
    "command",
)


def _imports(path: Path) -> list[str]:
    """The first component of every riskcalc module that a file imports at its top, or anywhere."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("riskcalc."):
            found.append(node.module.split(".")[1])
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: imports are absolute"
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path):
    place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if place in ("__init__", "__main__"):
        return
    for other in _imports(path):
        if other == place:
            continue
        assert ORDER.index(other) < ORDER.index(place), f"{place} imports {other}"


def test_formulas_know_no_numbers():
    """SymPy statements import no NumPy; the root finder knows no formula and no symbol of the theory."""
    for path in [*(PACKAGE / "formulas").glob("*.py"), *(PACKAGE / "theory").glob("*.py")]:
        assert "numpy" not in path.read_text()
    assert not {"theory", "formulas"} & set(_imports(PACKAGE / "lowering" / "solve.py"))


def test_the_simulation_knows_no_formula():
    """The two witnesses are independent."""
    for path in (PACKAGE / "simulation").glob("*.py"):
        assert not {"formulas", "theory", "lowering", "prediction"} & set(_imports(path))
        assert "sympy" not in path.read_text()


def test_the_engine_of_derivations_knows_no_theory():
    """What it needs of a theory is an argument; only the public functions default to the theory of this package."""
    for path in (PACKAGE / "derivation").glob("*.py"):
        assert path.name == "run.py" or "theory" not in _imports(path), path


def test_importing_the_package_imports_no_theory():
    code = "import sys, riskcalc; print([m for m in ('sympy', 'scipy', 'numpy', 'rich', 'click') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


PYRIGHT = ["pyright", "--pythonpath", sys.executable]  # whatever the environment is called


@pytest.mark.parametrize("command", [["ruff", "check"], ["ruff", "format", "--check"], PYRIGHT], ids=" ".join)
def test_the_code_is_clean(command: list[str]):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_are_for_others_too():
    """PEP 561: type checkers read the annotations of packages that say so."""
    assert (PACKAGE / "py.typed").is_file()


def test_policies_are_named_in_one_place():
    """What belongs to a policy follows from its class: its name as a string stands in hardly any other file."""
    quoted = {f'"{name}"' for name in POLICIES}
    naming = [
        f"{path.relative_to(PACKAGE)}: {line.strip()}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] != "policies"
        for line in path.read_text().splitlines()
        if any(word in line for word in quoted) and ">>>" not in line
    ]
    assert len(naming) <= 9, "\n".join(naming)
