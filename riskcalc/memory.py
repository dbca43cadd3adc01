"""The memory that there is: sizes that would need more are refused before anything is allocated."""

from __future__ import annotations

import math
import os
from pathlib import Path

# What a container may use.
_CONTAINER = Path("/sys/fs/cgroup/memory.max")


def fits(needed: float, what: str) -> None:
    """Refuse, by a ValueError that begins with `what`, what needs more bytes than this process may ever have."""
    if needed > (there := limit()):
        raise ValueError(f"{what} would need {_shown(needed)} of memory, and there is {_shown(there)}; take less")


def limit() -> float:
    """Bytes that this process may have: those of the machine, or what is allowed to it; inf if nobody knows."""
    found = [math.inf]
    if hasattr(os, "sysconf"):
        import resource

        found += [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
        found += [soft for soft, _ in [resource.getrlimit(resource.RLIMIT_AS)] if soft != resource.RLIM_INFINITY]
    if _CONTAINER.is_file() and (allowed := _CONTAINER.read_text().strip()).isdigit():
        found.append(int(allowed))
    return min(found)


def _shown(number: float) -> str:
    power = min(max(int(math.log2(max(number, 1)) // 10), 0), 6)
    return f"{number / 1024**power:.3g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB')[power]}"
