"""A path that is not there: looked for before it is read, its folder made before it is written.

Evidence: a FileNotFoundError at a call that needs a path. In a loop over paths a missing one is skipped with a warning;
a write makes its folder; what is deleted may be gone already. A file whose place the code itself knows may not be there
yet: what needs it is left out, and the rest is done. One that somebody asked for by name gives what the code base says
it should give where there is nothing (in the function, or in the one that called it), and a clear error otherwise.
Errors that are caught, raised or documented on purpose, missing programs that nothing is said of and paths that are
looked for already are left alone.

    before    for path in paths:
                  sizes.append(path.stat().st_size)
    after     for path in paths:
                  if not path.exists():
                      logger.warning("Skipping a missing file: %s", path)
                      continue
                  sizes.append(path.stat().st_size)
"""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from engine.repair.patterns.paths import anew, detours, edits, empty, listed, moves, programs, skips, writes
from engine.repair.patterns.paths import caught as path_caught
from engine.repair.patterns.paths.calls import PathCall, path_call, path_like_call
from engine.repair.patterns.paths.checks import is_checked, raced
from engine.repair.patterns.paths.edits import ONE_MISSING
from engine.repair.patterns.paths.guards import Site
from engine.repair.patterns.paths.leaves import answered
from engine.repair.patterns.paths.missing import failed_call, is_target, runs_a_program, told_action
from engine.repair.patterns.paths.rounds import filters_key, filters_order, filters_readers, passes_over
from engine.repair.patterns.paths.sizes import is_reached_sometimes, stands_for_nothing
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import expected, handlers, python_two
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.openings import keyword
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.sites import Trail, meant
from engine.repair.patterns.source.syntax import (
    last_name,
    own_parts,
    walk,
)
from engine.repair.patterns.source.underlined import underlined
from engine.repair.record import ErrorRecord

ON_PURPOSE = ("FileNotFoundError", "OSError", "IOError", "EnvironmentError")
PATH = re.compile(
    r"No such file or directory: (?P<path>b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|\S+)(?P<to> -> \S+)?"
)
NO_FOLDER = re.compile(r"Cannot save file into a non-existent directory|Parent directory .* does not exist")


class MissingFile:
    """Look for a path before it is needed, make the folder before it is written to."""

    id = edits.PATTERN
    title = "look for files before they are read, make folders before they are written to"

    def recognises(self, record: ErrorRecord) -> bool:
        """A FileNotFoundError, Python 2's words for it, and libraries' for a folder that they would write to."""
        if python_two.is_of_it(record):
            return True
        if record.type in ("OSError", "RuntimeError"):
            return NO_FOLDER.match(record.message) is not None
        return record.type == "FileNotFoundError"

    def propose(self, case: Case) -> Proposal | Declined:
        """The check, the folder, what is done without it, or the clear error; or the reason why not."""
        return fitting(case, self._propose(case))

    def _propose(self, case: Case) -> Proposal | Declined:
        try:
            site = _site(case)
            return _edit(site) if isinstance(site, Site) else site
        except NotEditable as error:
            return edits.declined(error.reason)


# -- finding -----------------------------------------------------------------------------------------------------------


def _site(case: Case) -> Site | Proposal | Declined:
    trail = Trail(case)
    caught = trail.caught(ON_PURPOSE)
    if caught:
        return edits.declined(f"it is caught on purpose by {caught}")
    here = trail.statement(trail.last)
    if here is None:
        return edits.declined("the line that failed is no longer there")
    module, statement = here
    parts = [node for part in own_parts(statement) for node in walk(part)]
    if any(isinstance(node, cst.Raise) for node in parts):
        return edits.declined("it is raised on purpose")
    if expected.is_test_file(module.path):
        return edits.declined("the file is missing to a test itself")
    told = PATH.search(case.records[0].message)
    path = re.sub(r"\Ab?(['\"])(.*)\1\Z", r"\2", told["path"]) if told else None
    calls = [node for node in parts if isinstance(node, cst.Call)]
    if path == "" and not empty.is_listed(module, calls):
        return empty.propose(module, statement, calls)
    if calls and handlers.widened(module, calls[0], "FileNotFoundError"):
        return edits.done(module, "handler", "review", "the handler around it says what is done then")
    runs = [node for node in calls if runs_a_program(module, node)]
    folder = programs.missing_folder(module, runs[0], path) if runs else None
    if runs and folder is None:
        return programs.propose(trail, module, statement, runs[0], path)
    if not runs and filters_readers(module, calls):
        return edits.done(module, "skip", "review", ONE_MISSING)
    found = [PathCall(runs[0], "read", folder)] if folder is not None else _found(module, calls)
    in_lambda = [one for one in found if module.nearest(one.call, cst.Lambda) is not None]
    found = in_lambda if case.frame.function.endswith("<lambda>") else found
    if not found and filters_order(module, calls):
        return edits.done(module, "skip", "review", ONE_MISSING)
    if not found and calls and passes_over(module, statement, calls[0]):
        return edits.done(module, "skip", "review", ONE_MISSING)
    reason = _not_meant(module, calls, statement)
    if not found:
        return edits.declined(reason) if reason else path_caught.propose(case, module, statement, calls)
    marked = underlined(case, module, case.line, [one.call for one in found])
    call = next((one for one in found if one.call is marked), None) or failed_call(module, found, path, case.line)
    action = told_action(case) if call.action in ("read", "write") else None
    call = call if action is None else replace(call, action=action)
    site = Site(trail, module, statement, call, trail.last)
    if call in in_lambda and not reason and stands_for_nothing(site):
        return edits.done(module, "default", "review", "what is not there has neither size nor age")
    if call in in_lambda and not reason and filters_key(site):
        return edits.done(module, "skip", "review", ONE_MISSING)
    if reason or call in in_lambda:
        return edits.declined(reason or "it stands within a lambda")
    if listed.is_joined(site, path):
        return edits.declined("the folder stands before the name by now")
    made = listed.joined(site, path) or anew.made_where_missing(site)
    return made or _unless_looked_for(site, bool(told and told["to"]))


def _found(module: Module, calls: list[cst.Call]) -> list[PathCall]:
    known = [one for node in calls if (one := path_call(module, node)) is not None]
    return known or [one for node in calls if (one := path_like_call(module, node)) is not None]


def _not_meant(module: Module, calls: list[cst.Call], statement: cst.CSTNode) -> str | None:
    """Why the error is wanted; None where nothing says so."""
    function = module.function(statement)
    if function is not None and re.search(r"(?i)raises?\b[^.]*FileNotFoundError", function.get_docstring() or ""):
        return f"{function.name.value} is documented to raise it"
    comment = meant(module, statement)
    if comment:
        return f"the error is meant: {comment}"
    if any(last_name(node.func) == "resolve" and keyword(node, "strict") for node in calls):
        return "strict=True asks for the error"
    return None


def _unless_looked_for(site: Site, has_target: bool) -> Site | Proposal | Declined:
    call = site.call
    if call.action in ("write", "mkdir"):  # that a path is not there yet says nothing of the folders above it
        return site
    if not is_checked(site.module, call):
        return site
    if call.action == "move" and call.target is not None:  # what is moved is there: its goal has no folder
        if has_target:
            return replace(site, call=replace(call, action="write", path=call.target))
        if last_name(call.call.func) in moves.COPYING and moves.told_side(site) != "source":
            return _goal_made(site, call.target)
    made = raced(site)
    if made is not None:
        return made
    return edits.declined("the path is looked for already: it vanished in between, or the check is elsewhere wrong")


def _goal_made(site: Site, target: cst.BaseExpression) -> Proposal | Declined:
    """The folder that something is copied into is made, or that of the name that it gets."""
    is_into = last_name(site.call.call.func) in ("copy", "copy2", "move")
    if is_into and (moves.is_folder(target) or moves.is_the_same_for_all(site, target)):
        return writes.folder_itself(site, target)
    return writes.folder_made(site, target, "review")


# -- editing -----------------------------------------------------------------------------------------------------------


def _edit(site: Site) -> Proposal | Declined:
    action = site.call.action
    if action == "write":
        return writes.folder_made(site, site.call.path)
    if action == "within":
        return writes.folder_itself(site, site.call.path)
    if action == "mkdir":
        return writes.parents(site)
    if action in ("delete", "delete-tree"):
        return writes.gone_already(site)
    target = site.call.target
    if action == "move" and target is not None and is_target(site) and writes.has_folder(target):
        return _goal_made(site, target)
    if action == "list" and writes.is_written_into(site):
        return writes.folder_itself(site, site.call.path)
    if detours.is_answering(site):
        made = detours.alone(site)
        return made or edits.declined("what answers another error cannot do without it")
    made = detours.alone(site) if detours.is_taken_again(site) else None
    if made is not None:
        return made
    if is_reached_sometimes(site):
        if stands_for_nothing(site):
            return edits.done(site.module, "default", "review", "what is not there yet has no bytes")
        return edits.declined("it is reached in some cases only, and nothing says what stands for it there")
    return skips.in_comprehension(site) or skips.in_loop(site) or skips.by_caller(site) or answered(site)


PATTERN = MissingFile()
