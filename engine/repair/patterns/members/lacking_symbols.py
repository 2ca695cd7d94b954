"""A function that a shared library of this machine does not have: what is done without the library, is done then.

`ctypes` says so by an AttributeError of its own words where a function is looked up.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import handlers, intent
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line

SAID = re.compile(
    r"undefined symbol: (?P<elf>\w+)|[Ff]unction '(?P<windows>\w+)' not found|"
    r"dlsym\([^)]*?(?P<mac>\w+)\): symbol not found"
)


def symbol(message: str) -> str:
    """The function that is lacking; empty where the message is about something else."""
    told = SAID.search(message)
    return "" if told is None else told["elf"] or told["windows"] or told["mac"]


def by_callers(case: Case) -> Proposal | None:
    """Let the handler of a caller that is ready to do without the library catch this as well; None without one."""
    for place in intent.places(case):
        try:
            module = Module(place.path, place.source)
            calls = module.nodes(cst.Call, module.line_of(place.frame.code, place.line) or place.line)
            if calls and handlers.widened(module, calls[0], "AttributeError"):
                edit = module.edit()
                why = "The library may be there without the function: that is handled as where there is no library."
                return Proposal("attribute", "handler", (edit,), first_changed_line(edit), "review", why)
        except NotEditable:
            continue
    return None
