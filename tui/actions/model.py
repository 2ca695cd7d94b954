"""What an action is: an entry of the one registry of keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal[
    "everywhere",
    "ranking",
    "zoom",
    "bulk",
    "taste",
    "projects",
    "inventory",
    "gaps",
    "refused",
    "training",
    "duplicates",
    "variants",
    "fixes",
    "trends",
    "help",
]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can ask for.

    `call` is the Textual action (`pick`, `app.palette`); `footer` is its place in the bottom line (0: never shown,
    1 comes first and is dropped last); where room is short, those with `terse` give up their words and keep their
    keys, which speak for themselves, 1 before the others; with `numbered`, the n-th key calls `call(n)`.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    place: Place
    call: str
    footer: int = 0
    brief: str = ""
    terse: int = 0
    numbered: bool = False
    in_palette: bool = True
