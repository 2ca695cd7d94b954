"""A project's own error after its own check for None: `cv2.imread` gave nothing, and the path may be to blame.

Only where something speaks for the path: characters outside ASCII in the path that the error names, or words about
them; the language of its other words is no matter. An image that is simply not there is rightly complained of.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.images.any_path import imreads, use_helper
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import assignments, walk
from engine.repair.record import ErrorRecord

_OF_IMAGES = re.compile(r"(?i)image|picture|photo|imread|frame|\.(?:jpe?g|png|bmp|tiff?|webp)\b")
_OF_PATHS = re.compile(r"(?i)special char|unicode|non-?(?:ascii|english|latin)|characters? in")
_PATHS = re.compile(
    r"'([^'\n]+)'|\"([^\"\n]+)\"|([^\s'\",;()\[\]{}<>]+\.(?:jpe?g|png|bmp|tiff?|webp|gif)\b)|([^\s'\",;()]*[/\\][^\s'\",;()]+)"
)
_OTHER_FORMATS = re.compile(r"(?i)\.(?:webp|gif|avif|heic|heif|jp2|jxl|tiff?|ico)\b")
_LITERALS = re.compile(r"'([^'{}%\n]*)|\"([^\"{}%\n]*)|\}([^'\"{}\n]*)")

BY_PILLOW = '''def read_image(filename):
    """Read an image in colour as {cv2}.imread does, by Pillow where OpenCV cannot; None where neither can."""
    image = {cv2}.imread(filename)
    if image is not None:
        return image
    try:
        with {pil}.open(filename) as picture:
            upright = {ops}.exif_transpose(picture)
            if upright.mode.startswith("I;16"):  # the upper eight bits of each value, as imread keeps them
                return {cv2}.cvtColor(({np}.asarray(upright) // 256).astype({np}.uint8), {cv2}.COLOR_GRAY2BGR)
            if upright.mode in ("I", "F"):
                return None  # what range its values have is not known
            return {cv2}.cvtColor({np}.asarray(upright.convert("RGB")), {cv2}.COLOR_RGB2BGR)
    except (OSError, ValueError, SyntaxError, {pil}.DecompressionBombError):
        return None
'''


def is_own_error(record: ErrorRecord) -> bool:
    """Whether a line raised it, and what it says is of an image whose path is out of the ordinary."""
    if record.type.startswith("Unicode") or not record.frames:
        return False
    raised = re.match(r"(?:raise|assert)\b", record.frames[-1].code.strip())
    text = record.message
    is_told = _names_such_a_path(record) or _OF_PATHS.search(text) or _is_of_other_format(record)
    return bool(raised and _OF_IMAGES.search(text) and is_told)


def _is_of_other_format(record: ErrorRecord) -> bool:
    """Whether the path in the message is of a kind that many a build of OpenCV cannot read."""
    return record.type == "AssertionError" and _OTHER_FORMATS.search(record.message) is not None


def _names_such_a_path(record: ErrorRecord) -> bool:
    """Whether a path in the message, the line's own words aside, has characters outside ASCII."""
    text = record.message
    for found in _LITERALS.findall(record.frames[-1].code):
        for words in found:
            if words.strip() and not words.isascii():
                text = text.replace(words.strip(), " ")
    return any(not path.isascii() for found in _PATHS.findall(text) for path in found)


def helper_alone(module: Module, statement: cst.CSTNode, record: ErrorRecord) -> str:
    """Read by the helper in the function that raised; why it cannot be, or ''."""
    function = module.function(statement)
    if function is None:
        return "it is raised outside of a function: nothing shows what was read"
    calls = [one for one in imreads(module, function) if not any(arg.star for arg in one.args)]
    if not calls:
        return "the function that raised it reads nothing with cv2.imread"
    if not _is_of_test(module, statement, function, calls):
        return "the error does not come from a test of what cv2.imread gave"
    if _is_of_other_format(record) and not _names_such_a_path(record):
        return _by_pillow(module, calls)
    for call in calls:
        use_helper(module, call, None)
    return ""


def _by_pillow(module: Module, calls: list[cst.Call]) -> str:
    """Read by Pillow, which the file has already, what OpenCV cannot; why it cannot be, or ''."""
    picture = next((name for name, whole in module.imported.items() if whole == "PIL.Image"), "")
    if not picture or module.defines("read_image"):
        return "an image that is not there is rightly complained of, and nothing shows another way to read it"
    if any(len(one.args) != 1 for one in calls) or not module.imports_for_sure("cv2"):
        return "cv2.imread is called in a form that is not known"
    module.add_helper(
        BY_PILLOW.format(
            cv2=module.name_of_import("cv2"),
            np=module.name_of_import("numpy", alias="np"),
            ops=module.name_of_import("PIL", "ImageOps"),
            pil=picture,
        )
    )
    for call in calls:
        module.replace(call, call.with_changes(func=cst.Name("read_image")))
    return ""


def _is_of_test(module: Module, statement: cst.CSTNode, function: cst.FunctionDef, calls: list[cst.Call]) -> bool:
    """Whether the error is raised where what was read is tested; anywhere in the function, for one in a handler."""
    names = {module.code(target) for target, value in assignments(function) if any(one in calls for one in walk(value))}
    words = "|".join(re.escape(one) for one in names)
    asks = re.compile(
        rf"(?<![\w.])(?:{words}) *(?:is|==|!=)(?: not)? None\b|\bnot (?:{words})(?![\w.\[(])|\A(?:{words})\Z"
    )

    def is_test(one: cst.If) -> bool:
        return any(each in calls for each in walk(one.test)) or bool(names and asks.search(module.code(one.test)))

    if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Assert):
        test = module.code(statement.body[0].test)
        return bool(names and asks.search(test)) or any(test == name for name in names)
    around: list[cst.If] = []
    for one in module.ancestors(statement):
        if one is function:
            break
        if isinstance(one, cst.ExceptHandler):  # what it caught was raised in its `try`
            tried = module.parent(one)
            return isinstance(tried, cst.Try) and any(is_test(each) for each in module.nodes(cst.If, within=tried.body))
        if isinstance(one, cst.If):
            around.append(one)
    return any(is_test(one) for one in around or module.nodes(cst.If, within=function))
