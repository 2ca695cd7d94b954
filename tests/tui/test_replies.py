"""Answers of a terminal never become keys, however the line tears them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.imaging.replies import ReplyFilter

REPLIES = [
    "\x1b[?62;4;22c",
    "\x1b[>41;379;0c",
    "\x1b[6;17;8t",
    "\x1b[8;42;140t",
    "\x1b[0n",
    "\x1b[?7;1$y",
    "\x1b[?1u",
    "\x1b_Gi=31;OK\x1b\\",
    "\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\",
    "\x1bP>|XTerm(379)\x1b\\",
    "\x1bP1$r0;48:2::1:2:3m\x1b\\",
    "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    "\x1b]11;rgb:1e1e/1e1e/1e1e\x07",
]
KEYS = [
    "j",
    "1",
    "62;4c",
    "é",
    "\x1b[A",
    "\x1bOP",
    "\x1b[1;5C",
    "\x1b[15~",
    "\x1b[<0;10;5M",
    "\x1b[97;5u",
    "\x1b[I",
    "\x1b[?2026;2$y",
    "\x1b[48;24;80;480;800t",
    "\x1b[200~pasted \x1b[?62;4c text\x1b[201~",
]


@given(st.lists(st.sampled_from(REPLIES + KEYS), max_size=12), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_answers_are_taken_out_and_keys_pass_unchanged_however_they_are_torn(
    parts: list[str], steps: list[int]
) -> None:
    stream, at, turn = "".join(parts), 0, 0
    filtering = ReplyFilter()
    typed: list[str] = []
    replies: list[str] = []
    while at < len(stream):
        step = steps[turn % len(steps)]
        turn += 1
        some, answers = filtering.feed(stream[at : at + step], now=turn * 0.001)
        typed.append(some)
        replies += answers
        at += step
    assert "".join(typed) == "".join(part for part in parts if part in KEYS)
    assert replies == [part for part in parts if part in REPLIES]
    assert not filtering.held


@given(st.text(max_size=60))
def test_text_without_escapes_is_untouched(text: str) -> None:
    clean = text.replace("\x1b", "")
    assert ReplyFilter().feed(clean, 0.0) == (clean, [])


def test_the_escape_key_is_told_from_the_start_of_an_answer_by_time() -> None:
    filtering = ReplyFilter(key_delay=0.1)
    assert filtering.feed("\x1b", 0.0) == ("", [])
    assert filtering.expire(0.05) == ""
    assert filtering.expire(0.11) == "\x1b"
    assert not filtering.held


@pytest.mark.parametrize("torn", ["\x1b[?62;4", "\x1b_Gi=31;O", "\x1bP>|XTe", "\x1b[6;17;"])
def test_a_torn_answer_is_thrown_away_and_never_typed(torn: str) -> None:
    filtering = ReplyFilter(torn_delay=2.0)
    assert filtering.feed(torn, 0.0) == ("", [])
    assert filtering.expire(1.0) == "" and filtering.held
    assert filtering.expire(2.1) == "" and not filtering.held
    assert filtering.feed("j", 2.2) == ("j", [])


def test_an_answer_whose_escape_already_counted_as_a_key_is_still_recognised() -> None:
    filtering = ReplyFilter(key_delay=0.1)
    filtering.feed("\x1b", 0.0)
    assert filtering.expire(0.2) == "\x1b"
    assert filtering.feed("[?62;4;22c" + "j", 0.4) == ("j", [])


def test_alt_with_a_letter_that_could_begin_an_answer_is_a_key() -> None:
    filtering = ReplyFilter(key_delay=0.1)
    assert filtering.feed("\x1bP", 0.0) == ("", [])
    assert filtering.expire(0.2) == "\x1bP"
