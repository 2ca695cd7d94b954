"""A camera RAW file made from nothing: a small DNG, with a JPEG preview or with the sensor's data alone."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from PIL import Image

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}


def dng(
    picture: Image.Image,
    *,
    orientation: int = 1,
    has_preview: bool = True,
    exif: dict[int, tuple[int, Any]] | None = None,
) -> bytes:
    """The bytes of a DNG whose sensor (RGGB, 16 bits) has the size of `picture` and shows it."""
    width, height = picture.size
    pixels = np.asarray(picture.convert("RGB"), dtype=np.uint16) * 200
    mosaic = pixels[:, :, 1].copy()
    mosaic[::2, ::2] = pixels[::2, ::2, 0]
    mosaic[1::2, 1::2] = pixels[1::2, 1::2, 2]
    sensor = mosaic.astype("<u2").tobytes()
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=90)
    preview = buffer.getvalue()

    blocks = bytearray(b"II*\0\0\0\0\0")

    def put(data: bytes) -> int:
        if len(blocks) % 2:
            blocks.append(0)
        blocks.extend(data)
        return len(blocks) - len(data)

    def directory(entries: dict[int, tuple[int, Any]]) -> int:
        rows = []
        for tag, (kind, value) in sorted(entries.items()):
            raw, count = _packed(kind, value)
            place = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", put(raw))
            rows.append(struct.pack("<HHI", tag, kind, count) + place)
        return put(struct.pack("<H", len(rows)) + b"".join(rows) + b"\0\0\0\0")

    sensor_at, preview_at = put(sensor), put(preview)
    main_raw = {
        0x00FE: (4, 0), 0x0100: (4, width), 0x0101: (4, height), 0x0102: (3, 16), 0x0103: (3, 1), 0x0106: (3, 32803),
        0x0111: (4, sensor_at), 0x0115: (3, 1), 0x0116: (4, height), 0x0117: (4, len(sensor)), 0x011C: (3, 1),
        0x828D: (3, (2, 2)), 0x828E: (1, bytes((0, 1, 1, 2))), 0xC61D: (4, 65535),
    }  # fmt: skip
    camera = {
        0x010F: (2, b"Proofsheet\0"), 0x0110: (2, b"Testcam One\0"), 0x0112: (3, orientation),
        0xC612: (1, bytes((1, 4, 0, 0))), 0xC614: (2, b"Proofsheet Testcam One\0"),
        0xC621: (10, ((1, 1), (0, 1), (0, 1), (0, 1), (1, 1), (0, 1), (0, 1), (0, 1), (1, 1))),
        0xC628: (5, ((1, 1), (1, 1), (1, 1))), 0xC65A: (3, 21),
    }  # fmt: skip
    if exif:
        camera[0x8769] = (4, directory(exif))
    if has_preview:
        small = {
            0x00FE: (4, 1), 0x0100: (4, width), 0x0101: (4, height), 0x0102: (3, (8, 8, 8)), 0x0103: (3, 7),
            0x0106: (3, 6), 0x0111: (4, preview_at), 0x0115: (3, 3), 0x0116: (4, height), 0x0117: (4, len(preview)),
            0x014A: (4, directory(main_raw)),
        }  # fmt: skip
        start = directory({**small, **camera})
    else:
        start = directory({**main_raw, **camera})
    blocks[4:8] = struct.pack("<I", start)
    return bytes(blocks)


def _packed(kind: int, value: Any) -> tuple[bytes, int]:
    if isinstance(value, bytes):
        return value, len(value)
    values = value if isinstance(value, tuple) else (value,)
    if kind in (5, 10):
        return b"".join(struct.pack("<II" if kind == 5 else "<ii", *each) for each in values), len(values)
    return struct.pack("<" + {1: "B", 3: "H", 4: "I"}[kind] * len(values), *values), len(values)
