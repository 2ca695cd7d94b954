"""An error that a line's own code cannot have raised: it comes from what the line calls, a library's function.

What can be done is at the call: the handler around it is made ready for this error, a None that it was given is kept
from it, or the error (of exactly this type) is caught, where the code around says how to go on without the result.
Errors that say that the call itself is wrong (TypeError) are not caught. Every proposal is for review.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import absent, for_nothing, guards
from engine.repair.patterns.guarding.absence import none_of
from engine.repair.patterns.guarding.statement_kinds import is_only_shown
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import handlers, intent, wording
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.producers import as_likely, likeliest, name_for, producer_of

MOST_CHOICES = 3  # of arguments, any of which may have been None
_CAUGHT = ("KeyError", "IndexError", "AttributeError", "FileNotFoundError")
_HARMLESS = re.compile(r"(?:(?:^|\.)path\.(?:join|basename|dirname|splitext|split)|(?:^|\.)(?:Path|len|str|print))\Z")
_WRITTEN = (
    *(cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.List, cst.Dict),
    *(cst.Tuple, cst.Set, cst.BinaryOperation, cst.Comparison, cst.Lambda, cst.BaseComp),
)


def propose(case: Case, module: Module, line: int, pattern: str, otherwise: str) -> Proposal | Declined:
    """The guard around the call at `line`; declined for `otherwise` where the code does not say how to go on."""
    statement = module.statement(line)
    error = case.records[0].type.rpartition(".")[2]
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return Declined(pattern, otherwise)
    calls = [one for one in module.nodes(cst.Call, within=statement) if module.nearest(one, cst.Lambda) is None]
    calls = [one for one in calls if not _HARMLESS.search(module.code(one.func))]
    only = statement.body[0]
    if not calls or isinstance(only, cst.Raise | cst.Assert):
        return Declined(pattern, otherwise)
    reason = intent.meant(case, module, calls[0], line, error)
    if reason:
        return Declined(pattern, reason)
    if handlers.widened(module, calls[0], error):
        return _finish(module, pattern, "handler", "The handler around it says what is done then.")
    if "NoneType" in case.records[0].message:
        return _of_none(case, module, calls, pattern) or Declined(pattern, otherwise)
    if error not in _CAUGHT or not isinstance(module.parent(statement), cst.IndentedBlock | cst.Module):
        return Declined(pattern, otherwise)
    answer = _answer(case, module, statement, only, calls)
    if answer is None:
        return Declined(pattern, otherwise)
    name = " as error" if re.search(r"\berror\b", answer) else ""
    module.wrap(statement, f"try:\n    pass\nexcept {error}{name}:\n    {answer}\n")
    return _finish(module, pattern, "caught", "The error comes from what is called here: the rest goes on without it.")


def _answer(
    case: Case, module: Module, statement: cst.SimpleStatementLine, only: cst.BaseSmallStatement, calls: list[cst.Call]
) -> str | None:
    """What is done where the call failed, as source; None where nothing says so."""
    if isinstance(only, cst.Assign) and is_only_shown(module, only):
        return f"{module.code(only.targets[0].target)} = None"
    loop = guards.loop_around(module, statement)
    is_plain = isinstance(only, cst.Assign | cst.AnnAssign | cst.Expr)
    if loop is not None and is_plain and guards.way_out(module, statement, None) == "continue":
        changing = guards.names_of(module.code(loop.target)) | {
            each.target.value
            for each in module.nodes(cst.AssignTarget, within=loop.body)
            if isinstance(each.target, cst.Name)
        }
        given = {one for call in calls for arg in call.args for one in guards.names_of(module.code(arg.value))}
        if given & changing:
            return f"{wording.warning(module, statement, 'Skipping what cannot be read', 'error')}\n    continue"
    function = module.function(statement)
    if isinstance(only, cst.Assign) and _is_extra(module, only):
        return wording.warning(module, statement, "Going on without it", "error")
    is_file = case.records[0].type.rpartition(".")[2] == "FileNotFoundError"
    if isinstance(only, cst.Expr) and isinstance(only.value, cst.Call) and only.value.args and function and not is_file:
        return wording.warning(module, statement, "Going on without it", "error")
    if isinstance(only, cst.Return) and function is not None:
        value = for_nothing.given_for_nothing(case, module, function, "None")
        if value.strength == "told":
            return f"return {value.code}"
    return None


def _is_extra(module: Module, only: cst.Assign) -> bool:
    """Whether a line only gives an object a part that the function does not read."""
    function = module.function(only)
    if function is None or function.name.value == "__init__":
        return False
    targets = [one.target for one in only.targets]
    if not all(isinstance(one, cst.Subscript | cst.Attribute) for one in targets):
        return False
    codes = {module.code(one) for one in targets}
    reads = [*module.nodes(cst.Subscript, within=function.body), *module.nodes(cst.Attribute, within=function.body)]
    return not any(module.code(one) in codes and one not in targets for one in reads)


def _of_none(case: Case, module: Module, calls: list[cst.Call], pattern: str) -> Proposal | None:
    """Keep None from a call: the one of its arguments that may be None."""
    pairs = [(call, arg.value) for call in calls for arg in call.args if not arg.star and _may_be(module, arg.value)]
    known = [(call, one) for call, one in pairs if producer_of(module, one).is_known]
    chosen = known if len(known) == 1 else pairs
    if not chosen or len({module.code(one) for _call, one in chosen}) > MOST_CHOICES:
        return None
    subjects = [one for _call, one in chosen]
    use, subject = chosen[likeliest(module, subjects)]
    others = [module.code(one) for one in as_likely(module, subjects, subject)]
    absence = none_of(use, subject, name_for(module, subject), others)
    if absent.is_handled(module, absence):
        return None
    operator, value = absent.guard(case, module, absence)
    why = f"{module.code(subject)} is None where there is nothing: {value.code} then, as {value.because}."
    return _finish(module, pattern, operator, why)


def _may_be(module: Module, node: cst.BaseExpression) -> bool:
    if isinstance(node, _WRITTEN):
        return False
    if isinstance(node, cst.Name) and (node.value in module.imported or node.value in ("self", "cls", "True", "False")):
        return False
    return producer_of(module, node).reason is None


def _finish(module: Module, pattern: str, operator: str, why: str) -> Proposal:
    edit = module.edit()
    return Proposal(pattern, operator, (edit,), first_changed_line(edit), "review", why)
