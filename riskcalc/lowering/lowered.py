"""Generated code, run in the namespace of a number system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from riskcalc.lowering.state import BLOCK, State, blocks
from riskcalc.lowering.systems import NumberSystem


@dataclass(frozen=True)
class Lowered:
    """A compiled formula. Call it with a `State`; read `source` to see what runs."""

    name: str
    source: str
    law_inputs: tuple[str, ...]
    value_inputs: tuple[str, ...] | None
    scalar_output: bool
    system: NumberSystem

    @cached_property
    def _functions(self) -> dict[str, Callable]:
        namespace = dict(self.system.functions)
        exec(compile(self.source, f"<riskcalc {self.name}>", "exec"), namespace)
        return namespace

    def __call__(self, state: State):
        """Evaluate on a state; a tuple if several expressions were lowered, in their order."""
        if self.value_inputs is None:
            results = self._functions["law"](**{name: state[name] for name in self.law_inputs})
        else:
            means: Sequence = ()
            if self.law_inputs:
                law = self._functions["law"]
                totals: list[Any] = []
                for block in blocks(state) if state["weights"].shape[1] > BLOCK else (state,):
                    terms = law(**{name: block[name] for name in self.law_inputs})
                    sums = [(block["weights"] * term).sum(axis=-1, keepdims=True) for term in terms]
                    totals = [total + own for total, own in zip(totals, sums, strict=True)] if totals else sums
                means = [total / state["total"] for total in totals]
            results = self._functions["value"](*means, **{name: state[name] for name in self.value_inputs})
        return results[0] if self.scalar_output else results
