"""Tracebacks, JSON lines and grouping, on what Python and pytest really print."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sklearn.metrics import adjusted_rand_score

from engine.errors import UsageError
from engine.repair import tracebacks
from engine.repair.grouping import key, own_frame
from engine.repair.groups import Tallies, moment
from engine.repair.ingest import read_lines, read_log
from engine.repair.record import ErrorRecord, Frame, Skipped
from engine.repair.slots import template
from tests.engine.repair.generated import records
from tests.engine.repair.labelled import labelled, pairwise_f1


def printed(code: str, folder: Path) -> str:
    """What a program that fails prints to stderr."""
    file = folder / "program.py"
    file.write_text(textwrap.dedent(code))
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, cwd=folder)
    assert done.returncode != 0
    return done.stderr


def errors_in(text: str) -> list[ErrorRecord]:
    found = list(tracebacks.read(text))
    assert not [one for one in found if isinstance(one, Skipped)]
    return [one for one in found if isinstance(one, ErrorRecord)]


def test_a_plain_traceback_has_its_frames_and_code(tmp_path: Path) -> None:
    (one,) = errors_in(printed("def ratio(a, b):\n    return a / b\n\nratio(1, 0)\n", tmp_path))
    assert (one.type, one.message) == ("ZeroDivisionError", "division by zero")
    assert [(frame.line, frame.function, frame.code) for frame in one.frames] == [
        (4, "<module>", "ratio(1, 0)"),
        (2, "ratio", "return a / b"),
    ]


def test_a_chain_is_one_error_with_its_causes(tmp_path: Path) -> None:
    code = "try:\n    {}['tags']\nexcept KeyError as error:\n    raise ValueError('first\\nsecond') from error\n"
    (one,) = errors_in(printed(code, tmp_path))
    assert (one.type, one.message) == ("ValueError", "first\nsecond")
    assert one.context["causes"] == ["KeyError: 'tags'"]


def test_the_leaves_of_a_group_are_errors_of_their_own(tmp_path: Path) -> None:
    code = """
    def fail():
        raise TypeError('deep')
    def work():
        try:
            fail()
        except TypeError as error:
            raise ExceptionGroup('many', [ValueError('a'), ExceptionGroup('inner', [error])])
    work()
    """
    found = errors_in(printed(code, tmp_path))
    assert [(one.type, one.message) for one in found] == [
        ("TypeError", "deep"),
        ("ValueError", "a"),
        ("TypeError", "deep"),
    ]
    assert all("many" in one.context["group"] for one in found[1:])
    assert found[2].frames[-1].code == "raise TypeError('deep')"


def test_recursion_and_syntax_errors_are_read(tmp_path: Path) -> None:
    (one,) = errors_in(printed("def f(n):\n    return f(n - 1) if n else 1 / 0\nf(30)\n", tmp_path))
    assert one.frames[-1].function == "f"
    (one,) = errors_in(printed("x = (\n", tmp_path))
    assert (one.type, one.frames[-1].code) == ("SyntaxError", "x = (")


def test_a_prefix_on_every_line_and_noise_in_between_are_seen_through(tmp_path: Path) -> None:
    text = printed("def ratio(a, b):\n    return a / b\n\nratio(1, 0)\n", tmp_path).splitlines()
    prefixed = "\n".join(f"2026-11-20 10:00:{number:02d} web-1 | {line}" for number, line in enumerate(text))
    noisy = "\n".join([*text[:3], "2026-11-20 10:00:00 INFO another thread says hello", *text[3:], "INFO: done"])
    for shown in (prefixed, noisy):
        (one,) = errors_in(shown)
        assert (one.type, one.message, len(one.frames)) == ("ZeroDivisionError", "division by zero", 2)


@pytest.mark.parametrize("style", ["long", "short", "native"])
def test_pytest_output_is_read_in_every_style(style: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def helper(row):\n    return row['tags']\n\n"
        "def test_a():\n    helper({})\n\ndef test_b():\n    assert 1 == 2\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", f"--tb={style}", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    first, second = errors_in(done.stdout)
    assert (first.type, first.message, first.frames[-1].line) == ("KeyError", "'tags'", 2)
    assert (second.type, second.message) == ("AssertionError", "assert 1 == 2")


def test_a_traceback_that_pytest_wrote_escaped_on_one_line_is_read() -> None:
    text = (
        'Traceback (most recent call last):\\n  File "/srv/app/table.py", line 6, in rows\\n    return list(reader) == '
        "['Caf\\xe9']\\nUnicodeDecodeError: 'ascii' codec can't decode byte 0xc3 in position 8: ordinal"
    )
    (one,) = read_lines(["= FAILURES =\n", f"{text}\n", "= short test summary info =\n"], "run.log")
    assert isinstance(one, ErrorRecord)
    assert (one.type, one.frames[-1].file, one.line) == ("UnicodeDecodeError", "/srv/app/table.py", 2)
    assert one.frames[-1].code == "return list(reader) == ['Caf\u00e9']"


def test_a_traceback_that_breaks_off_is_told_by_its_line() -> None:
    (one,) = tracebacks.read(
        'all well\nTraceback (most recent call last):\n  File "a.py", line 3, in work\n', "run.log"
    )
    assert isinstance(one, Skipped)
    assert (one.source, one.line) == ("run.log", 2)


TEXT = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in work\n    go()\nValueError: bad\n'


@pytest.mark.parametrize(
    "line",
    [
        {
            "type": "ValueError",
            "message": "bad",
            "frames": [{"file": "/srv/a.py", "line": 3, "function": "work", "code": "go()"}],
        },
        {"event": "failed", "level": "error", "exception": TEXT},
        {"message": "failed", "levelname": "ERROR", "exc_info": TEXT, "asctime": "2026-11-20 10:00:00,123"},
        {"text": TEXT, "record": {"exception": {"type": "ValueError", "value": "bad"}, "time": {"repr": "2026-11-20"}}},
        {
            "exception": {
                "values": [
                    {
                        "type": "ValueError",
                        "value": "bad",
                        "stacktrace": {
                            "frames": [
                                {"abs_path": "/srv/a.py", "lineno": 3, "function": "work", "context_line": " go()"}
                            ]
                        },
                    }
                ]
            }
        },
        {
            "level": "error",
            "exception": [
                {
                    "exc_type": "ValueError",
                    "exc_value": "bad",
                    "frames": [{"filename": "/srv/a.py", "lineno": 3, "name": "work", "line": "go()"}],
                }
            ],
        },
    ],
)
def test_json_lines_of_common_loggers_mean_the_same(line: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    file.write_text(json.dumps({"level": "info", "event": "started"}) + "\n" + json.dumps(line) + "\n")
    (one,) = read_log(file)
    assert isinstance(one, ErrorRecord)
    assert (one.type, one.message, one.line) == ("ValueError", "bad", 2)
    assert one.frames == (Frame("/srv/a.py", 3, "work", "go()"),)


def test_bad_json_lines_are_refused_by_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    good = json.dumps({"level": "error", "exc_info": TEXT})
    file.write_text('{"level": "error", "exc\n' + good + '\n{"level": "error", "event": "no exception"}\n')
    first, second, third = read_log(file)
    assert isinstance(second, ErrorRecord)
    assert [(one.line, isinstance(one, Skipped)) for one in (first, third)] == [(1, True), (3, True)]


def test_a_compressed_or_missing_log_is_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(UsageError, match="compressed"):
        list(read_log(tmp_path / "a.gz"))
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_log(tmp_path / "none.log"))


def test_what_matters_in_a_message_stays_and_circumstances_go() -> None:
    codec = "'{}' codec can't decode byte 0x{:02x} in position {}: invalid start byte"
    assert template("UnicodeDecodeError", codec.format("utf-8", 0xE9, 31)) == template(
        "UnicodeDecodeError", codec.format("utf-8", 0xC3, 99_812)
    )
    assert template("UnicodeDecodeError", codec.format("utf-8", 1, 1)) != template(
        "UnicodeDecodeError", codec.format("ascii", 1, 1)
    )
    assert template("KeyError", "'tags'") != template("KeyError", "'faces'")
    missing = "[Errno 2] No such file or directory: '{}'"
    assert template("FileNotFoundError", missing.format("/a/b.txt")) == template(
        "FileNotFoundError", missing.format("C:\\x\\y.png")
    )


def test_moved_lines_and_renamed_folders_are_one_group_other_places_are_not() -> None:
    def at(file: str, line: int, function: str = "work", code: str = "mean = a / b") -> ErrorRecord:
        return ErrorRecord("ZeroDivisionError", "division by zero", (Frame(file, line, function, code),))

    here = key(at("/srv/app/stats.py", 10))
    assert here == key(at("C:\\app\\stats.py", 99, code="mean  =  a / b  # why"))
    assert here != key(at("/srv/app/stats.py", 10, "other"))
    assert here != key(at("/srv/app/stats.py", 10, code="mean = a // b"))


def test_10_000_simulated_errors_of_50_causes_are_grouped_as_by_hand() -> None:
    made, truth = records(10_000, 50)
    assert adjusted_rand_score(truth, [key(one).fingerprint for one in made]) >= 0.98


def test_real_tracebacks_are_grouped_nearly_as_by_hand_and_better_than_by_type_frame_and_text() -> None:
    made = labelled()
    truth = [one.fault for one in made]
    assert (len(made), len(set(truth))) == (176, 43)
    frames = [own_frame(one.record.frames) for one in made]
    places = [f"{frame.file.rpartition('/')[2]}|{frame.function}|{frame.code}" for frame in frames if frame]
    by_text = [f"{one.record.type}|{place}|{one.record.message}" for one, place in zip(made, places, strict=True)]
    by_place = [f"{one.record.type}|{place}" for one, place in zip(made, places, strict=True)]
    _, _, others = max(pairwise_f1(by_text, truth), pairwise_f1(by_place, truth), key=lambda one: one[2])
    precision, _recall, ours = pairwise_f1([key(one.record).fingerprint for one in made], truth)
    assert precision == 1.0
    assert ours >= 0.95 > others


def test_an_apostrophe_opens_no_quotation() -> None:
    said = "'ascii' codec can't encode character {!a} in position {}: ordinal not in range(128)"
    assert template("UnicodeEncodeError", said.format("\xe9", 3)) == template(
        "UnicodeEncodeError", said.format("\u20ac", 40)
    )
    assert template("ValueError", "invalid literal for int(): b'3 kg'") == template(
        "ValueError", "invalid literal for int(): b'x'"
    )


@pytest.mark.parametrize(
    "text",
    ["2026-11-20T10:00:00Z", "2026-11-20 10:00:00,000", "1795168800", "1795168800000", "2026-11-20T11:00:00+01:00"],
)
def test_times_of_every_usual_form_mean_the_same_moment(text: str) -> None:
    assert moment(text) == "2026-11-20T10:00:00.000000Z"


def test_a_time_that_is_none_is_none() -> None:
    assert moment("yesterday") is None
    assert moment("") is None


def test_the_newest_records_of_a_group_are_kept_whatever_order_they_come_in() -> None:
    times = [f"2026-11-02T10:{minute:02d}:00.000000Z" for minute in range(60)]
    made = [ErrorRecord("KeyError", "'a'", timestamp=at) for at in times for _ in range(3)]
    for seed in range(5):
        tallies = Tallies(datetime(2026, 11, 20, tzinfo=UTC))
        for one in Random(seed).sample(made, len(made)):
            tallies.add(one)
        ((_group, kept),) = tallies.samples()
        assert [one.timestamp for one in kept] == sorted((one.timestamp for one in made), reverse=True)[:20]
