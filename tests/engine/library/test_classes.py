"""Lighting, source and flags, held against what a person sees in the shared photographs and knows of their cameras.

The labels are facts about the pictures, given by eye from the pictures alone. Left out are drawings, logos and pictures
of which one could say either.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.library.classes import source_of
from engine.library.onepass import study_file
from tests.engine.library.metadata_rows import stored

_BY_DAYLIGHT = [
    "IMG_5195.HEIC",
    "HMD_Nokia_8.3_5G.jpg",
    "Canon_40D.jpg",
    "Canon_40D_photoshop_import.jpg",
    "Canon_DIGITAL_IXUS_400.jpg",
    "Canon_PowerShot_S40.jpg",
    "Fujifilm_FinePix6900ZOOM.jpg",
    "Kodak_CX7530.jpg",
    "Nikon_COOLPIX_P1.jpg",
    "Nikon_D70.jpg",
    "Olympus_C8080WZ.jpg",
    "Pentax_K10D.jpg",
    "Reconyx_HC500_Hyperfire.jpg",
    "WWL_(Polaroid)_ION230.jpg",
    "canon-ixus.jpg",
    "fujifilm-mx1700.jpg",
    "nikon-e950.jpg",
    "olympus-c960.jpg",
    "sanyo-vpcg250.jpg",
    "sony-cybershot.jpg",
    "DSCN0010.jpg",
    "DSCN0012.jpg",
    "DSCN0021.jpg",
    "DSCN0025.jpg",
    "DSCN0027.jpg",
    "DSCN0029.jpg",
    "DSCN0038.jpg",
    "DSCN0040.jpg",
    "DSCN0042.jpg",
    "iphone_hdr_NO.jpg",
    "iphone_hdr_YES.jpg",
    "image01137.jpg",
    "long_description.jpg",
    "landscape_1.jpg",
    "portrait_1.jpg",
    "11-tests.jpg",
    "22-canon_tags.jpg",
    "28-hex_value.jpg",
    "30-type_error.jpg",
    "32-lens_data.jpeg",
    "33-type_error.jpg",
    "35-empty.jpg",
    "36-memory_error.jpg",
]
_BY_LAMP_OR_FLASH = [
    "iphone_13_pro_max.HEIC",
    "Konica_Minolta_DiMAGE_Z3.jpg",
    "Panasonic_DMC-FZ30.jpg",
    "Samsung_Digimax_i50_MP3.jpg",
    "Sony_HDR-HC3.jpg",
    "fujifilm-dx10.jpg",
    "fujifilm-finepix40i.jpg",
    "kodak-dc210.jpg",
    "kodak-dc240.jpg",
    "olympus-d320l.jpg",
    "ricoh-rdc5300.jpg",
    "sanyo-vpcsx550.jpg",
    "sony-d700.jpg",
    "sony-powershota5.jpg",
    "canon_hdr_NO.jpg",
    "canon_hdr_YES.jpg",
    "42_IndexError.jpg",
]
_IN_LITTLE_LIGHT = ["BSG1.tiff"]
LIGHTING = {
    **dict.fromkeys(_BY_DAYLIGHT, "natural"),
    **dict.fromkeys(_BY_LAMP_OR_FLASH, "artificial"),
    **dict.fromkeys(_IN_LITTLE_LIGHT, "challenging"),
}
# What is told otherwise, and why.
LIGHTING_OTHERWISE = {
    # Street lamps that fill the frame: the exposure is that of a day in the shade.
    "canon_hdr_NO.jpg": "natural",
    "canon_hdr_YES.jpg": "natural",
    # A harbour at dusk, shot with the flash on; this camera of 1998 does not say how long it exposed.
    "sanyo-vpcg250.jpg": "artificial",
    # By flash, of which the file says nothing.
    "sony-powershota5.jpg": "natural",
}

_PHONES = [
    "IMG_5195.HEIC", "iphone_13_pro_max.HEIC", "HMD_Nokia_8.3_5G.jpg", "jolla.jpg", "iphone_hdr_NO.jpg",
    "iphone_hdr_YES.jpg", "67-0_length_string.jpg",
]  # fmt: skip
_INTERCHANGEABLE = [
    "Canon_40D.jpg", "Nikon_D70.jpg", "Pentax_K10D.jpg", "32-lens_data.jpeg", "42_IndexError.jpg", "87_OSError.jpg",
]  # fmt: skip
_DOCUMENTS = ["Crémieux11.tiff", "Picoawards.tiff", "Rudless.tiff"]


@pytest.fixture(scope="module")
def studied(photos: Path):
    """What the study says of every photograph, by name."""
    files = [path for path in photos.rglob("*") if path.is_file() and path.name != "corrupted.jpg"]
    return {path.name: study_file(str(path), 400_000_000).facts for path in sorted(files)}


def test_lighting_is_what_a_person_sees(studied) -> None:
    told = {name: studied[name].lighting for name in LIGHTING}
    assert {name: said for name, said in told.items() if said != LIGHTING[name]} == LIGHTING_OTHERWISE
    assert len(LIGHTING) == 61


def test_phones_and_cameras_with_other_lenses_are_known_and_nothing_else_is_taken_for_them(studied) -> None:
    by_source = {kind: {name for name in studied if studied[name].source == kind} for kind in ("phone", "dslr")}
    assert by_source == {"phone": set(_PHONES), "dslr": set(_INTERCHANGEABLE)}


def test_no_photograph_is_taken_for_paper_or_a_screen(studied) -> None:
    flagged = {name for name in studied if {"document", "screenshot"} & set(studied[name].flags)}
    assert flagged == set(_DOCUMENTS)
    assert not any(
        "overexposed" in studied[name].flags or "low_information" in studied[name].flags for name in LIGHTING
    )
    assert [name for name in studied if "dark" in studied[name].flags] == ["BSG1.tiff"]


@pytest.mark.parametrize(
    ("make", "model", "source"),
    [
        ("CASIO COMPUTER CO.,LTD.", "EX-M2", "other"),
        ("OLYMPUS IMAGING CORP.", "FE-100", "other"),
        ("Hasselblad", "L1D-20c", "other"),
        ("DJI", "FC3170", "other"),
        ("SONY", "DSC-RX100", "other"),
        ("FUJIFILM", "X100V", "other"),
        ("Panasonic", "DMC-LX5", "other"),
        ("SONY", "NEX-5", "dslr"),
        ("SONY", "ILCE-7M3", "dslr"),
        ("FUJIFILM", "X-T3", "dslr"),
        ("OLYMPUS CORPORATION", "E-M5MarkII", "dslr"),
        ("Hasselblad", "X1D II 50C", "dslr"),
        ("NIKON CORPORATION", "NIKON Z 6", "dslr"),
        ("Sony", "XQ-BC72", "phone"),
        ("Sony", "G8341", "phone"),
        ("Google", "Pixel 7", "phone"),
        ("samsung", "SM-S911B", "phone"),
        ("SAMSUNG", "NX500", "dslr"),
    ],
)
def test_a_camera_is_known_by_its_name(make: str, model: str, source: str) -> None:
    assert source_of(stored(camera_make=make, camera_model=model)) == source
