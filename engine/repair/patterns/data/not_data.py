"""What JSON has no words for: the call is told in which form to write it.

`default=` is asked only for what JSON does not know: everything else is written as before.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import calls_at, decline, finish
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

_SAID = re.compile(r"Object of type '?(?P<kind>[\w.]+)'? is not JSON serializable")
_FORMS = (
    (re.compile(r"(?:ndarray|Tensor|u?int\d+|float\d+|bool_?)\Z"), "lambda value: value.tolist()"),
    (re.compile(r"(?:set|frozenset|generator|dict_keys|dict_values|map|filter|range|deque)\Z"), "list"),
    (re.compile(r"(?:\w*Path|datetime|date|time|timedelta|Decimal|UUID|Timestamp|Timedelta|device|dtype)\Z"), "str"),
    (re.compile(r"(?:bytes|bytearray)\Z"), "lambda value: value.decode()"),
)


def recognised(message: str) -> bool:
    """Whether a TypeError says that JSON does not know a value's type."""
    return _SAID.search(message) is not None


def propose(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """`default=` for the call that writes, or why there is none. Raises NotEditable."""
    told = _SAID.search(message)
    kind = told["kind"].rpartition(".")[2] if told else ""
    form = next((code for named, code in _FORMS if named.match(kind)), None)
    if form is None:
        return decline(f"how a {kind} is to be written, nothing here says")
    for call in calls_at(module, line):
        if last_name(call.func) not in ("dump", "dumps") or not call.args or call.args[-1].star:
            continue
        if any(arg.keyword is not None and arg.keyword.value in ("default", "cls") for arg in call.args):
            return decline("the call says already how other values are written")
        if "json" not in module.code(call.func) and "json" not in module.imported.get(module.code(call.func), ""):
            continue
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        made = cst.Arg(cst.parse_expression(form), keyword=cst.Name("default"), equal=equal)
        last = call.args[-1]
        if isinstance(last.comma, cst.Comma):
            made = made.with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
        between = call.args[-2].comma if len(call.args) > 1 else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args = [*call.args[:-1], last.with_changes(comma=between, whitespace_after_arg=cst.SimpleWhitespace("")), made]
        module.replace(call, call.with_changes(args=args))
        return finish(module, "json-default", f"JSON does not know a {kind}: it is written as what it holds.")
    return decline("nothing is written as JSON on this line: the error comes from what it calls")
