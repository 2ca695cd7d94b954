"""What a run is told of files that it passed over: gone, or there and out of reach."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from engine.runs.context import RunContext


class _Told:
    """An event log that keeps what it is given."""

    def __init__(self) -> None:
        self.refused: list[dict[str, str]] = []

    def append(self, _kind: str, data: dict[str, Any]) -> None:
        self.refused += data["files"]


def refused(path: Path | str, code: str = "") -> str:
    """The code under which the run notes this path."""
    told = _Told()
    run = RunContext("r", {}, told)  # type: ignore[arg-type]
    run.refuse(path, "it cannot be read", code)
    run.flush()
    return told.refused[0].get("code", "")


def test_a_file_that_is_gone_is_told_as_vanished(tmp_path: Path) -> None:
    assert refused(tmp_path / "a.jpg") == "vanished"
    (tmp_path / "a.jpg").touch()
    assert refused(tmp_path / "a.jpg") == ""
    assert refused(tmp_path / "b.jpg", "truncated") == "truncated"
    assert refused("captions.csv, row 3") == ""


@pytest.mark.parametrize("number", [errno.EACCES, errno.ELOOP, errno.EIO])
def test_what_cannot_be_looked_up_has_not_vanished(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: object) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "lstat", fail)
    assert refused(tmp_path / "a.jpg") == ""


def test_a_name_that_no_file_can_have_has_not_vanished(tmp_path: Path) -> None:
    assert refused(tmp_path / ("a" * 5000)) == ""
    assert refused(f"{tmp_path}/a\0b") == ""
