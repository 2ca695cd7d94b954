"""A project's own error after its own check for None: `cv2.imread` gave nothing, and the path may be to blame.

Only where something speaks for the path: characters outside ASCII in what the error says, or words about them. An
image that is simply not there is rightly complained of.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.images.any_path import imreads, use_helper
from engine.repair.patterns.source.edit import Module
from engine.repair.record import ErrorRecord

_OF_IMAGES = re.compile(r"(?i)image|picture|photo|imread|frame|\.(?:jpe?g|png|bmp|tiff?|webp)\b")
_OF_PATHS = re.compile(r"(?i)special char|unicode|non-?(?:ascii|english|latin)|characters? in")
_TESTS = re.compile(r"\bis (?:not )?None\b|\bnot \w+\b|== None")


def is_own_error(record: ErrorRecord) -> bool:
    """Whether a line raised it, and what it says is of an image whose path is out of the ordinary."""
    if record.type.startswith("Unicode") or not record.frames:
        return False
    raised = re.match(r"raise\b", record.frames[-1].code.strip())
    text = record.message
    return bool(raised and _OF_IMAGES.search(text) and (not text.isascii() or _OF_PATHS.search(text)))


def helper_alone(module: Module, statement: cst.CSTNode) -> str:
    """Read by the helper in the function that raised; why it cannot be, or ''."""
    function = module.function(statement)
    if function is None:
        return "it is raised outside of a function: nothing shows what was read"
    calls = [one for one in imreads(module, function) if not any(arg.star for arg in one.args)]
    if not calls:
        return "the function that raised it reads nothing with cv2.imread"
    if not any(_TESTS.search(module.code(one.test)) for one in module.nodes(cst.If, within=function)):
        return "the error does not come from a test of what cv2.imread gave"
    for call in calls:
        use_helper(module, call, None)
    return ""
