"""Reading `selection_only_log.csv` as people have it: bytes in, rows and refusals out, nothing looked up yet.

Relies on the csv and json modules only. A row that cannot be trusted is refused with the line it starts on (the header
is line 1) and a plain reason, and reading goes on. Never fixes a row, never guesses, never touches the store.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.clock import iso, parse_iso
from engine.errors import ProofsheetError
from engine.ranking.model import RefusedRow

COLUMNS = ("session_id", "set_id", "chosen_path", "neg_paths", "timestamp")


@dataclass(frozen=True, slots=True)
class SelectionRow:
    """One well-formed row: the paths as written, `timestamp` as UTC ISO 8601 with Z."""

    line: int
    session_id: str
    set_id: str
    chosen_path: str
    neg_paths: tuple[str, ...]
    timestamp: str


class RowRefused(Exception):
    """Why a row is not taken, in words for the person."""


def read_selection_log(data: bytes, name: str = "the file") -> Iterator[SelectionRow | RefusedRow]:
    """Every record of the log after its header, in file order; blank lines are passed over.

    UTF-8, with or without a byte-order mark; UTF-16 with one. Raises ProofsheetError when the header lacks a column.
    """
    lines = _lines(data, name)
    header, start = _header(lines, name)
    places = [header.index(column) for column in COLUMNS]
    while start < len(lines):
        fields, consumed = _record(lines, start)
        line = start + 1
        start += consumed
        if fields == []:
            continue
        try:
            is_quoted = any('"' in lines[index] for index in range(line - 1, start))
            yield _row(line, fields, places, len(header), is_quoted=is_quoted)
        except RowRefused as refusal:
            resume = _swallowed_row(lines, line, start, places, len(header)) if consumed > 1 else None
            if resume is None:
                yield RefusedRow(line, str(refusal))
            else:
                yield RefusedRow(line, "a quotation mark is opened and never closed")
                start = resume


def _lines(data: bytes, name: str) -> list[str]:
    """Physical lines with their ends. Bytes that are not UTF-8 survive as lone surrogates, to be refused row by row."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            remedy = "Save it again as UTF-8."
            raise ProofsheetError(f"{name} begins like UTF-16 but does not go on so", remedy=remedy) from error
    else:
        text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="surrogateescape")
    return list(io.StringIO(text, newline=""))


def _header(lines: Sequence[str], name: str) -> tuple[list[str], int]:
    """The column names, and the index of the first line after them."""
    fields, consumed = _record(lines, 0) if lines else ([], 0)
    header = [field.strip().casefold() for field in fields or []]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise ProofsheetError(
            f"{name}, line 1: the header lacks {', '.join(missing)}",
            remedy=f"A selection log starts with the line {','.join(COLUMNS)}",
        )
    doubled = sorted({column for column in COLUMNS if header.count(column) > 1})
    if doubled:
        raise ProofsheetError(
            f"{name}, line 1: the header names {', '.join(doubled)} twice", remedy="Name every column once."
        )
    return header, consumed


def _record(lines: Sequence[str], start: int) -> tuple[list[str] | None, int]:
    """Fields of the record that starts at `start` and how many physical lines it took; None when csv gives up."""
    reader = csv.reader(lines[i] for i in range(start, len(lines)))
    try:
        return next(reader), reader.line_num
    except csv.Error:
        return None, max(reader.line_num, 1)
    except StopIteration:
        return [], max(reader.line_num, 1)


def _swallowed_row(lines: Sequence[str], first: int, end: int, places: Sequence[int], width: int) -> int | None:
    """Where a good row begins inside a refused record, when an open quotation mark swallowed it; else None."""
    for index in range(first, end):
        fields, consumed = _record(lines, index)
        try:
            if fields and consumed == 1:
                _row(index + 1, fields, places, width)
                return index
        except RowRefused:
            continue
    return None


def _row(
    line: int, fields: list[str] | None, places: Sequence[int], width: int, *, is_quoted: bool = False
) -> SelectionRow:
    if fields is None:
        raise RowRefused("a field is longer than 131,072 characters")
    whole = "".join(fields)
    if "\x00" in whole:
        raise RowRefused("the row holds NUL bytes")
    if not is_encodable(whole):
        raise RowRefused("the row is not valid UTF-8")
    if len(fields) != width:
        hint = " (is a quotation mark misplaced?)" if is_quoted else ""
        raise RowRefused(f"the row has {len(fields)} columns, the header {width}{hint}")
    session_id, set_id, chosen, losers, timestamp = (fields[place].strip() for place in places)
    if not session_id or not set_id:
        raise RowRefused(f"{'session_id' if not session_id else 'set_id'} is empty")
    if not chosen:
        raise RowRefused("the winner (chosen_path) is empty")
    neg_paths = _loser_paths(losers)
    if chosen in neg_paths:
        raise RowRefused("the winner is among the losers")
    return SelectionRow(line, session_id, set_id, chosen, neg_paths, _moment(timestamp))


def _loser_paths(text: str) -> tuple[str, ...]:
    try:
        paths = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowRefused("neg_paths is not valid JSON") from error
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise RowRefused("neg_paths is not a JSON list of paths")
    if not paths:
        raise RowRefused("there are no losers (neg_paths is empty)")
    stripped = tuple(path.strip() for path in paths)
    if not all(stripped):
        raise RowRefused("a loser's path is empty")
    joined = "".join(stripped)
    if "\x00" in joined:
        raise RowRefused("the row holds NUL bytes")
    if not is_encodable(joined):
        raise RowRefused("neg_paths holds characters that no file name can have (lone surrogates)")
    return stripped


def _moment(text: str) -> str:
    try:
        return iso(parse_iso(text))
    except (ValueError, OverflowError) as error:
        shown = text if len(text) <= 40 else text[:39] + "…"
        raise RowRefused(f"the timestamp '{shown}' is not an ISO 8601 time") from error


def is_encodable(text: str) -> bool:
    """Whether the text can be written as UTF-8, that is, holds no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
