"""What is made anew where it is older than what it is made of: it is made as well where it is not there yet.

Relies on `calls` for what is written. Pure functions over a parsed file, but that they note the change in it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.calls import path_call
from engine.repair.patterns.paths.guards import Site, exists_test, is_simple
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.syntax import last_name

_AGES = ("getmtime", "getctime", "stat", "getsize")
_MAKING = re.compile(
    r"(?i)(?:^|_)(?:re)?(?:build|render|convert|download|fetch|save|generate|compile|write|make|create|dump|update)"
)


def made_where_missing(site: Site) -> Proposal | Declined | None:
    """Let `if getmtime(out) < getmtime(source):` hold, too, where there is no `out`, which its body makes."""
    module, call, statement = site.module, site.call, site.statement
    if not isinstance(statement, cst.If) or not is_simple(call.path) or last_name(call.call.func) not in _AGES:
        return None
    if not any(one is statement.test for one in (call.call, *module.ancestors(call.call))):
        return None
    path = module.code(call.path)
    if not any(_makes(site, one, path) for one in module.nodes(cst.Call, within=statement.body)):
        return None
    test = exists_test(module, site, path)
    if module.code(statement.test).startswith(f"not {test} or"):
        return edits.declined("what is not there is made already")
    module.replace(statement.test, guards.joined(module, statement.test, f"not {test}", "or"))
    return edits.done(module, "make-anew", "review", "what is not there yet is made as well")


def _makes(site: Site, call: cst.Call, path: str) -> bool:
    made = path_call(site.module, call)
    if made is not None and made.action == "write":
        return site.module.code(made.path) == path
    given = [site.module.code(one.value) for one in call.args]
    return path in given and _MAKING.search(last_name(call.func)) is not None
