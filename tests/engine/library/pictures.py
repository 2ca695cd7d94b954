"""Pictures for the library's tests: one of every format, with every orientation, and damaged in every way."""

from __future__ import annotations

import hashlib
import io
import os
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

# Extension -> the name under which Pillow saves it, and how.
SAVED_AS: dict[str, tuple[str, dict[str, Any]]] = {
    "jpg": ("JPEG", {"quality": 90}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "tif": ("TIFF", {}),
    "gif": ("GIF", {}),
    "bmp": ("BMP", {}),
    "heic": ("HEIF", {"quality": 95}),
    "avif": ("AVIF", {"quality": 95}),
}
FORMATS = {"jpg": "jpeg", "tif": "tiff"}
WIDTH, HEIGHT = 96, 64


def format_of(ending: str) -> str:
    """What the library calls the format of this extension."""
    return FORMATS.get(ending, ending)


@cache
def scene(seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Smooth colours that no two seeds share, with a red top left corner to tell the orientation by."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (4, 6, 3), dtype=np.uint8))
    picture = coarse.resize(size, Image.Resampling.BICUBIC)
    picture.paste((255, 0, 0), (0, 0, size[0] // 3, size[1] // 3))
    return picture


@cache
def encoded(ending: str, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """`scene(seed)` as a file with this extension."""
    name, options = SAVED_AS[ending]
    buffer = io.BytesIO()
    scene(seed, size).save(buffer, name, **options)
    return buffer.getvalue()


def put(path: Path, content: bytes | None = None, *, seed: int = 0, mtime: float | None = None) -> Path:
    """Write a picture (by its extension) or given bytes, making the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(path.suffix[1:].lower(), seed) if content is None else content)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def with_exif(ending: str, tags: dict[int, Any], details: dict[int, Any] | None = None) -> bytes:
    """A picture that carries these EXIF tags; `details` go to the Exif IFD."""
    name, options = SAVED_AS[ending]
    exif = Image.Exif()
    exif.update({0x010F: "A camera", **tags})
    if details:
        exif.get_ifd(0x8769).update(details)
    buffer = io.BytesIO()
    # Pillow's TIFF writer wants the bytes; pillow-heif drops an orientation that comes as bytes.
    scene().save(buffer, name, exif=exif.tobytes() if ending == "tif" else exif, **options)
    return buffer.getvalue()


def cut_off_with_an_end(data: bytes, share: float = 0.7) -> bytes:
    """A JPEG whose picture ends early although the file ends properly, as a broken camera card leaves it."""
    return data[: int(len(data) * share)].rstrip(b"\xff") + b"\xff\xd9"


def flipped(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` copies with a few bits flipped somewhere."""
    draw = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(4):
            damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        yield bytes(damaged)


def snapshot(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Every file below a folder: name -> (hash, modification time in ns, mode)."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
