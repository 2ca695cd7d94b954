"""Guards around whole statements: leaving early, doing them only where what they need is there, a part left out.

Relies on `absence` for what fails, on `guards` for where code can go, on `dependents` for what needs the value too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import carried, for_nothing, guards, kept, lasting, needs, records, refusals
from engine.repair.patterns.guarding import statement_kinds as kinds
from engine.repair.patterns.guarding.absence import Absence, flat, inline
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.dependents import Statement, bound_names, dependents, is_answered, works_on_itself
from engine.repair.patterns.source.edit import Module, NotEditable


def in_statement(
    case: Case,
    module: Module,
    absence: Absence,
    line: cst.SimpleStatementLine,
    whole: cst.BaseExpression,
    repeatable: bool,
) -> tuple[str, Value]:
    """Guard a statement as a whole, in the way that loses least of what follows; the operator, and what is given
    instead. `repeatable`: whether the subject may be read twice. Raises NotEditable."""
    function = module.function(line)
    only = line.body[0]
    if isinstance(only, cst.Raise):  # what is to be said stays said
        return inline(module, absence, whole, absence.element, repeatable)
    value = for_nothing.given_for_nothing(case, module, function, kinds.guess(only, function)) if function else None
    if function is not None and value is not None and value.strength != "told":
        value = for_nothing.so_far(module, function, line) or refusals.by_callers(case, module, function, value)
    code = module.code(absence.subject)
    exit_code = guards.way_out(module, whole, value)
    if exit_code == "continue" and function is not None and kept.steps_on(module, only, absence.subject):
        exit_code = f"return {value.code}" if value is not None and intent.returns_value(function) else "return"
    if exit_code is not None and repeatable and needs.is_handed_on(module, absence, line):
        return _leave_by(module, absence, line, exit_code), Value(exit_code, "guessed", "all that follows needs it")
    if exit_code == "break" and guards.is_unconditional(module, whole):
        return _leave_by(module, absence, line, exit_code), Value("break", "guessed", "there is nothing more")
    if repeatable and guards.is_unconditional(module, whole) and _with_its_try(module, absence, line):
        return "guard-use", Value("nothing", "guessed", "there is nothing to do then")
    if kinds.works_on_it(module, absence, only) and (value is None or value.strength == "guessed"):
        return _wrap(module, absence, line, repeatable)
    if kinds.is_term_in_loop(module, absence, line):
        return inline(module, absence, absence.use, "0", repeatable)
    if exit_code == "continue" and (size := carried.size_in_round(module, absence, line)) is not None:
        return inline(module, absence, size, "0", repeatable)
    itself = kinds.unchanged(module, absence, only, function)
    if itself is not None and value is not None and value.strength == "guessed":
        return _leave_by(module, absence, line, f"return {itself}"), Value(
            itself, "guessed", "nothing is to be changed"
        )
    part = records.part_of(module, whole)
    if part is not None and exit_code in ("continue", None) and guards.is_unconditional(module, whole):
        return inline(module, absence, part, "None", repeatable)  # the rest of the record is as good as ever
    is_part = records.option_of(module, absence.subject, whole) or (
        records.part_of_text(module, whole) and not needs.is_needed_later(module, absence, line)
    )
    if absence.is_none and is_part and guards.is_unconditional(module, whole):
        return inline(module, absence, whole, "None", repeatable)
    if isinstance(only, cst.Del) or (
        isinstance(only, cst.Expr)
        and not (is_answered(module, line) and exit_code in ("return", "continue"))
        and (not kinds.is_used_later(module, line, code) or needs.is_only_told(module, absence, function))
    ):
        return _wrap(module, absence, line, repeatable)
    is_asked = absence.is_none and repeatable and needs.is_asked_next(module, only, line)
    if is_asked and exit_code is not None and guards.is_unconditional(module, whole):
        return _leave_by(module, absence, line, exit_code), Value(exit_code, "guessed", "all that follows needs it")
    if kinds.may_stay_none(module, absence, only, whole):
        return inline(module, absence, whole, "None", repeatable)
    group = dependents(module, line, lambda node: absence.needed_by(module, node))
    if isinstance(only, cst.Expr) and isinstance(absence.use, cst.Attribute) and not absence.is_none:
        return _wrap(module, absence, line, repeatable, group)  # without an attribute, all else is as good
    if kept.has_earlier(module, line) and not needs.is_needed_later(module, absence, line):
        if repeatable and _extends_test(module, absence, line):
            return "test", Value("False", "told", "the condition around it does not hold then")
        return _wrap(module, absence, line, repeatable)
    if (
        isinstance(only, cst.AugAssign)
        and group is None
        and repeatable
        and value is not None
        and (exit_code or "").startswith("return ")
        and needs.behind(module, absence, line) > 1
    ):
        guards.before(module, line, f"if {absence.conditions(code)[1]}:\n    {exit_code}\n")
        return "guard-use", value
    is_stored_to = isinstance(only, cst.Assign | cst.AnnAssign) and kinds.binds(only, absence.use)
    if is_stored_to and exit_code == "continue" and repeatable and needs.goes_into_next(module, absence, line):
        return _leave_by(module, absence, line, exit_code), Value(exit_code, "guessed", "all that follows needs it")
    if isinstance(only, cst.AugAssign) or is_stored_to:
        return _wrap(module, absence, line, repeatable, group)
    is_set_up = kinds.sets_up(module, only, function) and guards.is_unconditional(module, whole)
    if is_set_up and absence.is_none and repeatable and not lasting.lasts(module, whole, "None"):
        words = refusals.missing(module, code, absence.subject)
        return _leave_by(module, absence, line, f"raise ValueError({words})"), Value(
            "an error", "guessed", "it is used"
        )
    if is_set_up:
        return inline(module, absence, whole, absence.element, repeatable)  # an object without it fails later
    if repeatable and _extends_test(module, absence, line):
        return "test", Value("False", "told", "the condition around it does not hold then")
    told = value is not None and value.strength == "told"
    if group is None and (exit_code or "").startswith("return") and isinstance(only, cst.Assign | cst.Expr):
        branch = kept.rest_of_branch(module, line)
        if branch is not None:
            return _wrap(module, absence, line, repeatable, branch)  # a loop goes on with its next round
    raised = refusals.own_error(module, absence, line, value) if isinstance(only, cst.Assign | cst.Return) else None
    if raised is not None and repeatable and guards.is_unconditional(module, whole):
        bad = absence.conditions(code)[1]
        guards.before(module, line, f"if {bad}:\n    raise {raised[0]}({raised[1]})\n")
        return "clear-error", Value(raised[0], "guessed", "it is what the function raises for what does not fit")
    is_left_out = exit_code == "return" or ((exit_code or "").startswith("return ") and not told)
    if refusals.must_be_there(case, module, absence, line, whole, value, exit_code):
        bad = absence.conditions(code)[1]
        words = refusals.missing(module, code if absence.is_none else module.code(absence.use), absence.subject)
        words = refusals.quoted(module, f"{code} is empty") if bad == f"not {code}" else words
        if absence.is_none and " or " in bad:
            words = refusals.quoted(module, bad.replace(" is None", "") + " is missing")
        _leave_by(module, absence, line, f"raise ValueError({words})")
        return "clear-error", Value("an error", "guessed", "nothing that is empty serves what needs it")
    if not absence.is_none and is_left_out and repeatable and kinds.is_one_of_numbers(module, only, whole):
        words = refusals.quoted(module, f"{code} is too short" if "len(" in absence.conditions(code)[1] else code)
        left = _leave_by(module, absence, line, f"raise ValueError({words})")
        return left, Value("an error", "guessed", "it is one of several numbers")
    is_part_of_more = group is not None or not needs.is_needed_later(module, absence, line)
    if kinds.is_set_here_alone(module, only) and is_left_out and guards.is_unconditional(module, whole):
        return inline(module, absence, whole, absence.element, repeatable)
    if kinds.puts_into(only) and is_left_out and is_part_of_more:
        return _wrap(module, absence, line, repeatable, group)  # what the function returns in the end is not lost
    if (usual := kinds.usual_part(module, absence, only, whole, value, exit_code)) is not None:
        return inline(module, absence, whole, usual, repeatable)
    once = sum(1 for one in module.nodes(type(absence.subject), within=line) if module.code(one) == code) == 1
    is_given = told and isinstance(only, cst.Return)
    is_alone = once and not is_given and kinds.stands_alone(module, whole, exit_code)
    if is_alone and not kinds.is_used_later(module, line, code):
        return inline(module, absence, whole, absence.element, repeatable)
    if (
        isinstance(only, cst.Return)
        and whole is only.value
        and value is not None
        and exit_code != "continue"
        and repeatable
    ):
        made = guards.conditional(module, whole, absence.conditions(code)[0], value.code)
        producer = _producer(module, line, code, absence.conditions(code)[1])
        if producer is None:
            module.replace(whole, made)
            return "conditional", value
    if once and absence.element != "None" and kinds.puts_into(only) and getattr(only, "value", None) is whole:
        return inline(module, absence, whole, absence.element, repeatable)
    implied = (
        kinds.implied_number(module, only, whole)
        if value and value.strength == "guessed" and (exit_code or "").startswith("return ") and is_part_of_more
        else None
    )
    if implied is not None and guards.is_unconditional(module, whole):
        return inline(module, absence, whole, implied, repeatable)
    if (
        group is not None
        and (exit_code == "continue" or not told or works_on_itself(module, line))
        and isinstance(only, cst.Assign | cst.AnnAssign | cst.Expr)
    ):
        return _wrap(module, absence, line, repeatable, group)  # what follows can do without it
    term = kinds.term_of(module, whole) if exit_code != "continue" and not told else None
    if term is not None and guards.is_unconditional(module, term):
        return inline(module, absence, term, "0", repeatable)
    if exit_code is None:
        return inline(module, absence, whole, absence.element, repeatable)
    given = (
        value if exit_code.startswith("return ") and value else Value(exit_code, "told", "there is nothing to do then")
    )
    if absence.is_none and not told and (raised_so := refusals.raised_beside(module, absence, line)) is not None:
        exit_code, given = raised_so, Value("an error", "guessed", "the handler around it answers")
    if exit_code == "return" and (told_so := kinds.told_by_parser(module, absence, function)) is not None:
        exit_code, given = told_so, Value("an error", "guessed", "the command line says too little")
    if exit_code == "return" and function is not None and kinds.ends_the_program(module, function):
        words = refusals.plain(absence.conditions(code)[1].replace(" is None", " is missing"))
        exit_code = f"{module.name_of_import('sys')}.exit({module.quote}{words}{module.quote})"
        given = Value("the end of the program", "guessed", f"{function.name.value} ends it where it cannot go on")
    return _leave_by(module, absence, line, exit_code), given


def _leave_by(module: Module, absence: Absence, line: cst.SimpleStatementLine, exit_code: str) -> str:
    """Put the check with its way out where the subject comes from, else in front of the line; the operator."""
    code = module.code(absence.subject)
    if guards.may_repeat(module, absence.subject):
        bad = absence.conditions(code)[1]
        producer = _producer(module, line, code, bad)
        if producer is not None:
            guards.after(module, producer, f"if {bad}:\n    {exit_code}\n")
            return "guard-producer"
        guards.before(module, line, f"if {bad}:\n    {exit_code}\n")
        return "guard-use"
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    new = line.deep_replace(absence.subject, cst.Name(name))
    guards.before(module, line, f"{name} = {flat(bare)}\nif {absence.conditions(name)[1]}:\n    {exit_code}\n", new)
    return "guard-producer"


def leave_before(
    case: Case, module: Module, absence: Absence, statement: cst.If | cst.Try | cst.SimpleStatementLine
) -> tuple[str, Value] | None:
    """Leave in front of a statement where the subject is not there; None where there is no way out."""
    function = module.function(statement)
    value = for_nothing.given_for_nothing(case, module, function, "None") if function else None
    exit_code = guards.way_out(module, statement, value)
    if exit_code is None:
        return None
    bad = absence.conditions(module.code(absence.subject))[1]
    guards.before(module, statement, f"if {bad}:\n    {exit_code}\n")
    left = Value(exit_code, "told", "there is nothing to do then")
    return "guard-use", value if exit_code.startswith("return ") and value else left


def left_before_its_try(case: Case, module: Module, absence: Absence) -> tuple[str, Value] | None:
    """Leave in front of a `try` that would only go on to what needs the very thing that is None; None elsewhere."""
    behind = needs.try_before_more(module, absence)
    if behind is None or not guards.may_repeat(module, absence.subject):
        return None
    return leave_before(case, module, absence, behind)


def left_with_the_rest(
    case: Case, module: Module, absence: Absence, line: cst.SimpleStatementLine
) -> tuple[str, Value] | None:
    """Leave in front of a statement of which only a part needs the subject, where most of what follows in its block
    needs it just so; None elsewhere."""
    block, code = module.parent(line), module.code(absence.subject)
    if not isinstance(block, cst.IndentedBlock) or not guards.is_repeatable(code):
        return None
    later = list(block.body)[list(block.body).index(line) + 1 :]
    needing = [
        one for one in later if any(absence.needed_by(module, each) for each in module.nodes(cst.Attribute, within=one))
    ]
    if len(needing) < 2 or 2 * len(needing) < len(later):
        return None
    return leave_before(case, module, absence, line)


def _wrap(
    module: Module,
    absence: Absence,
    line: cst.SimpleStatementLine,
    repeatable: bool,
    group: Sequence[Statement] | None = None,
) -> tuple[str, Value]:
    """Do a statement, and those of its group behind it, only where what it needs is there."""
    nothing = Value("nothing", "guessed", "there is nothing to do then")  # whether it may be left out, nobody said
    if not isinstance(module.parent(line), cst.IndentedBlock | cst.Module):
        raise NotEditable("the statement has no line of its own")
    first, operator, good = line, "guard-use", ""
    if repeatable:
        good = absence.conditions(module.code(absence.subject))[0]
    else:
        name = guards.fresh(module, *absence.names)
        first = cast(cst.SimpleStatementLine, line.deep_replace(absence.subject, cst.Name(name)))
        operator, good = "guard-producer", absence.conditions(name)[0]
    body = [first.with_changes(leading_lines=()), *(group or [line])[1:]]
    made = cst.If(test=guards.expression(good), body=cst.IndentedBlock(body=body), leading_lines=line.leading_lines)
    for other in (group or [line])[1:]:
        module.replace(other, cst.RemoveFromParent())
    if repeatable:
        module.replace(line, made)
    else:
        bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
        guards.before(module, line, f"{name} = {flat(bare)}\n", made)
    return operator, nothing


def _with_its_try(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """Do a `try` of one statement, and what needs the name that it and its handlers bind, only where what it needs is
    there; whether it is such a `try`, and something stands behind that can do without it."""
    block = module.parent(line)
    around = module.parent(block) if block is not None else None
    if not isinstance(around, cst.Try) or around.body is not block or len(around.body.body) != 1:
        return False
    bound = set(bound_names(line))
    handled = [set(bound_names(one.body)) for one in around.handlers]
    if not bound or around.orelse is not None or around.finalbody is not None or any(one != bound for one in handled):
        return False
    group = dependents(module, around, lambda node: absence.needed_by(module, node))
    if group is None or not isinstance(line.body[0], cst.Assign):
        return False
    first = around.with_changes(leading_lines=())
    test = guards.expression(absence.conditions(module.code(absence.subject))[0])
    made = cst.If(test, cst.IndentedBlock([first, *group[1:]]), leading_lines=around.leading_lines)
    for other in group[1:]:
        module.replace(other, cst.RemoveFromParent())
    module.replace(around, made)
    return True


def _extends_test(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """`if x: use(x.y.z)`, where `x.y` may be None: the condition asks for that as well, as it asks for `x` already."""
    subject, block = absence.subject, module.parent(line)
    around = module.parent(block) if block is not None else None
    if not (isinstance(subject, cst.Attribute) and isinstance(around, cst.If) and around.orelse is None):
        return False
    owner = module.code(subject.value)
    if around.body.body[0] is not line or module.code(around.test) not in (owner, f"{owner} is not None"):
        return False
    if isinstance(module.parent(around), cst.If):  # an elif: its own test is one of several
        return False
    guards.extend(module, around.test, absence.conditions(module.code(subject))[0])
    return True


def _producer(module: Module, line: cst.SimpleStatementLine, code: str, bad: str) -> cst.SimpleStatementLine | None:
    """The statement of the same block that bound the name last, where nothing but its check, `bad`, belongs behind it:
    what else the check asks for is bound before."""
    block = module.parent(line)
    if not code.isidentifier() or not isinstance(block, cst.IndentedBlock):
        return None
    body = list(block.body)
    asked = guards.names_of(bad) - {code}
    for one in reversed(body[: body.index(line)]):
        if asked & set(bound_names(one)):
            return None
        if (
            isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 and isinstance(one.body[0], cst.Assign)
        ) and ([module.code(target.target) for target in one.body[0].targets] == [code]):
            return one
        if not isinstance(one, cst.SimpleStatementLine) and code in module.code(one):
            return None
    return None
