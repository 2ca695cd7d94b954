"""The other calls of a project that open a file which one of them is told the encoding of: they read what it writes.

A file is known to be the same where its path is written out, the same in both places.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

import libcst as cst

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.openings import BY_THE_WAY, Opening, keyword, named_encoding, opening
from engine.repair.patterns.source.python_two import runs_on_both
from engine.repair.patterns.source.syntax import text_of

_MOST = 8  # files: more of them are no longer one mend


def opened_elsewhere(case: Case, calls: Sequence[Opening], own: str) -> Mapping[str, tuple[Module, list[Opening]]]:
    """The calls in other files that open, as text of no named encoding, what these open; theirs in turn, too."""
    found: dict[str, tuple[Module, list[Opening]]] = {}
    wanted, seen = set(_paths(calls)), set[str]()
    while wanted - seen:
        marks = [one.rpartition("/")[2].encode() for one in wanted - seen]
        seen |= wanted
        for path in case.project.python_files():
            source = case.project.read(path) if path != own and path not in found else None
            if source is None or intent.is_test(path) or not any(mark in source for mark in marks):
                continue
            try:
                module = Module(path, source)
            except NotEditable:
                continue
            if runs_on_both(case.project, module.text):
                continue
            same = [one for one in _plain(module) if set(_paths([one])) & wanted]
            if same:
                found[path] = (module, same)
                wanted |= set(_paths(same))
            if len(found) > _MOST:
                return {}
    return found


def _plain(module: Module) -> Iterator[Opening]:
    for call in module.nodes(cst.Call):
        one = opening(module, call)
        if one is None or one.mode is None or one.is_binary or one.kind.name in BY_THE_WAY:
            continue
        if named_encoding(one) is None and keyword(call, "errors") is None:
            yield one


def _paths(calls: Sequence[Opening]) -> Iterator[str]:
    for one in calls:
        text = text_of(one.path)
        if text and "." in text and not text.startswith("/dev/"):
            yield posixpath.normpath(text)
