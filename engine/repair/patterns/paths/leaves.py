"""Leaving where a file is missing: with what the code base says the function gives then, else with a clear error.

A file that the code itself knows the place of may be missing, and the function gives what it gives for nothing. Relies
on `origins` for who asked, on `detours` for what can be done without the file.
"""

from __future__ import annotations

import ast
import builtins
import re

import libcst as cst

from engine.repair.patterns.guarding import for_nothing
from engine.repair.patterns.paths import contents, edits, optional, results, sizes, web
from engine.repair.patterns.paths.answers import as_parameter, calling, is_start, own_answer, takes_parameter
from engine.repair.patterns.paths.calls import PathCall
from engine.repair.patterns.paths.detours import go_round, is_whole
from engine.repair.patterns.paths.guards import Site, exists_test, hoisted, named_path
from engine.repair.patterns.paths.home import is_at_home
from engine.repair.patterns.paths.missing import is_beside
from engine.repair.patterns.paths.origins import BUILDING, is_asked, is_decoration
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import handlers, wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.expected import Expected, by_tests, is_test_file
from engine.repair.patterns.source.intent import is_generator, own_nodes, returns_value, sources

_WANTED = ("FileNotFoundError", "OSError", "IOError", "Exception")


def answered(site: Site) -> Proposal | Declined:
    """What the code base wants where there is nothing, else a clear error."""
    module = site.module
    function = module.function(site.call.call)
    answer = own_answer(site, function) if function is not None else None
    if answer is not None and answer.raises in _WANTED:
        return edits.declined(f"the error is wanted: {answer.why}")
    if sizes.shown_sizes(site):
        return edits.done(module, "default", "review", "what is not there has no size")
    asked = is_asked(site) and not is_beside(site) and not module.path.endswith("setup.py")  # what it reads is shown
    answer_to = web.not_found(site, function) if function is not None else None
    if answer_to is not None:
        return answer_to
    if site.call.action == "list" and not is_start(module, function, site.statement):
        asked = False  # a folder that is not there has nothing in it
    made = (
        (optional.under_its_condition(site, function) or optional.passed_over_above(site, function)) if asked else None
    )
    if made is not None:
        return made
    if asked and function is not None and function.name.value in BUILDING and optional.is_dispensable(site):
        made = go_round(site) if is_whole(site) else None
        if made is not None:
            return made
    by_test = function is not None and by_tests(site.trail, function.name.value) is not None
    is_begun = is_start(module, function, site.statement) and not is_at_home(site)
    if not asked and not by_test and is_whole(site) and not is_begun:
        made = go_round(site)
        if made is not None:
            return made
    if answer is not None and answer.value is not None and function is not None and _may_leave(function):
        return _left(site, function, answer.value, answer.why)
    said = results.verdict(function) if answer is None and function is not None else None
    if said is not None and function is not None:
        return _left(site, function, said, f"{function.name.value} says yes or no: what is not there is not so")
    if answer is None and asked:
        made = _at_caller(site, function)
        if made is not None:
            return made
    if answer is None and not asked and function is not None and _may_leave(function):
        value = _for_nothing(site, module, function)
        if value is not None:
            return _left(site, function, *value)
    above = _said_above(site, function) if answer is None and asked and function is not None else None
    if above is not None:
        return above
    if answer is None and asked and function is not None and _may_leave(function):
        kept = _for_asked(site, module, function)
        if kept is not None:
            return _left(site, function, *kept, is_said=True)
    return _clear_error(site, function, answer)


def _said_above(site: Site, function: cst.FunctionDef) -> Proposal | None:
    """What a function that called says where what it asked for cannot be used: by a handler, or by what it gives."""
    parameter, owner = as_parameter(site, function), site.module
    for index in range(site.frame - 1, max(-1, site.frame - 4), -1):
        here = site.trail.statement(index)
        if here is None or is_test_file(here[0].path):
            return None
        module, statement = here
        call, given = calling(statement, function, parameter, owner)
        around = module.function(statement)
        if call is None or around is None or module.nearest(call, cst.Lambda) is not None:
            return None
        if handlers.widened(module, call, "FileNotFoundError"):
            return edits.done(module, "handler", "review", "the handler of its caller says what is done then")
        default = results.default(module, around) or results.verdict(around)
        above = Site(site.trail, module, statement, PathCall(call, "read", given), index) if given is not None else None
        if above is not None and is_start(module, around, statement):
            told = _clear_error(above, around, None)
            return told if isinstance(told, Proposal) else None
        if above is not None and default is not None:
            left = _left(above, around, default, f"{around.name.value} gives it where there is none")
            return left if isinstance(left, Proposal) else None
        is_same = isinstance(given, cst.Name) and takes_parameter(around, given.value)
        parameter = given.value if is_same and isinstance(given, cst.Name) else None
        function, owner = around, module
    return None


def _for_asked(site: Site, module: Module, function: cst.FunctionDef) -> tuple[str, str] | None:
    """What a function gives, and says, where there is no such file as it was asked for: nothing where it gives nothing,
    no elements where it gives several; None where the error alone is right."""
    if is_start(module, function, site.statement):
        return None
    if not returns_value(function):
        return "None", "there is nothing to do without it"
    default = results.default(module, function)
    if default is not None:
        return default, f"{function.name.value} gives it where there is none"
    value = for_nothing.given_for_nothing(site.trail.case, module, function, "None")
    return (value.code, value.because) if value.strength != "guessed" and value.code != '""' else None


def _may_leave(function: cst.FunctionDef) -> bool:
    return function.name.value not in BUILDING


def _left(site: Site, function: cst.FunctionDef, value: str, why: str, *, is_said: bool = False) -> Proposal | Declined:
    module = site.module
    name, statement = named_path(site, site.call.path)
    test = exists_test(module, site, name)
    lines = ""
    if is_generator(function) or (value == "None" and not returns_value(function)):
        line = "return"
        is_said = is_said or (value == "None" and not is_generator(function) and site.call.action not in ("list",))
    else:
        line = f"return {value}"
    if is_said:
        lines = f"    {wording.warning(module, site.statement, 'File not found', name)}\n"
    head = f"{hoisted(module, name, site.call.path)}if not {test}:\n"
    return edits.inserted(site, f"{head}{lines}    {line}\n", "default", "review", why, statement)


def _for_nothing(site: Site, module: Module, function: cst.FunctionDef) -> tuple[str, str] | None:
    """What a function gives without a file of its own, and who says so; None where nothing is good enough."""
    name = function.name.value
    if not returns_value(function):
        return "None", "there is nothing to do without it"
    case = site.trail.case
    held = _held(site, function, site.statement)
    if held == "None":
        return held, "it is something to look at, which is not needed"
    value = for_nothing.given_for_nothing(case, module, function, held or "None")
    if value.strength != "guessed" or value.code != "None":
        return value.code, value.because
    if callers_bear_none(case, name):
        return "None", f"callers of {name} can do without"
    number = results.number(function)
    return (number, f"callers of {name} want a number") if number is not None else None


def _held(site: Site, function: cst.FunctionDef, statement: cst.CSTNode) -> str | None:
    """The empty value of what a function returns from the file itself."""
    module = site.module
    for one in own_nodes(function.body, cst.Return):
        if one.value is None or module.position(one).start.line < module.position(statement).start.line:
            continue
        code = module.code(one.value)
        if isinstance(one.value, cst.Name):
            bound = [
                module.code(each.value)
                for each in own_nodes(function.body, cst.Assign)
                if [module.code(target.target) for target in each.targets] == [code]
            ]
            code = bound[-1] if bound else code
        value = contents.of_value(code)
        if value == '""' and re.search(r"""['"][rw]?b[rw+]*['"]""", module.code(statement)):
            return "None" if is_decoration(site) else 'b""'
        if value is not None:
            return value
    return None


def _at_caller(site: Site, function: cst.FunctionDef | None) -> Proposal | None:
    """Go on without the file in the function that names it, where that one calls the failing one with its path."""
    parameter = as_parameter(site, function) if function is not None else None
    owner = site.module
    for index in range(site.frame - 1, max(-1, site.frame - 5), -1):
        here = site.trail.statement(index)
        if here is None or function is None or parameter is None or is_test_file(here[0].path):
            return None
        module, statement = here
        call, given = calling(statement, function, parameter, owner)
        if call is None or given is None or module.nearest(call, cst.Lambda) is not None:
            return None
        above = Site(site.trail, module, statement, PathCall(call, "read", given), index)
        around = module.function(statement)
        if not is_asked(above):
            if not is_whole(above) or is_start(module, around, statement):
                return None
            made = go_round(above)
            if made is not None or around is None or not _may_leave(around):
                return made
            value = _for_nothing(above, module, around)
            left = _left(above, around, *value) if value is not None else None
            return left if isinstance(left, Proposal) else None
        is_same = isinstance(given, cst.Name) and around is not None and takes_parameter(around, given.value)
        parameter = given.value if is_same and isinstance(given, cst.Name) else None
        function, owner = around, module
    return None


def _clear_error(site: Site, function: cst.FunctionDef | None, answer: Expected | None) -> Proposal | Declined:
    module = site.module
    name, statement = named_path(site, site.call.path)
    head = f"{hoisted(module, name, site.call.path)}if not {exists_test(module, site, name)}:\n"
    said = wording.formatted(module, "file not found", name)
    line, why = f"raise FileNotFoundError({said})", "the error says what is missing"
    is_command = is_start(module, function, site.statement) or (
        function is None and re.search(r"\bargv\b|argparse|\binput\(", module.tree.code) is not None
    )
    if answer is not None and answer.raises and answer.raises not in ("FileNotFoundError", "OSError", "SystemExit"):
        if (
            not hasattr(builtins, answer.raises)
            and answer.raises not in module.imported
            and not module.defines(answer.raises)
        ):
            return edits.declined(f"{answer.why}: {answer.raises}, which the file does not know")
        line, why = f"raise {answer.raises}({said})", answer.why
    elif is_command or (answer is not None and answer.raises == "SystemExit"):
        line = f"{module.name_of_import('sys')}.exit({said})"
        why = "a person is told which file is missing"
    return edits.inserted(site, f"{head}    {line}\n", "clear-error", "review", why, statement)


def callers_bear_none(case: Case, name: str, *, asked: bool = False) -> bool:
    """Whether every call of a function in the project can do with None: it is tested, compared, or not looked at
    (where not all of them have to be `asked` for)."""
    calls = 0
    for _path, tree in sources(case, name):
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _last(node.func) == name:
                calls += not (asked and isinstance(parents.get(node), ast.Expr))
                if not _bears(node, parents):
                    return False
    return calls > 0


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _bears(node: ast.expr, parents: dict[ast.AST, ast.AST]) -> bool:
    around = parents.get(node)
    if isinstance(around, ast.Await):
        return _bears(around, parents)
    if isinstance(around, ast.Expr | ast.BoolOp | ast.FormattedValue):
        return True
    if isinstance(around, ast.If | ast.While | ast.IfExp):
        return around.test is node
    if isinstance(around, ast.UnaryOp):
        return isinstance(around.op, ast.Not)
    if isinstance(around, ast.Compare):
        return all(isinstance(one, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) for one in around.ops)
    if isinstance(around, ast.Assign) and len(around.targets) == 1 and isinstance(around.targets[0], ast.Name):
        return _is_only_asked(around, around.targets[0].id, parents)
    return False


def _is_only_asked(change: ast.Assign, name: str, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a name that is bound here is tested before anything else is done with it."""
    scope: ast.AST = change
    while scope in parents and not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
        scope = parents[scope]
    reads = [
        one
        for one in ast.walk(scope)
        if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load) and one.lineno > change.lineno
    ]
    if not reads:
        return False
    first = min(reads, key=lambda one: (one.lineno, one.col_offset))
    return _bears(first, parents) or all(_bears(one, parents) for one in reads)
