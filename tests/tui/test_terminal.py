"""The probe against scripted terminals: every kind of answer, and none."""

from __future__ import annotations

import os
import re
import termios
import time
from dataclasses import replace

import pytest

from tests.tui.fake_terminal import (
    AREA,
    ATTRIBUTES,
    CELL,
    COLOUR,
    CURSOR,
    KITTY,
    NAME,
    SIZE,
    XTERM,
    FakeTerminal,
)
from tui.terminal import DEFAULT_CELL, TRUE_COLOUR, Terminal, findings, probe, settle

XTERM_ENV = {"TERM": "xterm-256color"}


def ask(terminal: FakeTerminal, timeout: float = 1.5, env: dict[str, str] | None = None, **options: float) -> Terminal:
    environ = XTERM_ENV if env is None else env
    return probe(timeout, reads=terminal.tty, writes=terminal.tty, environ=environ, **options)


def test_an_xterm_with_sixel_is_recognised() -> None:
    with FakeTerminal(XTERM) as fake:
        found = ask(fake)
    assert found.protocol == "sixel"
    assert found.cell == (8, 17) and found.cell_is_known
    assert found.name == "XTerm(379)"
    assert found.colours == TRUE_COLOUR, "true colour is found by asking, for COLORTERM is not passed on by SSH"
    assert found.answered and found.rtt_ms is not None and found.rtt_ms < 500


def test_kitty_is_recognised_and_preferred() -> None:
    answers = {**XTERM, KITTY: "\x1b_Gi=31;OK\x1b\\", NAME: "\x1bP>|kitty(0.36)\x1b\\", ATTRIBUTES: "\x1b[?62;c"}
    with FakeTerminal(answers) as fake:
        found = ask(fake)
    assert found.protocol == "kitty" and found.has_kitty and not found.has_sixel


def test_a_terminal_with_graphics_but_without_placeholders_is_given_sixels() -> None:
    answers = {**XTERM, KITTY: "\x1b_Gi=31;OK\x1b\\", NAME: "\x1bP>|WezTerm 20240203\x1b\\"}
    with FakeTerminal(answers) as fake:
        assert ask(fake).protocol == "sixel"


def test_a_300_ms_line_is_waited_for_and_measured() -> None:
    with FakeTerminal(XTERM, delay=0.3) as fake:
        found = ask(fake)
        assert fake.unread() == ""
    assert found.answered and found.is_slow
    assert found.rtt_ms is not None and 290 < found.rtt_ms < 900


def test_a_silent_terminal_is_not_waited_for_longer_than_asked() -> None:
    with FakeTerminal({}) as fake:
        begun = time.monotonic()
        found = ask(fake, timeout=0.2)
        assert time.monotonic() - begun < 1
    assert not found.answered and found.rtt_ms is None
    assert found.protocol == "half" and found.cell == DEFAULT_CELL


def test_answers_in_small_pieces_are_put_together() -> None:
    with FakeTerminal(XTERM, pieces=3) as fake:
        found = ask(fake)
    assert found.protocol == "sixel" and found.typed == "" and found.cell == (8, 17)


def test_keys_typed_meanwhile_are_kept_in_order_and_answers_are_not_among_them() -> None:
    with FakeTerminal(XTERM, typed="jk\x1b[A12") as fake:
        assert ask(fake).typed == "jk\x1b[A12"


def test_an_answer_torn_by_the_deadline_is_handed_on_whole_to_the_filter() -> None:
    with FakeTerminal({ATTRIBUTES: "\x1b[?62;4"}) as fake:
        found = ask(fake, timeout=0.15)
    assert not found.answered
    assert found.typed == "\x1b[?62;4", "the driver's filter waits for the rest; it would be keys otherwise"


def test_a_command_that_leaves_waits_for_late_answers_so_that_the_shell_does_not_get_them() -> None:
    with FakeTerminal(XTERM, delay=0.3) as fake:
        found = ask(fake, timeout=0.1, linger=2)
        assert fake.unread() == ""
    assert found.protocol == "sixel"


def test_the_mode_of_the_tty_is_put_back() -> None:
    with FakeTerminal(XTERM) as fake:
        before = termios.tcgetattr(fake.tty)
        ask(fake)
        assert termios.tcgetattr(fake.tty) == before
    with FakeTerminal({}) as fake:
        before = termios.tcgetattr(fake.tty)
        ask(fake, timeout=0.05)
        assert termios.tcgetattr(fake.tty) == before


@pytest.mark.parametrize("missing", [(), (SIZE,)])
def test_a_tty_without_a_size_is_asked_for_it_and_told(missing: tuple[str, ...]) -> None:
    answers = {question: answer for question, answer in XTERM.items() if question not in missing}
    with FakeTerminal(answers, size=(0, 0)) as fake:
        found = ask(fake)
        assert fake.size == (42, 140)
    assert found.size == (140, 42) and found.size_is_known
    assert found.typed == ""


def test_a_tty_without_a_size_that_stays_silent_falls_back() -> None:
    with FakeTerminal({}, size=(0, 0)) as fake:
        assert ask(fake, timeout=0.05).size == (80, 24)
        env = {**XTERM_ENV, "COLUMNS": "100", "LINES": "50"}
        assert ask(fake, timeout=0.05, env=env).size == (100, 50)
        assert not ask(fake, timeout=0.05).size_is_known


def test_the_cell_comes_from_the_text_area_where_cells_are_not_reported() -> None:
    answers = {AREA: "\x1b[4;480;800t", ATTRIBUTES: "\x1b[?62;4c"}
    with FakeTerminal(answers) as fake:
        found = ask(fake)
    assert found.cell == (10, 20) and found.cell_is_known and found.protocol == "sixel"


def test_sixel_without_a_known_cell_is_not_chosen_but_offered() -> None:
    with FakeTerminal({ATTRIBUTES: "\x1b[?62;4c"}) as fake:
        found = ask(fake)
    assert found.protocol == "half" and found.has_sixel
    assert "--images sixel" in next(f for f in findings(found) if f.name == "image protocol").remedy
    assert found.choose("sixel") == "sixel" and found.choose("auto") == "half"


def test_a_zero_cell_report_is_not_believed() -> None:
    with FakeTerminal({**XTERM, CELL: "\x1b[6;0;0t", AREA: "\x1b[4;0;0t"}) as fake:
        assert not ask(fake).cell_is_known


def test_dumb_terminals_are_not_asked_anything() -> None:
    with FakeTerminal(XTERM) as fake:
        found = ask(fake, env={"TERM": "dumb"})
        assert fake.said == ""
    assert found.protocol == "off" and not found.answered


def test_what_is_not_a_terminal_is_not_asked() -> None:
    reads, writes = os.pipe()
    try:
        found = probe(reads=reads, writes=writes, environ=XTERM_ENV)
    finally:
        os.close(reads)
        os.close(writes)
    assert not found.is_tty and not found.answered and found.protocol == "off"
    assert [f.value for f in findings(found)] == ["not a terminal"]


@pytest.mark.parametrize(
    "env",
    [
        {"TERM": "linux"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"},
        {"TERM": "screen-256color"},
        {"TERM": "tmux-256color", "TMUX": "/nowhere,1,0"},
    ],
)
def test_terminals_that_print_what_they_do_not_know_get_no_graphics_query(env: dict[str, str]) -> None:
    with FakeTerminal({ATTRIBUTES: "\x1b[?1;2c"}) as fake:
        ask(fake, env={**env, "PATH": ""})
        assert "\x1b_G" not in fake.said
        assert fake.said.endswith(ATTRIBUTES), "the sentinel is the last question"


def test_tmux_is_recognised_by_its_name_at_the_other_end_of_ssh() -> None:
    answers = {**XTERM, NAME: "\x1bP>|tmux 3.5a\x1b\\", ATTRIBUTES: "\x1b[?1;2;4c"}
    with FakeTerminal(answers) as fake:
        found = ask(fake, env={"TERM": "xterm-256color"})
    assert found.multiplexer == "tmux" and found.protocol == "sixel"
    assert any(f.name == "tmux passthrough" and not f.is_right and f.remedy for f in findings(found))


def test_the_attribute_of_sixel_is_not_confused_with_the_terminal_class() -> None:
    with FakeTerminal({**XTERM, ATTRIBUTES: "\x1b[?4;6;22c"}) as fake:
        assert not ask(fake).has_sixel


@pytest.mark.parametrize(
    ("env", "colours"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, TRUE_COLOUR),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm"}, 16),
    ],
)
def test_colours_come_from_the_environment_where_the_terminal_does_not_say(env: dict[str, str], colours: int) -> None:
    answers = {question: answer for question, answer in XTERM.items() if question != COLOUR}
    with FakeTerminal(answers) as fake:
        found = ask(fake, env=env)
    assert found.colours == colours
    assert found.protocol == "sixel"


def test_no_color_is_noted() -> None:
    with FakeTerminal(XTERM) as fake:
        found = ask(fake, env={**XTERM_ENV, "NO_COLOR": ""})
    assert found.no_colour
    assert next(f for f in findings(found) if f.name == "colour").is_right


def test_every_finding_that_is_not_right_has_a_remedy() -> None:
    poor = Terminal(protocol="half", size=(60, 20), colours=16, multiplexer="tmux", size_is_known=False)
    for found in findings(poor):
        assert found.is_right or found.remedy, found
    good = Terminal(
        protocol="sixel", has_sixel=True, cell_is_known=True, rtt_ms=1.0, answered=True, size=(140, 42), name="foot"
    )
    assert all(found.is_right for found in findings(good))
    assert not next(f for f in findings(replace(good, rtt_ms=300.0)) if f.name == "round trip").is_right


def test_what_was_found_reaches_rich_and_textual_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.delenv("COLORTERM")
    settle(Terminal(cell=(9, 18), colours=256))
    assert "COLORTERM" not in os.environ
    settle(Terminal(cell=(9, 18)))
    from textual_image._terminal import get_cell_size

    assert tuple(get_cell_size()) == (9, 18)
    assert os.environ["COLORTERM"] == "truecolor"


def test_the_probe_imports_no_textual() -> None:
    import subprocess
    import sys

    code = (
        "import sys, tui.terminal; print([m for m in ('textual', 'textual_image', 'rich', 'PIL') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_cursor_question_is_only_asked_where_the_size_is_missing() -> None:
    with FakeTerminal(XTERM) as fake:
        ask(fake)
        assert CURSOR not in fake.said and not re.search(r"\x1b\[18t", fake.said)
