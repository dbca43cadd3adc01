"""Text of strangers, in messages and tables, does nothing to a terminal and has a bounded length."""

from __future__ import annotations

import pytest

from riskcalc.lookup import look_up
from riskcalc.quoting import names, printable, quoted
from riskcalc.results.tables import Column, Table, to_html, to_text

HOSTILE = "a\x1b]0;title\x07b\u202ec\r\ud800\x9b2J\N{ZERO WIDTH SPACE}"


def test_what_is_printable_stays_as_it_is():
    for text in ("", "a b", "größe, Größe", "λ²", "日本語", "\\x1b"):
        assert printable(text) == text
    assert printable(HOSTILE) == r"a\x1b]0;title\x07b\u202ec\r\ud800\x9b2J\u200b"


@pytest.mark.parametrize("value", [HOSTILE, "x" * 10**6, HOSTILE * 1000, ["a\n"] * 10**4, {"a": "\x1b"}, 10**1000])
def test_what_is_quoted_is_short(value):
    assert quoted(value).isprintable()
    assert len(quoted(value)) <= 60
    listed = names([value] * 1000)
    assert listed.isprintable()
    assert len(listed) < 12 * 62 + 20
    assert listed.endswith(" and 988 more")


def test_names_that_are_asked_for_and_known_are_escaped():
    with pytest.raises(ValueError, match="no law is called") as found:
        look_up(HOSTILE, {HOSTILE + "d": 1, "e": 2}, "law")
    assert str(found.value).isprintable()


def test_tables_are_escaped():
    brief = Table(HOSTILE, [Column(HOSTILE, words=True), Column("n")], [[HOSTILE, "1"]], notes=[HOSTILE])
    wide = Table(HOSTILE, [Column(HOSTILE * 3, words=True), Column(HOSTILE)], [[HOSTILE, "1"]], brief=brief)
    for part in (brief, wide, HOSTILE):
        text = to_text([part], 80)
        assert text.replace("\n", "").isprintable()
        assert r"\x1b]0;title" in text
        assert to_html([part]).replace("\n", "").isprintable()
    assert to_text(["one\ntwo"]) == "one\ntwo"
