"""None in a text that is put together: `f"{price:.2f}"`, `"{:.2f}".format(price)`. The rest of the text is as good."""

from __future__ import annotations

import string

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import calls_at, finish
from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import producer_of
from engine.repair.patterns.source.underlined import decided


def left_empty(case: Case, module: Module, line: int) -> Proposal | None:
    """Let the one value with a format of its own stay empty in a text; None where it is not the only one."""
    texts = [one for one in module.nodes(cst.FormattedStringExpression, line) if one.format_spec]
    texts = [one for one in texts if not _is_never_none(module, one.expression)]
    texts = decided(case, module, line, texts)
    if len(texts) != 1:
        return None
    text = texts[0]
    spec = "".join(module.code(one) for one in text.format_spec or ())
    code = module.code(text.expression)
    outer = module.nearest(text, cst.FormattedString)
    if not isinstance(outer, cst.FormattedString) or "{" in spec or "\\" in spec or text.conversion or text.equal:
        return None
    quote = "'" if outer.end[-1] == '"' else '"'
    if quote in spec or not guards.is_repeatable(code) or guards.statement_line(module, text) is None:
        return None
    if guards.is_bound_over(module, text, "format"):
        return None
    if nothing.meant(case, module, text, line) or checks.is_guarded(module, text, code):
        return None
    shown = f"format({code}, {quote}{spec}{quote}) if {code} is not None else {quote * 2}"
    module.replace(text, text.with_changes(expression=guards.expression(shown), format_spec=None))
    return finish(module, "conditional", f"{code} is None where there is nothing: it is left out of the text.")


def given_to_format(module: Module, line: int) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """(call, argument) for each argument of a `"...".format(...)` at a line that has a format of its own."""
    found: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    for call in calls_at(module, line):
        owner = call.func.value if isinstance(call.func, cst.Attribute) and call.func.attr.value == "format" else None
        if not isinstance(owner, cst.SimpleString) or not isinstance(owner.evaluated_value, str):
            continue
        places = [one for one in string.Formatter().parse(owner.evaluated_value) if one[1] is not None]
        for at, (_text, name, spec, _conversion) in enumerate(places):
            for number, arg in enumerate(call.args):
                keyword = arg.keyword.value if arg.keyword is not None else str(number)
                if spec and keyword == (name or str(at)) and not _is_never_none(module, arg.value):
                    found.append((call, arg.value))
    return found


def _is_never_none(module: Module, value: cst.BaseExpression) -> bool:
    written = cst.SimpleString | cst.Integer | cst.Float | cst.BinaryOperation
    return isinstance(value, written) or producer_of(module, value).reason is not None
