"""A canvas as Fabric.js writes it: read strictly, compared, and described by numbers. Pure; relies on nothing.

Only what a layout needs is looked at (`type left top width height scaleX scaleY angle originX originY text
fontSize`); every other field is kept as it stands. Lengths are pixels of the page, angles are degrees. A group is
one object: its children move and grow with it. Strokes and shadows are not counted in an object's box.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from engine.errors import UsageError

MAX_OBJECTS = 1_000
MAX_TEXT = 20_000  # characters
MAX_SIDE = 20_000  # pixels of a page's side
MAX_NUMBER = 1e6
MAX_ID = 200  # characters
MAX_TYPE = 64  # characters
MAX_DEPTH = 32  # of nested groups and fields
MAX_BYTES = 2 * 1024**2

Kind = Literal["text", "image", "shape", "group", "other"]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("text", "textbox", "itext", "i-text"), "text"),
    "image": "image",
    "group": "group",
    "activeselection": "group",
    **dict.fromkeys(("rect", "circle", "ellipse", "triangle", "polygon", "polyline", "line", "path"), "shape"),
}
_TYPE = re.compile("[A-Za-z]")
_ORIGINS: dict[str, dict[str, float]] = {
    "originX": {"left": 0.0, "center": 0.5, "right": 1.0},
    "originY": {"top": 0.0, "center": 0.5, "bottom": 1.0},
}


class CanvasError(UsageError):
    """A canvas that is not one. `path` is the field, such as `canvas.objects[3].left`."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(f"{path}: {what}", remedy="A canvas is {width, height, objects: [{type, left, top, ...}]}.")
        self.path = path
        self.what = what


class Box(NamedTuple):
    """An upright rectangle: left, top, right, bottom in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    def common(self, other: Box) -> Box | None:
        """What both cover; None when they only touch or are apart."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(left, top, right, bottom) if right > left and bottom > top else None

    def around(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class CanvasObject:
    """One object. `key` names it in messages and diffs: its `id`, or its type and place (`rect#2`)."""

    key: str
    type: str
    left: float
    top: float
    width: float
    height: float
    scale_x: float
    scale_y: float
    angle: float
    origin: tuple[float, float]  # where in the object (left, top) is, fractions of its sides
    text: str | None
    font_size: float | None
    raw: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        """What sort of thing it is."""
        return _KINDS.get(self.type.casefold(), "other")

    @property
    def box(self) -> Box:
        """The upright rectangle around the object as it is drawn: scaled, then turned about its origin."""
        width, height = self.width * self.scale_x, self.height * self.scale_y
        x0, y0 = -self.origin[0] * width, -self.origin[1] * height
        if self.angle % 360 == 0:
            return Box(self.left + x0, self.top + y0, self.left + x0 + width, self.top + y0 + height)
        turn = math.radians(self.angle)
        cos, sin = math.cos(turn), math.sin(turn)
        corners = [(x, y) for x in (x0, x0 + width) for y in (y0, y0 + height)]
        xs = [self.left + x * cos - y * sin for x, y in corners]
        ys = [self.top + x * sin + y * cos for x, y in corners]
        return Box(min(xs), min(ys), max(xs), max(ys))

    @property
    def text_height(self) -> float | None:
        """The size that its letters are seen at, pixels; None for what is no text."""
        return self.font_size * self.scale_y if self.font_size is not None and self.text is not None else None


@dataclass(frozen=True)
class Canvas:
    """A page of `width` × `height` pixels and its objects, the lowest first."""

    width: float
    height: float
    objects: tuple[CanvasObject, ...]
    raw: Mapping[str, Any]

    @property
    def page(self) -> Box:
        """The page itself."""
        return Box(0.0, 0.0, self.width, self.height)

    def document(self) -> dict[str, Any]:
        """The canvas as JSON, with the page's size."""
        objects = [dict(one.raw) for one in self.objects]
        return {**self.raw, "width": _plain(self.width), "height": _plain(self.height), "objects": objects}


@dataclass(frozen=True)
class Difference:
    """One change of one object. `field` and the values are None when the object itself was added or removed."""

    op: Literal["changed", "added", "removed"]
    object: str
    type: str
    field: str | None = None
    before: Any = None
    after: Any = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        named: dict[str, Any] = {"op": self.op, "object": self.object, "type": self.type}
        if self.op == "changed":
            named |= {"field": self.field, "before": self.before, "after": self.after}
        return named


def parse_text(text: str | bytes, name: str = "canvas") -> Canvas:
    """The canvas in a JSON text. Raises CanvasError naming the field, or the line that is no JSON."""
    if len(text) > MAX_BYTES:
        raise CanvasError(name, f"{len(text):,} bytes are too many; the most is {MAX_BYTES:,}")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise CanvasError(name, "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise CanvasError(f"{name}, line {error.lineno}", f"not JSON ({error.msg.lower()})") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise CanvasError(name, f"not JSON ({error})") from error
    return parse(document, name)


def parse(document: object, name: str = "canvas") -> Canvas:
    """The canvas in a JSON value. Raises CanvasError naming the field.

    Fabric's own `toJSON` leaves the page's size out: it is then taken to end where the objects end.
    """
    fields = _mapping(document, name)
    check_finite(fields, name, 0)
    listed = fields.get("objects")
    if not isinstance(listed, Sequence) or isinstance(listed, (str, bytes)):
        raise CanvasError(f"{name}.objects", "a list of objects is wanted" if listed is not None else "is missing")
    if len(listed) > MAX_OBJECTS:
        raise CanvasError(f"{name}.objects", f"{len(listed):,} objects are too many; the most is {MAX_OBJECTS:,}")
    objects: list[CanvasObject] = []
    seen: set[str] = set()
    for place, one in enumerate(listed):
        found = _object(one, f"{name}.objects[{place}]", place)
        if found.key in seen:  # Fabric does not promise that ids are unique
            found = replace(found, key=f"{found.type}#{place}")
        seen.add(found.key)
        objects.append(found)
    width = _side(fields, "width", name, objects)
    height = _side(fields, "height", name, objects)
    return Canvas(width, height, tuple(objects), fields)


def size(text: str) -> tuple[int, int]:
    """`1080x1920` as (width, height) pixels. Raises UsageError for anything else."""
    first, cross, second = text.strip().lower().replace("×", "x").partition("x")
    if not (cross and first.isascii() and second.isascii() and first.isdigit() and second.isdigit()):
        raise UsageError(f"'{text}' is no size", remedy="Write width x height in pixels: 1080x1920.")
    if len(first) > 6 or len(second) > 6 or not (1 <= int(first) <= MAX_SIDE and 1 <= int(second) <= MAX_SIDE):
        raise UsageError(f"'{text}' is not between 1x1 and {MAX_SIDE}x{MAX_SIDE} pixels")
    return int(first), int(second)


def differences(before: Canvas, after: Canvas, tolerance: float = 0.01) -> list[Difference]:
    """What a person changed: objects matched by key, numbers that differ by more than `tolerance`, any other field."""
    new = {one.key: one for one in after.objects}
    old = {one.key for one in before.objects}
    found: list[Difference] = []
    for one in before.objects:
        other = new.get(one.key)
        if other is None or other.type != one.type:
            found.append(Difference("removed", one.key, one.type))
            if other is not None:
                found.append(Difference("added", other.key, other.type))
            continue
        for field in (*one.raw, *(name for name in other.raw if name not in one.raw)):
            was, now = one.raw.get(field), other.raw.get(field)
            if not _is_same(was, now, tolerance):
                found.append(Difference("changed", one.key, one.type, field, was, now))
    found += [Difference("added", one.key, one.type) for one in after.objects if one.key not in old]
    return found


def overlapping(canvas: Canvas, least: float = 0.0) -> set[tuple[int, int]]:
    """Pairs (i < j) of objects whose boxes share more than `least` pixels in both directions."""
    boxes = [one.box for one in canvas.objects]
    order = sorted(range(len(boxes)), key=lambda index: boxes[index].left)
    pairs: set[tuple[int, int]] = set()
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            if boxes[j].left >= boxes[i].right - least:
                break
            common = boxes[i].common(boxes[j])
            if common is not None and common.width > least and common.height > least:
                pairs.add((min(i, j), max(i, j)))
    return pairs


def _object(value: object, path: str, place: int) -> CanvasObject:
    fields = _mapping(value, path)
    kind = fields.get("type")
    if not isinstance(kind, str) or not _TYPE.match(kind) or len(kind) > MAX_TYPE:
        raise CanvasError(f"{path}.type", "a name such as 'rect' or 'textbox' is wanted")
    name = fields.get("id")
    if name is not None and (isinstance(name, bool) or not isinstance(name, (str, int))):
        raise CanvasError(f"{path}.id", "a text or a whole number is wanted")
    if isinstance(name, str) and len(name) > MAX_ID:
        raise CanvasError(f"{path}.id", f"{len(name):,} characters are too many; the most is {MAX_ID}")
    both = _number(fields, "scale", path, 1.0, above=0.0)
    is_text = _KINDS.get(kind.casefold()) == "text"
    text = fields.get("text")
    if text is not None and not isinstance(text, str):
        raise CanvasError(f"{path}.text", "a text is wanted")
    if text is not None and len(text) > MAX_TEXT:
        raise CanvasError(f"{path}.text", f"{len(text):,} characters are too many; the most is {MAX_TEXT:,}")
    children = fields.get("objects")
    if children is not None:
        if not isinstance(children, Sequence) or isinstance(children, (str, bytes)):
            raise CanvasError(f"{path}.objects", "a list of objects is wanted")
        for number, child in enumerate(children):
            _mapping(child, f"{path}.objects[{number}]")
    return CanvasObject(
        key=str(name) if name is not None else f"{kind}#{place}",
        type=kind,
        left=_number(fields, "left", path, None),
        top=_number(fields, "top", path, None),
        width=_number(fields, "width", path, None, least=0.0),
        height=_number(fields, "height", path, None, least=0.0),
        scale_x=_number(fields, "scaleX", path, both, above=0.0),
        scale_y=_number(fields, "scaleY", path, both, above=0.0),
        angle=_number(fields, "angle", path, 0.0),
        origin=(_origin(fields, "originX", path), _origin(fields, "originY", path)),
        text=text if text is not None or not is_text else "",
        font_size=_number(fields, "fontSize", path, 40.0, above=0.0) if is_text or "fontSize" in fields else None,
        raw=fields,
    )


def _number(
    fields: Mapping[str, Any],
    name: str,
    path: str,
    default: float | None,
    *,
    least: float | None = None,
    above: float | None = None,
) -> float:
    value = fields.get(name)
    if value is None:
        if default is None:
            raise CanvasError(f"{path}.{name}", "is missing")
        return default
    is_usual = type(value) in (float, int) and abs(value) <= MAX_NUMBER  # nearly every number of every canvas
    if is_usual and (least is None or value >= least) and (above is None or value > above):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CanvasError(f"{path}.{name}", f"a number is wanted, not {json.dumps(value, default=str)[:40]}")
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise CanvasError(f"{path}.{name}", f"a number between -{MAX_NUMBER:,.0f} and {MAX_NUMBER:,.0f} is wanted")
    if least is not None and value < least:
        raise CanvasError(f"{path}.{name}", f"is {value:g}; the least is {least:g}")
    if above is not None and value <= above:
        raise CanvasError(f"{path}.{name}", f"is {value:g}; it must be more than {above:g}")
    return float(value)


def _origin(fields: Mapping[str, Any], name: str, path: str) -> float:
    value = fields.get(name)
    known = _ORIGINS[name]
    if value is None:
        return 0.0
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    if not isinstance(value, str) or value not in known:
        raise CanvasError(f"{path}.{name}", f"there are: {', '.join(known)}")
    return known[value]


def _side(fields: Mapping[str, Any], name: str, path: str, objects: Sequence[CanvasObject]) -> float:
    if name not in fields and objects:
        ends = [one.box.right if name == "width" else one.box.bottom for one in objects]
        return min(float(MAX_SIDE), max(1.0, math.ceil(max(ends))))
    side = _number(fields, name, path, None, least=1.0)
    if side > MAX_SIDE:
        raise CanvasError(f"{path}.{name}", f"is {side:g}; the most is {MAX_SIDE:,}")
    return side


def _mapping(value: object, path: str) -> dict[str, Any]:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise CanvasError(path, "an object with fields is wanted")
    return dict(value)


def check_finite(value: object, path: str, depth: int = 0) -> None:
    """Raise CanvasError where a value is endless or endlessly deep, in fields that are only carried along too."""
    if _is_finite(value, depth):
        return
    if depth > MAX_DEPTH:
        raise CanvasError(path, "nested too deeply")
    if isinstance(value, float) and not math.isfinite(value):
        raise CanvasError(path, "a finite number is wanted")
    if isinstance(value, Mapping):
        for name, part in value.items():
            check_finite(part, f"{path}.{name}", depth + 1)
    elif isinstance(value, (list, tuple)):
        for place, part in enumerate(value):
            check_finite(part, f"{path}[{place}]", depth + 1)


def _is_finite(value: object, depth: int) -> bool:
    """Whether `check_finite` has nothing to say; it alone words the paths, which takes longer than looking."""
    kind = type(value)
    if kind is float:
        return depth <= MAX_DEPTH and math.isfinite(value)  # type: ignore[arg-type]
    if kind is str or kind is int or kind is bool or value is None:
        return depth <= MAX_DEPTH
    if depth > MAX_DEPTH:
        return False
    if kind is dict:
        return all([_is_finite(part, depth + 1) for part in value.values()])  # type: ignore[attr-defined] # noqa: C419
    if kind is list:
        return all([_is_finite(part, depth + 1) for part in value])  # type: ignore[attr-defined] # noqa: C419
    return False


def _is_same(was: object, now: object, tolerance: float) -> bool:
    if isinstance(was, (int, float)) and isinstance(now, (int, float)) and not isinstance(was, bool):
        return abs(was - now) <= tolerance
    return was == now


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")
