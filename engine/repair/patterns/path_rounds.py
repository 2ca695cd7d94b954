"""A round of a loop, or of a `map`, whose file is missing: the rest of them goes on.

For calls that look for files by themselves; where the path is in sight, `missing_file` looks for it first.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns import wording
from engine.repair.patterns.edit import Module
from engine.repair.patterns.path_answers import calls_in, loop_over, varies_in
from engine.repair.patterns.path_calls import OF_PATHS
from engine.repair.patterns.syntax import last_name

SKIPPED = "Skipping a missing file"


def passes_over(module: Module, statement: cst.CSTNode, call: cst.Call) -> bool:
    """Let a loop pass over the round for which a call of it finds no file; whether it is such a call."""
    loop = loop_over(module, statement)
    names = [arg.value for arg in call.args if not arg.star]
    if not isinstance(loop, cst.For) or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
        return False
    if last_name(call.func) in OF_PATHS or module.nearest(call, cst.Lambda) is not None:
        return False
    if not any(varies_in(module, loop, one) for one in names):
        return False
    warn = wording.warning(module, statement, SKIPPED, "error")
    module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n")
    return True


def filters_order(module: Module, calls: list[cst.Call]) -> bool:
    """Let `sorted(files, key=os.path.getmtime)` go over those files that are there; whether there is one."""
    for call in calls:
        key = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "key"), None)
        plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
        if key is None or len(plain) != 1 or last_name(call.func) not in ("sorted", "max", "min"):
            continue
        if module.qualified(key) in ("os.path.getmtime", "os.path.getsize", "os.path.getctime", "os.path.getatime"):
            looks = f"{module.name_of_import('os')}.path.exists"
            made = cst.parse_expression(f"filter({looks}, {module.code(plain[0].value)})")
            module.replace(plain[0].value, made)
            return True
    return False


def filters_map(module: Module, statement: cst.CSTNode, function: cst.FunctionDef) -> bool:
    """Let `map(read, paths)` go over those paths that are there; whether there is one."""
    for call in calls_in(statement):
        plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
        if last_name(call.func) != "map" or len(plain) != 2 or last_name(plain[0].value) != function.name.value:
            continue
        looks = f"{module.name_of_import('os')}.path.exists"
        module.replace(plain[1].value, cst.parse_expression(f"filter({looks}, {module.code(plain[1].value)})"))
        return True
    return False
