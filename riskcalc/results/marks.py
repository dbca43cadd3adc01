"""Raised numbers in a table, and what they say, below it."""

from __future__ import annotations

_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Marks:
    """Notes under headings, each with a number of its own, in the order in which they are first told."""

    def __init__(self, *headings: str):
        self._marks: dict[str, str] = {}
        self._lists: dict[str, list[str]] = {heading: [] for heading in headings}

    def told(self, *notes: str) -> str:
        """The numbers of notes, one under each heading; an empty note has none."""
        found = ""
        for listed, note in zip(self._lists.values(), notes, strict=True):
            if note and note not in self._marks:
                self._marks[note] = str(len(self._marks) + 1).translate(_RAISED)
                listed.append(f"{self._marks[note]} {note}")
            found += self._marks.get(note, "")
        return found

    @property
    def lines(self) -> list[str]:
        """What the numbers say, a line for each heading that has any."""
        return [f"{heading}: {', '.join(listed)}." for heading, listed in self._lists.items() if listed]
