"""A selection log is read exactly as people have it, and every bad row is refused with its line and reason."""

from __future__ import annotations

import codecs
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProofsheetError
from engine.ranking.matching import Candidate, KnownProjects, choose, components, file_name, match_row, names_wanted
from engine.ranking.model import RefusedRow
from engine.ranking.observe import RowRefused, SelectionRow, read_selection_log

HEADER = "session_id,set_id,chosen_path,neg_paths,timestamp"
TIME = "2025-07-08T06:10:00Z"


def row(chosen: str = "/u/mojo1/a.png", losers: object = ("/u/mojo1/b.png",), time: str = TIME, **other: str) -> str:
    out = io.StringIO()
    text = losers if isinstance(losers, str) else json.dumps(list(losers))  # type: ignore[call-overload]
    csv.writer(out, lineterminator="").writerow([other.get("session", "s1"), other.get("set", "1"), chosen, text, time])
    return out.getvalue()


def read(*lines: str, encoding: str = "utf-8") -> list[SelectionRow | RefusedRow]:
    return list(read_selection_log("\n".join([HEADER, *lines]).encode(encoding)))


def reasons(*lines: str) -> dict[int, str]:
    return {found.line: found.reason for found in read(*lines) if isinstance(found, RefusedRow)}


def test_a_row_is_read_as_written() -> None:
    assert read(row()) == [
        SelectionRow(2, "s1", "1", "/u/mojo1/a.png", ("/u/mojo1/b.png",), "2025-07-08T06:10:00.000000Z")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(chosen=""), "the winner (chosen_path) is empty"),
        (row(losers=["/u/mojo1/a.png"]), "the winner is among the losers"),
        (row(losers=[]), "there are no losers"),
        (row(losers="[/u/mojo1/b.png]"), "neg_paths is not valid JSON"),
        (row(losers='{"a": 1}'), "neg_paths is not a JSON list of paths"),
        (row(losers="[" * 100_000), "neg_paths is not valid JSON"),
        (row(losers="[1]"), "neg_paths is not a JSON list of paths"),
        (row(losers=[""]), "a loser's path is empty"),
        (row(losers=["\ud800.png"]), "lone surrogates"),
        (row(losers=["a\0.png"]), "NUL"),
        (row(time="yesterday"), "the timestamp 'yesterday' is not an ISO 8601 time"),
        (row(time="0001-01-01T00:00:00+14:00"), "is not an ISO 8601 time"),
        (row(session=" "), "session_id is empty"),
        (row(set=""), "set_id is empty"),
        ("s1,1,/u/mojo1/a.png", "the row has 3 columns, the header 5"),
        (row() + ",more", "the row has 6 columns, the header 5"),
        (row(chosen="/u/mojo1/a\0.png"), "NUL"),
        (row(chosen="x" * 200_000), "longer than 131,072 characters"),
    ],
)
def test_a_bad_row_is_refused_with_its_line_and_the_rest_is_read(line: str, reason: str) -> None:
    found = read(row(), line, row(set="2"))
    assert [type(one) for one in found] == [SelectionRow, RefusedRow, SelectionRow]
    assert found[1].line == 3
    assert reason in found[1].reason  # type: ignore[union-attr]


def test_a_row_that_is_quoted_wrongly_is_asked_about_its_quotation_marks() -> None:
    misquoted = 's1,1,"/u/mojo1/a.png,[""/u/mojo1/b.png""]",' + TIME
    assert reasons(misquoted, "s1,1,/u/mojo1/a.png") == {
        2: "the row has 4 columns, the header 5 (is a quotation mark misplaced?)",
        3: "the row has 3 columns, the header 5",
    }


def test_a_record_with_line_breaks_is_named_by_its_first_line() -> None:
    spread = 's1,1,"/u/mojo1/a\nb.png","[\n\n""nowhere""",bad\n'
    found = read(spread.rstrip("\n"), row())
    assert [one.line for one in found] == [2, 6]
    good = read(row(losers='["/u/mojo1/b.png",\n"/u/mojo1/c.png"]'), row(set="2"))
    assert [type(one) for one in good] == [SelectionRow, SelectionRow]
    assert [one.line for one in good] == [2, 4]


def test_an_open_quotation_mark_costs_its_own_row_only() -> None:
    broken = 's1,1,/u/mojo1/a.png,"[""/u/mojo1/b.png""],' + TIME
    found = read(broken, row(set="2"), row(set="3"))
    assert [(one.line, type(one)) for one in found] == [(2, RefusedRow), (3, SelectionRow), (4, SelectionRow)]
    assert "never closed" in found[0].reason  # type: ignore[union-attr]


def test_byte_order_marks_are_accepted_and_bad_bytes_refuse_their_row() -> None:
    body = f"{HEADER}\n{row()}\n".encode()
    assert len(list(read_selection_log(codecs.BOM_UTF8 + body))) == 1
    assert len(list(read_selection_log(f"{HEADER}\r\n{row()}\r\n".encode("utf-16")))) == 1
    latin = body + row(chosen="/u/mojo1/caf\u00e9.png").encode("latin-1") + b"\n" + row(set="9").encode()
    found = list(read_selection_log(latin))
    assert [type(one) for one in found] == [SelectionRow, RefusedRow, SelectionRow]
    assert found[1] == RefusedRow(3, "the row is not valid UTF-8")


@pytest.mark.parametrize("text", ["", "\n\n", "session_id,set_id,chosen_path,timestamp\n", "a,b\n1,2\n"])
def test_a_file_without_the_columns_is_refused_whole(text: str) -> None:
    with pytest.raises(ProofsheetError, match="the header lacks"):
        list(read_selection_log(text.encode()))


def test_columns_may_stand_in_any_order_and_blank_lines_do_not_matter() -> None:
    text = f'timestamp,chosen_path,Session_ID,neg_paths,set_id\n\n{TIME},a.png,s,"[""b.png""]",1\n\n'
    assert [one.line for one in read_selection_log(text.encode())] == [3]


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail(noise: bytes) -> None:
    for found in read_selection_log(f"{HEADER}\n".encode() + noise):
        assert found.line >= 2


characters = st.characters(codec="utf-8", exclude_characters="\0")
field = st.text(characters, min_size=1).filter(lambda text: text.strip() == text)


@given(st.lists(st.tuples(field, field, field, st.lists(field, min_size=1, max_size=4)), max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(rows) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER.split(","))
    rows = [one for one in rows if one[2] not in one[3]]
    for session, set_id, chosen, losers in rows:
        writer.writerow([session, set_id, chosen, json.dumps(losers), TIME])
    found = list(read_selection_log(out.getvalue().encode()))
    assert [(r.session_id, r.set_id, r.chosen_path, list(r.neg_paths)) for r in found] == [  # type: ignore[union-attr]
        (session, set_id, chosen, losers) for session, set_id, chosen, losers in rows
    ]


# --- matching -------------------------------------------------------------------------------------------------------

KNOWN = KnownProjects({"mojo1": "Mojo1", "mojo2": "mojo2"})


def selection(chosen: str, *losers: str) -> SelectionRow:
    return SelectionRow(2, "s", "1", chosen, losers, TIME)


@pytest.mark.parametrize(
    "path", ["/Users/x/mojo1/a.png", r"D:\Pictures\MOJO1\a.png", r"\\nas\share\Mojo1\sub\a.png", "mojo1/a.png"]
)
def test_paths_of_other_machines_name_their_project(path: str) -> None:
    assert KNOWN.named_in(path) == {"mojo1"}
    assert file_name(path) == "a.png"


def test_two_projects_in_a_row_are_refused_wherever_they_stand() -> None:
    for mixed in (selection("/x/mojo1/mojo2/a.png", "b.png"), selection("/x/mojo1/a.png", "/x/mojo2/b.png")):
        with pytest.raises(RowRefused, match="two projects: Mojo1 and mojo2"):
            KNOWN.of_row(mixed, {})


def test_a_path_without_a_known_project_is_refused_with_the_remedy() -> None:
    for lost in (selection("/x/other/a.png", "/x/mojo1/b.png"), selection("a.png", "b.png")):
        with pytest.raises(RowRefused, match=r"no known project in the path .*; scan"):
            KNOWN.of_row(lost, {})


def test_a_bare_name_goes_with_its_row_and_an_exact_library_path_needs_no_guess() -> None:
    assert KNOWN.of_row(selection("/x/mojo1/a.png", "b.png"), {}) == "mojo1"
    assert KNOWN.of_row(selection("/here/a.png", "/here/b.png"), {"/here/a.png": "mojo2", "/here/b.png": "mojo2"}) == (
        "mojo2"
    )


def test_a_name_that_occurs_twice_goes_to_the_longest_suffix() -> None:
    candidates = [Candidate(1, "/lib/mojo1/day1/a.png"), Candidate(2, "/lib/mojo1/day2/a.png")]
    assert choose(r"C:\mojo1\Day2\a.png", candidates, "mojo1") == 2
    with pytest.raises(RowRefused, match="occurs 2 times"):
        choose("/u/mojo1/a.png", candidates, "mojo1")
    with pytest.raises(RowRefused, match=r"no file named a\.png"):
        choose("/u/mojo1/a.png", [], "mojo1")


def test_names_are_compared_in_nfc() -> None:
    composed, decomposed = "caf\u00e9.png", "cafe\u0301.png"
    row = selection(f"/u/mojo1/{decomposed}", "/u/mojo1/b.png")
    assert names_wanted([row]) == {composed, "b.png"}
    images = {composed: [Candidate(1, f"/l/mojo1/{composed}")], "b.png": [Candidate(2, "/l/mojo1/b.png")]}
    assert match_row(row, "mojo1", images) == (1, 2)


def test_a_winner_that_is_the_same_image_as_a_loser_is_refused() -> None:
    row = selection("/u/mojo1/a.png", "/v/mojo1/a.png")
    with pytest.raises(RowRefused, match="winner is among the losers"):
        match_row(row, "mojo1", {"a.png": [Candidate(1, "/l/mojo1/a.png")]})


@given(st.text())
def test_any_text_has_components(path: str) -> None:
    assert all(part for part in components(path))
