"""What is written, made or deleted at a path that is not there: its folder is made first, what is gone stays gone.

Relies on `guards` for the parts of a check, on `edits` for the edit.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import cast

import libcst as cst

from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.calls import path_call
from engine.repair.patterns.paths.guards import Site, hoisted, is_path_object, makes_folders, named_path
from engine.repair.patterns.paths.missing import comprehension_around
from engine.repair.patterns.paths.texts import is_written_out
from engine.repair.patterns.pattern import Applicability, Declined, Proposal
from engine.repair.patterns.source.edit import Module, with_keyword
from engine.repair.patterns.source.openings import keyword
from engine.repair.patterns.source.syntax import last_name, text_of

_GOAL = re.compile(
    r"(?i)(?:^|_)\w*(?:out(?:put)?|dest(?:ination)?|dst|target|save|export|result)s?_?(?:dir|folder|path|directory)?\Z"
)


def has_folder(path: cst.BaseExpression) -> bool:
    """Whether a path may lie in a folder that could be missing: one written out without any does not."""
    literal = text_of(path)
    return literal is None or len(PurePosixPath(literal.replace("\\", "/")).parts) > 1


def folder_made(site: Site, path: cst.BaseExpression, how: Applicability = "safe") -> Proposal | Declined:
    module = site.module
    literal = text_of(path)
    if literal is not None and len(PurePosixPath(literal.replace("\\", "/")).parts) < 2:
        return edits.declined(f"{literal} has no folder that could be made")
    if makes_folders(module, site, path):
        return edits.declined("its folder is made already")
    if comprehension_around(module, site.call.call):
        return edits.declined("it is written within a comprehension")
    how = (
        "review"
        if site.call.is_guess or is_written_out(module, path) or module.function(site.call.call) is None
        else how
    )  # where it lies, the working directory decides; what is done on import, nobody asked for
    name, statement = named_path(site, path)
    is_path = is_path_object(site, path) or (site.call.is_path and path is site.call.path)
    if is_path:
        line = f"{name}.parent.mkdir(parents=True, exist_ok=True)\n"
    elif "os" in module.imported and "pathlib" not in "".join(module.imported.values()):
        line = f"os.makedirs(os.path.dirname({name}) or {module.quote}.{module.quote}, exist_ok=True)\n"
    else:
        line = f"{module.name_of_import('pathlib', 'Path')}({name}).parent.mkdir(parents=True, exist_ok=True)\n"
    return edits.inserted(
        site,
        hoisted(module, name, path) + line,
        "mkdir",
        how,
        "its folder may be missing: it is made first",
        statement,
    )


def folder_itself(site: Site, path: cst.BaseExpression) -> Proposal | Declined:
    """Make the folder in which something new is to be made."""
    module = site.module
    line_number = module.position(site.statement).start.line
    before = [
        one
        for one in module.nodes(cst.Call, within=module.function(site.statement))
        if module.position(one).start.line < line_number and last_name(one.func) in ("mkdir", "makedirs")
    ]
    if any(module.code(path) in module.code(one) for one in before):
        return edits.declined("the folder is made already")
    name, statement = named_path(site, path)
    if is_path_object(site, path):
        line = f"{name}.mkdir(parents=True, exist_ok=True)\n"
    else:
        line = f"{module.name_of_import('os')}.makedirs({name}, exist_ok=True)\n"
    why = "the folder may be missing: it is made first"
    return edits.inserted(site, hoisted(module, name, path) + line, "mkdir", "review", why, statement)


def is_written_into(site: Site) -> bool:
    """Whether a folder that is listed is one that files are put into behind it: its name says so, or a write does."""
    module, path = site.module, site.call.path
    function, around = module.function(site.call.call), module.nearest(site.call.call, cst.ClassDef)
    if not isinstance(path, cst.Name | cst.Attribute) or function is None:
        return False
    kept = {module.code(path)}
    scope: cst.CSTNode = function.body
    if around is not None and function.name.value == "__init__":
        scope = around.body
        kept |= {
            module.code(one.targets[0].target)
            for one in module.nodes(cst.Assign, within=function.body)
            if module.code(one.value) == module.code(path)
        }
    line = module.position(site.call.call).end.line
    inside = [one for one in module.nodes(cst.Name, within=scope) if module.position(one).start.line > line]
    joined = [each for one in inside if (each := _joined(module, one, kept)) is not None]
    if _GOAL.search(last_name(path)):
        return bool(joined)
    return any(_is_written(module, one) for one in joined)


def _joined(module: Module, one: cst.Name, kept: set[str]) -> cst.CSTNode | None:
    """The path that is put together from a folder, where it is named."""
    folder: cst.CSTNode = one
    parent = module.parent(one)
    if isinstance(parent, cst.Attribute) and parent.attr is one:
        folder, parent = parent, module.parent(parent)
    if module.code(folder) not in kept:
        return None
    call = module.parent(parent) if isinstance(parent, cst.Arg) else None
    if isinstance(call, cst.Call) and last_name(call.func) in ("join", "copy", "copy2", "move"):
        return call
    if isinstance(parent, cst.BinaryOperation) and isinstance(parent.operator, cst.Divide) and parent.left is folder:
        return parent
    return module.parent(parent) if isinstance(parent, cst.FormattedStringExpression) else None


def _is_written(module: Module, joined: cst.CSTNode) -> bool:
    """Whether a path is written to or made: where it stands, or by the name that it is bound to."""
    change = module.parent(joined)
    names = {module.code(joined)}
    if isinstance(change, cst.Assign):
        names |= {module.code(one.target) for one in change.targets}
    for call in module.nodes(cst.Call, within=module.function(joined)):
        if module.qualified(call.func) == "os.makedirs" and call.args and module.code(call.args[0].value) in names:
            return True
        made = path_call(module, call)
        if made is not None and made.action in ("write", "mkdir") and module.code(made.path) in names:
            return True
    return False


def parents(site: Site) -> Proposal | Declined:
    module, call = site.module, site.call.call
    if site.call.is_path:
        if keyword(call, "parents") is not None:
            return edits.declined("the call says already whether parents are made")
        module.replace(call, with_keyword(call, "parents", "True"))
    else:
        by_itself = not isinstance(call.func, cst.Attribute)
        makes = cst.Name(module.name_of_import("os", "makedirs")) if by_itself else None
        changed = makes or cst.ensure_type(call.func, cst.Attribute).with_changes(attr=cst.Name("makedirs"))
        module.replace(call, call.with_changes(func=changed))
    return edits.done(module, "mkdir-parents", "safe", "a folder above it is missing: it is made too")


def suppressed(site: Site, why: str, how: Applicability = "review") -> Proposal:
    """Put a statement under `with contextlib.suppress(FileNotFoundError):`."""
    module = site.module
    statement = cast(cst.SimpleStatementLine, site.statement)
    module.replace(statement, _under_suppress(module, statement))
    return edits.done(module, "suppress", how, why)


def _under_suppress(module: Module, statement: cst.SimpleStatementLine) -> cst.With:
    manager = cst.parse_expression(f"{module.name_of_import('contextlib')}.suppress(FileNotFoundError)")
    body = cst.IndentedBlock(body=[statement.with_changes(leading_lines=())])
    return cst.With([cst.WithItem(manager)], body, leading_lines=statement.leading_lines)


def gone_already(site: Site) -> Proposal | Declined:
    module, call, statement = site.module, site.call, site.statement
    if call.is_path and call.action == "delete":
        if keyword(call.call, "missing_ok") is not None or call.call.args:
            return edits.declined("the call says already what is done when the file is gone")
        module.replace(call.call, with_keyword(call.call, "missing_ok", "True"))
        return edits.done(module, "missing-ok", "safe", "what is to be deleted may be gone already")
    alone = isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1
    if not (
        alone
        and isinstance(one := cast(cst.SimpleStatementLine, statement).body[0], cst.Expr)
        and one.value is call.call
    ):
        return edits.declined("the deletion stands within a larger statement")
    _suppress_beside(site)
    return suppressed(site, "what is to be deleted may be gone already", "safe")


def _suppress_beside(site: Site) -> None:
    """Let the deletions right behind the one that failed be of what is gone as well."""
    module = site.module
    block = module.parent(site.statement)
    if not isinstance(block, cst.IndentedBlock):
        return
    for one in list(block.body)[list(block.body).index(cast(cst.SimpleStatementLine, site.statement)) + 1 :]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        call = small.value if isinstance(small, cst.Expr) else None
        made = path_call(module, call) if isinstance(call, cst.Call) else None
        if made is None or made.action != "delete" or made.is_path or not isinstance(one, cst.SimpleStatementLine):
            return
        module.replace(one, _under_suppress(module, one))
