"""Values: what does not change, equals what is made of the same parts, and is written and read without loss.

A class of values says its arguments once, by its constructor; equality, hashes, `repr`, pickles and plain values for
JSON follow from them.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, ClassVar, Self

import numpy as np

from riskcalc import __version__
from riskcalc.exact import plain
from riskcalc.lookup import look_up

# Of what `to_dict` writes; it grows when what was written before would be read otherwise.
SCHEMA = 1
# A longer array is not shown by `repr`.
MOST_SHOWN = 1000


class Inert:
    """A value: it does not change, and equals what is made of the same parts.

    Its arguments are its attributes of the same names, or what `given` says.
    """

    # How those arguments are read that the constructor does not take as they are written: a class of values (Self for
    # its own), a list of one such class for several of them, or a function of what was written.
    _read: ClassVar[Mapping[str, Any]] = {}
    # Arguments that make no difference: they are pickled, but neither compared, nor written, nor shown.
    _beside: ClassVar[Collection[str]] = ()
    # What is written for readers, because it follows from the rest.
    _follows: ClassVar[frozenset[str]] = frozenset()

    def given(self) -> dict[str, Any]:
        """The arguments that make it again, in the order of its constructor."""
        return self._attributes(parameters(type(self)))

    def _told(self) -> dict[str, Any]:
        return {name: value for name, value in self.given().items() if name not in self._beside}

    def _attributes(self, names: Collection[str]) -> dict[str, Any]:
        for name in names:
            if not hasattr(self, name):
                raise TypeError(
                    f"{type(self).__name__} does not say its argument {name}; give it an attribute of that name"
                )
        return {name: getattr(self, name) for name in names}

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without loss, as `riskcalc schema` describes them.

        Raises
        ------
        TypeError, ValueError
            For what cannot be written: a Python function, or a class that could not be found again.
        """
        return signed(self._written())

    def _written(self, place: Any = None) -> dict[str, Any]:
        """Plain values; the kind is left out where the place says it."""
        known = parameters(type(self))
        told = {name: value for name, value in self._told().items() if not (value is known[name].default is None)}
        return self._kind_at(place) | {name: self._plainly(name, value) for name, value in told.items()}

    def _plainly(self, name: str, value: Any) -> Any:
        reader = self._reader(name)
        if isinstance(value, Inert):
            return value._written(reader)
        if isinstance(reader, list):
            return [one._written(reader[0]) for one in value]
        if isinstance(value, Mapping):
            return {key: self._plainly(name, one) for key, one in value.items()}
        if callable(value):
            raise TypeError(
                f"{name} of {self!r} is a Python function, which cannot be written; pickle it, or use numbers"
            )
        return [plain(one) for one in value] if isinstance(value, (list, tuple)) else plain(value)

    def _kind_at(self, place: Any) -> dict[str, str]:
        kind, root = type(self), self._root()
        name = kind._called()
        if not _has_constructor(kind):
            raise TypeError(f"{kind.__name__} does not say what it is as plain values: it has no constructor")
        if root._kinds().get(name) is not kind:
            raise ValueError(
                f"a {kind.__name__} cannot be written: as {name} another {root.__name__} is known, or none"
            )
        return {} if kind is place else {"kind": name}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` wrote.

        Raises
        ------
        TypeError, ValueError
            Naming a key that is unknown, missing or not what it should be, an unknown kind, or another schema.
        """
        kind, given = cls._kind_of(values)
        try:
            found = kind._made(given)
            follows = found._derived()
        except (AttributeError, KeyError, IndexError) as error:
            raise ValueError(
                f"this is no {kind.__name__} that riskcalc wrote: {type(error).__name__}: {error}"
            ) from error
        for name in kind._follows & given.keys():
            if given[name] != follows.get(name):
                raise ValueError(f"{name} is {given[name]!r}, but the rest says {follows.get(name)!r}")
        return found

    def _derived(self) -> dict[str, Any]:
        """The plain values of what `_follows` names, as far as there are any."""
        return {}

    @classmethod
    def _kind_of(cls, values: Any) -> tuple[type[Self], dict[str, Any]]:
        """The class that is written, and its arguments as they are written."""
        if not isinstance(values, Mapping):
            raise TypeError(f"a {cls.__name__} is written as a dict, got {values!r}")
        given, kinds = dict(values), cls._kinds()
        author, schema, name = given.pop("riskcalc", "unknown"), given.pop("schema", SCHEMA), given.pop("kind", None)
        given.pop("warnings", None)  # of the command line that found it
        if schema != SCHEMA or isinstance(schema, bool):
            raise ValueError(f"riskcalc {__version__} reads schema {SCHEMA}, got {schema!r}, by riskcalc {author}")
        if name is None and cls in kinds.values():
            return cls, given
        if not isinstance(name, str):
            raise ValueError(f"kind must be one of {', '.join(kinds)}, got {name!r}")
        return look_up(name, kinds, cls._root().__name__), given

    @classmethod
    def _made(cls, given: dict[str, Any]) -> Self:
        known = parameters(cls)
        check_keys(cls, given, known, [name for name, one in known.items() if one.default is one.empty])
        return cls(**{name: cls._meant(name, value) for name, value in given.items()})

    @classmethod
    def _meant(cls, name: str, value: Any) -> Any:
        """An argument that is written so."""
        reader = cls._reader(name)
        if value is None or reader is None or isinstance(value, Inert):
            return value
        if isinstance(reader, list):
            return tuple(reader[0].from_dict(one) for one in value)
        return reader.from_dict(value) if isinstance(reader, type) and issubclass(reader, Inert) else reader(value)

    @classmethod
    def _reader(cls, name: str) -> Any:
        reader = cls._read.get(name)
        return cls if reader is Self else reader

    @classmethod
    def _called(cls) -> str:
        """Its name, where it is written."""
        return cls.__name__

    @classmethod
    def _root(cls) -> type[Inert]:
        """What it is in general: a problem, a law, a policy."""
        return next(base for base in cls.__mro__ if Inert in base.__bases__)

    @classmethod
    def _kinds(cls) -> Mapping[str, type[Self]]:
        """The classes of this kind that can be read, by name. Of two of one name ours is meant, or else the later."""
        found: dict[str, type[Self]] = {}
        for one in [cls, *_heirs(cls)]:
            open_name = not found.get(one.__name__, one).__module__.startswith("riskcalc.")
            if _has_constructor(one) and not inspect.isabstract(one) and (one.__name__ not in found or open_name):
                found[one.__name__] = one
        return {name: one for name, one in found.items() if name[0] != "_"}

    @cached_property
    def _identity(self) -> tuple[Any, ...]:
        parts = ((name, frozen(value)) for name, value in self._told().items() if value is not None)
        return (type(self), *parts)

    @cached_property
    def _hash(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Inert) and self._identity == other._identity)

    def __hash__(self) -> int:
        return self._hash

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self):
            raise AttributeError(f"{name} of {self!r} is set; make another {type(self).__name__}")
        super().__setattr__(name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return again, (type(self), self.given())

    def __repr__(self) -> str:
        known = parameters(type(self))
        told = {name: value for name, value in self._told().items() if not _is(value, known[name].default)}
        parts = {name: _shown(value) for name, value in told.items()}
        text = f"{type(self).__name__}({', '.join(f'{name}={part}' for name, part in parts.items())})"
        return f"<{text}>" if any(part[0] == "<" for part in parts.values()) else text


def again(kind: type[Inert], given: dict[str, Any]) -> Inert:
    """A value from its arguments: what a pickle does."""
    return kind(**given)


def signed(values: dict[str, Any]) -> dict[str, Any]:
    """What is written, with the version that wrote it."""
    return {"riskcalc": __version__, "schema": SCHEMA} | values


def check_keys(kind: type, given: Iterable[str], known: Iterable[str], needed: Iterable[str]) -> None:
    """ValueError for keys of a class that are unknown, with near names, or missing."""
    table = dict.fromkeys(known)
    for name in given:
        look_up(name, table, f"key of {kind.__name__}")
    if missing := [name for name in needed if name not in given]:
        raise ValueError(f"{kind.__name__} lacks its {' and its '.join(missing)}")


@cache
def parameters(kind: type) -> dict[str, inspect.Parameter]:
    """The arguments of a constructor; what it passes on are those of the next class."""
    found: dict[str, inspect.Parameter] = {}
    for base in kind.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        _, *own = inspect.signature(base.__init__).parameters.values()
        passes_on = any(one.kind is one.VAR_KEYWORD for one in own)
        named = {one.name: one for one in own if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
        found |= {name: one for name, one in named.items() if name not in found and name[0] != "_"}
        if not passes_on:
            break
    return found


def _has_constructor(kind: type) -> bool:
    return kind.__init__ is not object.__init__


def _heirs(kind: Any) -> list[Any]:
    """All classes derived from one, each after those that it is derived from."""
    return [heir for own in kind.__subclasses__() for heir in (own, *_heirs(own))]


def frozen(value: Any) -> Any:
    """A value that compares and hashes by what it holds; nan equals nan."""
    if isinstance(value, np.ndarray):
        return value.shape, _frozen_items(value) if value.ndim else frozen(value.item())
    if isinstance(value, Mapping):
        return tuple(sorted((name, frozen(one)) for name, one in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(map(frozen, value))
    return "nan" if value != value else value


def _frozen_items(array: np.ndarray) -> Any:
    """The numbers of an array as bytes if they are doubles, whatever type holds them."""
    if array.dtype.kind == "U":
        return tuple(array.ravel().tolist())
    floats = array.astype(float) + 0.0  # of two zeros one
    with np.errstate(invalid="ignore"):
        others = array.dtype.kind != "f" and (floats != array).any()
    if others:
        return tuple(map(_exactly, array.flat))
    floats[floats != floats] = np.nan
    return floats.tobytes()


def _exactly(value: Any) -> Any:
    """A number that hashes fast."""
    if isinstance(value, Fraction):
        return value.numerator, value.denominator
    return getattr(value, "_mpf_", value)


def _is(value: Any, default: Any) -> bool:
    return not np.ndim(value) and bool((value[()] if isinstance(value, np.ndarray) else value) == default)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return repr(plain(value)) if value.size <= MOST_SHOWN else f"<{value.size} numbers>"
    text = repr(value)
    return f"<{text}>" if callable(value) and not isinstance(value, Inert) and text[0] != "<" else text
