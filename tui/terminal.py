"""What this terminal can do, asked once, patiently, before Textual starts.

One combined question goes out and one sentinel (primary device attributes, which every terminal answers) ends the
reading, so that over a slow line everything arrives in one round trip and nothing arrives later as keystrokes. Keys
typed meanwhile are kept and handed on. A terminal that stays silent is waited for, for a second and a half, and what
it still says later is swallowed by `tui.imaging.driver`. A tty that does not know its size is asked for it and told.
Relies on termios; imports no Textual; never prints a picture.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, get_args

from tui.imaging.replies import ReplyFilter

if TYPE_CHECKING:
    from engine.doctor import Finding

Protocol = Literal["kitty", "sixel", "half", "off"]
Choice = Literal["auto", "kitty", "sixel", "half", "off"]
Multiplexer = Literal["tmux", "screen"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)

TRUE_COLOUR = 1 << 24
DEFAULT_CELL = (10, 20)
DEFAULT_SIZE = (80, 24)
SLOW_RTT_MS = 40.0  # above this a person can feel bytes queueing

_KITTY_QUERY = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
_NAME_QUERY = "\x1b[>q"
_COLOUR_QUERY = "\x1b[48;2;1;2;3m\x1bP$qm\x1b\\\x1b[0m"
_CELL_QUERY, _AREA_QUERY, _SIZE_QUERY = "\x1b[16t", "\x1b[14t", "\x1b[18t"
_CORNER_QUERY = "\x1b7\x1b[9999;9999H\x1b[6n\x1b8"
_SENTINEL = "\x1b[c"

_ATTRIBUTES = re.compile(r"\x1b\[\?([\d;]*)c")
_CURSOR = re.compile(r"\x1b\[(\d+);(\d+)R")
_PLACEHOLDER_TERMINALS = re.compile(r"kitty|ghostty", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Terminal:
    """The terminal as it was found. `cell` is (width, height) in pixels, `size` is (columns, rows)."""

    protocol: Protocol = "half"
    cell: tuple[int, int] = DEFAULT_CELL
    size: tuple[int, int] = DEFAULT_SIZE
    colours: int = TRUE_COLOUR
    rtt_ms: float | None = None
    multiplexer: Multiplexer | None = None
    answered: bool = False
    name: str = ""
    cell_is_known: bool = False
    size_is_known: bool = True
    has_sixel: bool = False
    has_kitty: bool = False
    passthrough: bool = False
    no_colour: bool = False
    is_tty: bool = True
    typed: str = ""
    """Keys that were typed while the terminal was asked; the driver hands them to the app first."""

    @property
    def is_slow(self) -> bool:
        """Whether bytes should be counted: pictures get fewer colours and wait for one another."""
        return self.rtt_ms is not None and self.rtt_ms > SLOW_RTT_MS

    @property
    def cell_aspect(self) -> float:
        """Width of a cell over its height."""
        return self.cell[0] / self.cell[1]

    def choose(self, choice: Choice) -> Protocol:
        """The protocol for a person's choice: 'auto' is what was found, anything else is taken at its word."""
        return self.protocol if choice == "auto" else choice


@dataclass(slots=True)
class _Answers:
    """Everything the terminal said, as it came."""

    complete: bool = False
    rtt_ms: float | None = None
    typed: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)

    def find(self, pattern: str) -> re.Match[str] | None:
        return next((match for reply in self.replies if (match := re.fullmatch(pattern, reply, re.DOTALL))), None)


def probe(
    timeout: float = 1.5,
    *,
    reads: int | None = None,
    writes: int | None = None,
    environ: Mapping[str, str] | None = None,
    linger: float = 0.0,
) -> Terminal:
    """Ask the terminal what it is. Blocks for one round trip, or for `timeout` seconds when it never answers.

    `linger` is for commands that end without starting the app: how much longer to wait for late answers, so that they
    do not turn up at the shell's prompt; whatever is unread then is discarded. Never raises for a strange terminal.
    """
    env = os.environ if environ is None else environ
    base = _from_environment(env)
    try:
        source = sys.__stdin__.fileno() if reads is None and sys.__stdin__ else reads
        target = _output_tty() if writes is None else writes
        if source is None or target is None or not (os.isatty(source) and os.isatty(target)):
            return replace(base, is_tty=False, protocol="off", size=_size(None, env)[0])
    except (OSError, ValueError):
        return replace(base, is_tty=False, protocol="off", size=_size(None, env)[0])
    size, pixels, size_is_known = _tty_size(target, env)
    term = env.get("TERM", "")
    if term in ("", "dumb"):
        return replace(base, protocol="off", size=size, size_is_known=size_is_known)
    answers = _ask(source, target, _question(term, env, base, size_is_known), timeout, linger)
    return _conclude(base, answers, env, target, (size, pixels, size_is_known))


def findings(terminal: Terminal) -> list[Finding]:
    """The terminal's part of `proofsheet doctor`, in the order a person would ask."""
    from tui.imaging.findings import describe

    return describe(terminal)


def settle(terminal: Terminal) -> None:
    """Make the rest of the process believe what was found. Call it before Textual is imported.

    Colours: SSH does not pass COLORTERM on, and Rich looks only there. textual-image: were its widgets ever imported,
    it would ask by itself (0.1 s of patience, and a division by zero on a 0x0 tty); the cell size is put where it
    looks first.
    """
    if terminal.colours >= TRUE_COLOUR and not terminal.no_colour:
        os.environ.setdefault("COLORTERM", "truecolor")
    if "textual_image" in sys.modules or find_spec("textual_image"):
        from textual_image import _terminal

        _terminal.get_cell_size._result = _terminal.CellSize(*terminal.cell)  # type: ignore[attr-defined]


def _output_tty() -> int | None:
    """Where Textual will draw: standard error, else standard output."""
    for stream in (sys.__stderr__, sys.__stdout__):
        if stream is not None and stream.isatty():
            return stream.fileno()
    return None


def _from_environment(env: Mapping[str, str]) -> Terminal:
    term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    multiplexer: Multiplexer | None = None
    if env.get("TMUX") or term.startswith("tmux") or program == "tmux":
        multiplexer = "tmux"
    elif term.startswith("screen"):
        multiplexer = "screen"
    true_colour = (
        env.get("COLORTERM", "").lower() in ("truecolor", "24bit")
        or "direct" in term
        or term in ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm")
        or program in ("iTerm.app", "WezTerm", "vscode", "ghostty")
        or multiplexer == "tmux"  # reduces the colours itself when the terminal outside has fewer
    )
    colours = TRUE_COLOUR if true_colour else 256 if "256" in term else 2 if term in ("", "dumb") else 16
    return Terminal(colours=colours, multiplexer=multiplexer, no_colour="NO_COLOR" in env)


def _question(term: str, env: Mapping[str, str], base: Terminal, size_is_known: bool) -> str:
    """One string with every question worth asking here, the sentinel last.

    Terminals that print what they do not understand (the Linux console, Apple's Terminal) and GNU screen get the
    plain questions only; inside tmux a bare graphics query would become the pane's title.
    """
    is_plain = term == "linux" or env.get("TERM_PROGRAM") == "Apple_Terminal" or base.multiplexer == "screen"
    parts = ["\x1b7"]
    if not is_plain:
        if base.multiplexer is None:
            parts.append(_KITTY_QUERY)
        parts.append(_NAME_QUERY)
        if base.colours < TRUE_COLOUR:
            parts.append(_COLOUR_QUERY)
    if term != "linux":
        parts += [_CELL_QUERY, _AREA_QUERY]
    if not size_is_known:
        parts += [_SIZE_QUERY, _CORNER_QUERY]
    # Should anything have been printed after all, it is gone again before anyone sees it.
    return "".join([*parts, "\x1b8\x1b[K", _SENTINEL])


def _ask(source: int, target: int, question: str, timeout: float, linger: float) -> _Answers:
    """Send the question in raw mode and read until the sentinel is answered. The mode is always put back."""
    answers = _Answers()
    pending = ReplyFilter(torn_delay=timeout + linger + 1)
    before = termios.tcgetattr(source)
    try:
        tty.setraw(source, termios.TCSANOW)
        raw = termios.tcgetattr(source)
        raw[tty.OFLAG] = before[tty.OFLAG]
        termios.tcsetattr(source, termios.TCSANOW, raw)
        _write_all(target, question.encode())
        asked = time.monotonic()
        deadline = asked + timeout
        while not answers.complete:
            now = time.monotonic()
            if now >= deadline + linger or not select.select([source], [], [], deadline + linger - now)[0]:
                break
            data = os.read(source, 4096)
            if not data:
                break
            now = time.monotonic()
            typed, replies = pending.feed(data.decode("utf-8", "replace"), now)
            answers.replies += replies
            # Cursor reports look like a modified F3, so they are taken out only here, where one was asked for.
            if _CORNER_QUERY in question:
                answers.replies += [match.group() for match in _CURSOR.finditer(typed)]
                typed = _CURSOR.sub("", typed)
            answers.typed.append(typed)
            if any(_ATTRIBUTES.fullmatch(reply) for reply in replies):
                answers.complete, answers.rtt_ms = True, (now - asked) * 1000
        answers.typed.append(pending.held)  # a key, or a torn answer whose rest the driver will recognise
        if linger and not answers.complete:
            termios.tcflush(source, termios.TCIFLUSH)
    except (OSError, termios.error):
        return answers
    finally:
        termios.tcsetattr(source, termios.TCSANOW, before)
    return answers


def _write_all(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]


def _conclude(
    base: Terminal,
    answers: _Answers,
    env: Mapping[str, str],
    target: int,
    known: tuple[tuple[int, int], tuple[int, int], bool],
) -> Terminal:
    size, pixels, size_is_known = known
    if not size_is_known:
        size, size_is_known = _asked_size(answers, size, target)
    cell, cell_is_known = _cell(answers, size, pixels)
    attributes = answers.find(_ATTRIBUTES.pattern)
    has_sixel = attributes is not None and "4" in attributes.group(1).split(";")[1:]
    name_reply = answers.find("\x1bP>\\|(.*?)(?:\x1b\\\\|\x07)")
    name = name_reply.group(1) if name_reply else env.get("TERM_PROGRAM", "") or env.get("TERM", "")
    multiplexer = base.multiplexer
    if name.lower().startswith("tmux"):
        multiplexer = "tmux"  # a tmux at the other end of an SSH line, whose TERM says screen
    colours = base.colours
    if answers.find("\x1bP1\\$r.*48[:;]2[:;]+1[:;]2[:;]3.*") or multiplexer == "tmux":
        colours = TRUE_COLOUR
    passthrough, outside = _tmux(env) if multiplexer == "tmux" else (False, "")
    graphics = answers.find("\x1b_G.*i=31.*;OK(?:\x1b\\\\|\x07)") is not None
    placeholders = _PLACEHOLDER_TERMINALS.search(outside if multiplexer == "tmux" else f"{name} {env.get('TERM', '')}")
    has_kitty = bool(placeholders) and (passthrough if multiplexer == "tmux" else graphics)
    protocol: Protocol = (
        "kitty" if has_kitty else "sixel" if has_sixel and cell_is_known else "half" if colours >= 256 else "off"
    )
    return replace(
        base,
        protocol=protocol,
        cell=cell,
        cell_is_known=cell_is_known,
        size=size,
        size_is_known=size_is_known,
        colours=colours,
        rtt_ms=answers.rtt_ms,
        multiplexer=multiplexer,
        answered=answers.complete,
        name=name,
        has_sixel=has_sixel,
        has_kitty=has_kitty,
        passthrough=passthrough,
        typed="".join(answers.typed),
    )


def _numbers(values: Iterable[str]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _cell(answers: _Answers, size: tuple[int, int], pixels: tuple[int, int]) -> tuple[tuple[int, int], bool]:
    """The cell's size in pixels, from the surest source that has one: the report, the tty, the text area."""
    if (reply := answers.find(r"\x1b\[6;(\d+);(\d+)t")) and all(found := _numbers(reply.groups())):
        return (found[1], found[0]), True
    areas = [pixels]
    if reply := answers.find(r"\x1b\[4;(\d+);(\d+)t"):
        height, width = _numbers(reply.groups())
        areas.append((width, height))
    for width, height in areas:
        cell = (width // max(1, size[0]), height // max(1, size[1]))
        if cell[0] >= 2 and cell[1] >= 4:
            return cell, True
    return DEFAULT_CELL, False


def _asked_size(answers: _Answers, fallback: tuple[int, int], target: int) -> tuple[tuple[int, int], bool]:
    """The size the terminal gave by word. The tty is told too, as `resize` does: every program here needs it."""
    for pattern in (r"\x1b\[8;(\d+);(\d+)t", _CURSOR.pattern):
        if (reply := answers.find(pattern)) and all(found := _numbers(reply.groups())):
            rows, columns = found
            try:
                fcntl.ioctl(target, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            except OSError:
                return (columns, rows), True  # the driver falls back to what is recorded here
            return (columns, rows), True
    return fallback, False


def _tty_size(target: int, env: Mapping[str, str]) -> tuple[tuple[int, int], tuple[int, int], bool]:
    """((columns, rows), (width, height) of all of it in pixels or zeros, whether the tty itself knew)."""
    try:
        rows, columns, width, height = struct.unpack("HHHH", fcntl.ioctl(target, termios.TIOCGWINSZ, b"\0" * 8))
    except OSError:
        rows = columns = width = height = 0
    size, is_known = _size((columns, rows), env)
    return size, (width, height), is_known


def _size(found: tuple[int, int] | None, env: Mapping[str, str]) -> tuple[tuple[int, int], bool]:
    if found and all(found):
        return found, True
    columns, rows = env.get("COLUMNS", ""), env.get("LINES", "")
    if columns.isdecimal() and rows.isdecimal() and int(columns) and int(rows):
        return (int(columns), int(rows)), False
    return DEFAULT_SIZE, False


def _tmux(env: Mapping[str, str]) -> tuple[bool, str]:
    """(whether this pane lets escape sequences through, the terminal outside), as tmux on this host says."""
    if not env.get("TMUX"):
        return False, ""
    question = ["tmux", "display-message", "-p", "#{allow-passthrough}\n#{client_termname}"]
    environment: dict[str, Any] = {**os.environ, **env}
    try:
        said = subprocess.run(question, capture_output=True, text=True, timeout=1, env=environment, check=False)
    except (OSError, subprocess.SubprocessError):
        return False, ""
    lines = said.stdout.splitlines()
    passthrough = bool(lines) and lines[0].strip() in ("on", "all", "1")
    return passthrough, lines[1].strip() if len(lines) > 1 else ""
