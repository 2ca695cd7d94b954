"""A rating in an XMP sidecar: set or added byte for byte, with everything else in the file left exactly as it is.

Pure: bytes in, bytes out. Relies on expat to find the place, never to write the document anew. A sidecar that is not
well-formed XMP is refused; so is one with a document type, because XMP has none and entities can explode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
_RATING = f"{XMP} Rating"
_DESCRIPTION = f"{RDF} Description"

_NEW = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Proofsheet">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmp:Rating="{rating}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


class NotXmp(ValueError):
    """The bytes are no XMP that a rating could be put into; the message says why."""


def with_rating(content: bytes | None, rating: int) -> bytes:
    """The sidecar with `xmp:Rating` set to `rating` (-1 to 5); a new one when there is none. Raises NotXmp."""
    if not -1 <= rating <= 5:
        raise ValueError(f"a rating is -1 to 5, not {rating}")
    if content is None or not content.strip():
        return _NEW.format(rating=rating).encode()
    places = _find(content)
    if places.ratings:
        edits = [_replaced(content, place, rating) for place in places.ratings]
    elif places.description is not None:
        edits = [_added(content, places.description, rating)]
    else:
        raise NotXmp("it has no rdf:Description")
    for start, end, text in sorted(edits, reverse=True):
        content = content[:start] + text + content[end:]
    if read_rating(content) != rating:
        raise NotXmp("its rating cannot be set without changing more than the rating")
    return content


def read_rating(content: bytes) -> int | None:
    """The rating that a sidecar gives; None when it gives none, or no whole number. Raises NotXmp."""
    for place in _find(content).ratings:
        text = place.value.strip()
        if re.fullmatch(r"-?\d+", text):
            return int(text)
    return None


@dataclass(frozen=True)
class _Place:
    """Where a rating stands: its start tag at `tag`; an element's text ends at `end`, an attribute has none."""

    tag: int
    value: str
    end: int | None
    prefixes: tuple[str, ...] = ()


@dataclass
class _Places:
    ratings: list[_Place] = field(default_factory=list)
    description: _Place | None = None


def _find(content: bytes) -> _Places:
    """Every rating of the document's own description, and the first description."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotXmp("it is UTF-16; save it as UTF-8")
    found = _Places()
    stack: list[str] = []
    bound: list[tuple[str, str]] = []
    text: list[str] = []
    opened_at = 0
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise NotXmp("it has a document type, which XMP never has")

    def declared(prefix: str | None, uri: str | None) -> None:
        bound.append((prefix or "", uri or ""))

    def undeclared(prefix: str | None) -> None:
        for index in range(len(bound) - 1, -1, -1):
            if bound[index][0] == (prefix or ""):
                del bound[index]
                return

    def prefixes() -> tuple[str, ...]:
        latest = dict(bound)
        return tuple(prefix for prefix, uri in latest.items() if uri == XMP and prefix)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal opened_at
        if name == _DESCRIPTION and stack and stack[-1] == f"{RDF} RDF":
            place = _Place(parser.CurrentByteIndex, attributes.get(_RATING, ""), None, prefixes())
            found.description = found.description or place
            if _RATING in attributes:
                found.ratings.append(place)
        if name == _RATING and len(stack) >= 2 and stack[-1] == _DESCRIPTION and stack[-2] == f"{RDF} RDF":
            opened_at = parser.CurrentByteIndex
            text.clear()
        stack.append(name)

    def end(name: str) -> None:
        stack.pop()
        if name == _RATING and len(stack) >= 2 and stack[-1] == _DESCRIPTION and stack[-2] == f"{RDF} RDF":
            found.ratings.append(_Place(opened_at, "".join(text), parser.CurrentByteIndex))

    parser.StartDoctypeDeclHandler = refuse
    parser.StartNamespaceDeclHandler = declared
    parser.EndNamespaceDeclHandler = undeclared
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise NotXmp(f"it is not well-formed XML: {error}") from error
    return found


def _tag_end(content: bytes, start: int) -> int:
    """Index just after the `>` of the start tag at `start`; a `>` inside quotes does not end it."""
    quote = 0
    for index in range(start, len(content)):
        byte = content[index]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            return index + 1
    raise NotXmp("a tag is not closed")


def _replaced(content: bytes, place: _Place, rating: int) -> tuple[int, int, bytes]:
    """(start, end, new bytes) that give an existing rating its new value."""
    tag_end = _tag_end(content, place.tag)
    tag = content[place.tag : tag_end]
    value = str(rating).encode()
    if place.end is not None:
        if not tag.endswith(b"/>"):
            return tag_end, place.end, value
        name = re.match(rb"<([^\s/>]+)", tag)
        if name is None:
            raise NotXmp("its rating is not readable")
        return place.tag, tag_end, tag[:-2].rstrip() + b">" + value + b"</" + name[1] + b">"
    for prefix in place.prefixes:
        pattern = rb"(\s" + re.escape(prefix.encode()) + rb":Rating\s*=\s*)(\"[^\"]*\"|'[^']*')"
        found = re.search(pattern, tag)
        if found is not None:
            return place.tag + found.start(2), place.tag + found.end(2), b'"' + value + b'"'
    raise NotXmp("its rating is not readable")


def _added(content: bytes, place: _Place, rating: int) -> tuple[int, int, bytes]:
    """(start, end, new bytes) that give a description without a rating one, as an attribute."""
    name = re.match(rb"<[^\s/>]+", content[place.tag :])
    if name is None:
        raise NotXmp("its description is not readable")
    after = place.tag + name.end()
    if place.prefixes:
        return after, after, f' {place.prefixes[-1]}:Rating="{rating}"'.encode()
    tag = content[place.tag : _tag_end(content, place.tag)]
    prefix = next(one for one in ("xmp", "xap", "xmprating") if f"xmlns:{one}".encode() not in tag)
    return after, after, f' xmlns:{prefix}="{XMP}" {prefix}:Rating="{rating}"'.encode()
