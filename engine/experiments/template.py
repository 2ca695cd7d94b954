"""Prompt templates: which placeholders there are, checking a template by line, and filling it in.

A placeholder is a name in single braces, `{currentWidth}`; other braces, as in a JSON example, stay as they are, and
`{{currentWidth}}` is written out as `{currentWidth}`. Pure functions over texts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from engine.errors import ProofsheetError

PLACEHOLDERS: dict[str, str] = {
    "currentWidth": "width of the canvas as it is, pixels",
    "currentHeight": "height of the canvas as it is, pixels",
    "targetWidth": "width that is wanted, pixels",
    "targetHeight": "height that is wanted, pixels",
    "currentAspectRatio": "current width by height",
    "targetAspectRatio": "target width by height",
    "scaleX": "target width by current width",
    "scaleY": "target height by current height",
    "objectCount": "how many objects the canvas holds",
    "canvas": "the canvas itself, as JSON",
}
REQUIRED = ("targetWidth", "targetHeight")
MAX_TEMPLATE_BYTES = 100_000
_PLACEHOLDER = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}", re.ASCII)


class TemplateRefused(ProofsheetError):
    """A template that cannot be used, with the line where that shows."""


def read_template(data: bytes, place: str) -> str:
    """The text of a template file. Raises TemplateRefused when it is too long, empty, or not UTF-8 (with the line)."""
    if len(data) > MAX_TEMPLATE_BYTES:
        raise TemplateRefused(f"{place} is longer than {MAX_TEMPLATE_BYTES:,} bytes", remedy="Shorten the prompt.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TemplateRefused(f"{place}, line {line}: not UTF-8", remedy="Save it as UTF-8 text.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TemplateRefused(f"{place}, line {line}: a NUL byte; this is no text", remedy="Save it as UTF-8 text.")
    text = text.replace("\r\n", "\n").strip("\n") + "\n"
    if not text.strip():
        raise TemplateRefused(f"{place} is empty", remedy="Write the prompt into it.")
    return text


def check_template(text: str, place: str) -> tuple[str, ...]:
    """The placeholders of a template, in order of appearance.

    Raises TemplateRefused for an unknown placeholder (with its line) and for a missing required one.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _PLACEHOLDER.finditer(line):
            name = match.group(2)
            if name is None:
                continue
            if name not in PLACEHOLDERS:
                raise TemplateRefused(
                    f"{place}, line {number}: unknown placeholder {{{name}}}",
                    remedy=f"There are: {', '.join(PLACEHOLDERS)}. Write {{{{{name}}}}} to have it stand literally.",
                )
            found[name] = None
    missing = [name for name in REQUIRED if name not in found]
    if missing:
        last = len(text.splitlines())
        named = ", ".join(f"{{{name}}}" for name in missing)
        raise TemplateRefused(
            f"{place}, line {last}: the prompt ends without {named}",
            remedy="Without them the model is not told what size is wanted; add them.",
        )
    return tuple(found)


def content_hash(text: str) -> str:
    """SHA-256 of the template's UTF-8 text, in hex: the identity of a version."""
    return hashlib.sha256(text.encode()).hexdigest()


def render(template: str, canvas: Mapping[str, Any], target: tuple[float, float]) -> str:
    """The prompt for one canvas: `{"width", "height", "objects": [...]}`, and a target size in pixels.

    A size that the canvas does not tell, or that is no positive number, is written as 'unknown'.
    """
    width, height = _size(canvas.get("width")), _size(canvas.get("height"))
    objects = canvas.get("objects")
    values = {
        "currentWidth": _number(width),
        "currentHeight": _number(height),
        "targetWidth": _number(target[0]),
        "targetHeight": _number(target[1]),
        "currentAspectRatio": _ratio(width, height),
        "targetAspectRatio": _ratio(target[0], target[1]),
        "scaleX": _ratio(target[0], width),
        "scaleY": _ratio(target[1], height),
        "objectCount": str(len(objects)) if isinstance(objects, list) else "0",
        "canvas": json.dumps(canvas, ensure_ascii=False, separators=(",", ":")),
    }

    def fill(match: re.Match[str]) -> str:
        return f"{{{match.group(1)}}}" if match.group(2) is None else values[match.group(2)]

    return _PLACEHOLDER.sub(fill, template)


def _size(value: object) -> float | None:
    is_size = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf")
    return float(value) if is_size else None  # type: ignore[arg-type]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.10g}"


def _ratio(above: float | None, below: float | None) -> str:
    return f"{above / below:.4g}" if above and below else "unknown"
