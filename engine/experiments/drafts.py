"""Better prompts, drafted from findings: the leading variant's text with what was learned written into it.

Pure functions. A draft is a suggestion (kind 'prompt-draft') that a person reads, edits or declines; only then does it
become a variant. Nothing here calls a language model: each lesson is a sentence kept beside its feature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.experiments.findings import Finding
from engine.experiments.model import KIND_DRAFT, Variant
from engine.experiments.template import check_template, content_hash
from engine.review import Suggestion

MOST_LESSONS = 6

# feature -> (what to do where its value is high, where it is low)
ADVICE: dict[str, tuple[str, str]] = {
    "objects": (
        "With many objects, move whole groups before single objects, and let the least important ones shrink first.",
        "With few objects, let each of them grow; do not scatter them to fill the page.",
    ),
    "texts": (
        "With many texts, keep one size for each level of text and one line of alignment for all of them.",
        "With little text, give the headline the room it has gained.",
    ),
    "images": (
        "With several pictures, keep their sizes in proportion to one another and their edges in line.",
        "With few pictures, let the main one lead: at least a third of the page where the text allows it.",
    ),
    "coverage": (
        "On a full page, shrink everything together before moving anything apart.",
        "On an empty page, keep the emptiness on one side rather than spreading it around every object.",
    ),
    "overlap": (
        "Where objects overlap on purpose, keep the overlap: move the pair as one.",
        "Where nothing overlaps, let nothing overlap afterwards.",
    ),
    "alignment": (
        "Where much is aligned, keep every shared edge and centre line exactly.",
        "Where little is aligned, choose one edge and align what is near it.",
    ),
    "text_share": (
        "Where text takes much of the design, reflow it into the new width before making it smaller.",
        "Where text takes little, keep it close to what it describes.",
    ),
    "text_size": (
        "Where even the smallest text is large, it may shrink in proportion.",
        "Where text is small already, do not make it smaller: give it room by shrinking pictures.",
    ),
    "aspect": (
        "From a wide page, stack side-by-side columns when the target is narrower.",
        "From a tall page, set stacked blocks side by side when the target is wider.",
    ),
    "aspect_change": (
        "When the page grows wider, place blocks side by side instead of stretching them.",
        "When the page grows taller, stack blocks in reading order instead of stretching them.",
    ),
    "scale_change": (
        "When the page grows, let pictures grow more than text, and margins with the page.",
        "When the page shrinks, drop to smaller margins first, then smaller pictures, and text last.",
    ),
}


def compose(found: Sequence[Finding], parent: Variant, taken: Sequence[str], model: str) -> Suggestion | None:
    """A draft from the strongest findings, one lesson a feature and side; None when nothing was found.

    Findings that praise a variant teach where it fails to lead: the lesson is about the canvases, whoever won there.
    """
    lessons: dict[str, str] = {}
    for one in found:
        high, low = ADVICE[one.feature]
        # Where canvases of a kind do worse, they need the lesson; where one variant loses, its kind of canvas does.
        is_high = one.is_high if one.variant is not None or one.effect < 0 else not one.is_high
        lessons.setdefault(high if is_high else low, one.text)
        if len(lessons) == MOST_LESSONS:
            break
    if not lessons:
        return None
    written = "\n".join(f"- {lesson}" for lesson in lessons)
    section = f"What rated results have taught:\n{written}\n"
    template = _insert(parent.template, section)
    check_template(template, "the draft")
    proposal: dict[str, Any] = {
        "template": template,
        "parent": parent.id,
        "title": f"{parent.title}, with lessons",
        "variant_id": _free_id(parent.id, taken),
        "lessons": [{"lesson": lesson, "because": because} for lesson, because in lessons.items()],
    }
    subject = f"draft:{content_hash(template)[:16]}"
    return Suggestion(KIND_DRAFT, subject, proposal, model, reasons=tuple(lessons.values()))


def _insert(template: str, section: str) -> str:
    """The section before the canvas, where instructions end; at the end of a template that has no canvas."""
    lines = template.splitlines(keepends=True)
    for place, line in enumerate(lines):
        if line.strip() == "{canvas}" and place > 0:
            before = place - 1 if lines[place - 1].strip().lower() == "canvas:" else place
            return "".join(lines[:before]) + section + "\n" + "".join(lines[before:])
    return template.rstrip("\n") + "\n\n" + section


def _free_id(parent: str, taken: Sequence[str]) -> str:
    import re

    stem = re.sub(r"-v\d+$", "", parent)
    match = re.search(r"-v(\d+)$", parent)
    number = int(match.group(1)) + 1 if match else 2
    while f"{stem}-v{number}" in taken:
        number += 1
    return f"{stem}-v{number}"
