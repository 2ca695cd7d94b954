"""A path that is not there: looked for before it is read, its folder made before it is written.

Evidence: a FileNotFoundError at a call that needs a path. In a loop over paths a missing one is skipped with a warning;
a write makes its folder; what is deleted may be gone already; a read gives what the code base says it should give where
there is nothing, and raises a clear error otherwise. Errors that are caught, raised or documented on purpose, missing
programs and paths that are looked for already are left alone.

    before    for path in paths:
                  sizes.append(path.stat().st_size)
    after     for path in paths:
                  if not path.exists():
                      logger.warning("Skipping a missing file: %s", path)
                      continue
                  sizes.append(path.stat().st_size)
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

import libcst as cst

from engine.repair.patterns import expected, wording
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line, parse_statements, with_keyword
from engine.repair.patterns.openings import keyword
from engine.repair.patterns.path_calls import PathCall, path_call
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.sites import (
    Place,
    Trail,
    argument_for,
    bound_values,
    last_name,
    own_parts,
    scopes,
    text_of,
    walk,
)
from engine.repair.record import ErrorRecord

ON_PURPOSE = ("FileNotFoundError", "OSError", "IOError", "EnvironmentError")
PATH = re.compile(r"No such file or directory: (?P<path>b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|\S+)")
CHECKS = ("exists", "is_file", "isfile", "is_dir", "isdir", "lexists", "access")
FIRST_TIME = re.compile(r"(?i)cache|state|history|checkpoint|progress|session|seen|index|store|database|manifest|registry")
STARTS = ("main", "cli", "run", "_main")
SKIPPED = "Skipping a missing file"


@dataclass(frozen=True)
class _Site:
    """The failing call with all that the edit needs."""

    trail: Trail
    module: Module
    statement: cst.CSTNode
    call: PathCall
    frame: int


class MissingFile:
    """Look for a path before it is needed, make the folder before it is written to."""

    id = "missing-file"
    title = "look for files before they are read, make folders before they are written to"

    def recognises(self, record: ErrorRecord) -> bool:
        """A FileNotFoundError."""
        return record.type == "FileNotFoundError"

    def propose(self, case: Case) -> Proposal | Declined:
        """The check, the folder or the clear error; or the reason why not."""
        try:
            site = self._site(case)
            return site if isinstance(site, Declined) else self._edit(site)
        except NotEditable as error:
            return self._declined(error.reason)

    # -- finding --------------------------------------------------------------------------------------------------

    def _site(self, case: Case) -> _Site | Declined:
        trail = Trail(case)
        caught = trail.caught(ON_PURPOSE)
        if caught:
            return self._declined(f"it is caught on purpose by {caught}")
        here = trail.statement(trail.last)
        if here is None:
            return self._declined("the line that failed is no longer there")
        module, statement = here
        parts = [node for part in own_parts(statement) for node in walk(part)]
        if any(isinstance(node, cst.Raise) for node in parts):
            return self._declined("it is raised on purpose")
        if expected.is_test_file(module.path):
            return self._declined("the file is missing to a test itself")
        message = case.records[0].message
        told = PATH.search(message)
        path = told["path"].strip("b'\"") if told else None
        if path == "":
            return self._declined("the path is empty: what should have set it is to blame")
        calls = [node for node in parts if isinstance(node, cst.Call)]
        if any(_runs_a_program(module, node) for node in calls):
            return self._declined(f"a program is missing ({path}), not a file of the project's data")
        found = [one for node in calls if (one := path_call(module, node)) is not None]
        if not found:
            return self._declined("no call that needs a path was found on the line that failed")
        call = _failed(module, found, path, case)
        if module.nearest(call.call, cst.Lambda) is not None:
            return self._declined("it stands within a lambda")
        function = module.function(call.call)
        if function is not None and re.search(r"(?i)raises?\b[^.]*FileNotFoundError", function.get_docstring() or ""):
            return self._declined(f"{function.name.value} is documented to raise it")
        if _is_checked(module, call):
            return self._declined("the path is looked for already: it vanished in between, or the check is elsewhere wrong")
        if any(last_name(node.func) == "resolve" and keyword(node, "strict") for node in calls):
            return self._declined("strict=True asks for the error")
        return _Site(trail, module, statement, call, trail.last)

    # -- editing --------------------------------------------------------------------------------------------------

    def _edit(self, site: _Site) -> Proposal | Declined:
        action = site.call.action
        if action == "write":
            return self._folder_made(site, site.call.path)
        if action == "mkdir":
            return self._parents(site)
        if action in ("delete", "delete-tree"):
            return self._gone_already(site)
        if action == "move" and _is_target(site):
            assert site.call.target is not None
            return self._folder_made(site, site.call.target, "review")
        return (
            self._skipped_in_comprehension(site)
            or self._skipped_in_loop(site)
            or self._skipped_by_caller(site)
            or self._answered(site)
        )

    def _folder_made(self, site: _Site, path: cst.BaseExpression, how: Applicability = "safe") -> Proposal | Declined:
        module = site.module
        literal = text_of(path)
        if literal is not None and len(PurePosixPath(literal.replace("\\", "/")).parts) < 2:
            return self._declined(f"{literal} has no folder that could be made")
        if _makes_folders(module, site, path):
            return self._declined("its folder is made already")
        if _in_comprehension(module, site.call.call):
            return self._declined("it is written within a comprehension")
        name, statement = _named(site, path)
        is_path = _is_path(site, path) or (site.call.is_path and path is site.call.path)
        if is_path:
            line = f"{name}.parent.mkdir(parents=True, exist_ok=True)\n"
        elif "os" in module.imported and "pathlib" not in "".join(module.imported.values()):
            line = f"os.makedirs(os.path.dirname({name}) or {module.quote}.{module.quote}, exist_ok=True)\n"
        else:
            line = f"{module.name_of_import('pathlib', 'Path')}({name}).parent.mkdir(parents=True, exist_ok=True)\n"
        return self._inserted(site, _hoisted(module, name, path) + line, "mkdir", how, "its folder may be missing: it is made first", statement)

    def _parents(self, site: _Site) -> Proposal | Declined:
        module, call = site.module, site.call.call
        if site.call.is_path:
            if keyword(call, "parents") is not None:
                return self._declined("the call says already whether parents are made")
            module.replace(call, with_keyword(call, "parents", "True"))
        else:
            changed = call.func.with_changes(attr=cst.Name("makedirs")) if isinstance(call.func, cst.Attribute) else None
            if changed is None:
                return self._declined("os.mkdir is imported by itself")
            module.replace(call, call.with_changes(func=changed))
        return self._done(module, "mkdir-parents", "safe", "a folder above it is missing: it is made too")

    def _gone_already(self, site: _Site) -> Proposal | Declined:
        module, call, statement = site.module, site.call, site.statement
        if call.is_path and call.action == "delete":
            if keyword(call.call, "missing_ok") is not None or call.call.args:
                return self._declined("the call says already what is done when the file is gone")
            module.replace(call.call, with_keyword(call.call, "missing_ok", "True"))
            return self._done(module, "missing-ok", "safe", "what is to be deleted may be gone already")
        alone = isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
        if not (alone and isinstance(one := cast(cst.SimpleStatementLine, statement).body[0], cst.Expr) and one.value is call.call):
            return self._declined("the deletion stands within a larger statement")
        name, _statement = _named(site, call.path)
        if call.is_path:
            test = f"{name}.is_dir()"
        else:
            test = f"{module.name_of_import('os')}.path.{'isdir' if call.action == 'delete-tree' else 'lexists'}({name})"
        source = f"{_hoisted(module, name, call.path)}if {test}:\n    pass\n"
        made = parse_statements(source, module.tree)
        own = _with_path(statement, call.path, name)
        guard = cast(cst.If, made[-1])
        inner = cast(cst.SimpleStatementLine, own).with_changes(leading_lines=())
        guard = guard.with_changes(body=guard.body.with_changes(body=[inner]))
        lead = cast(cst.SimpleStatementLine, statement).leading_lines
        whole = [*made[:-1], guard]
        whole[0] = cast(cst.SimpleStatementLine, whole[0]).with_changes(leading_lines=lead)
        module.replace(statement, cst.FlattenSentinel(whole))
        return self._done(module, "exists-check", "safe", "what is to be deleted may be gone already")

    def _skipped_in_comprehension(self, site: _Site) -> Proposal | Declined | None:
        module = site.module
        around = _in_comprehension(module, site.call.call)
        if around is None:
            return None
        return self._filtered(module, around, module.code(site.call.path), site)

    def _filtered(self, module: Module, around: cst.CSTNode, path: str, site: _Site) -> Proposal | Declined:
        clause = cast(cst.ListComp, around).for_in
        while clause.inner_for_in is not None:
            clause = clause.inner_for_in
        if any(sign in module.code(one.test) for one in clause.ifs for sign in CHECKS):
            return self._declined("the path is looked for already")
        test = cst.parse_expression(_exists(module, site, path))
        module.replace(clause, clause.with_changes(ifs=[*clause.ifs, cst.CompIf(test)]))
        return self._done(module, "skip", "review", "one of several files is missing: it is left out, the rest goes on")

    def _skipped_in_loop(self, site: _Site) -> Proposal | Declined | None:
        module = site.module
        loop = _loop(module, site.statement)
        if loop is None or not _varies(module, loop, site.call.path):
            return None
        name, statement = _named(site, site.call.path)
        warn = wording.warning(module, site.statement, SKIPPED, name)
        test = _exists(module, site, name)
        source = f"{_hoisted(module, name, site.call.path)}if not {test}:\n    {warn}\n    continue\n"
        return self._inserted(site, source, "skip", "review", "one of several files is missing: it is skipped and said so", statement)

    def _skipped_by_caller(self, site: _Site) -> Proposal | Declined | None:
        """The loop is in a calling frame: the check (or a narrow `except`) goes there."""
        function = site.module.function(site.call.call)
        if function is None or _own_answer(site, function) is not None:
            return None
        parameter = _as_parameter(site, function)
        for index in range(site.frame - 1, max(-1, site.frame - 5), -1):
            if site.trail.frames[index][1].function.startswith("<") and site.trail.frames[index][1].function != "<module>":
                continue
            here = site.trail.statement(index)
            if here is None:
                return self._declined("the code that called it has changed since")
            if expected.is_test_file(here[0].path):
                return None
            module, statement = here
            call, given = _calling(module, statement, function, parameter, site.module)
            if call is None:
                return None
            around = _in_comprehension(module, call)
            if around is not None and given is not None:
                return self._filtered(module, around, module.code(given), site)
            loop = _loop(module, statement)
            if loop is not None and (given is None or _varies(module, loop, given)):
                return self._skipped_above(site, module, statement, loop, given)
            if given is None:
                parameter = None
            function = module.function(statement)
            if function is None:
                return None
            if parameter is not None:
                parameter = given.value if isinstance(given, cst.Name) and _takes(function, given.value) else None
        return None

    def _skipped_above(
        self, site: _Site, module: Module, statement: cst.CSTNode, loop: cst.For, given: cst.BaseExpression | None
    ) -> Proposal | Declined:
        target = module.code(loop.target)
        if given is not None and _simple(given):
            name = module.code(given)
            if any(
                last_name(node.func) in CHECKS and name in module.code(node)
                for node in walk(loop.body)
                if isinstance(node, cst.Call)
            ):
                return self._declined("the loop looks for the path already")
            warn = wording.warning(module, statement, SKIPPED, name)
            module.insert_before(_whole(module, statement), f"if not {_exists(module, site, name)}:\n    {warn}\n    continue\n")
        else:
            if not isinstance(statement, cst.SimpleStatementLine):
                return self._declined("the loop calls it in the head of another statement")
            warn = wording.warning(module, statement, SKIPPED, target if loop.target and isinstance(loop.target, cst.Name) else "error", "error")
            source = f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n"
            guard = cast(cst.Try, parse_statements(source, module.tree)[0])
            inner = statement.with_changes(leading_lines=())
            guard = guard.with_changes(body=guard.body.with_changes(body=[inner]), leading_lines=statement.leading_lines)
            module.replace(statement, guard)
        return self._done(module, "skip", "review", "one of several files is missing: it is skipped and said so")

    def _answered(self, site: _Site) -> Proposal | Declined:
        """What the code base wants where there is nothing, else a clear error."""
        module = site.module
        function = module.function(site.call.call)
        answer = _own_answer(site, function) if function is not None else None
        name, statement = _named(site, site.call.path)
        head = f"{_hoisted(module, name, site.call.path)}if not {_exists(module, site, name)}:\n"
        said = wording.formatted(module, "file not found", name)
        if function is not None and answer is not None and answer.value is not None and function.name.value != "__init__":
            yields = any(isinstance(node, cst.Yield) for node in walk(function.body, into_functions=False))
            line = "return" if yields else f"return {answer.value}"
            return self._inserted(site, f"{head}    {line}\n", "default", "review", answer.why, statement)
        if answer is not None and answer.raises and answer.raises not in ("FileNotFoundError", "OSError", "SystemExit"):
            if not hasattr(builtins, answer.raises) and answer.raises not in module.imported and not module.defines(answer.raises):
                return self._declined(f"{answer.why}: {answer.raises}, which the file does not know")
            return self._inserted(site, f"{head}    raise {answer.raises}({said})\n", "clear-error", "review", answer.why, statement)
        if (answer is not None and answer.raises == "SystemExit") or _is_start(module, function, site.statement):
            leave = f"{module.name_of_import('sys')}.exit({said})"
            return self._inserted(site, f"{head}    {leave}\n", "clear-error", "review", "a person is told which file is missing", statement)
        line = f"raise FileNotFoundError({said})"
        return self._inserted(site, f"{head}    {line}\n", "clear-error", "review", "the error says what is missing", statement)

    def _inserted(
        self, site: _Site, source: str, operator: str, how: Applicability, why: str, instead: cst.CSTNode
    ) -> Proposal | Declined:
        whole = _whole(site.module, site.statement)
        if whole is not site.statement and instead is not site.statement:
            return self._declined("the path stands in an elif and is made there")
        site.module.insert_before(whole, source, instead if whole is site.statement else None)
        return self._done(site.module, operator, how, why)

    def _done(self, module: Module, operator: str, how: Applicability, why: str) -> Proposal:
        edit = module.edit()
        return Proposal(self.id, operator, (edit,), first_changed_line(edit), how, why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


def _runs_a_program(module: Module, call: cst.Call) -> bool:
    name = module.qualified(call.func)
    return name.startswith(("subprocess.", "asyncio.create_subprocess", "os.exec", "os.spawn", "os.posix_spawn", "pty."))


def _failed(module: Module, found: list[PathCall], path: str | None, case: Case) -> PathCall:
    """Which of several calls failed: the one whose literal is in the path told, else one that fits, else the first."""
    if len(found) == 1 or path is None:
        return found[0]
    tail = PurePosixPath(path).name
    for one in found:
        texts = [text_of(node) for node in walk(one.path)]
        if any(text and text.strip("/.") and text in path for text in texts):
            return one
    for one in found:
        if tail and any(isinstance(node, cst.Name) and PurePosixPath(tail).stem in node.value for node in walk(one.path)):
            return one
    return found[0]


def _is_target(site: _Site) -> bool:
    """Whether a move or copy failed for want of the target's folder."""
    if site.call.target is None:
        return False
    for frame in site.trail.record.frames:
        if "open(dst" in frame.code:
            return True
        if "open(src" in frame.code or "os.stat(src" in frame.code:
            return False
    listed = any(
        isinstance(place.node, cst.Call) and last_name(place.node.func) in ("listdir", "glob", "rglob", "iterdir", "walk", "scandir")
        for place in site.trail.origins(Place(site.module, site.call.path, site.frame))
    )
    return listed or not isinstance(site.call.target, cst.Name)


def _in_comprehension(module: Module, node: cst.CSTNode) -> cst.CSTNode | None:
    for around in module.ancestors(node):
        if hasattr(around, "for_in"):
            names = {one.value for one in walk(around.for_in.target) if isinstance(one, cst.Name)}
            inside = {one.value for one in walk(node) if isinstance(one, cst.Name)}
            outer = any(one is around.for_in for one in module.ancestors(node))
            return around if names & inside and not outer else None
        if isinstance(around, cst.BaseCompoundStatement | cst.SimpleStatementLine | cst.Lambda):
            return None
    return None


def _loop(module: Module, statement: cst.CSTNode) -> cst.For | None:
    """The innermost loop around a statement, where it is a `for` and `continue` can be said."""
    inner = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.While):
            return None
        if isinstance(around, cst.For):
            return around if inner is around.body else None
        inner = around
    return None


def _varies(module: Module, loop: cst.For, path: cst.CSTNode) -> bool:
    """Whether a path depends on what the loop goes through."""
    targets = {one.value for one in walk(loop.target) if isinstance(one, cst.Name)}
    names = [one for one in walk(path) if isinstance(one, cst.Name)]
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name.value in targets:
            return True
        if name.value in seen:
            continue
        seen.add(name.value)
        scope = next(iter(scopes(module, loop)), None)
        line = module.position(loop.body).end.line
        for value in bound_values(module, scope, name.value, line) if scope is not None else ():
            if any(around is loop for around in module.ancestors(value)):
                names += [one for one in walk(value) if isinstance(one, cst.Name)]
    return False


def _simple(node: cst.CSTNode) -> bool:
    """Whether an expression may stand twice: a name, an attribute, a string, a fixed item of a name."""
    if isinstance(node, cst.Attribute):
        return _simple(node.value)
    if isinstance(node, cst.Subscript):
        return _simple(node.value) and all(
            isinstance(one.slice, cst.Index) and isinstance(one.slice.value, cst.SimpleString | cst.Integer | cst.Name)
            for one in node.slice
        )
    return isinstance(node, cst.Name | cst.SimpleString)


def _named(site: _Site, path: cst.BaseExpression) -> tuple[str, cst.CSTNode]:
    """A name for the path, and the failing statement with that name in its place."""
    if _simple(path):
        return site.module.code(path), site.statement
    inner = path
    if isinstance(inner, cst.Call) and last_name(inner.func) == "Path" and len(inner.args) == 1 and _simple(inner.args[0].value):
        return site.module.code(path), site.statement
    taken = site.module.names()
    name = next(one for one in ("path", "file_path", "full_path", "path_there", "_path") if one not in taken or one == "_path")
    return name, _with_path(site.statement, path, name)


def _with_path(statement: cst.CSTNode, path: cst.BaseExpression, name: str) -> cst.CSTNode:
    if _simple(path) or (isinstance(path, cst.Call) and name not in ("path", "file_path", "full_path", "path_there", "_path")):
        return statement
    return cast(cst.CSTNode, statement.deep_replace(path, cst.Name(name)))


def _hoisted(module: Module, name: str, path: cst.BaseExpression) -> str:
    """The line that gives the path its name, where it has none."""
    text = module.code(path)
    if name == text:
        return ""
    bare = path.with_changes(lpar=(), rpar=()) if path.lpar else path
    return f"{name} = {module.tree.code_for_node(bare)}\n"


def _is_path(site: _Site, path: cst.BaseExpression) -> bool:
    """Whether an expression is a Path for sure: by how it was made, or by its annotation."""
    module = site.module
    if isinstance(path, cst.BinaryOperation) and isinstance(path.operator, cst.Divide):
        return True
    if isinstance(path, cst.Call) and last_name(path.func) in ("Path", "PurePath", "with_suffix", "with_name", "joinpath", "resolve", "absolute", "expanduser"):
        return module.qualified(path.func) != "os.path.expanduser"
    if isinstance(path, cst.Attribute) and path.attr.value == "parent":
        return True
    if not isinstance(path, cst.Name):
        return False
    function = module.function(site.call.call)
    if function is not None:
        for one in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
            if one.name.value == path.value:
                return one.annotation is not None and module.code(one.annotation.annotation).rpartition(".")[2] == "Path"
        values = bound_values(module, function, path.value, module.position(path).start.line)
        if values:
            first = values[0]
            loops = isinstance(first, cst.Call) and last_name(first.func) in ("glob", "rglob", "iterdir")
            return loops or (isinstance(first, cst.BaseExpression) and not isinstance(first, cst.Name) and _is_path(site, first))
    return False


def _exists(module: Module, site: _Site, name: str) -> str:
    """The expression that looks for a path."""
    node = cst.parse_expression(name)
    same = name == site.module.code(site.call.path)
    if same and (site.call.is_path or _is_path(site, site.call.path)) and module is site.module:
        return f"{name}.exists()"
    if module is site.module and _is_path(site, site.call.path):
        return f"{name}.exists()"
    if isinstance(node, cst.Call) and last_name(node.func) == "Path":
        return f"{name}.exists()"
    whole = "".join(module.imported.values())
    if "os" not in module.imported and "pathlib" in whole:
        return f"{module.name_of_import('pathlib', 'Path')}({name}).exists()"
    return f"{module.name_of_import('os')}.path.exists({name})"


def _is_checked(module: Module, call: PathCall) -> bool:
    """Whether the code before the call looks for the path already."""
    wanted = module.code(call.path)
    names = {one.value for one in walk(call.path) if isinstance(one, cst.Name)} - set(module.imported)
    scope = module.function(call.call) or module.tree
    line = module.position(call.call).start.line
    for node in walk(scope):
        if isinstance(node, cst.Call) and last_name(node.func) in CHECKS and module.position(node).start.line <= line:
            text = module.code(node)
            inside = {one.value for one in walk(node) if isinstance(one, cst.Name)}
            if wanted in text or (names and names <= inside):
                return True
    return False


def _makes_folders(module: Module, site: _Site, path: cst.BaseExpression) -> bool:
    """Whether the same function makes the path's folder before."""
    wanted = {one.value for one in walk(path) if isinstance(one, cst.Name)} - set(module.imported)
    texts = [text for node in walk(path) if (text := text_of(node))]
    scope = module.function(site.call.call) or module.tree
    line = module.position(site.statement).start.line
    for node in walk(scope):
        if isinstance(node, cst.Call) and last_name(node.func) in ("mkdir", "makedirs") and module.position(node).start.line < line:
            inside = {one.value for one in walk(node) if isinstance(one, cst.Name)}
            text = module.code(node)
            if ("parent" in text or "dirname" in text) and (
                (wanted and wanted <= inside) or any(one in text for one in texts)
            ):
                return True
    return False


def _own_answer(site: _Site, function: cst.FunctionDef) -> expected.Expected | None:
    """What the failing function should give instead, as the code base says."""
    module, trail = site.module, site.trail
    found = (
        expected.expected(trail, module, function)
        or expected.by_callers(trail, function.name.value)
        or expected.by_annotation(module, function)
    )
    if found is not None:
        return found
    words = f"{function.name.value} {module.code(site.call.path)}"
    empty = expected.empty_of(module, function)
    if FIRST_TIME.search(words):
        value = empty or _by_content(site)
        if value:
            return expected.Expected(value, None, "the first time there is no such file yet")
    return None


def _by_content(site: _Site) -> str | None:
    """The empty value of what a file of one's own holds, judged by how it is read."""
    text = site.module.code(site.module.function(site.call.call) or site.statement)
    if "json.load" in text or "yaml" in text or "pickle.load" in text or "tomllib" in text:
        return "{}"
    if "readlines" in text or "splitlines" in text or "csv." in text:
        return "[]"
    return None


def _as_parameter(site: _Site, function: cst.FunctionDef) -> str | None:
    """The parameter that the failing path is, or None where it is made of several things."""
    path: cst.CSTNode = site.call.path
    for _step in range(4):
        if isinstance(path, cst.Call) and last_name(path.func) in ("Path", "str", "fspath") and len(path.args) == 1:
            path = path.args[0].value
            continue
        if not isinstance(path, cst.Name):
            return None
        if _takes(function, path.value):
            rebound = bound_values(site.module, function, path.value, 10**9)
            if not rebound:
                return path.value
            return path.value if all(_wraps(one, path.value) for one in rebound) else None
        values = bound_values(site.module, function, path.value, site.module.position(site.call.call).start.line)
        if not values:
            return None
        path = values[0]
    return None


def _wraps(node: cst.CSTNode, name: str) -> bool:
    return (
        isinstance(node, cst.Call)
        and last_name(node.func) in ("Path", "str")
        and len(node.args) == 1
        and isinstance(node.args[0].value, cst.Name)
        and node.args[0].value.value == name
    )


def _takes(function: cst.FunctionDef, name: str) -> bool:
    given = function.params
    return any(one.name.value == name for one in (*given.posonly_params, *given.params, *given.kwonly_params))


def _calling(
    module: Module, statement: cst.CSTNode, function: cst.FunctionDef, parameter: str | None, owner: Module
) -> tuple[cst.Call | None, cst.BaseExpression | None]:
    """The call of a function in a statement, and what it gives for the path."""
    names = {function.name.value}
    around = owner.nearest(function, cst.ClassDef) if owner.position(function) else None
    if function.name.value == "__init__" and around is not None:
        names.add(around.name.value)
    for node in _calls(statement):
        if last_name(node.func) in names:
            given = argument_for(node, function, parameter, owner) if parameter else None
            return node, given
    return None, None


def _calls(statement: cst.CSTNode) -> Iterator[cst.Call]:
    for part in own_parts(statement):
        for node in walk(part):
            if isinstance(node, cst.Call):
                yield node


def _is_start(module: Module, function: cst.FunctionDef | None, statement: cst.CSTNode) -> bool:
    """Whether the code runs as a person's command."""
    if function is not None:
        return function.name.value in STARTS and re.search(r"argv|argparse|ArgumentParser|click\.|typer", module.tree.code) is not None
    return any(isinstance(one, cst.If) and "__name__" in module.code(one.test) for one in module.ancestors(statement))


def _whole(module: Module, statement: cst.CSTNode) -> cst.CSTNode:
    """The statement, or the first `if` of the chain whose `elif` it is: nothing can stand before an `elif`."""
    while isinstance(parent := module.parent(statement), cst.If) and parent.orelse is statement:
        statement = parent
    return statement


PATTERN = MissingFile()
