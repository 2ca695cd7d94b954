"""What a model answered, read without trust: one JSON object, every object kept, inside the page, none newly covered.

Relies on the canvas and on the rules that the built-in solver is held to. Only geometry is taken over
(MAY_CHANGE); everything else stays as the person made it. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import ProofsheetError
from engine.experiments.canvas import MAX_BYTES, Canvas, CanvasError, parse
from engine.experiments.layout import problems

MAY_CHANGE = ("left", "top", "width", "height", "scaleX", "scaleY", "angle", "fontSize")
_FENCE = re.compile(r"\A\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


class BadAnswer(ProofsheetError):
    """An answer that cannot be used; `reasons` say why, in words that the model may be told."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def read_answer(text: str, before: Canvas, target: tuple[int, int]) -> Canvas:
    """The canvas that an answer describes. Raises BadAnswer naming everything that is wrong with it."""
    if len(text) > MAX_BYTES:
        raise BadAnswer([f"the answer is longer than {MAX_BYTES:,} characters"])
    fenced = _FENCE.match(text)
    try:
        document = json.loads(fenced.group(1) if fenced else text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadAnswer([f"the answer is not one JSON object ({str(error)[:80]})"]) from error
    if not isinstance(document, Mapping) or not isinstance(document.get("objects"), list):
        raise BadAnswer(['the answer is not an object with a list "objects"'])
    objects = _matched(document["objects"], before)
    page = {name: document.get(name, side) for name, side in zip(("width", "height"), target, strict=True)}
    try:
        after = parse({**before.raw, **page, "objects": objects}, "answer")
    except CanvasError as error:
        raise BadAnswer([error.message]) from error
    found = problems(before, after, target)
    if found:
        raise BadAnswer(found)
    return after


def _matched(answered: Sequence[object], before: Canvas) -> list[dict[str, Any]]:
    """The objects in their old order with their new geometry: by id where they have ids, else by place."""
    named = all(one.key == str(one.raw.get("id")) for one in before.objects)
    reasons: list[str] = []
    by_key: dict[str, Mapping[str, Any]] = {}
    for place, one in enumerate(answered):
        if not isinstance(one, Mapping):
            raise BadAnswer([f"objects[{place}] is no object"])
        key = str(one.get("id")) if named else (before.objects[place].key if place < len(before.objects) else "")
        if named and one.get("id") is None:
            reasons.append(f"objects[{place}] has no id")
        elif key in by_key:
            reasons.append(f"the object '{key}' comes twice")
        elif key not in {known.key for known in before.objects}:
            reasons.append(f"the object '{key or place}' was not there before")
        by_key[key] = one
    reasons += [f"the object '{one.key}' is missing" for one in before.objects if one.key not in by_key]
    if reasons:
        raise BadAnswer(reasons[:8])
    merged: list[dict[str, Any]] = []
    for known in before.objects:
        new = by_key[known.key]
        for name in ("type", "text"):
            if name in new and new[name] != known.raw.get(name):
                reasons.append(f"the {name} of '{known.key}' was changed")
        geometry = {name: new[name] for name in MAY_CHANGE if name in new}
        for name in ("left", "top"):
            if name not in new:
                reasons.append(f"'{known.key}' has no {name}")
        merged.append({**known.raw, **geometry})
    if reasons:
        raise BadAnswer(reasons[:8])
    return merged


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")
