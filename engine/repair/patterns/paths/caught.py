"""A missing file that no path on the failing line tells of: the error is caught there, and said in words.

The path was made elsewhere, or it is a library that looks for one of its own (a folder for temporary files, the working
directory). What is left out is the failing statement with those that cannot do without it, else the rest of a function
that gives nothing. Relies on `callees` for what the code around says, on `dependents` for what needs the result.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import callees, for_nothing, guards
from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.calls import OF_PATHS
from engine.repair.patterns.paths.detours import is_more
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.dependents import dependents
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes, returns_value
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import last_name

_NO_PATH = "no call that needs a path was found on the line that failed"
_NEEDED = re.compile(
    r"(?:makedirs|mkdir|connect|bind|chdir|sendto|listen|exec\w*|fork\w*|import_module|__import__|CDLL|LoadLibrary)\Z"
)
_LOGS = re.compile(
    r"(?i)(?:\.|\A)(?:exception|error|warning|warn|info|debug|critical|log|print_exc|print|format_exc)\Z"
)
_REPEATED = (cst.Assign, cst.AnnAssign, cst.Return, cst.Expr)
WITHOUT = "Going on without a missing file"


def propose(case: Case, module: Module, statement: cst.CSTNode | None, calls: list[cst.Call]) -> Proposal | Declined:
    """The error caught where it is raised; declined where the code does not say how to go on. Raises NotEditable."""
    if calls and statement is not None and _answered_first(module, calls[0], statement):
        return edits.done(module, "handler", "review", "one that is missing is no fault that is to be looked into")
    if isinstance(statement, cst.SimpleStatementLine) and _working_directory(module, statement, calls):
        return edits.done(module, "default", "review", "the working directory itself is gone")
    made = callees.propose(case, module, case.line, edits.PATTERN, _NO_PATH)
    if isinstance(made, Proposal) or made.reason != _NO_PATH or not isinstance(statement, cst.SimpleStatementLine):
        return made
    calls = [one for one in calls if last_name(one.func) not in OF_PATHS]
    needed = [one for one in calls if _NEEDED.match(last_name(one.func))]
    function = module.function(statement)
    if not calls or needed or function is None or len(statement.body) != 1:
        return made
    return _caught(case, module, function, statement) or made


def _caught(
    case: Case, module: Module, function: cst.FunctionDef, statement: cst.SimpleStatementLine
) -> Proposal | None:
    only = statement.body[0]
    if not isinstance(module.parent(statement), cst.IndentedBlock) or any(
        module.nearest(one, cst.Lambda) for one in module.nodes(cst.Call, within=statement)
    ):
        return None
    warn = wording.warning(module, statement, WITHOUT, "error")
    is_building = function.name.value in ("__init__", "__new__", "__post_init__")
    lines = [warn]
    body: list[cst.BaseStatement] = [statement]
    if not isinstance(only, cst.Expr):
        if not isinstance(only, cst.Assign | cst.AnnAssign):
            return None
        group = dependents(module, statement, lambda _node: False)
        if group is not None and not is_building:
            body = list(group)
        elif not all(isinstance(one, cst.Name) for one in _targets(only)):
            return None  # whoever has the object finds it without that part
        elif is_building or guards.loop_around(module, statement) is not None:
            return None
        elif not returns_value(function):
            lines.append("return")
        else:
            value = for_nothing.given_for_nothing(case, module, function, "None")
            if value.strength != "told":
                return None
            lines.append(f"return {value.code}")
    elif not is_more(module, function, statement) and len(function.body.body) < 2:
        return None  # a function that does nothing else
    inner = "".join(f"    {one}\n" for one in lines)
    made = parse_statements(f"try:\n    pass\nexcept FileNotFoundError as error:\n{inner}", module.tree)[0]
    first = body[0].with_changes(leading_lines=())
    if isinstance(made, cst.Try):
        made = made.with_changes(
            body=made.body.with_changes(body=[first, *body[1:]]), leading_lines=statement.leading_lines
        )
    module.replace(statement, made)
    for other in body[1:]:
        module.replace(other, cst.RemoveFromParent())
    return edits.done(module, "caught", "review", "it comes from what is called here: it is said, the rest goes on")


def _targets(only: cst.Assign | cst.AnnAssign) -> list[cst.BaseExpression]:
    return [one.target for one in only.targets] if isinstance(only, cst.Assign) else [only.target]


def _answered_first(module: Module, call: cst.Call, statement: cst.CSTNode) -> bool:
    """Put a handler for what is missing before one that logs every error with its traceback; whether there is one."""
    inner: cst.CSTNode = call
    for around in module.ancestors(call):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return False
        if isinstance(around, cst.Try) and inner is around.body:
            last = around.handlers[-1] if around.handlers else None
            if last is None or len(around.handlers) > 1 or around.orelse is not None or not _only_logs(module, last):
                return False
            line = wording.warning(module, statement, WITHOUT, "error").replace(".warning(", ".info(", 1)
            source = f"try:\n    pass\nexcept FileNotFoundError as error:\n    {line}\n"
            made = parse_statements(source, module.tree)[0]
            if not isinstance(made, cst.Try):
                return False
            module.replace(last, cst.FlattenSentinel([made.handlers[0], last]))
            return True
        inner = around
    return False


def _only_logs(module: Module, handler: cst.ExceptHandler) -> bool:
    if handler.type is not None and module.code(handler.type) not in ("Exception", "BaseException"):
        return False
    for one in handler.body.body:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        call = small.value if isinstance(small, cst.Expr) else None
        if isinstance(small, cst.Pass):
            continue
        if not isinstance(call, cst.Call) or not _LOGS.search(module.code(call.func)):
            return False
    return any(own_nodes(handler.body, cst.Call))


def _working_directory(module: Module, statement: cst.SimpleStatementLine, calls: list[cst.Call]) -> bool:
    """Go on where the working directory is gone: without what a context manager does, else with home instead."""
    function = module.function(statement)
    there = [one for one in calls if module.qualified(one.func) in ("os.getcwd", "pathlib.Path.cwd")]
    if not there or len(statement.body) != 1 or not isinstance(statement.body[0], _REPEATED):
        return False
    managers = [module.code(one.decorator).rpartition(".")[2] for one in function.decorators] if function else []
    if "contextmanager" in managers and function is not None and module.parent(statement) is function.body:
        module.wrap(statement, "try:\n    pass\nexcept FileNotFoundError:\n    yield\n    return\n")
        return True
    is_path = module.qualified(there[0].func) != "os.getcwd"
    home = f"{module.code(there[0].func).rpartition('.')[0]}.home()" if is_path else "os.path.expanduser('~')"
    if not is_path and "os" not in module.imported:
        return False
    whole = statement.deep_replace(there[0], cst.parse_expression(home.replace("'", module.quote)))
    made = parse_statements("try:\n    pass\nexcept FileNotFoundError:\n    pass\n", module.tree)[0]
    if not isinstance(made, cst.Try):
        return False
    bare = statement.with_changes(leading_lines=())
    other = made.handlers[0].with_changes(
        body=made.handlers[0].body.with_changes(body=[whole.with_changes(leading_lines=())])
    )
    body = made.body.with_changes(body=[bare])
    module.replace(statement, made.with_changes(body=body, handlers=[other], leading_lines=statement.leading_lines))
    return True
