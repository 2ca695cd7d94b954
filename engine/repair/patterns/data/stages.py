"""A stage of a pipeline that is left out: `transform(image)` where there is no transform gives the image as it was, and
`with lock:` where there is no lock holds nothing."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

HELD = re.compile(r"'NoneType' object does not support the (?:asynchronous )?context manager protocol")
_STAGE = re.compile(
    r"(?i)(?:^|_)(?:transforms?|augment\w*|pre_?process\w*|post_?process\w*|normali[sz]e\w*|denoise\w*|norm|activation|act|"
    r"dropout|down_?sample|up_?sample)\Z"
)


def passed_by(case: Case, module: Module, line: int, call: cst.Call) -> Proposal | None:
    """Let what a stage was given come out as it was, where the stage is None; None for any other call."""
    code = module.code(call.func)
    if not _STAGE.search(last_name(call.func)) or len(call.args) != 1 or call.args[0].star:
        return None
    given = module.code(call.args[0].value)
    if not guards.is_repeatable(given) or not guards.is_repeatable(code) or checks.is_guarded(module, call, code):
        return None
    if nothing.meant(case, module, call, line):
        return None
    good, statement = f"{code} is not None", guards.statement_line(module, call)
    only = statement.body[0] if statement is not None else None
    is_in_place = isinstance(only, cst.Assign) and only.value is call and len(only.targets) == 1
    if (
        is_in_place
        and statement is not None
        and isinstance(only, cst.Assign)
        and (module.code(only.targets[0].target) == given)
    ):
        guards.under(module, statement, good)
        return finish(module, "guard-use", f"Without {code}, {given} stays as it is.")
    module.replace(call, guards.conditional(module, call, good, given))
    return finish(module, "conditional", f"Without {code}, {given} stays as it is.")


def held(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`with x:` where `x` is None: nothing is held."""
    items = [one for one in module.nodes(cst.WithItem, line) if not isinstance(one.item, cst.Call)]
    items = [one for one in items if one.asname is None]
    if len(items) != 1:
        return decline("what was None cannot be told from this line")
    item = items[0].item
    code = module.code(item)
    reason = nothing.meant(case, module, item, line)
    if reason or not guards.is_repeatable(code):
        return decline(reason or "what was None cannot be told from this line")
    if checks.is_guarded(module, item, code):
        return decline(f"{code} is checked before it is used")
    made = f"{code} if {code} is not None else {module.name_of_import('contextlib', 'nullcontext')}()"
    module.replace(item, guards.expression(made))
    return finish(module, "or-empty", f"{code} is None where nothing is to be held.")
