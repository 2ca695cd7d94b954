"""What a statement is, for what is to be done where a thing it needs is missing: whether it only shows a value, gives
an object one of its parts, ends the program, or hands on what may be None as well.

Reads code alone, and changes nothing. Relies on `lasting` for what fails later.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks, guards, kept, lasting
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.guarding.for_nothing import NUMBER, Value
from engine.repair.patterns.guarding.stand_ins import MAKING_TEXT
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, parameter_of

_ANSWERING = ("startswith", "endswith", "isdigit", "isalpha", "isalnum", "isnumeric", "is_file", "is_dir", "exists")
_ASKING = re.compile(r"_*(?:is|has|can|should|needs|matches|contains|supports)_")
_TALLYING = re.compile(r"(?:\A|_)(?:count|total|sum)(?:_|\Z)")
_CHANGING = re.compile(
    r"(?:\A|_)(?:resized?|rotate|convert|transpose|transform|pad|scale|normali[sz]e|clip|blur|flip|round|sort|"
    r"truncate|translate|shift|apply|wrap|indent|format)(?:_|\Z)"
)
_PROGRAMS = ("main", "train", "run", "evaluate", "test", "infer", "inference", "predict", "demo", "cli")
_DISPLAYS = (cst.DictElement, cst.Element)


def may_stay_none(module: Module, absence: Absence, only: cst.BaseSmallStatement, whole: cst.BaseExpression) -> bool:
    """Whether None is as good here: it is handed on under the parameter's own name, which is None by default, or what
    is worked out is kept by an object that keeps the very thing as it came."""
    subject, function, around = absence.subject, module.function(whole), module.parent(whole)
    if not absence.is_none or not isinstance(subject, cst.Name) or function is None:
        return False
    parameter = parameter_of(function, subject.value)
    if parameter is None:
        return False
    if isinstance(around, cst.Arg) and around.keyword is not None and around.keyword.value == subject.value:
        return parameter.default is not None and module.code(parameter.default) == "None"
    if not (isinstance(only, cst.Assign) and only.value is whole and puts_into(only)):
        return False
    start = module.position(only).start.line
    return any(
        module.code(one.value) == subject.value and puts_into(one) and module.position(one).start.line < start
        for one in intent.own_nodes(function.body, cst.Assign)
    )


def ends_the_program(module: Module, function: cst.FunctionDef) -> bool:
    """Whether a function ends the program wherever it cannot go on, and never just returns; or is the program itself,
    which would end as if all were done."""
    if _is_program(module, function):
        return True
    calls = [module.code(one.func) for one in intent.own_nodes(function.body, cst.Call)]
    return "sys.exit" in calls and not intent.own_nodes(function.body, cst.Return)


def _is_program(module: Module, function: cst.FunctionDef) -> bool:
    """Whether a plain function that never returns is all that the file runs, `if __name__ == "__main__": main()`."""
    if function.name.value not in _PROGRAMS or intent.own_nodes(function.body, cst.Return):
        return False
    starts = [one for one in module.tree.body if isinstance(one, cst.If) and "__name__" in module.code(one.test)]
    calls = [last_name(one.func) for start in starts for one in module.nodes(cst.Call, within=start.body)]
    for line in module.tree.body:
        small = line.body[-1] if isinstance(line, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
            calls.append(last_name(small.value.func))
    return function.name.value in calls


def works_on_it(module: Module, absence: Absence, only: cst.BaseSmallStatement) -> bool:
    """`mask = mask.transpose(1, 0)`, of an argument that is only handed on afterwards: None is as good as it came."""
    function, subject = module.function(only), absence.subject
    if not absence.is_none or not isinstance(subject, cst.Name) or function is None:
        return False
    if not isinstance(only, cst.Assign) or [module.code(one.target) for one in only.targets] != [subject.value]:
        return False
    if parameter_of(function, subject.value) is None or module.code(only.value) == subject.value:
        return False
    end = module.position(only).end.line
    reads = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == subject.value]
    later = [one for one in reads if module.position(one).start.line > end]
    return bool(later) and lasting.lasts(module, only.value, "None")


def unchanged(
    module: Module, absence: Absence, only: cst.BaseSmallStatement, function: cst.FunctionDef | None
) -> str | None:
    """The argument that a function changes by an option that was not given, `return image.resize(size)` where `size` is
    None by default: it is what it was then. None elsewhere."""
    call = only.value if isinstance(only, cst.Return) else None
    if function is None or not isinstance(call, cst.Call) or not _is_option(module, absence, function):
        return None
    given = [one.value for one in call.args if not one.star and one.keyword is None]
    if module.code(call.func) in ("os.path.join", "path.join") and len(given) == 2 and given[1] is absence.subject:
        return module.code(given[0])
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if not isinstance(owner, cst.Name) or not _CHANGING.search(method) or owner.value == module.code(absence.subject):
        return None
    return owner.value if parameter_of(function, owner.value) is not None else None


def is_term_in_loop(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """Whether each round of a loop reckons with an option that was not given, as a part of what it is there for: the
    rounds are worth their while without it, where nothing is added for it."""
    function = module.function(line)
    if not isinstance(absence.use, cst.BinaryOperation) or guards.loop_around(module, line) is None:
        return False
    is_whole = isinstance(module.parent(absence.use), cst.Arg | cst.Assign | cst.Expr)
    return _is_option(module, absence, function) and not is_whole and lasting.lasts(module, absence.use, "0")


def _is_option(module: Module, absence: Absence, function: cst.FunctionDef | None) -> bool:
    if function is None or not absence.is_none or not isinstance(absence.subject, cst.Name):
        return False
    parameter = parameter_of(function, absence.subject.value)
    return parameter is not None and parameter.default is not None and module.code(parameter.default) == "None"


def told_by_parser(module: Module, absence: Absence, function: cst.FunctionDef | None) -> str | None:
    """`parser.error(...)`, where an option of the command line was not given that all the rest needs; else None."""
    if function is None or not absence.is_none or not isinstance(absence.subject, cst.Attribute):
        return None
    owner = module.code(absence.subject.value)
    for one in intent.own_nodes(function.body, cst.Assign):
        call = one.value
        made = [module.code(target.target) for target in one.targets]
        if made == [owner] and isinstance(call, cst.Call) and module.code(call.func).endswith(".parse_args"):
            option = absence.subject.attr.value.replace("_", "-")
            parser = module.code(call.func).rpartition(".")[0]
            is_option = re.search(rf"['\"]--{re.escape(option)}['\"]", module.code(function.body))
            words = f"--{option} is missing" if is_option else f"{option} is missing"
            return f"{parser}.error({module.quote}{words}{module.quote})" if parser.isidentifier() else None
    return None


def term_of(module: Module, whole: cst.BaseExpression) -> cst.BaseExpression | None:
    """The call that a use is an argument of, where it is a term of a difference: what is not there adds nothing."""
    around = module.parent(whole)
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    outer = module.parent(call) if isinstance(call, cst.Call) else None
    is_term = isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Subtract)
    return call if is_term and isinstance(call, cst.Call) else None


def implied_number(module: Module, only: cst.BaseSmallStatement, whole: cst.BaseExpression) -> str | None:
    """The number that all the reads of a name behind its binding can do with, where None would fail in one."""
    if not (isinstance(only, cst.Assign) and only.value is whole and len(only.targets) == 1):
        return None
    if not isinstance(only.targets[0].target, cst.Name) or lasting.lasts(module, whole, "None"):
        return None
    if _is_only_formatted(module, only):
        return f"float({module.quote}nan{module.quote})"
    return "0" if lasting.lasts(module, whole, "0") else None


def _is_only_formatted(module: Module, change: cst.Assign) -> bool:
    """Whether a name is only written as a number with a fraction, `{loss:.3f}`, behind its binding."""
    target, function = change.targets[0].target, module.function(change)
    if not isinstance(target, cst.Name) or function is None:
        return False
    start = module.position(change).start.line
    reads = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == target.value]
    texts = [module.parent(one) for one in reads if module.position(one).start.line > start]
    return bool(texts) and all(
        isinstance(one, cst.FormattedStringExpression)
        and one.format_spec is not None
        and re.search(r"[fFeEgG%]\}\Z", module.code(one)) is not None
        for one in texts
    )


def usual_part(
    module: Module,
    absence: Absence,
    only: cst.BaseSmallStatement,
    whole: cst.BaseExpression,
    value: Value | None,
    exit_code: str | None,
) -> str | None:
    """What a name that is bound here gets, where nothing says what its function gives for nothing: an empty text for a
    part of a text, and 0 for a number that is None up to here; None where there is no such value."""
    if not (isinstance(only, cst.Assign) and only.value is whole and len(only.targets) == 1):
        return None
    target = only.targets[0].target
    if not isinstance(target, cst.Name):
        return None
    around = module.nearest(only, cst.If)
    begun = around is not None and module.code(around.test) == f"{target.value} is None"
    if begun and NUMBER.search(target.value) and lasting.lasts(module, whole, "0"):
        return "0"
    if element_is_shown(module, absence, only, exit_code):
        return module.quote * 2
    given = absence.element if absence.element != "None" and not absence.alike else None
    if exit_code == "continue" or (value is not None and value.strength == "told"):
        return None
    return given if given is not None and lasting.lasts(module, whole, given) else None


def element_is_shown(module: Module, absence: Absence, only: cst.Assign, exit_code: str | None) -> bool:
    """Whether a name that a field of what is None gives its value to is only written into texts of several parts."""
    target, function = only.targets[0].target, module.function(only)
    is_text = isinstance(only.value, cst.Call) and last_name(only.value.func) in MAKING_TEXT
    if not absence.is_none or not (isinstance(only.value, cst.Attribute) or is_text) or function is None:
        return False
    if not isinstance(target, cst.Name) or not (exit_code or "").startswith("return "):
        return False
    start = module.position(only).start.line
    reads = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == target.value]
    reads = [one for one in reads if module.position(one).start.line > start]
    texts = [module.nearest(one, cst.FormattedString) for one in reads]
    shown = [isinstance(module.parent(one), cst.FormattedStringExpression) for one in reads]
    return bool(reads) and all(shown) and all(one is not None and len(one.parts) > 2 for one in texts)


def guess(only: cst.BaseSmallStatement, function: cst.FunctionDef) -> str:
    """What a function returns for nothing, by the form of what it returns at this place, and by its name."""
    value = only.value if isinstance(only, cst.Return) else None
    method = value.func.attr.value if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) else ""
    if method in _ANSWERING or (value is not None and _ASKING.match(function.name.value)):
        return "False"
    name = value.func.value if isinstance(value, cst.Call) and isinstance(value.func, cst.Name) else ""
    if isinstance(value, cst.ListComp) or name in ("list", "sorted"):
        return "[]"
    is_counted = isinstance(value, cst.BinaryOperation | cst.Attribute) and _TALLYING.search(function.name.value)
    if name in ("sum", "len") or is_counted or (value is not None and _adds_to_itself(value, function.name.value)):
        return "0"
    is_asked = isinstance(value, cst.Comparison) or (
        isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Not)
    )
    return "False" if is_asked or name in ("any", "all", "bool", "isinstance") else "None"


def _adds_to_itself(value: cst.BaseExpression, name: str) -> bool:
    """`1 + max(depth(node.left), depth(node.right))` in `depth`: where there is nothing, there are none."""
    if not isinstance(value, cst.BinaryOperation) or not isinstance(value.operator, cst.Add):
        return False
    terms = (value.left, value.right)
    calls = [one for term in terms for one in (term, *intent.own_nodes(term, cst.Call)) if isinstance(one, cst.Call)]
    return any(isinstance(one, cst.Integer) for one in terms) and any(last_name(one.func) == name for one in calls)


def puts_into(only: cst.BaseSmallStatement) -> bool:
    """Whether a statement only gives an object one of its parts."""
    return isinstance(only, cst.Assign) and all(
        isinstance(one.target, cst.Subscript | cst.Attribute) for one in only.targets
    )


def sets_up(module: Module, only: cst.BaseSmallStatement, function: cst.FunctionDef | None) -> bool:
    """Whether `__init__` gives an object one of its parts here, and nowhere before."""
    if function is None or function.name.value != "__init__" or not isinstance(only, cst.Assign):
        return False
    targets = [module.code(one.target) for one in only.targets]
    if not all(re.fullmatch(r"self\.\w+", one) for one in targets):
        return False
    line = module.position(only).start.line
    before = [
        one for one in module.nodes(cst.AssignTarget, within=function.body) if module.position(one).start.line < line
    ]
    around = module.nearest(function, cst.ClassDef)
    stated = [module.code(one.target) for one in before]
    if around is not None:
        stated += [f"self.{module.code(one.target)}" for one in intent.own_nodes(around.body, cst.AssignTarget)]
    return not set(targets) & set(stated)


def is_set_here_alone(module: Module, only: cst.BaseSmallStatement) -> bool:
    """Whether an object has a field of its own from this statement alone: left out, it would be missing."""
    own = module.nearest(only, cst.ClassDef)
    targets = [module.code(one.target) for one in only.targets] if isinstance(only, cst.Assign) else []
    if own is None or len(targets) != 1 or not re.fullmatch(r"self\.\w+", targets[0]):
        return False
    given = [one for one in module.nodes(cst.AssignTarget, within=own) if module.nearest(one, cst.Assign) is not only]
    stated = [module.code(one.target) for one in intent.own_nodes(own.body, cst.AssignTarget)]
    stated += [module.code(one.target) for one in intent.own_nodes(own.body, cst.AnnAssign)]
    is_else = any(module.code(one.target) == targets[0] for one in given)
    return not is_else and targets[0].removeprefix("self.") not in stated and not own.bases


def binds(change: cst.Assign | cst.AnnAssign, use: cst.CSTNode) -> bool:
    targets = [one.target for one in change.targets] if isinstance(change, cst.Assign) else [change.target]
    return use in targets


def is_one_of_numbers(module: Module, only: cst.BaseSmallStatement, whole: cst.BaseExpression) -> bool:
    """`height = int(parts[1])`, which is returned in a tuple with other numbers: None is none of them."""
    function = module.function(whole)
    if not isinstance(only, cst.Assign) or only.value is not whole or len(only.targets) != 1 or function is None:
        return False
    name = module.code(only.targets[0].target)
    numbers = {
        module.code(one.targets[0].target)
        for one in intent.own_nodes(function.body, cst.Assign)
        if module.code(one.value).startswith(("int(", "float("))
    }
    given = [one.value for one in intent.own_nodes(function.body, cst.Return)]
    tuples = [{module.code(part.value) for part in one.elements} for one in given if isinstance(one, cst.Tuple)]
    return name in numbers and any(name in one and len(one & numbers) > 1 for one in tuples)


def stands_alone(module: Module, whole: cst.BaseExpression, exit_code: str | None) -> bool:
    """Whether a missing value can be None among others: in a display, or by a name that is only shown or tested."""
    around = module.parent(whole)
    if isinstance(around, cst.Arg) and around.keyword is not None:
        call = module.parent(around)
        return isinstance(call, cst.Call) and len(call.args) > 1 and exit_code != "continue"
    if isinstance(around, _DISPLAYS):
        holder = module.parent(around)
        return not isinstance(holder, cst.Tuple) and exit_code != "continue"
    if isinstance(around, cst.Assign) and len(around.targets) == 1 and isinstance(around.targets[0].target, cst.Name):
        return is_only_shown(module, around)
    return False


def is_only_shown(module: Module, change: cst.Assign) -> bool:
    """Whether the name that is bound here is only shown or tested after, so that it may be None."""
    target = change.targets[0].target
    if len(change.targets) != 1 or not isinstance(target, cst.Name):
        return False
    name = target.value
    function = module.function(change)
    if function is None:
        return False
    line = module.position(change).start.line
    uses = [
        one
        for one in intent.own_nodes(function.body, cst.Name)
        if one.value == name and module.position(one).start.line > line
    ]
    if not uses:
        return False
    for one in uses:
        around = module.parent(one)
        shown = isinstance(around, cst.DictElement | cst.Element) and getattr(around, "value", None) is one
        shown = shown and not kept.overwrites(module, one)
        tested = isinstance(around, cst.If | cst.UnaryOperation | cst.BooleanOperation) or (
            isinstance(around, cst.Comparison) and "None" in module.code(around)
        )
        given = isinstance(around, cst.Arg) and around.keyword is not None
        if not (shown or tested or given or checks.is_guarded(module, one, name)):
            return False
    return True


def is_used_later(module: Module, line: cst.SimpleStatementLine, code: str) -> bool:
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return False
    body = list(block.body)
    later = body[body.index(line) + 1 :]
    return any(
        (guards.names_of(code) and f"{code}." in module.code(one)) or f"{code}[" in module.code(one) for one in later
    )
