"""The failing call with a path, and the parts of the check that is put before it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.paths.calls import PathCall
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import (
    bound_values,
    last_name,
    text_of,
    walk,
)

CHECKS = ("exists", "is_file", "isfile", "is_dir", "isdir", "lexists", "access")


@dataclass(frozen=True)
class Site:
    """The failing call with all that the edit needs."""

    trail: Trail
    module: Module
    statement: cst.CSTNode
    call: PathCall
    frame: int


def is_simple(node: cst.CSTNode) -> bool:
    """Whether an expression may stand twice: a name, an attribute, a string, a fixed item of a name."""
    if isinstance(node, cst.Attribute):
        return is_simple(node.value)
    if isinstance(node, cst.Subscript):
        return is_simple(node.value) and all(
            isinstance(one.slice, cst.Index) and isinstance(one.slice.value, cst.SimpleString | cst.Integer | cst.Name)
            for one in node.slice
        )
    return isinstance(node, cst.Name | cst.SimpleString)


def named_path(site: Site, path: cst.BaseExpression) -> tuple[str, cst.CSTNode]:
    """A name for the path, and the failing statement with that name in its place."""
    if is_simple(path):
        return site.module.code(path), site.statement
    inner = path
    if (
        isinstance(inner, cst.Call)
        and last_name(inner.func) == "Path"
        and len(inner.args) == 1
        and is_simple(inner.args[0].value)
    ):
        return site.module.code(path), site.statement
    taken = site.module.names()
    name = next(
        one for one in ("path", "file_path", "full_path", "path_there", "_path") if one not in taken or one == "_path"
    )
    return name, with_path(site.statement, path, name)


def with_path(statement: cst.CSTNode, path: cst.BaseExpression, name: str) -> cst.CSTNode:
    if is_simple(path) or (
        isinstance(path, cst.Call) and name not in ("path", "file_path", "full_path", "path_there", "_path")
    ):
        return statement
    return statement.deep_replace(path, cst.Name(name))


def hoisted(module: Module, name: str, path: cst.BaseExpression) -> str:
    """The line that gives the path its name, where it has none."""
    text = module.code(path)
    if name == text:
        return ""
    bare = path.with_changes(lpar=(), rpar=()) if path.lpar else path
    return f"{name} = {module.tree.code_for_node(bare)}\n"


def is_path_object(site: Site, path: cst.BaseExpression) -> bool:
    """Whether an expression is a Path for sure: by how it was made, or by its annotation."""
    module = site.module
    if isinstance(path, cst.BinaryOperation) and isinstance(path.operator, cst.Divide):
        return True
    if isinstance(path, cst.Call) and last_name(path.func) in (
        "Path",
        "PurePath",
        "with_suffix",
        "with_name",
        "joinpath",
        "resolve",
        "absolute",
        "expanduser",
    ):
        return module.qualified(path.func) != "os.path.expanduser"
    if isinstance(path, cst.Attribute) and path.attr.value == "parent":
        return True
    if not isinstance(path, cst.Name):
        return False
    function = module.function(site.call.call)
    if function is not None:
        for one in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
            if one.name.value == path.value:
                return (
                    one.annotation is not None and module.code(one.annotation.annotation).rpartition(".")[2] == "Path"
                )
    values = bound_values(module, function or module.tree, path.value, module.position(path).start.line)
    if not values:
        return False
    first = values[0]
    loops = isinstance(first, cst.Call) and last_name(first.func) in ("glob", "rglob", "iterdir")
    return loops or (
        isinstance(first, cst.BaseExpression) and not isinstance(first, cst.Name) and is_path_object(site, first)
    )


def exists_test(module: Module, site: Site, name: str) -> str:
    """The expression that looks for a path."""
    node = cst.parse_expression(name)
    if last_name(site.call.call.func) == "readlink" and not site.call.is_path:  # the link itself, not what it leads to
        return f"{module.name_of_import('os')}.path.lexists({name})"
    same = name == site.module.code(site.call.path)
    if same and is_entry(module, site):
        return f"{module.name_of_import('os')}.path.exists({name})"
    if same and (site.call.is_path or is_path_object(site, site.call.path)) and module is site.module:
        return f"{name}.exists()"
    if module is site.module and is_path_object(site, site.call.path):
        return f"{name}.exists()"
    if isinstance(node, cst.Call) and last_name(node.func) == "Path":
        return f"{name}.exists()"
    whole = "".join(module.imported.values())
    if "os" not in module.imported and "pathlib" in whole:
        return f"{module.name_of_import('pathlib', 'Path')}({name}).exists()"
    return f"{module.name_of_import('os')}.path.exists({name})"


def is_entry(module: Module, site: Site) -> bool:
    """Whether a path may be what `os.scandir` gives, which is no Path."""
    function = module.function(site.call.call)
    return isinstance(site.call.path, cst.Name) and function is not None and "scandir(" in module.code(function.body)


def makes_folders(module: Module, site: Site, path: cst.BaseExpression) -> bool:
    """Whether the same function makes the path's folder before."""
    wanted = {one.value for one in walk(path) if isinstance(one, cst.Name)} - set(module.imported)
    texts = [text for node in walk(path) if (text := text_of(node))]
    scope = module.function(site.call.call) or module.tree
    line = module.position(site.statement).start.line
    for node in walk(scope):
        if (
            isinstance(node, cst.Call)
            and last_name(node.func) in ("mkdir", "makedirs")
            and module.position(node).start.line < line
        ):
            inside = {one.value for one in walk(node) if isinstance(one, cst.Name)}
            text = module.code(node)
            if ("parent" in text or "dirname" in text) and (
                (wanted and wanted <= inside) or any(one in text for one in texts)
            ):
                return True
    return False


def whole_statement(module: Module, statement: cst.CSTNode) -> cst.CSTNode:
    """The statement, or the first `if` of the chain whose `elif` it is: nothing can stand before an `elif`."""
    while isinstance(parent := module.parent(statement), cst.If) and parent.orelse is statement:
        statement = parent
    return statement
