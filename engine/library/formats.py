"""Which files are images: by name, and by their first bytes. Pure functions over names and bytes.

Relies on nothing. A name is only a claim: the content decides, and where the two differ the file is refused
as mislabelled instead of being guessed at. Aliases are not lies (.jpg and .jpeg, .tif and .tiff), and .heif is a
container that may hold HEVC or AV1, so both are right in it.
"""

from __future__ import annotations

from engine.library.model import Format

_HEIF: frozenset[Format] = frozenset({"heic", "avif"})

# Camera RAW by its makers' endings. Many are TIFFs inside, so that only the ending tells them from one.
RAW = (
    "dng", "nef", "nrw", "cr2", "cr3", "crw", "arw", "srf", "sr2", "orf", "rw2", "rwl", "raf", "pef", "srw", "3fr",
    "fff", "iiq", "erf", "mef", "mos", "mrw", "dcr", "kdc", "x3f",
)  # fmt: skip

# Extension (lower case, no dot) -> the formats that may be in it.
EXTENSIONS: dict[str, frozenset[Format]] = {
    **dict.fromkeys(("jpg", "jpeg", "jpe", "jfif", "mpo"), frozenset[Format]({"jpeg"})),
    **dict.fromkeys(("png", "apng"), frozenset[Format]({"png"})),
    "webp": frozenset({"webp"}),
    **dict.fromkeys(("tif", "tiff"), frozenset[Format]({"tiff"})),
    "gif": frozenset({"gif"}),
    **dict.fromkeys(("bmp", "dib"), frozenset[Format]({"bmp"})),
    **dict.fromkeys(("heic", "heics"), frozenset[Format]({"heic"})),
    **dict.fromkeys(("heif", "heifs", "hif"), _HEIF),
    **dict.fromkeys(("avif", "avifs"), frozenset[Format]({"avif"})),
    **dict.fromkeys(RAW, frozenset[Format]({"raw"})),
}

NAMES: dict[Format, str] = {
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WebP",
    "tiff": "TIFF",
    "gif": "GIF",
    "bmp": "BMP",
    "heic": "HEIC",
    "avif": "AVIF",
    "raw": "RAW",
}

# How much of a file `sniff` and `content_of` want to see, bytes.
HEAD = 512

_HEVC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
_AV1_BRANDS = {b"avif", b"avis"}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}


def extension(name: str) -> str:
    """`IMG_1.JPG` -> `jpg`; empty where there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def sniff(head: bytes) -> Format | None:
    """The format that the first bytes announce, or None. `head` is at least 32 bytes, or the whole file."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if _is_raw(head):
        return "raw"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    if head[4:8] == b"ftyp":
        return _container(head)
    return None


def _is_raw(head: bytes) -> bool:
    """RAW files that say so themselves: Canon, Olympus, Panasonic, Fujifilm, Minolta, Sigma."""
    return (
        (head[:4] == b"II*\0" and head[8:10] == b"CR")
        or head[:4] in (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"\0MRM", b"FOVb")
        or head.startswith((b"FUJIFILMCCD-RAW", b"II\x1a\0\0\0HEAPCCDR"))
        or head[4:12] == b"ftypcrx "
    )


def kind_of(head: bytes, name: str) -> Format | None:
    """The format of a file by its first bytes, and by its name where a TIFF inside may be a RAW outside."""
    kind = sniff(head)
    return "raw" if kind == "tiff" and extension(name) in RAW else kind


def _container(head: bytes) -> Format | None:
    """The coding of an ISO media file, by its major and compatible brands; None for films."""
    length = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if major in _AV1_BRANDS:
        return "avif"
    if major in _HEVC_BRANDS:
        return "avif" if major in (b"mif1", b"msf1", b"mif2") and brands & _AV1_BRANDS else "heic"
    return None


def content_of(head: bytes) -> str:
    """What bytes that are no image of ours are, in words for a person."""
    start = head.lstrip()[:64].lower()
    if not head.strip(b"\0"):
        return "only zero bytes"
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "a web page (HTML)"
    if start.startswith((b"<?xml", b"<svg")):
        return "an XML or SVG text"
    if head.startswith(b"%PDF"):
        return "a PDF document"
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive"
    if head[4:8] == b"ftyp":
        return "a film or another media file"
    if head[:2] == b"BM":
        return "something that begins like a BMP, with an unknown header"
    try:
        text = head[: HEAD - 8].decode("utf-8")
    except UnicodeDecodeError:
        return "something unknown"
    return "plain text" if text.isprintable() or "\n" in text else "something unknown"


def ends_early(kind: Format, data: bytes) -> bool:
    """Whether a file that would not decode says by its own structure that its end is missing.

    Tells truncated from corrupt, for the reason; not a validity check.
    """
    if kind == "jpeg":
        return b"\xff\xd9" not in data[-65536:]
    if kind == "png":
        return b"IEND" not in data[-4096:]
    if kind == "gif":
        return not data.rstrip(b"\0").endswith(b"\x3b")
    if kind == "webp":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind == "bmp":
        return int.from_bytes(data[2:6], "little") > len(data)
    if kind == "tiff" or (kind == "raw" and data[:4] in (b"II*\0", b"MM\0*")):
        offset = int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big")
        if data[2:4] not in (b"*\0", b"\0*"):
            return False  # BigTIFF counts otherwise
        return offset + 2 > len(data)
    if kind == "raw":
        return False
    return _box_beyond_the_end(data)


def _box_beyond_the_end(data: bytes) -> bool:
    """Whether a top-level box of an ISO media file reaches past the end."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 1:
            length = int.from_bytes(data[at + 8 : at + 16], "big")
        if length == 0:
            return False
        if length < 8:
            return False
        at += length
    return at != len(data)
