"""What the library knows, as values: images, refusals, projects, counts. Plain data; nothing here reads or writes.

Relies on nothing. Every closed set of codes and names that the room uses is spelled out here, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["jpeg", "png", "webp", "tiff", "gif", "bmp", "heic", "avif", "raw"]

RefusalCode = Literal[
    "bad_manifest",  # a project manifest that does not say what it must
    "bomb",  # a small file that claims a picture beyond the limit
    "corrupt",  # the content is damaged
    "decoder_crash",  # the decoder died over it, or never came back
    "empty",  # zero bytes
    "mislabelled",  # the name says one format, the content is another
    "not_a_file",  # a pipe, a socket or a device with an image's name
    "not_an_image",  # the content is nothing that we know
    "not_utf8",  # the name is not valid UTF-8
    "permission",  # not ours to read
    "too_large",  # more pixels than settings.max_pixels, or than memory holds
    "truncated",  # the content ends before the picture does
    "unreadable",  # the disk or the network said no
    "unsupported",  # a variant that the decoder cannot do
    "vanished",  # gone between listing and reading
]

# Refusals that may be cured without the file changing, so that a rescan tries them again.
CURABLE: frozenset[str] = frozenset({"bomb", "permission", "too_large", "unreadable", "unsupported", "vanished"})

TakenAtSource = Literal[
    "exif:original",
    "xmp:original",
    "camera:original",  # the camera's own words outside EXIF: CIFF, picture info, maker notes
    "exif:gps",
    "exif:digitized",
    "xmp:created",
    "name",
    "exif:modified",
    "mtime",
]

Sort = Literal["name", "project", "taken", "size", "format", "resolution"]


@dataclass(frozen=True, slots=True)
class Image:
    """One image file. `width` and `height` are in pixels as displayed, that is after `orientation` (EXIF, 1-8)."""

    id: int
    path: Path
    name: str
    project: str
    format: str
    width: int
    height: int
    size: int
    mtime_ns: int
    content_hash: str
    orientation: int
    taken_at: str | None
    taken_at_source: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was passed over: `code` for programs, `reason` for people. `path` is printable, always."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Project:
    """One subject. `id` as written; dates as the manifest gives them; `images` counts those present."""

    id: str
    title: str | None
    started_at: str | None
    finished_at: str | None
    manifest: Path | None
    images: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is."""

    images: int
    refused: int
    projects: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """The library in figures; each distribution is (label, images), the largest first, resolutions ascending."""

    counts: Counts
    bytes: int
    formats: tuple[tuple[str, int], ...]
    resolutions: tuple[tuple[str, int], ...]
    projects: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]
