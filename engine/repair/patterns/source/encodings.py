"""Which encoding the evidence calls for: by the error's bytes, by the file where it lies there, by its siblings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.pattern import Applicability, Case
from engine.repair.patterns.source.openings import Opening, keyword, named_encoding, opening
from engine.repair.patterns.source.sites import Place, Trail
from engine.repair.patterns.source.syntax import text_of

BINARY_NAME = re.compile(
    r"\.(?:jpe?g|png|gif|webp|tiff?|bmp|heic|avif|ico|pdf|zip|gz|bz2|xz|tar|pkl|pickle|npy|npz|pt|pth|bin|dat|exe|so|"
    r"mp[34]|wav|xlsx?|docx?|db|sqlite|parquet|onnx|safetensors)$",
    re.IGNORECASE,
)
BINARY_WORD = re.compile(r"(?i)image|img|photo|picture|jpe?g|png|thumb|pickle|pkl|blob|archive|zip|weights|audio|video")


@dataclass(frozen=True)
class Choice:
    """What the call is given."""

    encoding: str
    errors: str | None
    applicability: Applicability
    why: str


def choice_for(case: Case, trail: Trail, place: Place, one: Opening, found: re.Match[str]) -> Choice | str:
    """Which encoding the evidence calls for; a text says why none."""
    codec = codec_name(found["codec"])
    if one.mode is None and not isinstance(mode_name(one), cst.Name):
        return f"whether line {line_at(place)} opens text or bytes is only known at run time"
    if found["do"] == "encode":
        if codec == "utf-8":
            return Choice(
                "utf-8", "surrogateescape", "review", "a file name's undecodable bytes are written as they were"
            )
        safe: Applicability = "safe" if codec == "ascii" else "review"
        return Choice(
            "utf-8", None, safe, f"the machine's encoding ({found['codec']}) lacks a character; UTF-8 has all"
        )
    if codec.startswith(("utf-16", "utf-32")):
        return f"the bytes are no {codec}, and what else they are is not known"
    byte, at = int(found["byte"] or "00", 16), int(found["at"])
    names = _file_names(trail, place, one, case)
    sample = next((data for name in names if (data := _sample(trail, name)) is not None), None)
    no_text = _name_of_bytes(names)
    if no_text or (sample is not None and _looks_binary(sample)):
        return f"the file is no text ({no_text or names[0]}): it must be opened in binary mode"
    if (at == 0 and byte in (0x89, 0x80)) or (at == 1 and byte in (0x8B, 0x9C)):
        return "the file's first bytes are no text: it must be opened in binary mode"
    if sample is not None:
        return _by_sample(sample, _sibling(place, one), codec)
    if at == 0 and byte in (0xFF, 0xFE):
        around = place.module.function(one.call)
        told = place.module.code(one.path) if one.path is not None else ""
        if BINARY_WORD.search(told) or (around is not None and BINARY_WORD.search(around.name.value)):
            return "the file's first byte is an image's: it must be opened in binary mode"
        return Choice("utf-16", None, "review", f"the file begins with 0x{byte:02x}, the byte-order mark of UTF-16")
    sibling = _sibling(place, one)
    if sibling:
        return Choice(sibling, None, "review", f"the same file is opened as {sibling} elsewhere in {place.module.path}")
    if codec == "utf-8" or (codec == "ascii" and not 0xC2 <= byte <= 0xF4 and found["byte"]):
        why = f"byte 0x{byte:02x} is not UTF-8: what cannot be decoded is marked, the rest is kept"
        return Choice("utf-8", "replace", "review", why)
    if at == 0 and byte == 0xEF and one.direction == "read":
        return Choice("utf-8-sig", None, "review", "the file begins with the byte-order mark of UTF-8")
    safe = "safe" if codec == "ascii" else "review"
    return Choice("utf-8", None, safe, f"the machine's encoding ({found['codec']}) cannot read it; the bytes fit UTF-8")


def _by_sample(sample: bytes, sibling: str | None, codec: str) -> Choice:
    """The encoding of a file that lies there."""
    if sample.startswith(codecs.BOM_UTF8):
        return Choice("utf-8-sig", None, "review", "the file begins with the byte-order mark of UTF-8")
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Choice("utf-16", None, "review", "the file begins with the byte-order mark of UTF-16")
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if sibling:
            return Choice(sibling, None, "review", f"the same file is opened as {sibling} elsewhere")
        why = f"the file is not UTF-8 at byte {error.start}: what cannot be decoded is marked, the rest is kept"
        return Choice("utf-8", "replace", "review", why)
    return Choice("utf-8", None, "safe" if codec == "ascii" else "review", "the file is UTF-8")


def codec_name(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return name.lower()


def mode_name(one: Opening) -> cst.BaseExpression | None:
    given = keyword(one.call, "mode")
    if given is None and one.kind.mode is not None:
        plain = [arg for arg in one.call.args if arg.keyword is None]
        given = plain[one.kind.mode].value if one.kind.mode < len(plain) else None
    return given


def _file_names(trail: Trail, place: Place, one: Opening, case: Case) -> list[str]:
    """Names of the data file, as far as code and records tell them."""
    told = case.records[0].context.get("file")
    names = [told] if isinstance(told, str) and not told.endswith(".py") else []
    if one.path is not None and one.kind.name not in ("subprocess", "os.fdopen"):
        for origin in _literals(trail, Place(place.module, one.path, place.frame)):
            names.append(origin)
    return names


def _name_of_bytes(names: list[str]) -> str | None:
    """The name that says that the file holds no text; None where other names say otherwise."""
    telling = [name for name in names if re.search(r"\.\w{1,12}$", name)]
    return telling[0] if telling and all(BINARY_NAME.search(name) for name in telling) else None


def _literals(trail: Trail, start: Place) -> Iterator[str]:
    for origin in trail.origins(start):
        text = text_of(origin.node)
        if text and len(text) < 300 and "\n" not in text:
            yield text


def _sample(trail: Trail, name: str) -> bytes | None:
    """The data file's bytes, where it lies in the project."""
    path = trail.project.relative(name)
    return trail.project.read(path) if path and not path.endswith(".py") else None


def _looks_binary(sample: bytes) -> bool:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    return b"\0" in sample[:4096] or sample.startswith(
        (b"\xff\xd8\xff", b"\x89PNG", b"\x1f\x8b", b"PK\x03\x04", b"%PDF")
    )


def _sibling(place: Place, one: Opening) -> str | None:
    """The encoding with which the same path is opened elsewhere in the file."""
    if one.path is None:
        return None
    wanted = place.module.code(one.path)
    for call in place.module.nodes(cst.Call):
        other = opening(place.module, call)
        if other is not None and other.path is not None and other.call is not one.call:
            encoding = named_encoding(other)
            if encoding not in (None, "*") and place.module.code(other.path) == wanted:
                return encoding
    return None


def line_at(place: Place) -> int:
    return place.module.position(place.node).start.line
