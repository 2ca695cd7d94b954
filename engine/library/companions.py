"""Companion files: what lies beside an image and belongs to it. Pure functions over the names of one folder.

Relies on nothing. A companion carries its image's stem (`a.yaml` of `a.png`) or its whole name (`a.png.xmp`). It is
noted and never opened. Where several images share a stem, the companion belongs to the first by name, so that
it never belongs to two; the form with the whole name says which one is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Suffix -> kind; the longer ones come first, because `.hands.json` is also a `.json`.
KINDS: Mapping[str, str] = {
    ".embedding.npy": "embedding",
    ".saliency.npy": "saliency",
    ".hands.json": "hands",
    ".phash": "phash",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".xmp": "xmp",
    ".txt": "txt",
}
_LAST_SUFFIXES = frozenset(suffix.rpartition(".")[2] for suffix in KINDS)


def may_be_companion(extension: str) -> bool:
    """Whether a file with this extension (lower case, no dot) is worth keeping until its folder is known."""
    return extension in _LAST_SUFFIXES


def companions_of(images: Iterable[str], others: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """For one folder: image name -> its companions as (name, kind), by name; images without any are left out."""
    names = sorted(images)
    by_name = set(names)
    by_stem: dict[str, str] = {}
    for name in names:
        by_stem.setdefault(name.rpartition(".")[0], name)
    found: dict[str, list[tuple[str, str]]] = {}
    for other in sorted(others):
        owner = _owner(other, by_name, by_stem)
        if owner is not None:
            found.setdefault(owner[0], []).append((other, owner[1]))
    return found


def _owner(other: str, by_name: set[str], by_stem: Mapping[str, str]) -> tuple[str, str] | None:
    lower = other.lower()
    for suffix, kind in KINDS.items():
        if lower.endswith(suffix):
            base = other[: -len(suffix)]
            if base in by_name:
                return base, kind
            if base in by_stem:
                return by_stem[base], kind
    return None
