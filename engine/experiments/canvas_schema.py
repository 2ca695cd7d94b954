"""What `canvas.parse` accepts, as JSON Schema, for those who ask over HTTP. Schemathesis holds the two together."""

from __future__ import annotations

from typing import Any

from engine.experiments.canvas import MAX_ID, MAX_NUMBER, MAX_OBJECTS, MAX_SIDE, MAX_TEXT, MAX_TYPE

_LENGTH = {"type": "number", "minimum": 0, "maximum": MAX_NUMBER}
_PLACE = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
_FACTOR = {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": MAX_NUMBER}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SIDE = {"type": "number", "minimum": 1, "maximum": MAX_SIDE}
#: Fields that are not named are carried along.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A Fabric.js canvas; without width and height the page ends where its objects end.",
    "required": ["objects"],
    "anyOf": [{"required": ["width", "height"]}, {"properties": {"objects": {"minItems": 1}}}],
    "properties": {
        "width": _SIDE,
        "height": _SIDE,
        "objects": {
            "type": "array",
            "maxItems": MAX_OBJECTS,
            "items": {
                "type": "object",
                "required": ["type", "left", "top", "width", "height"],
                "properties": {
                    "type": {"type": "string", "minLength": 1, "maxLength": MAX_TYPE, "pattern": "^[A-Za-z]"},
                    "id": {"anyOf": [{"type": "string", "maxLength": MAX_ID}, {"type": ["integer", "null"]}]},
                    "left": _PLACE,
                    "top": _PLACE,
                    "width": _LENGTH,
                    "height": _LENGTH,
                    "scale": _FACTOR,
                    "scaleX": _FACTOR,
                    "scaleY": _FACTOR,
                    "angle": {**_PLACE, "type": ["number", "null"]},
                    "originX": {"anyOf": [{"enum": ["left", "center", "right", None]}, _SHARE]},
                    "originY": {"anyOf": [{"enum": ["top", "center", "bottom", None]}, _SHARE]},
                    "text": {"type": ["string", "null"], "maxLength": MAX_TEXT},
                    "fontSize": _FACTOR,
                    "objects": {"type": ["array", "null"], "items": {"type": "object"}},
                },
            },
        },
    },
}
