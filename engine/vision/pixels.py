"""Pictures for an encoder: decoded just large enough, upright and in sRGB, as fast as the file allows.

JPEGs (nearly all photographs) go through libjpeg-turbo at a fraction of their size, straight from the file's bytes;
everything else, and every JPEG that is in any way unusual or damaged, takes the library's usual way, which also words
what is wrong with it. Relies on the library's decoder processes: nothing is decoded here. Only ever reads.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engine.library.apart import Apart, decode
from engine.library.model import Image as LibraryImage
from engine.library.source import UnreadableImage
from engine.vision.encoders import Encoder

# As engine.vision.decoder has it, which is not imported for it.
COMMAND = (sys.executable, "-P", "-m", "engine.vision.decoder")
_lock = threading.Lock()
_apart: dict[int, Apart] = {}


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

    def work() -> Image.Image:
        box = _magnified_box(source, encoder, magnified)
        quick = source.orientation if encoder.id.startswith("open_clip") else 0
        return decode(source.path, box, max_pixels, quick)

    found: Image.Image | Unread = _unless_unread(source, work)
    return found


def prepared(source: Source, encoder: Encoder, max_pixels: int) -> Any | Unread:
    """What `encoder.prepare` makes of a picture; prepared by the process that decodes, where the encoder says how."""
    request: Mapping[str, Any] | None = getattr(encoder, "request", None)
    if request is None:
        picture = read(source, encoder, max_pixels)
        return picture if isinstance(picture, Unread) else encoder.prepare(picture)

    def work() -> Any:
        box = encoder.box_for(source.width, source.height)
        quick = source.orientation if encoder.id.startswith("open_clip") else 0
        found, data = _decoders(max_pixels).ask(request["do"], source.path, box=box, quick=quick, **request["how"])
        return encoder.received(found, data)  # type: ignore[attr-defined]

    return _unless_unread(source, work)


def _decoders(max_pixels: int) -> Apart:
    """This room's decoder processes: one a core."""
    with _lock:
        if max_pixels not in _apart:
            _apart[max_pixels] = Apart(max_pixels, count=max(2, os.cpu_count() or 1), command=COMMAND)
        return _apart[max_pixels]


def _unless_unread(source: Source, work: Callable[[], Any]) -> Any | Unread:
    """What comes of the work on a file that is still as it was scanned; or the reason why nothing does."""
    try:
        state = source.path.stat()
        if (state.st_size, state.st_mtime_ns) != (source.size, source.mtime_ns):
            return Unread("the file changed since it was scanned")
        return work()
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
