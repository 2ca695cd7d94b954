"""What `setup.cfg` says that a distribution requires, and one more entry there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.repair.patterns.imports.declarations import Text, requirement_name
from engine.repair.patterns.imports.distributions import normalised
from engine.repair.patterns.source.edit import NotEditable


def requires(text: str) -> tuple[int, int, list[str]] | None:
    """The lines of `install_requires` in [options] (its own, and the one after its last), and what stands there."""
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    section = ""
    for index, line in enumerate(lines):
        header = re.match(r"^\[([^\]]+)\]", line)
        if header:
            section = header[1].strip()
        elif section == "options" and re.match(r"^install_requires\s*[=:]", line):
            end = index + 1
            while end < len(lines) and (
                (lines[end][:1] in " \t" and lines[end].strip()) or lines[end].lstrip().startswith("#")
            ):
                end += 1
            inline = re.split(r"[=:]", line, maxsplit=1)[1].strip()
            return index, end, [inline] * bool(inline) + [one.strip() for one in lines[index + 1 : end]]
    return None


def add(path: str, source: bytes, name: str) -> bytes:
    """`install_requires` with one more line. Raises NotEditable."""
    file = Text(path, source)
    found = requires(file.text)
    if found is None:
        after = _end_of_options(file.lines)
        if after is None:
            raise NotEditable(f"{path} has no install_requires")
        file.insert(after, "install_requires =")
        file.insert(after + 1, f"    {name}")
        return file.bytes()
    at, end, there = found
    if "file:" in (there[0] if there else ""):
        raise NotEditable(f"{path} takes its requirements from another file")
    if re.split(r"[=:]", file.lines[at], maxsplit=1)[1].strip():
        if end == at + 1 and ";" in there[0]:
            line = file.lines[at].rstrip("\r\n")
            file.lines[at] = f"{line}; {name}{file.lines[at][len(line) :]}"
            return file.bytes()
        if end > at + 1 or "," in there[0]:
            raise NotEditable(f"{path} has its install_requires on one line")
        head, mark, _one = re.split(r"([=:])", file.lines[at], maxsplit=1)
        file.lines[at] = f"{head}{mark}{file.ending}"
        file.insert(at + 1, f"    {there[0]}")
        file.insert(at + 2, f"    {name}")
        return file.bytes()
    items = [
        (index, file.lines[index]) for index in range(at + 1, end) if not file.lines[index].lstrip().startswith("#")
    ]
    indent = re.match(r"\s*", items[0][1])[0] if items else "    "  # type: ignore[index]
    names = [requirement_name(line) or "" for _index, line in items]
    place = next((index for index, line in items if (requirement_name(line) or "") > normalised(name)), end)
    file.insert(place if len(names) > 1 and names == sorted(names) else end, f"{indent}{name}")
    return file.bytes()


def _end_of_options(lines: Sequence[str]) -> int | None:
    """The line after the last of [options]; None where there is no such section."""
    start = next((index for index, line in enumerate(lines) if line.strip() == "[options]"), None)
    if start is None:
        return None
    rest = range(start + 1, len(lines))
    end = next((index for index in rest if lines[index].startswith("[")), len(lines))
    return next((index + 1 for index in range(end - 1, start, -1) if lines[index].strip()), start + 1)
