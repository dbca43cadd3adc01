"""How wide LaTeX is when typeset: an estimate, good enough to decide where to break a line."""

from __future__ import annotations

import re

# In ems of the surrounding font, as Computer Modern has them.
_TOKEN = re.compile(r"\\begin\{\w+\}|\\end\{\w+\}|\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
_COMMANDS = {
    **dict.fromkeys(
        ("left", "right", "bigl", "bigr", "displaystyle", "mathrm", "mathbf", "bar", "label", "notag"), 0.0
    ),
    **dict.fromkeys(("Bigl", "Bigr"), 0.2),
    **dict.fromkeys(("biggl", "biggr"), 0.35),
    **dict.fromkeys(("Biggl", "Biggr"), 0.5),
    **dict.fromkeys(("log", "max", "min", "exp", "lim", "sum", "int"), 1.5),
    **dict.fromkeys(("le", "ge", "ne", "to", "approx", "mid", "in", "sim"), 1.35),
    **{"cdot": 0.7, "mathbb": 0.15, "quad": 1.0, "qquad": 2.0, "lvert": 0.3, "rvert": 0.3, ",": 0.17, "!": -0.17},
}
_CHARACTERS = {"+": 1.2, "-": 1.2, "=": 1.35, "<": 1.35, ">": 1.35, ",": 0.45, "&": 0.0, "$": 0.0, "M": 0.97, "m": 0.88}
_CHARACTERS |= dict.fromkeys("()[]|/.", 0.4)


def width(text: str) -> float:
    """The estimated width of mathematics in ems."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str):
        self.tokens = [token for token in _TOKEN.findall(text) if not token.isspace()]
        self.place = 0

    def read(self) -> float:
        """The width up to the end, or to the brace that closes the group."""
        total = 0.0
        while self.place < len(self.tokens) and self.tokens[self.place] != "}":
            total += self.piece()
        return total

    def piece(self) -> float:
        """The width of the next token with its arguments."""
        if self.place == len(self.tokens):
            return 0.0
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            total = self.read()
            self.place += 1
            return total
        if token in "^_":
            return 0.75 * self.piece()
        if not token.startswith("\\"):
            return _CHARACTERS.get(token, 0.53)
        name = token[1:]
        if name.endswith("frac"):
            return max(self.piece(), self.piece()) + 0.25
        if name == "sqrt":
            return self.piece() + 0.85
        if name.startswith(("begin", "end")):
            return 1.0
        return _COMMANDS.get(name, 0.6)
