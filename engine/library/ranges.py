"""What may stand after a field that counts or dates: `>0.6`, `2024-05..2024-07`, `10mb..`, `1/250`. Pure functions.

Relies on nothing of the store. Every reader raises ValueError with the words for the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T", float, str)


@dataclass(frozen=True, slots=True)
class Range(Generic[T]):
    """From `low` to `high`, None where it is open; `low_open` leaves `low` itself out, `high_open` likewise."""

    low: T | None = None
    high: T | None = None
    low_open: bool = False
    high_open: bool = False


_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "tb": 10**12}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\Z")
_AMOUNT = re.compile(r"(\d+\.?\d*|\.\d+)\s*([a-z]*)\Z")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?\Z")


def number_range(text: str, unit: str = "") -> Range[float]:
    """A number, a comparison or a range of numbers, with or without `unit` behind each (`50mm`)."""
    return _range(text, lambda each: _number(each, unit))


def size_range(text: str) -> Range[float]:
    """Sizes in bytes: `500kb`, `10mb..`, `>1.5gb`; a thousand bytes are one kb."""
    return _range(text, _size)


def seconds_range(text: str) -> Range[float]:
    """Exposure times in seconds: `1/250`, `0.5`, `2s`, `1/60..1/8`."""
    return _range(text, _seconds)


def aperture_range(text: str) -> Range[float]:
    """Apertures: `2.8`, `f/2.8`, `..4`."""
    return _range(text, lambda each: _number(each.removeprefix("f/").removeprefix("f"), ""))


def date_range(text: str) -> Range[str]:
    """A year, month or day, a comparison or a range of them, as the texts between which ISO 8601 times lie.

    The low end is part of it, the high end is not: `2024-05..2024-07` is "2024-05-01" up to "2024-08-01".
    """
    if ".." in text:
        first, _, last = text.partition("..")
        low = _dates(first)[0] if first else None
        high = _dates(last)[1] if last else None
        if low is None and high is None:
            raise ValueError("a range needs a beginning or an end")
        if low is not None and high is not None and high <= low:
            raise ValueError(f"the range ends ({last}) before it begins ({first})")
        return Range(low, high, high_open=True)
    for sign in (">=", "<=", ">", "<", "="):
        if text.startswith(sign):
            begins, ends = _dates(text[len(sign) :])
            return {
                ">=": Range(begins, None),
                ">": Range(ends, None),
                "<": Range(None, begins, high_open=True),
                "<=": Range(None, ends, high_open=True),
                "=": Range(begins, ends, high_open=True),
            }[sign]
    begins, ends = _dates(text)
    return Range(begins, ends, high_open=True)


def _range(text: str, read: Callable[[str], float]) -> Range[float]:
    text = text.strip().lower()
    if ".." in text:
        first, _, last = text.partition("..")
        low, high = (read(first) if first else None), (read(last) if last else None)
        if low is None and high is None:
            raise ValueError("a range needs a beginning or an end")
        if low is not None and high is not None and high < low:
            raise ValueError(f"the range ends ({last}) below where it begins ({first})")
        return Range(low, high)
    for sign in (">=", "<=", ">", "<", "="):
        if text.startswith(sign):
            value = read(text[len(sign) :])
            return {
                ">=": Range(value, None),
                ">": Range(value, None, low_open=True),
                "<": Range(None, value, high_open=True),
                "<=": Range(None, value),
                "=": Range(value, value),
            }[sign]
    value = read(text)
    return Range(value, value)


def _number(text: str, unit: str) -> float:
    bare = text.strip().removesuffix(unit).strip() if unit else text.strip()
    if not _NUMBER.match(bare):
        raise ValueError(f"'{text}' is not a number")
    return float(bare)


def _size(text: str) -> float:
    found = _AMOUNT.match(text.strip())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"'{text}' is not a size such as 500kb, 10mb or 1.5gb")
    return float(found[1]) * _UNITS[found[2]]


def _seconds(text: str) -> float:
    bare = text.strip().removesuffix("s").strip()
    above, slash, below = bare.partition("/")
    try:
        if slash and (not above.isdecimal() or not below.isdecimal()):
            raise ValueError
        value = float(Fraction(int(above), int(below))) if slash else _number(bare, "")
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(f"'{text}' is not an exposure time such as 1/250 or 0.5") from error
    return value


def _dates(text: str) -> tuple[str, str]:
    """The first day of what is meant, and the first day after it."""
    found = _DATE.match(text.strip())
    try:
        if found is None:
            raise ValueError
        year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
        begins = date(year, month, day)
        if found[3]:
            ends = begins + timedelta(days=1)
        elif found[2]:
            ends = date(year + month // 12, month % 12 + 1, 1)
        else:
            ends = date(year + 1, 1, 1)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"'{text}' is not a date such as 2024, 2024-05 or 2024-05-31") from error
    return begins.isoformat(), ends.isoformat()
