"""What the theory holds, referred to by the Python that gives it, and found when it is needed.

    from riskcalc.references import masks

    masks.scored(masks.HESSIAN) | masks.INTERVAL

is a `Reference` of that text: definitions whose code can be looked up (`riskcalc.lowering.recorded`) without SymPy.
What is combined with anything else, such as a formula of one's own, is found at once.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

_OPERATORS = {"+": operator.add, "|": operator.or_}


@dataclass(frozen=True)
class Reference:
    """Something of the theory, by the expression in its modules that gives it.

    Examples
    --------
    >>> from riskcalc.references import dense, masks
    >>> definitions = masks.scored(masks.HESSIAN) | dense.SHRINKAGE
    >>> definitions
    (masks.scored(masks.HESSIAN) | dense.SHRINKAGE)
    >>> [str(symbol) for symbol in definitions]
    ['a', 'abar', 'tau', 'X', 'omega', 'm', 's', 'mu']
    """

    text: str

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = vars(self)[name] = Reference(f"{self.text}.{name}")
        return found

    def __call__(self, *given: Any) -> Any:
        """What it gives, called."""
        texts: list[Any] = [text_of(one) for one in given]
        return resolved(self)(*resolved(given)) if None in texts else Reference(f"{self.text}({', '.join(texts)})")

    def __add__(self, other: Any) -> Any:
        return _combined(self, "+", other)

    def __radd__(self, other: Any) -> Any:
        return _combined(other, "+", self)

    def __or__(self, other: Any) -> Any:
        return merged(self, other)

    def __ror__(self, other: Any) -> Any:
        return merged(other, self)

    # As the mapping that definitions are.
    def keys(self) -> Any:
        """Symbols that are defined."""
        return resolved(self).keys()

    def __getitem__(self, name: Any) -> Any:
        return resolved(self)[resolved(name)]

    def __iter__(self) -> Iterator[Any]:
        return iter(resolved(self))


def _combined(one: Any, sign: str, other: Any) -> Any:
    texts = text_of(one), text_of(other)
    if None in texts:
        return _OPERATORS[sign](resolved(one), resolved(other))
    return Reference(f"({texts[0]} {sign} {texts[1]})")


def merged(one: Any, other: Any) -> Any:
    """Definitions and others, which win."""
    return _combined(one, "|", other)


def text_of(value: Any) -> str | None:
    """The Python that gives a reference, a plain value, or a tuple or dict of these; None of anything else."""
    if isinstance(value, Reference):
        return value.text
    if isinstance(value, tuple):
        texts: list[Any] = [text_of(one) for one in value]
        return None if None in texts else f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    if isinstance(value, dict):
        texts = [(text_of(name), text_of(rule)) for name, rule in value.items()]
        return None if None in chain(*texts) else f"{{{', '.join(f'{name}: {rule}' for name, rule in texts)}}}"
    return repr(value) if value is None or isinstance(value, (str, int)) else None


def resolved(value: Any) -> Any:
    """What a reference refers to; in a tuple or a mapping, each of them."""
    if isinstance(value, Reference):
        return found(value.text)
    if isinstance(value, tuple):
        return tuple(resolved(one) for one in value)
    if isinstance(value, Mapping):
        return {resolved(one): resolved(other) for one, other in value.items()}
    return value


@cache
def found(text: str) -> Any:
    """What the text of a reference gives in the modules of the theory."""
    return eval(text, vars(import_module("riskcalc.theory")).copy())


def __getattr__(module: str) -> Any:
    """A module of the theory."""
    if not (Path(__file__).parent / "theory" / f"{module}.py").is_file():
        raise AttributeError(f"riskcalc.theory has no module {module}")
    return Reference(module)
