"""Which files a decoder is asked for, for tests that say how few."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.library.workers import Decoders, Wanted


def decodes_counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that a decoder is asked to read from now on."""
    opened: list[str] = []
    ask = Decoders.ask

    def spy(self: Decoders[int], key: int, path: str, wanted: Wanted = "study") -> None:
        opened.append(Path(path).name)
        ask(self, key, path, wanted)

    monkeypatch.setattr(Decoders, "ask", spy)
    return opened
