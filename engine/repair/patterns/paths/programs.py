"""A program that is not installed: the function's own answer for what cannot be done, where it has one.

Evidence: a FileNotFoundError where a process is started. It is told in words which program is missing where the
function refuses in words of its own, and the exit status of the shell stands for it where a status is asked for.
Functions that say nothing of what they do without the program are left alone: the error names it already.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import for_nothing
from engine.repair.patterns.paths import edits, results
from engine.repair.patterns.paths.answers import is_start
from engine.repair.patterns.paths.leaves import callers_bear_none
from engine.repair.patterns.paths.missing import runs_a_program
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.expected import by_callers, expected, is_test_file
from engine.repair.patterns.source.intent import own_nodes, returns_value
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import last_name, text_of

NOT_FOUND = "127"  # what a shell answers for a command that it does not find
_ALIEN = re.compile(r"(?:NotImplementedError|StopIteration|SystemExit|KeyboardInterrupt|AssertionError|KeyError)\Z")
_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.BinaryOperation, cst.Call)
_STATUS = ("subprocess.call", "os.spawnvp", "os.spawnlp", "os.spawnv", "os.spawnl")
WORDS = "Program not found"
_VERSION = re.compile(r"(?i)(?:^|_)(?:git|svn|hg|commit|revision|rev|sha\d*|version)(?:_|\Z)")


def propose(
    trail: Trail, module: Module, statement: cst.CSTNode, call: cst.Call, path: str | None
) -> Proposal | Declined:
    """What is done without the program; declined where nothing says so. Raises NotEditable."""
    otherwise = edits.declined(f"a program is missing ({path}), not a file of the project's data")
    function = module.function(statement)
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1 or function is None:
        return otherwise
    if is_test_file(module.path) or module.nearest(call, cst.Lambda) is not None:
        return otherwise
    lines, why = _answer(trail, module, function, statement, call)
    if not lines:
        return otherwise
    if lines[-1].startswith(("raise ", "return ")) and _handled_beside(module, statement, lines):
        return edits.done(module, "program", "review", why)
    name = " as error" if any(re.search(r"\berror\b", one) for one in lines) else ""
    body = "".join(f"    {one}\n" for one in lines)
    module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError{name}:\n{body}")
    return edits.done(module, "program", "review", why)


def _handled_beside(module: Module, statement: cst.CSTNode, lines: list[str]) -> bool:
    """Put the answer beside the handlers of the `try` that holds the statement; whether there is one."""
    around = module.parent(module.parent(statement) or statement)
    if not isinstance(around, cst.Try) or module.parent(statement) is not around.body or not around.handlers:
        return False
    body = "".join(f"    {one}\n" for one in lines)
    made = parse_statements(f"try:\n    pass\nexcept FileNotFoundError as error:\n{body}", module.tree)[0]
    if not isinstance(made, cst.Try):
        return False
    module.replace(around.handlers[0], cst.FlattenSentinel([made.handlers[0], around.handlers[0]]))
    return True


def _answer(
    trail: Trail, module: Module, function: cst.FunctionDef, statement: cst.SimpleStatementLine, call: cst.Call
) -> tuple[list[str], str]:
    only = statement.body[0]
    kind = _refusal(module, function, statement)
    if kind is not None:
        said = wording.formatted(module, WORDS.lower(), "error.filename")
        return [f"raise {kind}({said}) from error"], "the program is missing: it is what the function raises then"
    warn = wording.warning(module, statement, WORDS, "error.filename")
    if module.qualified(call.func) in _STATUS:
        if isinstance(only, cst.Assign) and only.value is call:
            target = module.code(only.targets[0].target)
            return [warn, f"{target} = {NOT_FOUND}"], "the program is missing: it is what a shell answers then"
        if isinstance(only, cst.Return) and only.value is call:
            return [warn, f"return {NOT_FOUND}"], "the program is missing: it is what a shell answers then"
    is_checked = _is_checked(call)
    if is_start(module, function, statement) and (is_checked or not isinstance(only, cst.Expr)):
        said = wording.formatted(module, WORDS.lower(), "error.filename")
        return [f"{module.name_of_import('sys')}.exit({said})"], "a person is told which program is missing"
    if not returns_value(function):
        if isinstance(only, cst.Expr) and not is_checked:
            return [warn], "nobody asks how the program ended: it is said that there is none"
        is_last = function.body.body[-1] is statement and len(function.body.body) < 3
        if isinstance(only, cst.Expr) and not is_last:
            return [warn], "the program is missing: it is said, and the rest is done without it"
        return [], ""
    value = _value(trail, module, function, only)
    return ([warn, f"return {value[0]}"], f"the program is missing: {value[1]}") if value is not None else ([], "")


def _is_checked(call: cst.Call) -> bool:
    """Whether the code wants an error where the program fails."""
    given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "check"), None)
    is_said = isinstance(given, cst.Name) and given.value == "True"
    return is_said or last_name(call.func) in ("check_call", "check_output")


def _value(
    trail: Trail, module: Module, function: cst.FunctionDef, only: cst.BaseSmallStatement
) -> tuple[str, str] | None:
    """What the function gives where the program cannot be run, and who says so."""
    if isinstance(only, cst.Return) and isinstance(only.value, cst.Comparison):
        return "False", "it is not as it is asked for"
    name = function.name.value
    if name in ("main", "cli", "run") and is_start(module, function, function):
        return None
    said = results.verdict(function)
    if said is not None:
        return "False", f"{name} says yes or no"
    answer = expected(trail, module, function) or by_callers(trail, name)
    if answer is not None:
        return (answer.value, answer.why) if answer.value is not None else None
    value = for_nothing.given_for_nothing(trail.case, module, function, "None")
    if value.strength != "guessed":
        return value.code, value.because
    text = results.text(module, function)
    if text is not None and _VERSION.search(name):
        return f"{module.quote}unknown{module.quote}", f"{name} gives a word for people"
    if text is not None and callers_bear_none(trail.case, name, asked=True):
        return text, f"{name} gives a text"
    if callers_bear_none(trail.case, name, asked=True):
        return "None", f"callers of {name} ask for it"
    number = results.number(function)
    return (number, f"callers of {name} want a number") if number is not None else None


def _refusal(module: Module, function: cst.FunctionDef, statement: cst.CSTNode) -> str | None:
    """The one kind of error that a function raises in words behind a statement, where what it ran has failed."""
    line = module.position(statement).end.line
    kinds: set[str] = set()
    for one in own_nodes(function.body, cst.Raise):
        call = one.exc
        if module.position(one).start.line < line or not isinstance(call, cst.Call) or not call.args:
            continue
        name = last_name(call.func)
        if not isinstance(call.args[0].value, _TEXTS) or len(call.args) != 1 or not name or _ALIEN.search(name):
            continue
        kinds.add(module.code(call.func))
    return kinds.pop() if len(kinds) == 1 else None


def missing_folder(module: Module, call: cst.Call, path: str | None) -> cst.BaseExpression | None:
    """The working directory that a process is started in, where that is what is missing."""
    given = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "cwd"), None)
    first = call.args[0].value if call.args and call.args[0].keyword is None else None
    if isinstance(first, cst.List | cst.Tuple) and first.elements:
        first = first.elements[0].value
    program = text_of(first)
    if given is None or path is None or program is None or not runs_a_program(module, call):
        return None
    return given if program.split(" ")[0] != path and "/" in path else None
