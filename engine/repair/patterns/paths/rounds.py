"""A round of a loop, or of a `map`, whose file is missing: the rest of them goes on.

For calls that look for files by themselves; where the path is in sight, `missing_file` looks for it first.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.paths.answers import calls_in, loop_over, varies_in
from engine.repair.patterns.paths.calls import FUNCTIONS, OF_PATHS
from engine.repair.patterns.paths.guards import CHECKS, Site, exists_test, is_simple
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import bound_values, last_name

SKIPPED = "Skipping a missing file"
_MAPS = ("map", "imap", "imap_unordered", "thread_map", "process_map")


def passes_over(module: Module, statement: cst.CSTNode, call: cst.Call) -> bool:
    """Let a loop pass over the round for which a call of it finds no file; whether it is such a call."""
    loop = loop_over(module, statement)
    names = [arg.value for arg in call.args if not arg.star]
    if not isinstance(loop, cst.For) or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
        return False
    if last_name(call.func) in OF_PATHS or module.nearest(call, cst.Lambda) is not None:
        return False
    if not any(varies_in(module, loop, one) for one in names):
        return False
    warn = wording.warning(module, statement, SKIPPED, "error")
    module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n")
    return True


def filters_order(module: Module, calls: list[cst.Call]) -> bool:
    """Let `sorted(files, key=os.path.getmtime)` go over those files that are there; whether there is one."""
    for call in calls:
        key = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "key"), None)
        plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
        if key is None or len(plain) != 1 or last_name(call.func) not in ("sorted", "max", "min"):
            continue
        if module.qualified(key) in ("os.path.getmtime", "os.path.getsize", "os.path.getctime", "os.path.getatime"):
            looks = f"{module.name_of_import('os')}.path.exists"
            made = cst.parse_expression(f"filter({looks}, {module.code(plain[0].value)})")
            module.replace(plain[0].value, made)
            return True
    return False


def filters_map(module: Module, statement: cst.CSTNode, function: cst.FunctionDef) -> bool:
    """Let `map(read, paths)` go over those paths that are there; whether there is one."""
    return any(_filtered(module, call, function.name.value) for call in calls_in(statement))


def filters_readers(module: Module, calls: list[cst.Call]) -> bool:
    """Let `map(Image.open, paths)` go over those paths that are there; whether there is one."""
    for call in calls:
        given = call.args[0].value if call.args and not call.args[0].star else None
        if not isinstance(given, cst.Name | cst.Attribute):
            continue
        name = module.qualified(given)
        if name == "open" or FUNCTIONS.get(name) in ("read", "list"):
            return _filtered(module, call, last_name(given))
    return False


def _filtered(module: Module, call: cst.Call, name: str) -> bool:
    plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
    if last_name(call.func) not in _MAPS or len(plain) < 2 or last_name(_mapped(module, plain[0].value)) != name:
        return False
    if _looks_for(module, plain[1].value):
        return False
    looks = f"{module.name_of_import('os')}.path.exists"
    module.replace(plain[1].value, cst.parse_expression(f"filter({looks}, {module.code(plain[1].value)})"))
    return True


def _mapped(module: Module, given: cst.BaseExpression) -> cst.BaseExpression:
    """The function that is mapped: the one within `partial(...)`, which a name may be bound to."""
    scope = module.function(given)
    if isinstance(given, cst.Name) and scope is not None:
        bound = bound_values(module, scope, given.value, module.position(given).start.line)
        given = bound[0] if bound and isinstance(bound[0], cst.Call) else given
    if isinstance(given, cst.Call) and last_name(given.func) == "partial" and len(given.args) >= 1:
        return given.args[0].value
    return given


def filters_key(site: Site) -> bool:
    """Let `max(files, key=lambda one: one.stat().st_mtime)`, or `.sort`, go over what is there; whether it is one."""
    module = site.module
    within = module.nearest(site.call.call, cst.Lambda)
    arg = module.parent(within) if within is not None else None
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    if (
        within is None
        or not isinstance(call, cst.Call)
        or not isinstance(arg, cst.Arg)
        or len(within.params.params) != 1
    ):
        return False
    if arg.keyword is None or arg.keyword.value != "key":
        return False
    name = within.params.params[0].name.value
    there = exists_test(module, site, module.code(site.call.path))
    plain = [one for one in call.args if one.keyword is None and not one.star]
    if last_name(call.func) in ("sorted", "max", "min") and len(plain) == 1:
        if _looks_for(module, plain[0].value):
            return False
        files = module.code(plain[0].value)
        module.replace(plain[0].value, cst.parse_expression(f"({name} for {name} in {files} if {there})"))
        return True
    own = call.func.value if isinstance(call.func, cst.Attribute) and call.func.attr.value == "sort" else None
    if own is None or plain or not is_simple(own) or not isinstance(site.statement, cst.SimpleStatementLine):
        return False
    files = module.code(own)
    function = module.function(site.statement)
    if function is not None and f"for {name} in {files} if {there}" in module.code(function.body):
        return False
    module.insert_before(site.statement, f"{files} = [{name} for {name} in {files} if {there}]\n")
    return True


def _looks_for(module: Module, files: cst.BaseExpression) -> bool:
    """Whether what is gone through has been looked for already."""
    return any(sign in module.code(files) for sign in CHECKS)
