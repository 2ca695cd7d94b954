"""Error logs as other programs write them: coloured, dated, in containers, in the forms of common collectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.logs.errors import of_exception
from engine.repair import ingest
from engine.repair.grouping import key
from engine.repair.ingest import read_lines, read_log
from engine.repair.jsonlines import record_of
from engine.repair.patterns.source.edit import Module
from engine.repair.record import ErrorRecord, Skipped

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/rows.py", line 3, in first
    return row["tags"]
           ~~~^^^^^^^^
KeyError: 'tags'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/app/rows.py", line 9, in load
    raise ValueError(message)
ValueError: row 12
of a.csv
"""


def errors_in(text: str) -> list[ErrorRecord]:
    found = list(read_lines(text.splitlines(keepends=True), "a.log"))
    assert not [one for one in found if isinstance(one, Skipped)], found
    return [one for one in found if isinstance(one, ErrorRecord)]


def check(one: ErrorRecord, message: str = "row 12\nof a.csv") -> None:
    assert (one.type, one.message) == ("ValueError", message)
    assert [(frame.line, frame.function) for frame in one.frames] == [(9, "load")]
    assert one.context["causes"] == ["KeyError: 'tags'"]


def lined(prefix: str, suffix: str = "") -> str:
    return "".join(f"{prefix}{line}{suffix}\n" for line in TRACEBACK.splitlines())


@pytest.mark.parametrize(
    "text",
    [lined("\x1b[31m", "\x1b[0m"), lined("web_1  | "), lined("2026-11-20T10:00:00Z web-1 | "), lined("", "\r")],
    ids=["coloured", "compose", "dated", "carriage returns"],
)
def test_what_others_put_around_each_line_is_left_out(text: str) -> None:
    (one,) = errors_in(text)
    check(one)


def test_lines_of_other_writers_may_come_between_a_frame_its_code_and_its_cause() -> None:
    noise = "2026-11-20 10:00:0{} INFO worker-2 still alive\n"
    text = "".join(line + "\n" + noise.format(n % 10) for n, line in enumerate(TRACEBACK.splitlines()))
    (one,) = errors_in(text)
    check(one, "row 12")
    assert one.frames[0].code.startswith("raise ValueError")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2026-11-20 10:00:00,123 ERROR app: failed", "2026-11-20T09:00:00.123000Z"),
        ("[2026-11-20T10:00:00+02:00] failed", "2026-11-20T08:00:00.000000Z"),
        ("ERROR 2026-11-20 10:00 failed", "2026-11-20T09:00:00.000000Z"),
        ("failed", None),
        ("2026-99-20 10:00:00 failed", None),
    ],
)
def test_the_line_above_tells_when_it_was(line: str, told: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Etc/GMT-1")
    time.tzset()
    try:
        (one,) = errors_in(f"{line}\n{TRACEBACK}")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert one.timestamp == told


def test_dates_in_messages_and_in_source_tell_no_time() -> None:
    one = (
        "Traceback (most recent call last):\n"
        '  File "/srv/app/rows.py", line 3, in first\n'
        "    when = datetime.strptime('2018-01-01 10:00', form)\n"
        "ValueError: time data '2019-01-01 10:00' does not match format\n"
    )
    assert [found.timestamp for found in errors_in(one * 3)] == [None] * 3


def test_only_the_line_directly_above_tells_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\n    f()\nKeyError: 1\n'
    banner = "2026-11-01T08:00:00Z INFO started\n"
    said = "2026-11-20T10:00:00.123456789Z ERROR failed\n"
    found = errors_in(f"{banner}listening\n{plain}{plain}{said}{plain}INFO idle\n{plain}{said}{TRACEBACK}")
    told = "2026-11-20T10:00:00.123456Z"
    assert [one.timestamp for one in found] == [None, None, told, None, told]
    monkeypatch.setattr(ingest, "PORTION", 2)  # a portion ends between the log line and its traceback
    found = errors_in(f"listening\n{said}{plain}")
    assert [one.timestamp for one in found] == [told]


def test_every_leaf_of_a_group_has_the_groups_time() -> None:
    text = (
        "2026-11-20T10:00:00Z ERROR failed\n"
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/srv/a.py", line 2, in f\n'
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/srv/a.py", line 9, in g\n'
        "    | KeyError: 1\n"
        "    +---------------- 2 ----------------\n"
        "    | ValueError: inside\n"
        "    +------------------------------------\n"
    )
    assert [(one.type, one.timestamp) for one in errors_in(text)] == [
        ("KeyError", "2026-11-20T10:00:00.000000Z"),
        ("ValueError", "2026-11-20T10:00:00.000000Z"),
    ]


def test_groups_that_follow_one_another_at_once_are_two() -> None:
    group = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/srv/a.py", line 2, in f\n'
        "  |     raise ExceptionGroup({0!r}, errors)\n"
        "  | ExceptionGroup: {0} (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: {0} inside\n"
        "    +------------------------------------\n"
    )
    one, other = errors_in(group.format("first") + group.format("second"))
    assert [one.context["group"], other.context["group"]] == [
        "ExceptionGroup: first (1 sub-exception)",
        "ExceptionGroup: second (1 sub-exception)",
    ]
    assert (one.message, other.message) == ("first inside", "second inside")


def test_pytests_one_line_a_failure_is_read_and_other_such_lines_are_not() -> None:
    text = "a.py:1: KeyError: no failure\n===== FAILURES =====\n/srv/rows.py:4: KeyError: 'tags'\n"
    text += "test_rows.py:3: AssertionError: not so\n===== short test summary info =====\nb.py:2: KeyError: neither\n"
    found = errors_in(text)
    assert [(one.type, one.message, one.frames[0].line) for one in found] == [
        ("KeyError", "'tags'", 4),
        ("AssertionError", "not so", 3),
    ]


AT = "2026-11-20T10:00:00Z"
EXCEPTION = {"exception.type": "ValueError", "exception.message": "row 12", "exception.stacktrace": TRACEBACK}


@pytest.mark.parametrize(
    "line",
    [
        {"severity": "ERROR", "time": AT, "message": f"failed\n{TRACEBACK}"},
        {"severity": "ERROR", "timestamp": AT, "textPayload": TRACEBACK},
        {"severity": "ERROR", "timestamp": AT, "jsonPayload": {"message": TRACEBACK}},
        {"severity_text": "ERROR", "timestamp": AT, "body": "failed", "attributes": EXCEPTION},
        {"@timestamp": AT, "log": {"level": "error"}, "error.type": "ValueError", "error.stack_trace": TRACEBACK},
        {"@timestamp": AT, "log.level": "error", "error": {"type": "ValueError", "stack_trace": TRACEBACK}},
    ],
    ids=["message", "text payload", "json payload", "open telemetry", "ecs dotted", "ecs"],
)
def test_collectors_forms(line: dict[str, Any]) -> None:
    (one,) = errors_in(json.dumps(line) + "\n")
    check(one)
    assert (one.timestamp, one.level) == (AT, "error")


def test_dict_tracebacks_tell_their_causes() -> None:
    frames = [{"filename": "/srv/app/rows.py", "lineno": 9, "name": "load", "line": ""}]
    stacks = [
        {"exc_type": "ValueError", "exc_value": "row 12\nof a.csv", "frames": frames},
        {"exc_type": "KeyError", "exc_value": "'tags'", "frames": []},
    ]
    (one,) = errors_in(json.dumps({"level": "error", "event": "failed", "exception": stacks}) + "\n")
    check(one)


def test_a_containers_log_is_read_by_what_was_printed() -> None:
    lines = TRACEBACK.splitlines(keepends=True)
    text = "".join(json.dumps({"log": line, "stream": "stderr", "time": AT}) + "\n" for line in lines)
    (one,) = errors_in(text)
    check(one)
    assert (one.line, one.timestamp) == (9, "2026-11-20T10:00:00.000000Z")
    inner = json.dumps({"level": "error", "exc_info": TRACEBACK})
    (one,) = errors_in(json.dumps({"log": inner + "\n", "stream": "stderr", "time": AT}) + "\n")
    check(one)
    assert one.timestamp == "2026-11-20T10:00:00.000000Z"


def test_a_loggers_own_line_that_begins_with_log_is_no_containers() -> None:
    line = {"log": "failed", "exc_info": TRACEBACK, "level": "error", "time": AT}
    (one,) = errors_in(json.dumps(line, separators=(",", ":")) + "\n")
    check(one)
    assert one.timestamp == AT


def test_a_list_of_records_is_read_in_one_line_or_one_a_line() -> None:
    record = {"level": "error", "exc_info": TRACEBACK}
    (one,) = errors_in(json.dumps([record]) + "\n")
    check(one)
    found = errors_in(f"[\n{json.dumps(record)},\n{json.dumps(record)}\n]\n")
    assert [one.line for one in found] == [2, 3]
    text = json.dumps(record)
    found = errors_in(f"[{text},\n{text},\n{text}]\n")
    assert [one.line for one in found] == [1, 2, 3]


def test_lists_that_python_printed_are_text() -> None:
    (one,) = errors_in(f"[{{'tags': 1}}]\n[{{1, 2}}, None]\n{TRACEBACK}")
    check(one)
    assert one.line == 11


def test_a_log_in_utf_16_is_refused_with_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text(TRACEBACK, encoding="utf-16")
    with pytest.raises(UsageError, match="UTF-16") as caught:
        list(read_log(file))
    assert "iconv -f utf-16 -t utf-8 a.log" in (caught.value.remedy or "")


def test_what_a_traceback_underlines_is_kept_by_columns_of_the_code() -> None:
    (one,) = errors_in(TRACEBACK.partition("\n\n")[0] + "\n")
    assert [frame.columns for frame in one.frames] == [(7, 18)]
    assert one.document()["frames"][0]["columns"] == [7, 18]
    again = record_of(json.loads(json.dumps(one.document())))
    assert again.frames == one.frames


def test_frames_without_marks_read_as_before_and_marks_move_no_group() -> None:
    (marked,) = errors_in(TRACEBACK.partition("\n\n")[0] + "\n")
    (plain,) = errors_in("".join(line + "\n" for line in TRACEBACK.splitlines()[:5] if "^" not in line))
    assert plain.frames[0].columns is None
    assert "columns" not in plain.document()["frames"][0]
    assert key(plain).fingerprint == key(marked).fingerprint


@pytest.mark.parametrize("columns", [None, "0-4", [3], [4, 4], [-1, 2], [1.5, 2], [True, 2], {"a": 1}])
def test_columns_that_make_no_sense_are_passed_over(columns: object) -> None:
    frame = {"file": "a.py", "line": 1, "function": "f", "code": "x / y", "columns": columns}
    (one,) = errors_in(json.dumps({"type": "ZeroDivisionError", "message": "", "frames": [frame]}) + "\n")
    assert one.frames[0].columns is None


def test_of_code_over_several_lines_the_marks_of_the_first_are_kept() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\n    return total(\n           ~~~~~^\n'
        "        rows[0],\n        ^^^^^^^^\n    )\n    ^\nTypeError: bad\n"
    )
    (one,) = errors_in(text)
    assert (one.frames[0].code, one.frames[0].columns) == ("return total(", (7, 13))


def test_wide_characters_whose_marks_differ_by_version_are_not_guessed_at() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\n    return "\u6f22" + a / b\n'
        "                 ~~^~~\nZeroDivisionError: division by zero\n"
    )
    (one,) = errors_in(text)
    assert one.frames[0].columns is None


def test_our_own_records_tell_what_failed_of_a_line(tmp_path: Path) -> None:
    place = tmp_path / "halves.py"
    place.write_text("def half(\u00e9, b):\n    return \u00e9 + 1, \u00e9 / b  # both\n", encoding="utf-8")
    space: dict[str, Any] = {}
    exec(compile(place.read_text("utf-8"), str(place), "exec"), space)
    with pytest.raises(ZeroDivisionError) as caught:
        space["half"](1, 0)
    document = of_exception(caught.value, operation="try").frames[-1]
    start, end = document["columns"]
    assert document["code"][start:end] == "\u00e9 / b"


@pytest.mark.parametrize("sign", ["\x0c", "\u2028", "\x0b", "\x1c", "\x85"])
def test_lines_are_counted_as_a_file_counts_them_whatever_a_message_holds(sign: str) -> None:
    told = TRACEBACK.replace("row 12", f"row{sign}12")
    broken_off = ["Traceback (most recent call last):", '  File "a.py", line 3']
    lines = [f"page one{sign}page two", *told.split("\n"), *broken_off]
    one, broken = read_lines(lines, "run.log")
    assert isinstance(one, ErrorRecord)
    assert (one.line, one.message) == (lines.index("    raise ValueError(message)") - 1, f"row{sign}12\nof a.csv")
    assert isinstance(broken, Skipped)
    assert broken.line == len(lines) - 1


def test_what_a_progress_bar_wrote_before_it_hides_no_traceback() -> None:
    text = f" 10%|#    |\r 20%|##   |\r{TRACEBACK}\n 30%|###  |\r\n{TRACEBACK}"
    found = [one for one in read_lines(text.split("\n"), "run.log") if isinstance(one, ErrorRecord)]
    assert [one.message for one in found] == ["row 12\nof a.csv"] * 2
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line == "    raise ValueError(message)"]
    assert [one.line for one in found] == [number - 2 for number in lines]


def test_a_form_feed_or_a_line_separator_in_a_source_moves_no_line() -> None:
    source = "import os\n\x0c\ndef f(path):\n    # a\u2028b\n    return open(path)\n"
    assert Module("app.py", source.encode()).line_of("return open(path)", 1) == 5
