"""XMP packets: titles, keywords, rating, people, and what they repeat of EXIF. Pure functions over bytes.

Relies on expat through xml.etree. A packet that declares entities, is too large or is not well-formed gives
nothing: metadata is never worth a hang. Names and structure: ISO 16684-1; regions: Metadata Working Group 2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from engine.library.tiffdir import clean

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_FIRED = "{http://ns.adobe.com/exif/1.0/}Fired"
NAMES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "ext",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg",
    "http://ns.microsoft.com/photo/1.0/": "ms",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "msregion",
}
_MOST_BYTES = 4 * 1024 * 1024
_MOST_ITEMS = 1000


@dataclass(slots=True)
class Packet:
    """What a packet says: `values` by `prefix:Name`, lists as found, language alternatives by their default."""

    values: dict[str, list[str]] = field(default_factory=dict)
    people: list[str] = field(default_factory=list)

    def one(self, name: str) -> str | None:
        """The first value of that name, or None."""
        found = self.values.get(name)
        return found[0] if found else None


EMPTY = Packet()


def packet_of(raw: bytes) -> Packet:
    """The packet's contents; nothing at all where it is absent or broken."""
    root = _tree(raw)
    if root is None:
        return EMPTY
    packet = Packet()
    for description in root.iter(_RDF + "Description"):
        for key, value in description.attrib.items():
            _note(packet, _short(key), [value])
        for child in description:
            name = _short(child.tag)
            if name in ("mwg:Regions", "ms:RegionInfo"):
                packet.people += [person for person in _people(child) if person not in packet.people]
            elif name:
                _note(packet, name, list(_texts(child)))
    for person in packet.values.get("ext:PersonInImage", []):
        if person not in packet.people:
            packet.people.append(person)
    return packet


def _tree(raw: bytes) -> ET.Element | None:
    if not raw or len(raw) > _MOST_BYTES:
        return None
    start, end = raw.find(b"<"), raw.rfind(b">")
    body = raw[start : end + 1]
    if start < 0 or b"<!DOCTYPE" in body or b"<!ENTITY" in body or re.search(rb"<!\s*(DOCTYPE|ENTITY)", body, re.I):
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 - no entities, no document type: see above
    except (ET.ParseError, ValueError, RecursionError):
        return None


def _note(packet: Packet, name: str, values: list[str]) -> None:
    texts = [text for text in (clean(value) for value in values[:_MOST_ITEMS]) if text]
    if name and texts and name not in packet.values:
        packet.values[name] = texts


def _short(tag: str) -> str:
    """`{namespace}Name` as `prefix:Name`; empty for namespaces that are not ours."""
    if not tag.startswith("{"):
        return ""
    namespace, _, name = tag[1:].partition("}")
    prefix = NAMES.get(namespace)
    return f"{prefix}:{name}" if prefix else ""


def _texts(element: ET.Element) -> Iterator[str]:
    """A simple value, the items of a list, or of language alternatives the default first."""
    items = list(element.iter(_RDF + "li"))
    if items:
        items.sort(key=lambda item: item.get(_XML_LANG, "x-default") != "x-default")
        yield from (item.text or "" for item in items[:_MOST_ITEMS])
    elif len(element) == 0 and _FIRED not in element.attrib:
        yield element.text or element.get(_RDF + "resource") or ""
    else:  # a structure, as exif:Flash is: its fields under the outer name
        yield from (field.text or "" for field in element.iter(_FIRED) if field is not element)
        for inner in element.iter():
            fired = inner.get(_FIRED)
            if fired:
                yield fired


def _people(regions: ET.Element) -> Iterator[str]:
    """Names of the faces marked (regions of another type are no people)."""
    for node in regions.iter():
        fields = {_short(key): value for key, value in node.attrib.items()}
        fields.update((_short(child.tag), child.text or "") for child in node)
        name = fields.get("mwg:Name") or fields.get("msregion:PersonDisplayName") or fields.get("ms:PersonDisplayName")
        if name and fields.get("mwg:Type", "Face") == "Face":
            text = clean(name)
            if text:
                yield text
