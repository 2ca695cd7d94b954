"""What the ranking screen says, as pure functions from values to words: captions, verdicts, labels, empty states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.runwatch import Activity
from tui.widgets.lines import Row, Span, row

if TYPE_CHECKING:
    from engine.library.model import Image
    from engine.ranking.model import ImageSet, RankerStatus
    from engine.review import Agreement, Suggestion

PLACES = 9  # the digits; larger sets page


def megabytes(size: int) -> str:
    """Bytes for the eye: `0.9 MB`, `312 kB`."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


def details(image: Image) -> str:
    """`2048×2048  3.1 MB`"""
    return f"{image.width}×{image.height}  {megabytes(image.size)}"


def percent(share: float) -> str:
    """`87 %`; never 100 % for what is not certain."""
    return f"{min(99, round(share * 100))} %" if share < 1 else "100 %"


def sure(confidence: float) -> str:
    """A confidence in words: `almost certain`, `likely`, `a guess`."""
    steps = ((0.97, "almost certain"), (0.9, "very likely"), (0.75, "likely"), (0.55, "leaning"))
    return next((word for least, word in steps if confidence >= least), "a guess")


def suggested_image(suggestion: Suggestion | None) -> int | None:
    """The image id that a suggestion proposes."""
    return None if suggestion is None else int(suggestion.proposal["image"])


def model_name(model: str) -> str:
    """`ranker_v4` is said `ranker v4`; a baseline keeps its plain name, so that nobody takes it for a model."""
    return model if model.startswith("baseline:") else model.replace("_", " ")


def here(number: int, total: int, shown: ImageSet | None, project: str | None, narrow: bool) -> tuple[Span, ...]:
    """The left of the top line."""
    dot: Span = ("  ·  ", "faint") if not narrow else (" · ", "faint")
    name: tuple[Span, ...] = () if narrow else (("proofsheet", "strong bold"), dot)
    if shown is None:
        return (*name, ("ranking", "text"))
    place: Span = (f"{shown.project}", "strong" if project else "text")
    if narrow:
        return (*name, place, dot, (f"{number:,}/{total:,}", "text"))
    return (*name, place, dot, ("set ", "dim"), (f"{number:,}", "strong"), (" of ", "dim"), (f"{total:,}", "text"))


def agreement(value: Agreement | None, narrow: bool) -> tuple[Span, ...]:
    """`agrees with you 8/10`"""
    if value is None or not value.of:
        return ()
    return (("agrees " if narrow else "agrees with you ", "dim"), (f"{value.agreed}/{value.of}", "text"))


def paging(index: int, count: int) -> tuple[Span, ...]:
    """`page 2/2`, behind what is told of an image, in a set that has more than one."""
    return ((f"  page {index // PLACES + 1}/{-(-count // PLACES)}", "dim"),) if count > PLACES else ()


def numbered(index: int, count: int) -> str:
    """An image of a set of `count` by the digit it stands under: `2`, or `2 on page 1` of several."""
    page = f" on page {index // PLACES + 1}" if count > PLACES else ""
    return f"{index % PLACES + 1}{page}"


def verdict(number: int, picked: int | None, suggested: int | None, blind: bool, count: int) -> tuple[Span, ...]:
    """`last: 211 → 2 (agreed)`; `picked` and `suggested` are indices in a set of `count`, None: it was rejected."""
    lead: tuple[Span, ...] = (("last: ", "dim"), (f"{number:,}", "text"), (" → ", "dim"))
    if picked is None:
        return (*lead, ("✗ none", "danger"))
    if blind:
        how = "blind"
    elif suggested is None:
        how = "your pick"
    else:
        how = "agreed" if suggested == picked else f"not ★ {numbered(suggested, count)}"
    return (*lead, (f"✓ {numbered(picked, count)}", "decided bold"), (f" ({how})", "dim"))


def skipped(number: int) -> tuple[Span, ...]:
    """A set passed over."""
    return (("last: ", "dim"), (f"{number:,}", "text"), (" → ", "dim"), ("– skipped", "dim"))


def adviser(on: bool, suggestion: Suggestion | None, status: RankerStatus | None, narrow: bool) -> tuple[Span, ...]:
    """Who suggests, at the right of the status line; with a baseline, what is missing for a model."""
    if not on:
        return (("suggestions off: picks are blind" if not narrow else "blind", "dim"),)
    if suggestion is None:
        return ()
    who: Span = (model_name(suggestion.model), "suggest")
    missing = status.why_not if status is not None and suggestion.model.startswith("baseline:") else ""
    if narrow or not missing:
        return (("★ ", "suggest"), who)
    return ((missing, "dim"), ("   ★ ", "suggest"), who)


def below_strip(reasons: Sequence[str], room: int) -> list[Row]:
    """Why the ★ image is suggested, below a strip too full to say it beside the image; `room` is in rows."""
    if room <= len(reasons):
        return [row((" " + " · ".join(reasons), "suggest"))]
    return [
        row(),
        *(row(("★ " if not n else "  ", "suggest"), (reason, "suggest")) for n, reason in enumerate(reasons)),
    ]


def footer_labels(is_star: bool, number: int | None) -> dict[str, str]:
    """What Enter would do now."""
    if number is None:
        return {}
    return {"ranking.pick": "pick ★" if is_star else f"pick {number}"}


def empty(decided: int, active: Sequence[Activity], is_open: bool, project: str | None) -> list[Row]:
    """The face of a screen without a set: what is so, and what to do about it."""
    if not is_open:
        return [row(("Opening the library…", "dim"))]
    scanning = next((activity for activity in active if activity.run.kind == "scan"), None)
    if scanning is not None and not decided:
        seen = scanning.progress.done if scanning.progress else 0
        return [
            row(("Scanning.", "strong")),
            row((f"{seen:,} files so far; the first set appears here by itself.", "dim")),
        ]
    if decided:
        where = f" of {project}" if project else ""
        everything = f"The one set{where} has" if decided == 1 else f"All {decided:,} sets{where} have"
        return [
            row(("All done.", "strong")),
            row((f"{everything} your verdict.", "text")),
            row(),
            row(("u", "strong bold"), ("  take the last verdict back", "dim")),
            row(("o", "strong bold"), ("  open another folder", "dim")),
            row(("F4", "strong bold"), (" see what was learned", "dim")),
        ]
    return [
        row(("No sets yet.", "strong")),
        row(("A set is a few images of one subject, to choose the best from.", "dim")),
        row(),
        row(("Press ", "text"), ("o", "strong bold"), (" to scan a folder; sets form by themselves.", "text")),
        row(("Picks you already have: proofsheet import selections FILE", "dim")),
    ]
