"""Time as the engine writes it: UTC, ISO 8601 with Z and microseconds. Clocks are injected, so tests never wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment as an aware UTC datetime (microseconds)."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """`2026-11-20T21:50:12.123456Z`. Raises ValueError for a naive datetime: its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no zone; attach one first")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str) -> datetime:
    """An ISO 8601 text as an aware UTC datetime; a text without an offset is read as UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
