"""The kitty graphics protocol with Unicode placeholders: the picture is sent once, and shown by text that stands for
it.

Placeholder cells are ordinary text, so that clipping, overlays and tmux treat them as such. A picture stays in the
terminal until it is deleted; `KittyPictures` keeps the most recent ones there, so that coming back to a picture costs
no bytes. Source of the escapes: kitty's documentation of the graphics protocol, "Unicode placeholders". Never reads
or writes the terminal.
"""

from __future__ import annotations

import io
import os
from base64 import standard_b64encode
from collections import OrderedDict
from itertools import count

from PIL import Image

_CHUNK = 4096
_PLACEHOLDER = "\U0010eeee"
# kitty's rowcolumn-diacritics.txt, as ranges: the n-th mark stands for row, column or byte n.
_MARKS = """
305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1 5a8-5a9
5ab-5ac 5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733 735-736 73a 73d
73f-741 743 745 747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954 f82-f83 f86-f87
135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1 1dc3-1dc9 1dcb-1dcc
1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1 2de0-2dff a66f a67c-a67d
a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f 10a38 1d185-1d189 1d1aa-1d1ad
1d242-1d244
"""


def _marks() -> str:
    marks: list[str] = []
    for item in _MARKS.split():
        first, _, last = item.partition("-")
        marks += [chr(code) for code in range(int(first, 16), int(last or first, 16) + 1)]
    return "".join(marks)


MARKS = _marks()
LARGEST = len(MARKS)
"""Rows or columns a picture may have."""


def transmission(image: Image.Image, identity: int, columns: int, rows: int, *, frugal: bool, tmux: bool) -> list[str]:
    """The escapes that give the terminal an RGB picture to be shown in columns x rows cells. Frugal: 256 colours.

    The first parts carry the pixels, the last one makes the picture available to placeholders.
    """
    stream = io.BytesIO()
    sent = image.quantize(256, dither=Image.Dither.NONE, method=Image.Quantize.FASTOCTREE) if frugal else image
    sent.save(stream, "PNG", compress_level=6 if frugal else 1)
    payload = standard_b64encode(stream.getvalue()).decode("ascii")
    parts = [payload[start : start + _CHUNK] for start in range(0, len(payload), _CHUNK)]
    messages = []
    for number, part in enumerate(parts):
        more = int(number + 1 < len(parts))
        keys = f"a=t,t=d,f=100,i={identity},q=2,m={more}" if number == 0 else f"q=2,m={more}"
        messages.append(f"\x1b_G{keys};{part}\x1b\\")
    messages.append(f"\x1b_Ga=p,U=1,i={identity},c={columns},r={rows},q=2\x1b\\")
    return [through_tmux(message) for message in messages] if tmux else messages


def deletion(identity: int, *, tmux: bool) -> str:
    """The escape that removes a picture and frees its pixels."""
    message = f"\x1b_Ga=d,d=I,i={identity},q=2\x1b\\"
    return through_tmux(message) if tmux else message


def through_tmux(sequence: str) -> str:
    """Wrap an escape sequence so that tmux hands it to the terminal outside."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def row_text(identity: int, row: int, first: int, last: int) -> str:
    """Placeholders for columns first..last-1 of one row. Only the first is numbered; the terminal counts on."""
    red, green, blue = identity >> 16 & 255, identity >> 8 & 255, identity & 255
    start = _PLACEHOLDER + MARKS[row] + MARKS[first] + MARKS[identity >> 24 & 255]
    return f"\x1b[38;2;{red};{green};{blue}m{start}{_PLACEHOLDER * (last - first - 1)}\x1b[39m"


def pad(image: Image.Image, size: tuple[int, int], background: tuple[int, int, int]) -> Image.Image:
    """Centre a picture on a background of whole cells, so that its aspect survives the terminal's scaling."""
    if image.size == size:
        return image
    canvas = Image.new("RGB", size, background)
    canvas.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return canvas


class KittyPictures:
    """Which pictures the terminal holds. Numbers are unlikely to meet those of another program in the same terminal."""

    def __init__(self, capacity: int = 48) -> None:
        self.capacity = capacity
        self._held: OrderedDict[int, None] = OrderedDict()
        self._numbers = count(int.from_bytes(os.urandom(3)) << 8 | 1)

    def next_identity(self) -> int:
        """A fresh 32-bit picture number, never 0."""
        return next(self._numbers) & 0xFFFFFFFF or next(self._numbers)

    def holds(self, identity: int) -> bool:
        """Whether the terminal has this picture; asking counts as use."""
        if identity not in self._held:
            return False
        self._held.move_to_end(identity)
        return True

    def add(self, identity: int) -> list[int]:
        """Note that a picture was sent in full. Returns the numbers of those to delete, longest unused first."""
        self._held[identity] = None
        self._held.move_to_end(identity)
        surplus = max(0, len(self._held) - self.capacity)
        return [self._held.popitem(last=False)[0] for _ in range(surplus)]

    def clear(self) -> list[int]:
        """Forget everything; returns the numbers to delete."""
        held = list(self._held)
        self._held.clear()
        return held
