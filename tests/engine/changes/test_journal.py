"""The journal's lines: what is whole is read back exactly, what is torn does not count, what is damaged is reported."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.changes.journal import Journal, JournalDamaged, decode, decode_all, encode, encode_plan
from engine.changes.model import Action, ChangeSet, Fingerprint, State, Step
from engine.clock import utc_now
from engine.errors import ProofsheetError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=6
)
RECORDS = st.lists(
    st.dictionaries(st.text(max_size=5).filter(lambda key: key not in ("seq", "check")), VALUES), max_size=6
)
FILE = Path("journal.jsonl")


def lines(records: list[dict[str, object]]) -> list[bytes]:
    return [encode({"seq": seq, **record}) for seq, record in enumerate(records)]


@given(RECORDS)
def test_what_was_written_is_read_back(records: list[dict[str, object]]) -> None:
    content = b"".join(lines(records))

    found, length = decode_all(content, FILE)

    assert found == [{"seq": seq, **record} for seq, record in enumerate(records)]
    assert length == len(content)


@given(RECORDS.filter(bool), st.data())
def test_a_torn_last_line_does_not_count(records: list[dict[str, object]], data: st.DataObject) -> None:
    whole = lines(records)
    kept = data.draw(st.integers(0, len(whole[-1]) - 1), label="bytes of the last line that reached the disk")
    zeros = data.draw(st.integers(0, 40), label="bytes that were allotted, and never written")

    found, length = decode_all(b"".join(whole[:-1]) + whole[-1][:kept] + b"\0" * zeros, FILE)

    assert len(found) == len(records) - 1
    assert length == len(b"".join(whole[:-1]))


@given(RECORDS.filter(lambda records: len(records) > 1), st.data())
def test_no_altered_byte_before_the_last_line_goes_unnoticed(
    records: list[dict[str, object]], data: st.DataObject
) -> None:
    whole = lines(records)
    content = bytearray(b"".join(whole))
    at = data.draw(st.integers(0, len(content) - len(whole[-1]) - 1))
    content[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(JournalDamaged, match="line"):
        decode_all(bytes(content), FILE)


@given(RECORDS.filter(lambda records: len(records) > 1), st.data())
def test_a_missing_line_does_not_go_unnoticed(records: list[dict[str, object]], data: st.DataObject) -> None:
    whole = lines(records)
    del whole[data.draw(st.integers(0, len(whole) - 2))]

    with pytest.raises(JournalDamaged, match="out of order"):
        decode_all(b"".join(whole), FILE)


@given(st.binary())
def test_any_bytes_are_read_or_refused_and_never_break_the_reader(content: bytes) -> None:
    try:
        found, length = decode_all(content, FILE)
    except JournalDamaged:
        return
    assert length <= len(content) and isinstance(found, list)


def test_the_format_is_the_one_that_is_promised() -> None:
    line = encode({"seq": 0, "at": "2026-11-20T22:04:50.000000Z", "type": "applied"})

    body = b'{"seq":0,"at":"2026-11-20T22:04:50.000000Z","type":"applied"}'
    assert line == body[:-1] + b',"check":"' + sha256(body).hexdigest()[:16].encode() + b'"}\n'
    assert json.loads(line)["check"] == sha256(body).hexdigest()[:16]
    assert decode(line) == json.loads(body)


def planned() -> ChangeSet:
    step = Step(0, Action.EDIT, Path("/p/ü.txt"), None, Fingerprint("a" * 64, 3, 0o644, 17), "b" * 64, 4)
    return ChangeSet(
        "20261120T220450-7f3a",
        "title",
        "files",
        (step, Step(1, Action.MOVE, Path("/p/b"), Path("/p/a"), Fingerprint("c" * 64, 1, 0o600, 5), "c" * 64, 1)),
        State.PLANNED,
        datetime(2026, 11, 20, 22, 4, 50, 1, tzinfo=UTC),
        (Path("/p"),),
        progress=frozenset({"planned", "operation"}),
    )


def test_a_planned_change_set_is_read_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes(encode_plan(planned()))

    assert Journal(tmp_path / "journal.jsonl").change_set() == planned()


def test_a_torn_end_is_cut_off_before_the_next_line(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(encode_plan(planned()) + b'{"seq":3,"at":"20')

    Journal(file).append(utc_now, "applying", directories=["/p/new"])

    found = Journal(file).change_set()
    assert (found.state, found.made_directories) == (State.APPLYING, (Path("/p/new"),))


def test_a_plan_that_lost_an_operation_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(b"".join(encode_plan(planned()).splitlines(keepends=True)[:-1]))

    with pytest.raises(JournalDamaged, match="operations are missing"):
        Journal(file).change_set()


def test_a_journal_of_a_newer_program_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(encode({"seq": 0, "type": "planned", "format": 2}))

    with pytest.raises(ProofsheetError, match="newer Proofsheet") as refused:
        Journal(file).change_set()
    assert refused.value.remedy


def test_a_reason_may_quote_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_bytes(encode_plan(planned()))

    Journal(file).append(utc_now, "failed", reason="cannot read caf\udce9.jpg")

    assert Journal(file).change_set().reason == "cannot read caf\udce9.jpg"
