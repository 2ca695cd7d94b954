"""Project manifests, `<id>.project.json`: read as they are, never written; one that says too little is refused.

Relies on JSON. A manifest names a project (`projectId`), may give it a title, and may say from when to when it was
worked on (`startedAt`, `finishedAt`: a date, or a time in ISO 8601; without an offset it is read as UTC).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.library.source import UnreadableImage, open_source

SUFFIX = ".project.json"
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """One project's manifest. `begins_ns` and `ends_ns` bound its dates (ns since 1970, end exclusive), None: open."""

    project: str
    title: str | None
    started_at: str | None
    finished_at: str | None
    counts: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    begins_ns: int | None = None
    ends_ns: int | None = None

    def holds(self, mtime_ns: int) -> bool:
        """Whether a modification time lies within the project's dates. A project that never started holds nothing."""
        if self.begins_ns is None or mtime_ns < self.begins_ns:
            return False
        return self.ends_ns is None or mtime_ns < self.ends_ns


class BadManifest(Exception):
    """A manifest that does not say what it must; the message is the reason, for a person."""


def read_manifest(path: str | Path) -> Manifest:
    """The manifest in a file. Raises BadManifest with the reason."""
    try:
        file, state = open_source(path)
        with file:
            if state.st_size > _LARGEST:
                raise BadManifest(f"the manifest is {state.st_size:,} bytes long, which no manifest is")
            return parse_manifest(file.read(), Path(path))
    except UnreadableImage as error:
        raise BadManifest(error.reason) from error
    except OSError as error:
        raise BadManifest(f"the system cannot read this: {error.strerror or error}") from error


def parse_manifest(content: bytes, path: Path | None = None) -> Manifest:
    """The manifest that `content` (UTF-8 JSON) is. Raises BadManifest with the reason."""
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadManifest(f"the manifest is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise BadManifest(f"the manifest is not JSON: {error.msg} in line {error.lineno}") from error
    except RecursionError as error:
        raise BadManifest("the manifest is not JSON: it is nested without end") from error
    if not isinstance(told, dict):
        raise BadManifest("the manifest is not a JSON object")
    project = told.get("projectId")
    if not isinstance(project, str) or not project.strip():
        raise BadManifest("the manifest has no projectId")
    if "/" in project or "\\" in project or not project.isprintable():
        raise BadManifest(f"the projectId {project!r} cannot be a folder's name")
    started, finished = _date(told, "startedAt"), _date(told, "finishedAt")
    begins = None if started is None else started[0]
    ends = None if finished is None else finished[1]
    if begins is not None and ends is not None and ends <= begins:
        raise BadManifest(f"the project finishes ({told['finishedAt']}) before it starts ({told['startedAt']})")
    title, counts = told.get("title"), told.get("counts")
    return Manifest(
        project=project.strip(),
        title=title if isinstance(title, str) else None,
        started_at=told.get("startedAt"),
        finished_at=told.get("finishedAt"),
        counts=counts if isinstance(counts, dict) else {},
        path=path,
        begins_ns=begins,
        ends_ns=ends,
    )


def _date(told: Mapping[str, Any], key: str) -> tuple[int, int] | None:
    """First and last nanosecond (exclusive) that a date or time means; None where it is absent."""
    text = told.get(key)
    if text is None or text == "":
        return None
    try:
        if not isinstance(text, str):
            raise ValueError
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadManifest(f"{key} is {text!r}, not a date like 2025-07-08 or 2025-07-08T06:07:11Z") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    first = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    is_whole_day = len(text.strip()) <= len("2025-07-08")
    return first, first + (86_400_000_000_000 if is_whole_day else 1_000)
