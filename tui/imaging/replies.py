"""Telling a terminal's answers from a person's keys, in one stream of input.

A terminal answers our questions on the same line as the keys, sometimes seconds late and sometimes torn in two.
Textual's own parser hands what it does not know to the app as key presses, digit by digit, and on the review screens
a digit is a verdict. `ReplyFilter` stands before that parser: it takes the answers out, whole or torn, and lets
everything else pass unchanged. Pure: reads no file descriptor, and is told the time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ESCAPE = "\x1b"
PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"

# Textual wants the reports of modes 2026 (synchronised output) and 2048 (in-band resize), and reads them well.
REPLY = re.compile(
    "\x1b(?:"
    r"\[\?[\d;]*[cnu]"  # primary device attributes, private status reports, keyboard flags
    r"|\[>[\d;]*c"  # secondary device attributes
    r"|\[\?(?!2026;|2048;)\d*;\d*\$y"  # mode reports
    r"|\[[03]n"  # device status
    r"|\[[468];\d+;\d+t"  # pixels of the text area, pixels of a cell, size in characters
    "|_G[^\x1b\x07]*(?:\x1b\\\\|\x07)"  # kitty graphics
    "|P[01>!][^\x1b\x07]*(?:\x1b\\\\|\x07)"  # settings, capabilities, name and version
    "|\\]\\d[^\x1b\x07]*(?:\x1b\\\\|\x07)"  # colours and the like
    ")"
)
# What could still become one of the above when more arrives. A bare ESC, ESC [, ESC P... may be a key as well.
PARTIAL = re.compile(
    "\x1b(?:"
    r"\[(?:\?[\d;]*\$?|>[\d;]*|[\d;]*)"
    "|_(?:G[^\x1b\x07]*\x1b?)?"
    "|P(?:[01>!][^\x1b\x07]*\x1b?)?"
    "|\\](?:\\d[^\x1b\x07]*\x1b?)?"
    ")?\\Z"
)
_KEY_STARTS = frozenset({"\x1b", "\x1b[", "\x1b_", "\x1bP", "\x1b]"})
_ORPHAN = re.compile(r"\[(?:\?[\d;]*(?:[cnu]|\$y)|>[\d;]*c|[03]n|[468];\d+;\d+t)")


@dataclass(slots=True)
class ReplyFilter:
    """Splits input into what a person typed and what the terminal answered. Times are seconds of one clock."""

    key_delay: float = 0.1
    """How long an ESC that may begin a sequence is held before it counts as the Escape key."""
    torn_delay: float = 2.0
    """How long the beginning of an answer is held before it is thrown away. It never becomes keys."""
    held: str = ""
    _since: float = 0.0
    _pasting: bool = False
    _tail: str = ""
    _escaped_at: float = field(default=-1e9)

    def feed(self, text: str, now: float) -> tuple[str, list[str]]:
        """Returns (what was typed, the answers in it). The end is held back while it may be the start of an answer."""
        if not self.held and now - self._escaped_at < self.torn_delay and (orphan := _ORPHAN.match(text)):
            text = text[orphan.end() :]  # the rest of an answer whose ESC came so early that it counted as a key
        data, self.held = self.held + text, ""
        typed: list[str] = []
        replies: list[str] = []
        at = 0
        while at < len(data):
            if self._pasting:
                pasted = self._tail + data[at:]
                end = pasted.find(PASTE_END)
                self._pasting = end < 0
                stop = len(data) if end < 0 else at + end + len(PASTE_END) - len(self._tail)
                self._tail = pasted[1 - len(PASTE_END) :] if self._pasting else ""
                typed.append(data[at:stop])
                at = stop
                continue
            escape = data.find(ESCAPE, at)
            if escape < 0:
                typed.append(data[at:])
                break
            typed.append(data[at:escape])
            at = escape
            if reply := REPLY.match(data, at):
                replies.append(reply.group())
                at = reply.end()
            elif PARTIAL.match(data, at):
                self.held, self._since = data[at:], now
                break
            else:
                if data.startswith(PASTE_BEGIN, at):
                    self._pasting = True
                    step = len(PASTE_BEGIN)
                else:
                    step = 1
                typed.append(data[at : at + step])
                at += step
        return "".join(typed), replies

    def expire(self, now: float) -> str:
        """What was held for too long: a key that looked like the start of an answer, or '' for a torn answer."""
        if not self.held:
            return ""
        is_key = self.held in _KEY_STARTS
        if now - self._since < (self.key_delay if is_key else self.torn_delay):
            return ""
        held, self.held = self.held, ""
        if is_key:
            self._escaped_at = now
            return held
        return ""
