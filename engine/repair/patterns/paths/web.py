"""What a web page is answered with where its file is missing: that it was not found, in the words of its framework.

Only where the path is made of what the request asks for: a file of the server's own that is not there is the server's
fault, and no page. Only with what the file imports already. Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.answers import takes_parameter
from engine.repair.patterns.paths.guards import Site, exists_test, hoisted, named_path
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.syntax import bound_values, last_name, own_attribute, walk

_ROUTES = re.compile(
    r"(?i)\.(?:route|get|head|view)\b|\bapi_view\b|\baction\b|\brequire_(?:GET|safe)\b|\blogin_required\b"
)
_OF_REQUEST = ("path", "request", "kwargs", "args", "headers")
_ANSWERS = (
    (re.compile(r"(?:flask|bottle|quart|sanic)\.(?:exceptions\.)?abort\Z"), "{name}(404)"),
    (re.compile(r"django\.http\.Http404\Z"), 'raise {name}("file not found")'),
    (
        re.compile(r"(?:fastapi|starlette)\.(?:exceptions\.)?HTTPException\Z"),
        'raise {name}(status_code=404, detail="file not found")',
    ),
)


def not_found(site: Site, function: cst.FunctionDef) -> Proposal | Declined | None:
    """Answer that there is no such page; None where the function answers no request."""
    if site.call.action != "read":
        return None
    lines = _by_framework(site.module, function) or _by_server(site, function)
    if lines is None or not _is_requested(site.module, function, site.call.path):
        return None
    module = site.module
    name, statement = named_path(site, site.call.path)
    head = f"{hoisted(module, name, site.call.path)}if not {exists_test(module, site, name)}:\n"
    why = "what is not there is not found, as the one who asked is told"
    return edits.inserted(site, head + lines.replace('"', module.quote), "default", "review", why, statement)


def _is_requested(module: Module, function: cst.FunctionDef, path: cst.BaseExpression) -> bool:
    """Whether a path is made of a part of the address, or of anything else of the request."""
    names: list[cst.CSTNode] = [path]
    seen: set[str] = set()
    while names:
        for one in walk(names.pop()):
            if isinstance(one, cst.Attribute) and own_attribute(one) and one.attr.value in _OF_REQUEST:
                return True
            if not isinstance(one, cst.Name) or one.value in ("self", "cls") or one.value in seen:
                continue
            if one.value == "request" or takes_parameter(function, one.value):
                return True
            seen.add(one.value)
            names += bound_values(module, function, one.value, module.position(one).start.line)
    return False


def _by_framework(module: Module, function: cst.FunctionDef) -> str | None:
    parameters = {one.name.value for one in function.params.params}
    routed = any(_ROUTES.search(module.code(one.decorator)) for one in function.decorators)
    if "request" not in parameters and not routed:
        return None
    for name, whole in module.imported.items():
        for form, line in _ANSWERS:
            if form.match(whole):
                return f"    {line.format(name=name)}\n"
    return None


def _by_server(site: Site, function: cst.FunctionDef) -> str | None:
    """`self.send_error(404)` of Python's own server, where nothing was sent yet."""
    module = site.module
    around = module.nearest(function, cst.ClassDef)
    if around is None or not re.fullmatch(r"do_(?:GET|HEAD)", function.name.value):
        return None
    if not any(last_name(base.value).endswith("RequestHandler") for base in around.bases):
        return None
    line = module.position(site.statement).start.line
    sent = any(
        last_name(one.func) in ("send_response", "end_headers", "send_error") and module.position(one).start.line < line
        for one in own_nodes(function.body, cst.Call)
    )
    return None if sent else "    self.send_error(404)\n    return\n"
