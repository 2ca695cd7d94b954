"""What the duplicates screen says, as pure functions from values to words: groups, differences, empty states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.runwatch import Activity
from tui.screens.ranking_words import megabytes
from tui.widgets.lines import Row, Span, row

if TYPE_CHECKING:
    from engine.library.duplicates import Group, Member
    from engine.library.model import Image
    from engine.library.trash import Offered

KINDS = {"exact": "identical", "same": "copies", "burst": "burst"}
FILTERS = ("", "exact", "same", "burst")
SHOWN = {"": "all kinds", "exact": "identical files", "same": "copies of one picture", "burst": "bursts"}
# A sharpness of half or twice is seen; less is guesswork.
_MUCH_SOFTER, _SOFTER = 0.5, 0.8
_SAME_LOOK = 2
_ALIKE = ((_SAME_LOOK, "almost identical"), (6, "very alike"), (10, "alike"))


def here(index: int, groups: Sequence[Group], kind: str, narrow: bool) -> tuple[Span, ...]:
    """The left of the top line: where among the groups, and what they are."""
    dot: Span = (" · " if narrow else "  ·  ", "faint")
    lead: tuple[Span, ...] = (("duplicates", "strong bold"),)
    if not groups:
        return lead
    group = groups[index]
    where: tuple[Span, ...] = (
        ("group ", "dim"),
        (f"{index + 1:,}", "strong"),
        (" of ", "dim"),
        (f"{len(groups):,}", "text"),
    )
    if narrow:
        where = ((f"{index + 1:,}/{len(groups):,}", "text"),)
    what: Span = (SHOWN[group.kind] if not narrow else KINDS[group.kind], "text" if not kind else "strong")
    return (*lead, dot, (group.project, "text"), dot, *where, dot, what)


class Totals:
    """How many groups there are of each kind, and what would come free: counted once, because every key shows them and
    there may be a hundred thousand images."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self.kinds: Counter[str] = Counter()
        self._losers: Counter[int] = Counter()  # an image may go by two groups: as identical, and as a copy
        self.bytes = 0
        for group in groups:
            self.kinds[group.kind] += 1
            for member in _losers(group):
                self._losers[member.image.id] += 1
                if self._losers[member.image.id] == 1:
                    self.bytes += member.image.size

    def without(self, groups: Iterable[Group]) -> None:
        """These are no more."""
        for group in groups:
            self.kinds[group.kind] -= 1
            for member in _losers(group):
                self._losers[member.image.id] -= 1
                if not self._losers[member.image.id]:
                    del self._losers[member.image.id]
                    self.bytes -= member.image.size

    @property
    def files(self) -> int:
        """How many files could go; bursts not counted."""
        return len(self._losers)


def _losers(group: Group) -> Sequence[Member]:
    return group.members[1:] if group.kind != "burst" else ()


def summary(totals: Totals, narrow: bool) -> tuple[Span, ...]:
    """`12 identical · 40 copied · 3 bursts`"""
    counts = {kind: totals.kinds[kind] for kind in KINDS}
    several = {"exact": "identical", "same": "copied", "burst": "burst" if counts["burst"] == 1 else "bursts"}
    said = [f"{count:,} {several[kind]}" for kind, count in counts.items() if count]
    return () if narrow or not said else ((" · ".join(said), "dim"),)


def spare(totals: Totals) -> tuple[Span, ...]:
    """What would come free: files and bytes, bursts not counted."""
    if not totals.files:
        return ()
    files = "file" if totals.files == 1 else "files"
    return ((f"{totals.files:,} {files}, {megabytes(totals.bytes)}", "dim"), (" could go", "dim"))


def group_rows(groups: Sequence[Group], index: int, room: int) -> list[Row]:
    """The list at the left, the selected group in sight."""
    top = max(0, min(index - room // 2, len(groups) - room))
    rows = []
    for place, group in enumerate(groups[top : top + room], top):
        is_here = place == index
        ink = "strong" if is_here else "text"
        rows.append(
            Row(
                (("▸ " if is_here else "  ", "strong"), (group.members[0].image.name, ink)),
                ((f" {KINDS[group.kind]}", "dim"), (f" {len(group.members):>2} ", ink)),
            )
        )
    return rows


def details(member: Member) -> str:
    """`4000×3000 3.1 MB q92`; a JPEG's quality says that it is one, so that all of it fits a narrow place."""
    image = member.image
    what = f"q{member.facts.jpeg_quality}" if member.facts and member.facts.jpeg_quality else image.format
    return f"{image.width}×{image.height} {megabytes(image.size)} {what}"


def differences(member: Member, kept: Member, kind: str) -> str:
    """What sets an image apart from the one that is marked to be kept: resolution, size, sharpness, date."""
    if kind == "exact":
        return "identical"
    said: list[str] = []
    pixels, best = member.image.width * member.image.height, kept.image.width * kept.image.height
    if pixels < best * 0.98:
        said.append(f"{pixels / best:.0%} of the pixels")
    elif pixels > best * 1.02:
        said.append(f"{pixels / best:.1f}× the pixels")
    elif member.image.size < kept.image.size * 0.9:
        said.append(f"{1 - member.image.size / kept.image.size:.0%} fewer bytes")
    elif member.image.size > kept.image.size * 1.1:
        said.append(f"{member.image.size / kept.image.size:.1f}× the bytes")
    if member.facts and kept.facts and kept.facts.sharpness and member.facts.sharpness:
        ratio = member.facts.sharpness / kept.facts.sharpness
        word = "much softer" if ratio < _MUCH_SOFTER else "softer" if ratio < _SOFTER else ""
        word = word or ("sharper" if ratio > 1 / _SOFTER else "")
        said += [word] if word else []
    said += _date(member.image, kept.image)
    # Where other differences of a picture that is almost the same are named, there is nothing to add.
    if member.distance and kind != "burst" and not (said and member.distance <= _SAME_LOOK):
        said.append(_likeness(member.distance))
    return " · ".join(said) or "no visible difference"


def _likeness(distance: int) -> str:
    """How alike two pictures are, in words for so many of 64 bits; different pictures begin at about 16."""
    return next((word for most, word in _ALIKE if distance <= most), "only just alike")


def _date(one: Image, other: Image) -> list[str]:
    """`0.5 s later`, or another day; nothing where only the file's own time is known."""
    if not one.taken_at or not other.taken_at or "mtime" in (one.taken_at_source, other.taken_at_source):
        return []
    gap = (
        datetime.fromisoformat(one.taken_at).replace(tzinfo=None)
        - datetime.fromisoformat(other.taken_at).replace(tzinfo=None)
    ).total_seconds()
    if abs(gap) < 0.05:
        return []
    if abs(gap) < 120:
        return [f"{abs(gap):.1f} s {'later' if gap > 0 else 'earlier'}"]
    return [one.taken_at[:10]] if one.taken_at[:10] != other.taken_at[:10] else [one.taken_at[11:16]]


def offer(offered: Offered, is_merging: bool) -> tuple[Span, ...]:
    """What the others' metadata adds."""
    if not offered:
        return ()
    parts = [f"{len(offered.keywords)} keyword{'s' if len(offered.keywords) != 1 else ''}"] if offered.keywords else []
    parts += [word for word, value in (("title", offered.title), ("description", offered.description)) if value]
    parts += [f"rating {offered.rating}"] if offered.rating is not None else []
    what = ", ".join(parts)
    if is_merging:
        return (("merging ", "decided"), (what, "decided"))
    return (("the others add ", "dim"), (what, "text"), ("  m", "strong bold"), (" merge", "dim"))


def kept(group: Group, name: str) -> tuple[Span, ...]:
    """`last: ✓ 2 to the trash, kept IMG_1.jpg`"""
    count = len(group.members) - 1
    return (("last: ", "dim"), (f"✓ {count} to the trash", "decided bold"), (", kept ", "dim"), (name, "text"))


def rejected(group: Group) -> tuple[Span, ...]:
    """A group that is none."""
    return (("last: ", "dim"), ("✗ not duplicates", "danger"), (f"  {group.members[0].image.name}", "dim"))


def empty(
    is_read: bool, active: Sequence[Activity], images: int | None, kind: str, has_more: bool, decided: int
) -> list[Row]:
    """The face of a screen without a group: what is so, and what to do about it."""
    if not is_read:
        return [row(("Reading what is known…", "dim"))]
    busy = next((one for one in active if one.run.kind in ("scan", "study", "duplicates")), None)
    if images is None or busy is not None:
        done = busy.progress if busy is not None else None
        share = f"{done.done:,}" + (f" of {done.total:,}" if done.total else "") if done is not None else ""
        word = busy.spoken if busy is not None else "comparing pictures"
        return [
            row(("Looking for duplicates.", "strong")),
            row((f"{word} {share}".strip() + "; groups appear here by themselves.", "dim")),
        ]
    if has_more:
        return [
            row((f"No {SHOWN[kind]}.", "strong")),
            row(),
            row(("f", "strong bold"), ("  show another kind", "dim")),
        ]
    if decided:
        have = "group has" if decided == 1 else "groups have"
        return [
            row(("All done.", "strong")),
            row((f"{decided:,} {have} your verdict; no other pictures are alike.", "text")),
            row(),
            row(("u", "strong bold"), ("  take the last verdict back", "dim")),
        ]
    if not images:
        return [
            row(("No images yet.", "strong")),
            row(),
            row(("Press ", "text"), ("o", "strong bold"), (" to scan a folder.", "text")),
        ]
    return [
        row(("No duplicates.", "strong")),
        row((f"{images:,} images, each project by itself: no two are the same picture.", "dim")),
    ]


def below(group: Group, room: int) -> list[Row]:
    """Why the ★ image is suggested, below a strip too full to say it beside the image; `room` is in rows."""
    reasons = group.reason.split(" · ")
    if room <= len(reasons):
        return [row((" " + " · ".join(reasons), "suggest"))]
    return [row(), *(row(("★ " if not n else "  ", "suggest"), (one, "suggest")) for n, one in enumerate(reasons))]


def labels(cursor: int) -> dict[str, str]:
    """What Enter would do now."""
    return {"duplicates.approve": "keep ★" if cursor == 0 else f"keep {cursor + 1}"}
