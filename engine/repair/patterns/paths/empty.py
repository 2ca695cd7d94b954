"""An empty path: the folder of a bare file name, which is the working directory and needs not be made.

Where anything else is empty, what should have set it is to blame. Relies on `guards` for the condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths import edits
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import bound_values, last_name

_MAKING = ("os.makedirs", "os.mkdir")
_LOOKING = ("os.listdir", "os.scandir", "os.chdir", "os.stat", "os.access", "os.statvfs", "os.walk")
_WHY = "a bare file name lies in the working directory, which is there"


def propose(module: Module, statement: cst.CSTNode, calls: Sequence[cst.Call]) -> Proposal | Declined:
    """Make a folder only where there is one to be made; look into the working directory where none is named."""
    for call in calls:
        name = module.qualified(call.func)
        if name not in _MAKING + _LOOKING or not call.args or call.args[0].star:
            continue
        path = call.args[0].value
        if _is_asked(module, call, module.code(path)):
            return edits.declined("the folder is asked for already")
        is_plain = guards.is_repeatable(module.code(path)) or _is_folder_of(module, path)
        if name in _MAKING and _is_alone(statement, call) and is_plain:
            return _made_if_named(module, statement, path)
        if name in _LOOKING and _is_folder_of(module, path):
            quote = module.quote
            module.replace(path, guards.expression(f"{module.code(path)} or {quote}.{quote}"))
            return edits.done(module, "working-directory", "review", _WHY)
    return edits.declined("the path is empty: what should have set it is to blame")


def is_listed(module: Module, calls: Sequence[cst.Call]) -> bool:
    """Whether a folder is listed that is no file's: none that is named is as good as none that is there."""
    listed = [one for one in calls if module.qualified(one.func) in ("os.listdir", "os.scandir") and one.args]
    return bool(listed) and not any(_is_folder_of(module, one.args[0].value) for one in listed)


def _made_if_named(module: Module, statement: cst.CSTNode, path: cst.BaseExpression) -> Proposal:
    code = module.code(path)
    block = module.parent(statement)
    around = module.parent(block) if isinstance(block, cst.IndentedBlock) else None
    is_its_own = isinstance(block, cst.IndentedBlock) and len(block.body) == 1
    if isinstance(around, cst.If) and is_its_own and around.orelse is None and code in module.code(around.test):
        module.replace(around.test, guards.joined(module, around.test, code, "and"))
    else:
        guards.under(module, cst.ensure_type(statement, cst.SimpleStatementLine), code)
    return edits.done(module, "if-named", "review", _WHY)


def _is_asked(module: Module, call: cst.Call, code: str) -> bool:
    """Whether a condition around a call asks already whether its path is named; that it is not there says nothing."""
    inner: cst.CSTNode = call
    for around in module.ancestors(call):
        if isinstance(around, cst.If) and inner is around.body and code in _asked(module, around.test):
            return True
        if isinstance(around, cst.FunctionDef):
            return False
        inner = around
    return False


def _asked(module: Module, test: cst.BaseExpression) -> set[str]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _asked(module, test.left) | _asked(module, test.right)
    return {re.sub(r"\A\((.+)\)\Z| != (?:''|\"\")\Z", r"\1", module.code(test))}


def _is_alone(statement: cst.CSTNode, call: cst.Call) -> bool:
    small = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    return len(small) == 1 and isinstance(small[0], cst.Expr) and small[0].value is call


def _is_folder_of(module: Module, path: cst.BaseExpression) -> bool:
    """`os.path.dirname(...)`, `os.path.split(...)[0]`, or a name that is bound to one."""
    function = module.function(path)
    line = module.position(path).start.line
    bound = bound_values(module, function or module.tree, path.value, line)[:1] if isinstance(path, cst.Name) else []
    for one in (path, *bound):
        node = one.value if isinstance(one, cst.Subscript) else one
        if isinstance(node, cst.Call) and last_name(node.func) in ("dirname", "split", "rpartition"):
            return True
    return False
