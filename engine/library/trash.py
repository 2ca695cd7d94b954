"""Where duplicates go, and what of them stays: trash folders on the same volume, and metadata for the one that is kept.

Plans only: images in, operations for the `changes` room out. Looks at folders to tell volumes apart, and never writes.
The trash is a hidden folder, which no scan enters; nothing in it is ever deleted by Proofsheet.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.changes import Create, Move, Operation
from engine.errors import ProofsheetError
from engine.library.facts import StoredMetadata

FOLDER = ".proofsheet-trash"


def trash_of(path: Path, roots: Iterable[Path]) -> tuple[Path, Path]:
    """The folder that holds the trash for an image, on the image's own volume, and the image's place beneath it.

    It is the scanned folder that the image was found in, or, where another volume is mounted inside that or it cannot
    be written to, the highest folder below that will do. Raises ProofsheetError when not even the image's own will.
    """
    try:
        device = path.parent.stat().st_dev
    except OSError as error:
        raise ProofsheetError(f"{path} cannot be moved: {error.strerror}", remedy="Scan its folder again.") from error
    above = [root for root in roots if path.is_relative_to(root) and root != path]
    top = max(above, key=lambda root: len(root.parts), default=path.parent)
    for folder in reversed([parent for parent in path.parents if parent.is_relative_to(top)]):
        if folder.stat().st_dev == device and os.access(_nearest(folder / FOLDER), os.W_OK | os.X_OK):
            return folder, path.relative_to(folder)
    raise ProofsheetError(
        f"{path} cannot be moved to a trash folder: its folder is read-only",
        remedy="Allow yourself to write there (chmod u+w).",
    )


def _nearest(folder: Path) -> Path:
    return folder if folder.is_dir() else folder.parent


@dataclass(frozen=True, slots=True)
class Offered:
    """What the others of a group say and the keeper does not: to be merged into its sidecar."""

    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None

    def __bool__(self) -> bool:
        return bool(self.title or self.description or self.keywords or self.rating is not None)


_NOTHING = Offered()


def offered(keeper: StoredMetadata | None, others: Sequence[StoredMetadata | None]) -> Offered:
    """What is to be gained from the others' metadata: missing texts, further keywords, a higher rating."""
    if not any(others):
        return _NOTHING
    known = {word.casefold() for word in (keeper.keywords if keeper else ())}
    keywords: list[str] = []
    for one in others:
        for word in one.keywords if one else ():
            if word.casefold() not in known:
                known.add(word.casefold())
                keywords.append(word)
    ratings = [one.rating for one in others if one is not None and one.rating is not None]
    best = max(ratings, default=None)
    own = keeper.rating if keeper else None
    return Offered(
        title=None if keeper and keeper.title else next((o.title for o in others if o and o.title), None),
        description=None
        if keeper and keeper.description
        else next((o.description for o in others if o and o.description), None),
        keywords=tuple(keywords),
        rating=best if best is not None and (own is None or best > own) else None,
    )


def sidecar(merged: Offered, own_keywords: Sequence[str] = ()) -> bytes:
    """An XMP sidecar with these texts; `own_keywords` of the image stand before those that are gained."""
    from xml.sax.saxutils import escape  # not at the top: it brings in half of urllib

    parts: list[str] = []
    for name, text in (("title", merged.title), ("description", merged.description)):
        if text:
            said = escape(text)
            parts.append(f'   <dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{said}</rdf:li></rdf:Alt></dc:{name}>\n')
    if merged.keywords:
        items = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in (*own_keywords, *merged.keywords))
        parts.append(f"   <dc:subject><rdf:Bag>{items}</rdf:Bag></dc:subject>\n")
    rating = f'\n    xmp:Rating="{merged.rating}"' if merged.rating is not None else ""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Proofsheet">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        f'    xmlns:xmp="http://ns.adobe.com/xap/1.0/"{rating}>\n'
        f"{''.join(parts)}"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>\n'
    ).encode()


@dataclass(slots=True)
class Removal:
    """The operations that send images to the trash, the folders they may touch, and the companions that travel."""

    operations: list[Operation] = field(default_factory=list)
    roots: list[Path] = field(default_factory=list)
    companions: dict[Path, list[Path]] = field(default_factory=dict)


def removal(
    moved: Sequence[Path],
    kept: Sequence[Path],
    roots: Sequence[Path],
    companions: Mapping[Path, Sequence[Path]],
    trash_id: str,
) -> Removal:
    """Plan the way to the trash for `moved`; a companion that a kept image of the same stem may claim stays."""
    plan = Removal()
    stems = {path.with_suffix("") for path in kept}
    for path in moved:
        home, inside = trash_of(path, roots)
        if home not in plan.roots:
            plan.roots.append(home)
        plan.operations.append(Move(path, home / FOLDER / trash_id / inside))
        travelling = [
            one
            for one in companions.get(path, ())
            if path.with_suffix("") not in stems or one.name.startswith(path.name)
        ]
        if travelling:
            plan.companions[path] = travelling
    return plan


def merge_into(keeper: Path, merged: Offered, own_keywords: Sequence[str], beside: Sequence[Path]) -> Operation | None:
    """The operation that writes the gained metadata beside the keeper; None when it has a sidecar already, which is
    another program's and is not rewritten here."""
    target = keeper.with_name(f"{keeper.name}.xmp")
    if any(one.suffix.lower() == ".xmp" for one in beside) or target.exists() or keeper.with_suffix(".xmp").exists():
        return None
    return Create(target, sidecar(merged, own_keywords))
