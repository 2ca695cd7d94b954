"""What a function writes to where it was given nothing to write to: where programs write, the standard output.

Relies on LibCST alone; the one change is noted in the module it is given.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import parameter_of

_NAMES = re.compile(r"(?:out|output|outfile|out_file|output_file|output_stream|out_stream|stream|ostream|fout)\Z")
_BYTES = re.compile(r"[\"']wb[\"']|BinaryIO|IO\[bytes\]|BytesIO|\.buffer\b")


def usual(module: Module, use: cst.Attribute) -> str | None:
    """Let a parameter that is None, and is written to, be the standard output; its name, or None where it is not so."""
    subject, function = use.value, module.function(use)
    if not isinstance(subject, cst.Name) or function is None or use.attr.value not in ("write", "writelines"):
        return None
    if parameter_of(function, subject.value) is None or not _NAMES.match(subject.value):
        return None
    own = [one for one in module.nodes(cst.Attribute, within=function.body) if module.code(one.value) == subject.value]
    if any(one.attr.value not in ("write", "writelines", "flush") for one in own):
        return None
    line = guards.statement_line(module, use)
    top = next((one for one in (line, *module.ancestors(use)) if module.parent(one or use) is function.body), None)
    if not isinstance(top, cst.SimpleStatementLine | cst.For | cst.If | cst.With | cst.Try | cst.While):
        return None
    name = f"{module.name_of_import('sys')}.stdout{'.buffer' if _BYTES.search(module.text) else ''}"
    guards.before(module, top, f"if {subject.value} is None:\n    {subject.value} = {name}\n")
    return name
