"""Statements in a file's own style: how it says that something was passed over."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import dotted, text_of

LOGGERS = re.compile(r"^(?:self\.|cls\.)?_?(?:logger|log|LOGGER|LOG)$")
LEVELS = ("debug", "info", "warning", "warn", "error", "exception", "critical")


def warning(module: Module, node: cst.CSTNode, text: str, value: str, more: str | None = None) -> str:
    """A line of code that warns `text: value` (and `more`, another expression) as the file around `node` does it.

    The file's logger where it has one, `logging` where it uses that or nothing, `print` to stderr where it prints.
    """
    values = [value, *([more] if more else [])]
    calls = [(dotted(one.func), one) for one in module.nodes(cst.Call)]
    logged = [(name, one) for name, one in calls if name.rpartition(".")[2] in LEVELS and _is_logger(module, name)]
    if logged:
        name = _reachable(module, node, [one.rpartition(".")[0] for one, _call in logged])
    else:
        name = _reachable(module, node, _bound_loggers(module))
    if name:
        formatted = [one for _name, one in logged if one.args and isinstance(one.args[0].value, cst.FormattedString)]
        placed = [one for _name, one in logged if len(one.args) > 1]
        if module.qualified(cst.parse_expression(name)).startswith(("loguru.", "structlog.")) or (
            len(formatted) > len(placed)
        ):
            return f"{name}.warning({_formatted(module, text, values)})"
        quote = module.quote
        marks = ": %s" * len(values)
        return f"{name}.warning({quote}{text}{marks}{quote}, {', '.join(values)})"
    own = _own_logging(module, [name for name, _call in calls])
    if own:
        return f"{own}({_formatted(module, text, values)})"
    is_bound = module.imported.get("logging", "logging") != "logging"  # to what is not Python's
    if is_bound or any(one == "print" for one, _call in calls):
        return f"print({_formatted(module, text, values)}, file={module.name_of_import('sys')}.stderr)"
    logging = module.name_of_import("logging")
    quote = module.quote
    marks = ": %s" * len(values)
    return f"{logging}.getLogger(__name__).warning({quote}{text}{marks}{quote}, {', '.join(values)})"


def _own_logging(module: Module, called: list[str]) -> str:
    """A project's own `logging`, of which the file's calls alone show what it has; '' where that is Python's."""
    if module.imported.get("logging", "logging") == "logging":
        return ""
    levels = ("warning", "warn", "error", "info")
    return next((f"logging.{one}" for one in levels if f"logging.{one}" in called), "")


def formatted(module: Module, text: str, value: str) -> str:
    """An f-string `text: value`."""
    return _formatted(module, text, [value])


def _formatted(module: Module, text: str, values: list[str]) -> str:
    quote = module.quote
    literals = [text_of(cst.parse_expression(one)) for one in values]
    if len(values) == 1 and literals[0] is not None and not any(sign in literals[0] for sign in "\"'{}\\\n"):
        return f"{quote}{text}: {literals[0]}{quote}"
    whole = re.fullmatch(r"[fF](?P<mark>['\"])(?P<inner>[^'\"\\\n]*)(?P=mark)", values[0]) if len(values) == 1 else None
    if whole is not None:
        return f"f{whole['mark']}{text}: {whole['inner']}{whole['mark']}"
    used = {sign for one in values for sign in "\"'" if sign in one}
    if len(used) == 1 and not any(sign in one for one in values for sign in "{}\\\n"):
        quote = "'" if used == {'"'} else '"'
    elif used or any(sign in one for one in values for sign in "{}\\\n"):  # no quotation marks in f-strings before 3.12
        joined = " + ".join(f"{quote}: {quote} + str({one})" for one in values)
        return f"{quote}{text}{quote} + {joined}"
    return f"f{quote}{text}" + "".join(f": {{{one}}}" for one in values) + quote


def _is_logger(module: Module, name: str) -> bool:
    base = name.rpartition(".")[0]
    return bool(LOGGERS.match(base)) or module.imported.get(base, "") in ("logging", "loguru.logger")


def _bound_loggers(module: Module) -> list[str]:
    names = [one for one, whole in module.imported.items() if whole in ("loguru.logger",)]
    for node in module.nodes(cst.Assign):
        if isinstance(node.value, cst.Call) and dotted(node.value.func).rpartition(".")[2] in (
            "getLogger",
            "get_logger",
        ):
            names += [dotted(one.target) for one in node.targets]
    return [one for one in names if one]


def _reachable(module: Module, node: cst.CSTNode, names: list[str]) -> str:
    """The first logger that can be named where the node stands."""
    around = module.function(node)
    takes_self = around is not None and bool(around.params.params) and around.params.params[0].name.value == "self"
    owner = module.nearest(around, cst.ClassDef) if around is not None else None
    own = module.code(owner) if owner is not None else ""
    top = {
        dotted(target.target)
        for statement in module.tree.body
        if isinstance(statement, cst.SimpleStatementLine)
        for one in statement.body
        if isinstance(one, cst.Assign)
        for target in one.targets
    }
    for name in names:
        if name.startswith("self."):
            if takes_self and name in own:  # another class's is none of its own
                return name
        elif name in top or (name in module.imported and _is_imported_for(module, node, name)):
            return name
    return ""


def _is_imported_for(module: Module, node: cst.CSTNode, name: str) -> bool:
    """Whether an import of a name is of the file, or of a function around a node: others' are none of its own."""
    for one in module.nodes(cst.ImportAlias):
        bound = dotted(one.asname.name) if one.asname is not None else dotted(one.name).partition(".")[0]
        function = module.function(one)
        if bound == name and (function is None or function in module.ancestors(node)):
            return True
    return False
