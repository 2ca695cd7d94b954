"""Python tracebacks as they stand in logs: plain, chained, grouped, from pytest, with other lines in between.

Relies on text alone; nothing is imported or evaluated. What a traceback looks like is CPython's `traceback` module and
pytest's long and short forms. A record is the exception that was raised last; those it followed from are in
`context["causes"]`, and the leaves of an exception group are records of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.repair.record import ErrorRecord, Frame, Skipped

HEADER = re.compile(r"(?P<before>.*?)(?P<group>Exception Group )?Traceback \(most recent call last\):\s*$")
FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+?))?\s*$')
MARKS = re.compile(r"^\s*[~^][\s~^]*$")
REPEATED = re.compile(r"^\s*\[Previous line repeated \d+ more times?\]\s*$")
RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w]*(?:\.[A-Za-z_<][\w<>]*)*)(?::\s?(?P<message>.*))?$")
CHAINED = re.compile(
    r"^(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\s*$"
)
GROUPED = re.compile(r"^\s*(?:[|+]\s?)+(?:-+\+)?")
GROUP_BEGINS = re.compile(r"^\s*\+ Exception Group Traceback")
SEPARATOR = re.compile(r"^\s*[-+| ]*-{8,}\s*(?:\d+|\.\.\.)?\s*-*\s*$")
LOG_LINE = re.compile(
    r"^(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\[?\d\d:\d\d:\d\d"
    r"|(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTICE|TRACE)\b|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d)"
)
PYTEST_PLACE = re.compile(
    r"^(?P<file>\S+\.pyi?):(?P<line>\d+):(?: in (?P<function>\S+)| (?P<type>[A-Za-z_][\w.]*))?\s*$"
)
PYTEST_FAILURES = re.compile(r"^=+ (?:FAILURES|ERRORS) =+$")
PYTEST_LINE = re.compile(r"^(?P<file>\S+\.pyi?):(?P<line>\d+): (?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
PYTEST_TITLE = re.compile(r"^_{3,} (?P<title>.+?) _{3,}$")
PYTEST_BREAK = re.compile(r"^(?:_ ){5,}|^={5,}|^-{5,}")
DEFINED = re.compile(r"^\s*(?:async )?def (?P<name>\w+)\(")
KNOWN_ENDINGS = (
    "Error",
    "Exception",
    "Warning",
    "Exit",
    "Interrupt",
    "Iteration",
    "Group",
    "Timeout",
    "Failure",
    "Cancelled",
)
MOST_MESSAGE_LINES = 40
_BETWEEN = "\0"  # stands where one exception of a group ends and the next begins


@dataclass
class _Read:
    """A traceback on its way: what was read so far."""

    at: int
    frames: list[Frame] = field(default_factory=list)
    type: str = ""
    message: list[str] = field(default_factory=list)
    end: int = 0


def read(text: str, source: str = "") -> Iterator[ErrorRecord | Skipped]:
    """Every error in `text`, in order; a traceback that breaks off becomes a `Skipped` with its line.

    A line ends at a line feed alone, as it does for whoever counts a file's lines: a form feed or U+2028 within a
    message ends none.
    """
    return read_lines([line.removesuffix("\r") for line in text.split("\n")], source)


def read_lines(lines: Sequence[str], source: str = "") -> Iterator[ErrorRecord | Skipped]:
    """Every error in lines without their endings; a record's `line` counts them from 1."""
    at = 0
    is_brief = False  # within the failures of pytest, where --tb=line has one line each
    while at < len(lines):
        if lines[at][:1] == "=":
            is_brief = bool(PYTEST_FAILURES.match(lines[at]))
        elif is_brief and (brief := PYTEST_LINE.match(lines[at])) and is_exception_name(brief["type"]):
            frame = Frame(brief["file"], int(brief["line"]), "", "")
            yield _record(_Read(at, [frame], brief["type"], [brief["message"] or ""]), source)
            at += 1
            continue
        header = HEADER.match(lines[at])
        if header and header["group"]:
            found, at = _group(lines, at, source)
            yield from found
        elif header:
            one, at = _chain(lines, at, source)
            yield one
        elif lone := _syntax_error(lines, at, source):
            yield lone[0]
            at = lone[1]
        elif PYTEST_TITLE.match(lines[at]):
            passed = _pytest(lines, at, source)
            if passed is None:
                at += 1
            else:
                yield passed[0]
                at = passed[1]
        else:
            at += 1


def is_exception_name(name: str) -> bool:
    """Whether a word can be an exception's name: CamelCase, or one of the library's lower-case ones (`cv2.error`)."""
    last = name.rpartition(".")[2]
    if last.endswith(KNOWN_ENDINGS):
        return True
    if "." in name:
        return last in ("error", "timeout", "herror", "gaierror") or last[:1].isupper()
    return last[:1].isupper() and any(sign.islower() for sign in last) and any(sign.isupper() for sign in last[1:])


def _chain(lines: Sequence[str], at: int, source: str) -> tuple[ErrorRecord | Skipped, int]:
    """One traceback with all those it followed from."""
    causes: list[str] = []
    while True:
        one = _traceback(lines, at)
        if not one.type:
            return Skipped(source, at + 1, "the traceback breaks off before the exception's name"), one.end
        following = _next_filled(lines, one.end, lines[at])
        if following is not None and CHAINED.match(_bare(lines[following], lines[at])):
            after = _next_filled(lines, following + 1, lines[at])
            header = HEADER.match(lines[after]) if after is not None else None
            if after is not None and header and not header["group"]:
                causes.append(f"{one.type}: {one.message[0] if one.message else ''}".rstrip(": "))
                at = after
                continue
        made = _record(one, source)
        return (replace(made, context={"causes": causes}) if causes else made), one.end


def _traceback(lines: Sequence[str], at: int) -> _Read:
    """One traceback from its header on. Lines of other writers in between are passed over."""
    one = _Read(at)
    header = lines[at]
    index = at + 1
    while index < len(lines):
        line = _bare(lines[index], header)
        if frame := FRAME.match(line):
            code, columns, index = _code(lines, index + 1, header)
            one.frames.append(Frame(frame["file"], int(frame["line"]), frame["function"] or "", code, columns))
            continue
        if HEADER.match(lines[index]):
            break
        raised = RAISED.match(line)
        if raised and not LOG_LINE.match(line) and is_exception_name(raised["type"]):
            one.type = raised["type"]
            one.message, index = _message(lines, index + 1, header, raised["message"] or "")
            break
        index += 1
        if not line.strip() or REPEATED.match(line) or line[:1].isspace() or LOG_LINE.match(line):
            continue
        if index - at > 2000:
            break
    one.end = index
    return one


def _code(lines: Sequence[str], index: int, header: str) -> tuple[str, tuple[int, int] | None, int]:
    """The code line under a frame (empty where there is none), what is underlined of it, and the index after both."""
    code, shown, columns = "", "", None
    while index < len(lines):
        line = _bare(lines[index], header)
        if not code and LOG_LINE.match(line) and index + 1 < len(lines):
            following = _bare(lines[index + 1], header)
            if following[:4] == "    " and not FRAME.match(following):
                index += 1  # another writer came between a frame and its line
                continue
        if FRAME.match(line) or not line.strip() or not line[:1].isspace():
            break
        if MARKS.match(line):
            columns = columns or (_underlined(shown, line) if shown else None)
            shown = ""
        elif not REPEATED.match(line):
            shown = "" if code else line  # of several lines of code, only what is underlined of the first is kept
            code = code or line.strip()
        index += 1
    return code, columns, index


def _underlined(shown: str, marks: str) -> tuple[int, int] | None:
    """Which characters of a code line, its indentation aside, the marks below it cover.

    None where the line has wide characters: Python 3.11 puts one mark under each, later ones put two.
    """
    indent = len(shown) - len(shown.lstrip())
    start, end = len(marks) - len(marks.lstrip()) - indent, len(marks.rstrip()) - indent
    if not 0 <= start < end or any(unicodedata.east_asian_width(one) in "WF" for one in shown):
        return None
    return start, min(end, len(shown.strip()))


def _message(lines: Sequence[str], index: int, header: str, first: str) -> tuple[list[str], int]:
    """A message of one or more lines: to the next blank line, log line or traceback."""
    message = [first]
    while index < len(lines) and len(message) < MOST_MESSAGE_LINES:
        line = _bare(lines[index], header)
        if not line.strip() or line == _BETWEEN or _ends_message(line):
            break
        message.append(line.rstrip())
        index += 1
    return message, index


def _ends_message(line: str) -> bool:
    patterns = (LOG_LINE, HEADER, CHAINED, PYTEST_TITLE, PYTEST_BREAK)
    return any(pattern.match(line) for pattern in patterns)


def _group(lines: Sequence[str], at: int, source: str) -> tuple[list[ErrorRecord | Skipped], int]:
    """The leaves of an exception group; the group's own name and message are in each leaf's context."""
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].lstrip()[:1] in "|+"):
        if GROUP_BEGINS.match(lines[end]):
            break  # the next one: it came at once
        end += 1
    bare = [_BETWEEN if SEPARATOR.match(line) else GROUPED.sub("", line) for line in lines[at:end]]
    own = _traceback(bare, 0)
    title = f"{own.type}: {own.message[0]}" if own.type else "exception group"
    leaves: list[ErrorRecord | Skipped] = []
    first = own.end
    for index in range(own.end, len(bare) + 1):
        if index < len(bare) and bare[index] != _BETWEEN:
            continue
        for one in _leaves(bare[first:index], source):
            there = replace(one, line=one.line + at + first)
            leaves.append(
                replace(there, context={**there.context, "group": title}) if isinstance(there, ErrorRecord) else there
            )
        first = index + 1
    if not leaves:
        leaves.append(replace(_record(own, source), line=at + 1) if own.type else Skipped(source, at + 1, "breaks off"))
    return leaves, end


def _leaves(lines: Sequence[str], source: str) -> Iterator[ErrorRecord | Skipped]:
    """The errors of one part of a group: with a traceback, or (never raised) by name and message alone."""
    found = list(read_lines(lines, source))
    yield from found
    for index, line in enumerate(lines):
        raised = RAISED.match(line)
        if not found and raised and is_exception_name(raised["type"]) and not raised["type"].endswith("Group"):
            message, _end = _message(lines, index + 1, "", raised["message"] or "")
            yield _record(_Read(index, [], raised["type"], message), source)
            return


def _syntax_error(lines: Sequence[str], at: int, source: str) -> tuple[ErrorRecord, int] | None:
    """A SyntaxError that stands without a header, as the compiler prints it."""
    frame = FRAME.match(lines[at])
    if not frame or frame["function"]:
        return None
    code, _columns, index = _code(lines, at + 1, lines[at])
    raised = RAISED.match(lines[index]) if index < len(lines) else None
    if not raised or raised["type"] not in ("SyntaxError", "IndentationError", "TabError"):
        return None
    one = _Read(at, [Frame(frame["file"], int(frame["line"]), "", code)], raised["type"], [raised["message"] or ""])
    return _record(one, source), index + 1


def _pytest(lines: Sequence[str], at: int, source: str) -> tuple[ErrorRecord, int] | None:
    """A failure as pytest prints it: frames by `file.py:12:` lines, the message by `E` lines."""
    title = PYTEST_TITLE.match(lines[at])
    one = _Read(at)
    function, code = (title["title"] if title else ""), ""
    index = at + 1
    while index < len(lines) and not PYTEST_TITLE.match(lines[index]):
        line = lines[index]
        if line.startswith("E  "):
            one.message.append(line[1:].strip())
        elif line.startswith(">"):
            code = line[1:].strip()
        elif defined := DEFINED.match(line):
            function = defined["name"]
        elif place := PYTEST_PLACE.match(line):
            one.frames.append(Frame(place["file"], int(place["line"]), place["function"] or function, code))
            code = ""
            if place["type"]:
                one.type = place["type"]
            elif place["function"] and index + 1 < len(lines) and lines[index + 1][:4] == "    ":  # the short form
                one.frames[-1] = replace(one.frames[-1], code=lines[index + 1].strip())
        elif line.startswith("====") and one.frames:
            break
        index += 1
    if not one.message:
        return None
    raised = RAISED.match(one.message[0])
    if raised and is_exception_name(raised["type"]):
        one.type = raised["type"]
        one.message[0] = raised["message"] or ""
    elif not one.type and one.message[0].startswith("assert"):
        one.type = "AssertionError"
    if not one.type:
        return None
    made = _record(one, source)
    return replace(made, context={"test": title["title"] if title else ""}), index


def _record(one: _Read, source: str) -> ErrorRecord:
    message = "\n".join(one.message).strip()
    return ErrorRecord(one.type, message, tuple(one.frames), source=source, line=one.at + 1)


def _bare(line: str, header: str) -> str:
    """`line` without what a logger put before each line of the traceback, judged by its header line."""
    found = HEADER.match(header)
    before = found["before"] if found else ""
    if not before.strip():
        return line[len(before) :] if before and line.startswith(before) else line
    if line.startswith(before):
        return line[len(before) :]
    pattern = re.sub(r"\d+", "0", before)
    width = len(before)
    if re.sub(r"\d+", "0", line[:width]) == pattern:
        return line[width:]
    return line


def _next_filled(lines: Sequence[str], index: int, header: str) -> int | None:
    """The next line that is neither empty nor another writer's."""
    while index < len(lines):
        line = _bare(lines[index], header)
        if line.strip() and not LOG_LINE.match(line):
            return index
        index += 1
    return None
