"""What a run leaves behind for people and programs: `<run>.log`, `<run>.json` and `<run>_summary.json`.

Relies on structlog for the two forms of a line. They are made from the run's event log when it is over, wholly or not
at all (a temporary file, then a rename), with secrets and home folders masked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.logs.masking import masked
from engine.logs.recoveries import VANISHED

Event = Mapping[str, Any]  # {"at", "type", "data"}


def write(folder: Path, run: Mapping[str, Any], events: Sequence[Event]) -> dict[str, Any]:
    """Write the three files of a finished run and return its summary.

    `run` has id, kind, state, error, result, created_at, started_at, finished_at. Raises OSError.
    """
    from structlog.dev import ConsoleRenderer
    from structlog.processors import JSONRenderer

    for_people = ConsoleRenderer(colors=False, pad_event_to=0)
    for_programs = JSONRenderer(ensure_ascii=False, default=str)
    lines = [masked(line) for event in events for line in _lines(event)]
    about = masked(summary(run, events))
    said = "\n".join(str(for_people(None, "", dict(line))) for line in lines)
    told = ",\n".join(str(for_programs(None, "", {**line, "run": run["id"]})) for line in lines)
    _put(folder / f"{run['id']}.log", said + "\n" + _closing(about))
    _put(folder / f"{run['id']}.json", f"[\n{told}\n]\n")
    _put(folder / f"{run['id']}_summary.json", json.dumps(about, ensure_ascii=False, indent=2, default=str) + "\n")
    return dict(about)


def summary(run: Mapping[str, Any], events: Sequence[Event]) -> dict[str, Any]:
    """How a run went: files, successes, errors and recoveries by kind, times (seconds) and throughput (files a second).

    A file that vanished is refused and recovered from: it is in `errors` and in `recoveries`.
    """
    refused: Counter[str] = Counter()
    recovered: Counter[str] = Counter()
    done = 0
    for event in events:
        data = event["data"]
        if event["type"] == "refused":
            refused.update(str(one.get("code") or _kind(str(one.get("reason") or "refused"))) for one in data["files"])
            recovered.update("vanished-file" for one in data["files"] if one.get("code") == VANISHED)
        elif event["type"] == "progress":
            done = max(done, int(data.get("done") or 0))
        elif event["type"] == "recovered":
            recovered.update(str(one["recovery"]) for one in data["what"])
    seconds = _seconds(run.get("started_at"), run.get("finished_at"))
    errors = dict(refused)
    if run.get("error"):
        errors[_kind(str(run["error"]))] = errors.get(_kind(str(run["error"])), 0) + 1
    files = max(done, sum(refused.values()))
    return {
        "run": run["id"],
        "kind": run["kind"],
        "state": str(run["state"]),
        "error": run.get("error"),
        "files": files,
        "successes": files - sum(refused.values()),
        "errors": errors,
        "recoveries": dict(recovered),
        "created_at": run.get("created_at"),
        "started_at": run.get("started_at"),
        "finished_at": run.get("finished_at"),
        "seconds": seconds,
        "per_second": round(files / seconds, 3) if seconds else None,
    }


def _lines(event: Event) -> list[dict[str, Any]]:
    """An event as lines of a log: structlog's event dicts."""
    kind, data, at = event["type"], event["data"], event["at"]
    if kind == "refused":
        return [
            {"timestamp": at, "level": "warning", "event": "refused", **one}
            | ({"recovery": "vanished-file"} if one.get("code") == VANISHED else {})
            for one in data["files"]
        ]
    if kind == "recovered":
        return [{"timestamp": at, "level": "warning", "event": "recovered", **_filled(one)} for one in data["what"]]
    if kind == "metric":
        return [{"timestamp": at, "level": "debug", "event": "metric", **point} for point in data["points"]]
    if kind == "log":
        rest = {key: value for key, value in data.items() if key not in ("level", "message")}
        return [{"timestamp": at, "level": data.get("level", "info"), "event": data.get("message", ""), **rest}]
    level = "error" if data.get("error") else "info"
    return [{"timestamp": at, "level": level, "event": kind, **data}]


def _closing(about: Mapping[str, Any]) -> str:
    errors = ", ".join(f"{count} {kind}" for kind, count in about["errors"].items()) or "none"
    pace = f", {about['per_second']:,} a second" if about["per_second"] else ""
    recoveries = ", ".join(f"{count} {kind}" for kind, count in about["recoveries"].items())
    mended = f"; recovered from: {recoveries}" if recoveries else ""
    return f"{about['kind']} {about['state']}: {about['files']:,} files{pace}; errors: {errors}{mended}\n"


def _filled(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if value != ""}


def _kind(said: str) -> str:
    """The kind of an error from its words: an exception's name, or the first words."""
    head = said.partition(":")[0].strip()
    return head if head.isidentifier() else " ".join(said.split()[:4])


def _seconds(start: object, end: object) -> float | None:
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)


def _put(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.part")
    temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    temporary.replace(file)
