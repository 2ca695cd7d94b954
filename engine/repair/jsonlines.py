"""Errors from JSON lines: our own `errors.jsonl`, and the forms that common loggers write.

Known: this program's records, structlog (text or dict tracebacks), python-json-logger and similar (`exc_info`,
`exception`, `traceback`, `stack_trace`), loguru's `serialize`, and Sentry events. A line that is no JSON, or an error
line that names no exception, is refused with its number and the reason; lines of lower levels are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.repair import tracebacks
from engine.repair.record import ErrorRecord, Frame, Skipped

TEXT_KEYS = (
    *("exc_info", "exception", "traceback", "exc_text", "stack_trace", "stacktrace", "stack", "error_stack"),
    *("exception.stacktrace", "error.stack_trace"),
)
HOLDERS = ("error", "err", "exc", "attributes", "jsonPayload")  # objects within a line that may tell of the exception
TYPE_KEYS = (
    *("exc_type", "exception_type", "error_type", "exception.type", "error.type"),
    *("type", "kind", "class"),
)
SAID_KEYS = (
    *("exception.message", "error.message", "message", "msg", "event", "error_message", "detail"),
    *("textPayload", "body"),
)
TIME_KEYS = ("timestamp", "time", "asctime", "@timestamp", "ts", "created_at")
LEVEL_KEYS = ("level", "levelname", "severity", "log_level", "log.level", "severity_text")
BAD_LEVELS = ("error", "critical", "fatal", "exception", "err", "alert", "emergency")
MOST_LINE = 4_000_000  # characters


def read_line(text: str, source: str, number: int) -> Iterator[ErrorRecord | Skipped]:
    """The errors of one line (1-based `number`); none where the line tells of no error."""
    if len(text) > MOST_LINE:
        yield Skipped(source, number, f"the line has {len(text):,} characters; the most is {MOST_LINE:,}")
        return
    try:
        data = _decoded(text)
    except (ValueError, RecursionError) as error:
        yield Skipped(source, number, f"no JSON: {error}")
        return
    for one in data if isinstance(data, list) else [data]:
        yield from _object(one, source, number)


def is_list(text: str) -> bool:
    """Whether a line that begins as a list is one in JSON, or a part of one. A line too long to be read counts as one,
    so that it is refused by name."""
    if len(text) > MOST_LINE:
        return True
    try:
        _decoded(text)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(text: str) -> Any:
    """What a line holds, also one of a list that has its entries on several lines: `[{..},`, `{..},` or `{..}]`."""
    try:
        return json.loads(text)
    except ValueError:
        inner = text.strip().removesuffix(",").removeprefix("[").removesuffix("]")
        if inner == text:
            raise
        try:
            return json.loads(f"[{inner}]")
        except ValueError:
            pass
        raise  # what is wrong with the line as it stands


def _object(data: Any, source: str, number: int) -> Iterator[ErrorRecord | Skipped]:
    if not isinstance(data, dict):
        yield Skipped(source, number, "a JSON object was expected")
        return
    if _is_own(data):
        yield record_of(data, source, number)
        return
    found = [replace(one, source=source, line=number) for one in _read(data)]
    if found:
        yield from found
    elif str(_first(data, LEVEL_KEYS) or "").lower() in BAD_LEVELS:
        yield Skipped(source, number, "an error without the exception's name")


def _is_own(data: Mapping[str, Any]) -> bool:
    """Whether a line is one of our own records."""
    return isinstance(data.get("type"), str) and isinstance(data.get("frames"), list)


def _read(data: Mapping[str, Any]) -> Iterator[ErrorRecord]:
    record = data.get("record")
    if isinstance(record, dict):  # loguru
        yield from _loguru(data, record)
        return
    exception = data.get("exception")
    if isinstance(exception, dict) and isinstance(exception.get("values"), list):  # Sentry
        yield from _sentry(data, exception["values"])
        return
    if isinstance(exception, list):  # structlog's dict tracebacks
        yield from _structlog(data, exception)
        return
    holders = [data, *(data[key] for key in HOLDERS if isinstance(data.get(key), dict))]
    for holder in holders:
        for key in TEXT_KEYS:
            text = holder.get(key)
            if isinstance(text, list) and all(isinstance(part, str) for part in text):
                text = "".join(part if part.endswith("\n") else part + "\n" for part in text)
            if not isinstance(text, str):
                continue
            found = [one for one in tracebacks.read(text) if isinstance(one, ErrorRecord)]
            if found:
                yield from (_with_outside(one, data) for one in found)
                return
    for holder in holders:
        name = _first(holder, TYPE_KEYS)
        message = _first(holder, SAID_KEYS)
        if isinstance(name, str) and tracebacks.is_exception_name(name):
            yield _with_outside(ErrorRecord(name, str(message or "")), data)
            return
    for holder in holders:
        message = _first(holder, SAID_KEYS)
        if isinstance(message, str) and "Traceback (most recent call last)" in message:
            found = [one for one in tracebacks.read(message) if isinstance(one, ErrorRecord)]
            yield from (_with_outside(one, data) for one in found)


def record_of(data: Mapping[str, Any], source: str | None = None, line: int | None = None) -> ErrorRecord:
    """A record from its own JSON form, with its `source` and `line` where they are not given."""
    if source is None:
        source = str(data.get("source") or "")
    if line is None:
        line = data["line"] if isinstance(data.get("line"), int) else 0
    context = data.get("context")
    versions = data.get("versions")
    return ErrorRecord(
        str(data["type"]),
        str(data.get("message") or ""),
        tuple(_frame(frame) for frame in data["frames"] if isinstance(frame, dict)),
        timestamp=_text(data.get("timestamp")),
        run=_text(data.get("run")),
        level=str(data.get("level") or "error"),
        context=context if isinstance(context, dict) else {},
        python=_text(data.get("python")),
        versions=versions if isinstance(versions, dict) else {},
        source=source,
        line=line,
    )


def _loguru(data: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[ErrorRecord]:
    exception = record.get("exception")
    if not isinstance(exception, dict):
        return
    time = record.get("time")
    outside = {"timestamp": time.get("repr") if isinstance(time, dict) else None, "level": "error"}
    found = [one for one in tracebacks.read(str(data.get("text") or "")) if isinstance(one, ErrorRecord)]
    if not found:
        found = [ErrorRecord(str(exception.get("type") or "Exception"), str(exception.get("value") or ""))]
    yield from (_with_outside(one, outside) for one in found)


def _sentry(data: Mapping[str, Any], values: Sequence[Any]) -> Iterator[ErrorRecord]:
    values = [value for value in values if isinstance(value, dict) and isinstance(value.get("type"), str)]
    if not values:
        return
    last = values[-1]
    stack = last.get("stacktrace")
    frames = stack.get("frames") if isinstance(stack, dict) else None
    made = ErrorRecord(last["type"], str(last.get("value") or ""), _frames(frames))
    causes = [f"{value['type']}: {value.get('value') or ''}" for value in values[:-1]]
    yield _with_outside(replace(made, context={"causes": causes} if causes else {}), data)


def _structlog(data: Mapping[str, Any], stacks: Sequence[Any]) -> Iterator[ErrorRecord]:
    stacks = [stack for stack in stacks if isinstance(stack, dict) and isinstance(stack.get("exc_type"), str)]
    for stack in stacks[:1]:  # the first is the one that was raised last
        made = ErrorRecord(stack["exc_type"], str(stack.get("exc_value") or ""), _frames(stack.get("frames")))
        causes = [f"{one['exc_type']}: {one.get('exc_value') or ''}" for one in reversed(stacks[1:])]
        yield _with_outside(replace(made, context={"causes": causes} if causes else {}), data)


def _frames(frames: object) -> tuple[Frame, ...]:
    if not isinstance(frames, list):
        return ()
    return tuple(_frame(frame) for frame in frames if isinstance(frame, dict))


def _frame(frame: Mapping[str, Any]) -> Frame:
    file, number, function, code = frame.get("file"), frame.get("line"), frame.get("function"), frame.get("code")
    if type(file) is str and type(number) is int and type(function) is str and type(code) is str:
        columns = _columns(frame["columns"]) if "columns" in frame else None
        return Frame(file, number, function, code.strip(), columns)  # our own form, as most of a large log is
    line = _first(frame, ("lineno", "line_number", "line"))
    code = _first(frame, ("code", "context_line", "source"))
    if code is None and isinstance(frame.get("line"), str):
        code = frame["line"]  # structlog calls the code `line` and the number `lineno`
    return Frame(
        str(_first(frame, ("file", "filename", "abs_path", "path")) or ""),
        int(line) if isinstance(line, int) or (isinstance(line, str) and line.isdigit()) else 0,
        str(_first(frame, ("function", "name", "func")) or ""),
        str(code or "").strip(),
    )


def _columns(told: object) -> tuple[int, int] | None:
    """What a frame of ours says is underlined; None where it makes no sense."""
    if isinstance(told, list) and len(told) == 2 and all(type(one) is int for one in told) and 0 <= told[0] < told[1]:
        return told[0], told[1]
    return None


def _with_outside(one: ErrorRecord, data: Mapping[str, Any]) -> ErrorRecord:
    """Time, level and run as the line around the traceback tells them."""
    return replace(
        one,
        timestamp=one.timestamp or _text(_first(data, TIME_KEYS)),
        level=str(_first(data, LEVEL_KEYS) or one.level).lower(),
        run=one.run or _text(_first(data, ("run", "run_id", "session", "trace_id"))),
    )


def _first(data: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((data[key] for key in keys if data.get(key) is not None), None)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
