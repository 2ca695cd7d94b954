"""A conda environment's file: one distribution more in its list for pip, which has them by the names that pip knows.

Text in, text out: comments and the form of the list are kept. Only the plain form is written to, a dash a line.
"""

from __future__ import annotations

import re

from engine.repair.patterns.source.edit import NotEditable

FILES = ("environment.yml", "environment.yaml")
_DEPENDENCIES = re.compile(r"^dependencies:[ \t]*(?:#[^\n]*)?$", re.M)
_ENTRY = re.compile(r"(?P<indent>[ \t]*)-[ \t]+(?P<entry>[^#\n]*?)[ \t]*(?:#[^\n]*)?\Z")


def names_in(source: bytes) -> set[str]:
    """The distributions that an environment names, normalised, those for pip among them."""
    found = set()
    for line in source.decode("utf-8", "replace").splitlines():
        entry = _ENTRY.match(line)
        name = re.match(r"(?:[\w.-]+::)?([A-Za-z0-9][\w.-]*)", entry["entry"].strip("'\"")) if entry else None
        if name:
            found.add(re.sub(r"[-_.]+", "-", name[1]).lower())
    return found


def add_for_pip(path: str, source: bytes, name: str) -> bytes:
    """The file with one distribution more for pip. Raises NotEditable where it has no list of the plain form."""
    text = source.decode("utf-8")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if _DEPENDENCIES.match(line)), None)
    if start is None:
        raise NotEditable(f"{path} has no list of dependencies that could be added to")
    entries: list[tuple[int, str, str]] = []
    for number in range(start + 1, len(lines)):
        line = lines[number]
        entry = _ENTRY.match(line)
        if entry:
            entries.append((number, entry["indent"], entry["entry"]))
        elif line.strip() and not line.lstrip().startswith("#") and line[0] not in " \t-":
            break
    if not entries:
        raise NotEditable(f"{path} has no list of dependencies that could be added to")
    outer = entries[0][1]
    pip = next((one for one in entries if one[1] == outer and one[2].rstrip() == "pip:"), None)
    if pip is None:
        made = [f"{outer}- pip", f"{outer}- pip:", f"{outer}    - {name}"]
        made = made[1:] if any(re.match(r"pip\b(?!:)", one[2]) for one in entries) else made
        at = entries[-1][0] + 1
    else:
        inner = [one for one in entries if one[0] > pip[0] and len(one[1]) > len(outer)]
        indent = inner[0][1] if inner else f"{outer}    "
        made = [f"{indent}- {name}"]
        at = (inner[-1][0] if inner else pip[0]) + 1
    whole = [*lines[:at], *made, *lines[at:]]
    last = end if text.endswith("\n") else ""
    return (end.join(whole) + last).encode()
