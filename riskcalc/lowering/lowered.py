"""Generated code, run in the namespace of a number system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from riskcalc.lowering.state import BLOCK, State, by_block, weighed
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
            results = self._atoms({name: state[name] for name in self.law_inputs})
        else:
            means: Sequence = ()
            if self.law_inputs:
                long = state["weights"].shape[1] > BLOCK
                sums = by_block(self._sums, state) if long else [self._sums(state)]
                means = [sum(own[1:], own[0]) / state["total"] for own in zip(*sums, strict=True)]
            results = self._functions["value"](*means, **{name: state[name] for name in self.value_inputs})
        return results[0] if self.scalar_output else results

    def _atoms(self, state: State) -> tuple[Any, ...]:
        """What varies over the law, atom by atom; many of them block by block, so that few temporaries are held."""
        law = self._functions["law"]
        if not any(np.ndim(array) == 2 and array.shape[1] > BLOCK for array in state.values()):
            return law(**state)
        parts = zip(*by_block(lambda block: law(**block), state), strict=True)
        return tuple(np.concatenate(one, axis=-1) if one[0].shape[-1] > 1 else one[0] for one in parts)

    def _sums(self, state: State) -> list[Any]:
        """Sums over the atoms of what varies over the law."""
        terms = self._functions["law"](**{name: state[name] for name in self.law_inputs})
        return [weighed(state["weights"], term) for term in terms]
