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
from pathlib import PurePosixPath
from typing import cast

import libcst as cst

from engine.repair.patterns import callees, expected, handlers, wording
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line, with_keyword
from engine.repair.patterns.missing_paths import comprehension_around, failed_call, is_target, runs_a_program
from engine.repair.patterns.openings import keyword
from engine.repair.patterns.path_answers import (
    as_parameter,
    calling,
    is_start,
    loop_over,
    own_answer,
    takes_parameter,
    varies_in,
)
from engine.repair.patterns.path_calls import path_call, path_like_call
from engine.repair.patterns.path_guards import (
    CHECKS,
    Site,
    exists_test,
    hoisted,
    is_checked,
    is_path_object,
    is_simple,
    makes_folders,
    named_path,
    whole_statement,
    with_path,
)
from engine.repair.patterns.path_rounds import SKIPPED, filters_map, passes_over
from engine.repair.patterns.path_sizes import is_reached_sometimes, stands_for_nothing
from engine.repair.patterns.path_texts import is_written_out
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.placing import parse_statements
from engine.repair.patterns.sites import Trail, meant
from engine.repair.patterns.syntax import (
    last_name,
    own_parts,
    text_of,
    walk,
)
from engine.repair.record import ErrorRecord

ON_PURPOSE = ("FileNotFoundError", "OSError", "IOError", "EnvironmentError")
PATH = re.compile(r"No such file or directory: (?P<path>b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|\S+)")
ONE_MISSING = "one of several files is missing: it is skipped and said so"


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
            return self._edit(site) if isinstance(site, Site) else site
        except NotEditable as error:
            return self._declined(error.reason)

    # -- finding --------------------------------------------------------------------------------------------------

    def _site(self, case: Case) -> Site | Proposal | Declined:
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
        if calls and handlers.widened(module, calls[0], "FileNotFoundError"):
            return self._done(module, "handler", "review", "the handler around it says what is done then")
        if any(runs_a_program(module, node) for node in calls):
            return self._declined(f"a program is missing ({path}), not a file of the project's data")
        found = [one for node in calls if (one := path_call(module, node)) is not None]
        found = found or [one for node in calls if (one := path_like_call(node)) is not None]
        if not found and calls and passes_over(module, statement, calls[0]):
            return self._done(module, "skip", "review", ONE_MISSING)
        if not found:
            otherwise = "no call that needs a path was found on the line that failed"
            return callees.propose(case, module, case.line, self.id, otherwise)
        call = failed_call(found, path)
        if module.nearest(call.call, cst.Lambda) is not None:
            return self._declined("it stands within a lambda")
        function = module.function(call.call)
        if function is not None and re.search(r"(?i)raises?\b[^.]*FileNotFoundError", function.get_docstring() or ""):
            return self._declined(f"{function.name.value} is documented to raise it")
        comment = meant(module, call.call)
        if comment:
            return self._declined(f"the error is meant: {comment}")
        if call.action not in ("write", "mkdir") and is_checked(
            module, call
        ):  # that a path is not there yet says nothing of the folders above it
            return self._declined(
                "the path is looked for already: it vanished in between, or the check is elsewhere wrong"
            )
        if any(last_name(node.func) == "resolve" and keyword(node, "strict") for node in calls):
            return self._declined("strict=True asks for the error")
        return Site(trail, module, statement, call, trail.last)

    # -- editing --------------------------------------------------------------------------------------------------

    def _edit(self, site: Site) -> Proposal | Declined:
        action = site.call.action
        if action == "write":
            return self._folder_made(site, site.call.path)
        if action == "mkdir":
            return self._parents(site)
        if action in ("delete", "delete-tree"):
            return self._gone_already(site)
        if action == "move" and site.call.target is not None and is_target(site) and self._has_folder(site.call.target):
            return self._folder_made(site, site.call.target, "review")
        if is_reached_sometimes(site):
            return self._in_place(site)
        return (
            self._skipped_in_comprehension(site)
            or self._skipped_in_loop(site)
            or self._skipped_by_caller(site)
            or self._answered(site)
        )

    def _has_folder(self, path: cst.BaseExpression) -> bool:
        """Whether a path may lie in a folder that could be missing: one written out without any does not."""
        literal = text_of(path)
        return literal is None or len(PurePosixPath(literal.replace("\\", "/")).parts) > 1

    def _in_place(self, site: Site) -> Proposal | Declined:
        if not stands_for_nothing(site):
            return self._declined("it is reached in some cases only, and nothing says what stands for it there")
        return self._done(site.module, "default", "review", "what is not there yet has no bytes")

    def _folder_made(self, site: Site, path: cst.BaseExpression, how: Applicability = "safe") -> Proposal | Declined:
        module = site.module
        literal = text_of(path)
        if literal is not None and len(PurePosixPath(literal.replace("\\", "/")).parts) < 2:
            return self._declined(f"{literal} has no folder that could be made")
        if makes_folders(module, site, path):
            return self._declined("its folder is made already")
        if comprehension_around(module, site.call.call):
            return self._declined("it is written within a comprehension")
        how = "review" if is_written_out(module, path) else how  # where it lies, the working directory decides
        name, statement = named_path(site, path)
        is_path = is_path_object(site, path) or (site.call.is_path and path is site.call.path)
        if is_path:
            line = f"{name}.parent.mkdir(parents=True, exist_ok=True)\n"
        elif "os" in module.imported and "pathlib" not in "".join(module.imported.values()):
            line = f"os.makedirs(os.path.dirname({name}) or {module.quote}.{module.quote}, exist_ok=True)\n"
        else:
            line = f"{module.name_of_import('pathlib', 'Path')}({name}).parent.mkdir(parents=True, exist_ok=True)\n"
        return self._inserted(
            site,
            hoisted(module, name, path) + line,
            "mkdir",
            how,
            "its folder may be missing: it is made first",
            statement,
        )

    def _parents(self, site: Site) -> Proposal | Declined:
        module, call = site.module, site.call.call
        if site.call.is_path:
            if keyword(call, "parents") is not None:
                return self._declined("the call says already whether parents are made")
            module.replace(call, with_keyword(call, "parents", "True"))
        else:
            changed = (
                call.func.with_changes(attr=cst.Name("makedirs")) if isinstance(call.func, cst.Attribute) else None
            )
            if changed is None:
                return self._declined("os.mkdir is imported by itself")
            module.replace(call, call.with_changes(func=changed))
        return self._done(module, "mkdir-parents", "safe", "a folder above it is missing: it is made too")

    def _gone_already(self, site: Site) -> Proposal | Declined:
        module, call, statement = site.module, site.call, site.statement
        if call.is_path and call.action == "delete":
            if keyword(call.call, "missing_ok") is not None or call.call.args:
                return self._declined("the call says already what is done when the file is gone")
            module.replace(call.call, with_keyword(call.call, "missing_ok", "True"))
            return self._done(module, "missing-ok", "safe", "what is to be deleted may be gone already")
        alone = isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
        if not (
            alone
            and isinstance(one := cast(cst.SimpleStatementLine, statement).body[0], cst.Expr)
            and one.value is call.call
        ):
            return self._declined("the deletion stands within a larger statement")
        name, _statement = named_path(site, call.path)
        if call.is_path:
            test = f"{name}.is_dir()"
        else:
            test = (
                f"{module.name_of_import('os')}.path.{'isdir' if call.action == 'delete-tree' else 'lexists'}({name})"
            )
        source = f"{hoisted(module, name, call.path)}if {test}:\n    pass\n"
        made = parse_statements(source, module.tree)
        own = with_path(statement, call.path, name)
        guard = cast(cst.If, made[-1])
        inner = cast(cst.SimpleStatementLine, own).with_changes(leading_lines=())
        guard = guard.with_changes(body=guard.body.with_changes(body=[inner]))
        lead = cast(cst.SimpleStatementLine, statement).leading_lines
        whole = [*made[:-1], guard]
        whole[0] = cast(cst.SimpleStatementLine, whole[0]).with_changes(leading_lines=lead)
        module.replace(statement, cst.FlattenSentinel(whole))
        return self._done(module, "exists-check", "safe", "what is to be deleted may be gone already")

    def _skipped_in_comprehension(self, site: Site) -> Proposal | Declined | None:
        module = site.module
        around = comprehension_around(module, site.call.call)
        if around is None:
            return None
        return self._filtered(module, around, module.code(site.call.path), site)

    def _filtered(self, module: Module, around: cst.CSTNode, path: str, site: Site) -> Proposal | Declined:
        clause = cast(cst.ListComp, around).for_in
        while clause.inner_for_in is not None:
            clause = clause.inner_for_in
        if any(sign in module.code(one.test) for one in clause.ifs for sign in CHECKS):
            return self._declined("the path is looked for already")
        test = cst.parse_expression(exists_test(module, site, path))
        made = cst.CompIf(test, whitespace_before=cst.SimpleWhitespace(" "))
        asked = any(one is clause for one in module.ancestors(site.call.call)) and module is site.module
        ifs = [made, *clause.ifs] if asked else [*clause.ifs, cst.CompIf(test)]
        module.replace(clause, clause.with_changes(ifs=ifs))
        return self._done(module, "skip", "review", "one of several files is missing: it is left out, the rest goes on")

    def _skipped_in_loop(self, site: Site) -> Proposal | Declined | None:
        module = site.module
        loop = loop_over(module, site.statement)
        if loop is None or not varies_in(module, loop, site.call.path):
            return None
        name, statement = named_path(site, site.call.path)
        warn = wording.warning(module, site.statement, SKIPPED, name)
        test = exists_test(module, site, name)
        source = f"{hoisted(module, name, site.call.path)}if not {test}:\n    {warn}\n    continue\n"
        return self._inserted(site, source, "skip", "review", ONE_MISSING, statement)

    def _skipped_by_caller(self, site: Site) -> Proposal | Declined | None:
        """The loop is in a calling frame: the check (or a narrow `except`) goes there."""
        function = site.module.function(site.call.call)
        answer = own_answer(site, function) if function is not None else None
        if function is None or (answer is not None and answer.value is not None):
            return None
        parameter = as_parameter(site, function)
        for index in range(site.frame - 1, max(-1, site.frame - 5), -1):
            if (
                site.trail.frames[index][1].function.startswith("<")
                and site.trail.frames[index][1].function != "<module>"
            ):
                continue
            here = site.trail.statement(index)
            if here is None:
                return self._declined("the code that called it has changed since")
            if expected.is_test_file(here[0].path):
                return None
            module, statement = here
            call, given = calling(statement, function, parameter, site.module)
            if call is None:
                is_mapped = parameter is not None and filters_map(module, statement, function)
                left_out = "one of several files is missing: it is left out, the rest goes on"
                return self._done(module, "skip", "review", left_out) if is_mapped else None
            around = comprehension_around(module, call)
            if around is not None and given is not None:
                return self._filtered(module, around, module.code(given), site)
            loop = loop_over(module, statement)
            if loop is not None and (given is None or varies_in(module, loop, given)):
                return self._skipped_above(site, module, statement, loop, given)
            if given is None:
                parameter = None
            function = module.function(statement)
            if function is None:
                return None
            if parameter is not None:
                parameter = (
                    given.value if isinstance(given, cst.Name) and takes_parameter(function, given.value) else None
                )
        return None

    def _skipped_above(
        self,
        site: Site,
        module: Module,
        statement: cst.CSTNode,
        loop: cst.For | cst.While,
        given: cst.BaseExpression | None,
    ) -> Proposal | Declined:
        if given is not None and is_simple(given):
            name = module.code(given)
            if any(
                last_name(node.func) in CHECKS and name in module.code(node)
                for node in walk(loop.body)
                if isinstance(node, cst.Call)
            ):
                return self._declined("the loop looks for the path already")
            warn = wording.warning(module, statement, SKIPPED, name)
            module.insert_before(
                whole_statement(module, statement),
                f"if not {exists_test(module, site, name)}:\n    {warn}\n    continue\n",
            )
        else:
            if not isinstance(statement, cst.SimpleStatementLine):
                return self._declined("the loop calls it in the head of another statement")
            warn = wording.warning(module, statement, SKIPPED, "error")
            source = f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n"
            module.wrap(statement, source)
        return self._done(module, "skip", "review", ONE_MISSING)

    def _answered(self, site: Site) -> Proposal | Declined:
        """What the code base wants where there is nothing, else a clear error."""
        module = site.module
        function = module.function(site.call.call)
        answer = own_answer(site, function) if function is not None else None
        if answer is not None and answer.raises in ("FileNotFoundError", "OSError", "IOError", "Exception"):
            return self._declined(f"the error is wanted: {answer.why}")
        name, statement = named_path(site, site.call.path)
        head = f"{hoisted(module, name, site.call.path)}if not {exists_test(module, site, name)}:\n"
        said = wording.formatted(module, "file not found", name)
        if (
            function is not None
            and answer is not None
            and answer.value is not None
            and function.name.value != "__init__"
        ):
            yields = any(isinstance(node, cst.Yield) for node in walk(function.body, into_functions=False))
            line = "return" if yields else f"return {answer.value}"
            return self._inserted(site, f"{head}    {line}\n", "default", "review", answer.why, statement)
        if answer is not None and answer.raises and answer.raises not in ("FileNotFoundError", "OSError", "SystemExit"):
            if (
                not hasattr(builtins, answer.raises)
                and answer.raises not in module.imported
                and not module.defines(answer.raises)
            ):
                return self._declined(f"{answer.why}: {answer.raises}, which the file does not know")
            return self._inserted(
                site, f"{head}    raise {answer.raises}({said})\n", "clear-error", "review", answer.why, statement
            )
        if (answer is not None and answer.raises == "SystemExit") or is_start(module, function, site.statement):
            leave = f"{module.name_of_import('sys')}.exit({said})"
            return self._inserted(
                site,
                f"{head}    {leave}\n",
                "clear-error",
                "review",
                "a person is told which file is missing",
                statement,
            )
        line = f"raise FileNotFoundError({said})"
        return self._inserted(
            site, f"{head}    {line}\n", "clear-error", "review", "the error says what is missing", statement
        )

    def _inserted(
        self, site: Site, source: str, operator: str, how: Applicability, why: str, instead: cst.CSTNode
    ) -> Proposal | Declined:
        whole = whole_statement(site.module, site.statement)
        if whole is not site.statement and instead is not site.statement:
            return self._declined("the path stands in an elif and is made there")
        site.module.insert_before(whole, source, instead if whole is site.statement else None)
        return self._done(site.module, operator, how, why)

    def _done(self, module: Module, operator: str, how: Applicability, why: str) -> Proposal:
        edit = module.edit()
        return Proposal(self.id, operator, (edit,), first_changed_line(edit), how, why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


PATTERN = MissingFile()
