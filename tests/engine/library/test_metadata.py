"""Metadata: what files say is read rightly, what they do not say is not invented, and nothing hostile gets through."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine.library import containers, iptc, tiffdir, xmp
from engine.library.metadata import directories, document, metadata_of, read_metadata
from engine.library.source import UnreadableImage
from tests.engine.library.pictures import encoded, put, scene, with_exif

_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmp:Rating="4">
 <dc:title><rdf:Alt><rdf:li xml:lang="de">Abend</rdf:li><rdf:li xml:lang="x-default">Evening</rdf:li></rdf:Alt>
 </dc:title>
 <dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>Zürich</rdf:li></rdf:Bag></dc:subject>
 <exif:GPSLatitude>31,30.5S</exif:GPSLatitude><exif:GPSLongitude>35,28.5E</exif:GPSLongitude>
 <exif:GPSAltitude>4300/10</exif:GPSAltitude><exif:GPSAltitudeRef>1</exif:GPSAltitudeRef>
 <e:PersonInImage><rdf:Bag><rdf:li>Ada</rdf:li></rdf:Bag></e:PersonInImage>
 <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Grace</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type></rdf:li>
  <rdf:li><rdf:Description mwg-rs:Name="Rex" mwg-rs:Type="Pet"/></rdf:li>
 </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def described(path: Path) -> dict[str, Any]:
    kind, found = read_metadata(path)
    return dict(document(str(path), kind, found))


def test_what_a_file_does_not_say_is_null(tmp_path: Path) -> None:
    for ending in ("jpg", "png", "webp", "tif", "gif", "bmp", "heic", "avif"):
        one = described(put(tmp_path / f"a.{ending}", mtime=1_000_000_000))
        assert (one["width"], one["height"], one["megapixels"]) == (96, 64, 0.006)
        assert one["camera"] == {"make": None, "model": None, "lens": None}
        assert set(one["exposure"].values()) == {None}
        assert (one["gps"], one["title"], one["description"], one["rating"]) == (None, None, None, None)
        assert (one["keywords"], one["offset"], one["taken_at_source"]) == ([], None, "mtime"), ending
        assert one["orientation"] in (None, 1)


def test_exif_is_read_from_every_format_that_carries_it(tmp_path: Path) -> None:
    details = {
        0x829A: 1 / 250, 0x829D: 2.8, 0x8827: 400, 0x920A: 50.0, 0x9209: 1, 0xA434: "50mm",
        0x9003: "2020:01:02 03:04:05", 0x9011: "+02:00", 0x9291: "25",
    }  # fmt: skip
    for ending in ("jpg", "png", "webp", "tif", "heic", "avif"):
        path = put(tmp_path / f"a.{ending}", with_exif(ending, {0x0110: "Model", 0x0112: 6}, details))
        one = described(path)
        assert one["camera"] == {"make": "A camera", "model": "Model", "lens": "50mm"}, ending
        assert one["exposure"]["time"] == pytest.approx(0.004)
        assert one["exposure"] == {**one["exposure"], "f": 2.8, "iso": 400, "focal_length": 50.0, "flash": True}
        assert (one["taken_at"], one["offset"]) == ("2020-01-02T03:04:05.250000+02:00", "+02:00")
        assert one["taken_at_source"] == "exif:original"
        if ending not in ("tif", "avif", "heic"):  # those are turned by other means than EXIF, or not at all
            assert (one["orientation"], one["width"], one["height"]) == (6, 64, 96), ending


def test_positions_have_their_signs_and_the_dead_sea_is_below_the_sea(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "S", 2: (31.0, 30.0, 30.0), 3: "W", 4: (35.0, 28.0, 30.0), 5: b"\1", 6: 430.5})
    path = tmp_path / "a.jpg"
    scene().save(path, exif=exif)
    place = described(path)["gps"]
    assert place == {"lat": pytest.approx(-31.508333, abs=1e-6), "lon": pytest.approx(-35.475), "alt": -430.5}
    half = Image.Exif()
    half.get_ifd(0x8825).update({1: "N", 2: (31.0, 30.0, 30.0)})
    scene().save(path, exif=half)
    assert described(path)["gps"] is None


def test_xmp_words_people_and_places(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", _XMP)
    scene().save(path, pnginfo=info)
    one = described(path)
    assert (one["title"], one["keywords"], one["rating"]) == ("Evening", ["sea", "Zürich"], 4)
    assert one["people"] == ["Grace", "Ada"]
    assert one["gps"] == {"lat": pytest.approx(-31.508333, abs=1e-5), "lon": pytest.approx(35.475), "alt": -430.0}


def test_xmp_that_declares_entities_is_not_expanded() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>'
    assert xmp.packet_of(bomb) == xmp.EMPTY
    assert xmp.packet_of(b"<a><b></a>") == xmp.EMPTY


def test_flash_in_xmp_is_a_structure_written_in_either_form() -> None:
    for inner in ('<exif:Flash exif:Fired="{}" exif:Mode="0"/>',
                  '<exif:Flash rdf:parseType="Resource"><exif:Fired>{}</exif:Fired></exif:Flash>'):  # fmt: skip
        for word, fired in (("True", True), ("False", False)):
            packet = (
                '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
                '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/">'
                + inner.format(word)
                + "</rdf:Description></rdf:RDF></x:xmpmeta>"
            )
            parts = containers.Parts(size=(1, 1), xmp=packet.encode())
            assert metadata_of("jpeg", b"", "a.jpg", 0, parts).stored.flash is fired, inner


def test_iptc_in_photoshops_resources() -> None:
    def dataset(number: int, name: int, value: bytes) -> bytes:
        return b"\x1c" + bytes((number, name)) + struct.pack(">H", len(value)) + value

    record = b"".join((
        dataset(1, 90, b"\x1b%G"), dataset(2, 5, b"Title"), dataset(2, 25, b"one"), dataset(2, 25, "zwölf".encode()),
        dataset(2, 120, b"Caption"),
    ))  # fmt: skip
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record
    segment = b"Photoshop 3.0\0" + block
    jpeg = encoded("jpg")
    data = jpeg[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
    said = metadata_of("jpeg", data, "a.jpg", 0).stored
    assert (said.title, said.description, said.keywords) == ("Title", "Caption", ["one", "zwölf"])
    assert iptc.record_of(record[:-3]).keywords == ["one", "zwölf"]  # cut off: as far as it goes


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_make_the_parsers_raise_or_hang(data: st.DataObject) -> None:
    good = data.draw(st.sampled_from([with_exif("jpg", {0x0110: "M"}, {0x829A: 0.5}), encoded("png"), encoded("webp")]))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 30))):
        damaged[data.draw(st.integers(0, min(400, len(damaged)) - 1))] = data.draw(st.integers(0, 255))
    for kind in ("jpeg", "png", "webp", "tiff"):
        containers.parts_of(kind, bytes(damaged))  # type: ignore[arg-type]
    metadata_of("jpeg", bytes(damaged), "a.jpg", 0)
    iptc.record_of(data.draw(st.binary(max_size=200)))
    xmp.packet_of(data.draw(st.binary(max_size=200)))
    directories(b"II*\0" + data.draw(st.binary(max_size=300)))


def test_a_directory_that_leads_to_itself_or_beyond_the_end_is_harmless() -> None:
    entries = struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 2**32 - 1)
    loop = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + struct.pack("<I", 8)
    main, details, gps = directories(loop)
    assert (main[0x8769], dict(details), dict(gps)) == (8, {}, {})
    many = b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + bytes(100)
    assert tiffdir.first(many, range(65536)) == ({}, 0)
    huge = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x010F, 2, 2**32 - 1, 8) + bytes(4)
    assert tiffdir.first(huge, {0x010F})[0] == {}


def test_what_is_no_image_is_refused_with_its_code(tmp_path: Path) -> None:
    for name, content, code in (
        ("a.jpg", b"", "empty"),
        ("b.jpg", b"not a picture at all, but words", "not_an_image"),
        ("c.jpg", encoded("png"), "mislabelled"),
        ("d.jpg", encoded("jpg")[:20], "truncated"),
    ):
        with pytest.raises(UnreadableImage) as refused:
            read_metadata(put(tmp_path / name, content))
        assert refused.value.code == code, name
    with pytest.raises(UnreadableImage) as refused:
        read_metadata(tmp_path / "gone.jpg")
    assert refused.value.code == "vanished"


# What exiftool 12.57 says: name -> (make, model, seconds, f, iso, millimetres, flash, latitude, longitude, altitude).
KNOWN = {
    "DSCN0010.jpg": ("NIKON", "COOLPIX P6000", 1 / 75, 5.9, 64, 24, False, 43.467448, 11.885127, None),
    "iphone_hdr_YES.jpg": ("Apple", "iPhone 6", 0.025, 2.2, 32, 4.15, False, None, None, 639.6111),
    "Canon_40D.jpg": ("Canon", "Canon EOS 40D", 1 / 160, 7.1, 100, 135, True, None, None, None),
}


def test_known_photographs(photos: Path) -> None:
    for name, expected in KNOWN.items():
        said = read_metadata(next(photos.rglob(name)))[1].stored
        found = (
            said.camera_make, said.camera_model, said.exposure_time, said.f_number, said.iso, said.focal_length,
            said.flash, said.latitude, said.longitude, said.altitude,
        )  # fmt: skip
        for ours, theirs in zip(found, expected, strict=True):
            if isinstance(theirs, float):
                assert ours == pytest.approx(theirs, rel=1e-3), name
            elif theirs is not None:
                assert ours == theirs, name
