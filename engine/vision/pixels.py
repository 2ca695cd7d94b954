"""Pictures for an encoder: decoded just large enough, upright and in sRGB, as fast as the file allows.

JPEGs (nearly all photographs) go through libjpeg-turbo at a fraction of their size, straight from the file's bytes;
everything else, and every JPEG that is in any way unusual or damaged, takes the library's usual way, which also words
what is wrong with it. Relies on the library's decoder processes: nothing is decoded here. Only ever reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.library.apart import decode
from engine.library.model import Image as LibraryImage
from engine.library.source import UnreadableImage
from engine.vision.encoders import Encoder


@dataclass(frozen=True, slots=True)
class Unread:
    """Why there is no picture: `reason` for people, the refusal's `code` where the decoder refused it."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What is needed to read one picture, and to know that it is still the one that was scanned."""

    path: Path
    content_hash: str
    width: int
    height: int
    size: int
    mtime_ns: int
    orientation: int = 0

    @classmethod
    def of(cls, image: LibraryImage) -> Source:
        """From an image of the library."""
        return cls(
            image.path,
            image.content_hash,
            image.width,
            image.height,
            image.size,
            image.mtime_ns,
            image.orientation if image.format == "jpeg" else 0,
        )


def read(source: Source, encoder: Encoder, max_pixels: int, *, magnified: float = 1.0) -> Image.Image | Unread:
    """The picture, at least as large as the encoder needs it; or the reason why there is none.

    `magnified` is for a part of it: how many times smaller than the whole the part is.
    """
    try:
        state = source.path.stat()
        if (state.st_size, state.st_mtime_ns) != (source.size, source.mtime_ns):
            return Unread("the file changed since it was scanned")
        box = _magnified_box(source, encoder, magnified)
        quick = source.orientation if encoder.id.startswith("open_clip") else 0
        return decode(source.path, box, max_pixels, quick)
    except FileNotFoundError:
        return Unread("the file is gone")
    except OSError as error:
        return Unread(f"the file cannot be read: {error.strerror}")
    except UnreadableImage as error:
        return Unread(error.reason, error.code)


def _magnified_box(source: Source, encoder: Encoder, magnified: float) -> tuple[int, int]:
    """The box for a picture of which a part, so many times smaller, is to be large enough."""
    part = max(1, round(source.width / magnified)), max(1, round(source.height / magnified))
    width, height = encoder.box_for(*part)
    return min(source.width, round(width * magnified)), min(source.height, round(height * magnified))
