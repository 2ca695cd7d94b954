"""Pictures out of files: checked header first, then a scaled decode, upright and in sRGB.

Relies on Pillow, its AVIF, pillow-heif and rawpy (each loaded when the first HEIC or RAW file comes). Any damage
becomes an UnreadableImage with a code and a reason; nothing is printed, because the terminal is the screen: Pillow's
warnings and libtiff's own messages are switched off here. Never writes to a source, and never decodes a
picture that has more pixels than it was told to accept. Safe to call from any thread. What people bring is decoded in
processes made for it: nothing but decoder.py calls this on their files; everything else asks `apart` or `workers`.
"""

from __future__ import annotations

import ctypes
import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import PIL._imaging
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from engine.library import formats, heif_thumbnail, jpeg, raw
from engine.library.colour import eight_bit, to_srgb
from engine.library.model import Format
from engine.library.source import UnreadableImage, explained, open_source

__all__ = ["MAX_PIXELS", "UnreadableImage", "decode", "opened", "orientation_of", "upright_size", "verify"]

MAX_PIXELS = 400_000_000
# Up to here a file is read whole, so that it is read once; larger ones are streamed. Bytes.
IN_MEMORY = 64 * 1024 * 1024
# No photograph is packed so tightly; a file of zeroes is. Pixels for each byte of the file.
BOMB_PIXELS_A_BYTE = 200
# Verification throws the picture away: an eighth of each side tells as much as the whole.
_VERIFY_SCALE = 8
# Where a decoder cannot scale, pictures beyond this are decoded one at a time, for the memory's sake. Pixels.
_LARGE = 40_000_000
_one_large = threading.Lock()

_PLUGINS: dict[Format, str] = {
    "jpeg": JpegImagePlugin.JpegImageFile.format,
    "png": PngImagePlugin.PngImageFile.format,
    "webp": WebPImagePlugin.WebPImageFile.format,
    "tiff": TiffImagePlugin.TiffImageFile.format,
    "gif": GifImagePlugin.GifImageFile.format,
    "bmp": BmpImagePlugin.BmpImageFile.format,
    "heic": "HEIF",
    "avif": AvifImagePlugin.AvifImageFile.format,
}

# How a file-oriented picture becomes upright, by its EXIF orientation.
_UPRIGHT: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _silence() -> None:
    """Nothing may write to the terminal, which is the screen: no warnings, no last-resort logging, no libtiff."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    logging.getLogger("PIL").propagate = False
    try:
        imaging = ctypes.CDLL(PIL._imaging.__file__)
        imaging.TIFFSetErrorHandler(None)
        imaging.TIFFSetWarningHandler(None)
    except (OSError, AttributeError):  # a Pillow that hides its libtiff: only damaged TIFFs would be heard
        return


def _configure() -> None:
    # The limit is ours and comes from the settings: see `opened`.
    Image.MAX_IMAGE_PIXELS = None
    # Image generators keep whole workflows in PNG text; Pillow's own limit would refuse their pictures.
    PngImagePlugin.MAX_TEXT_CHUNK = 16 * 1024 * 1024


_silence()
_configure()

_heif_lock = threading.Lock()
_heif_is_ready = False


def _prepare_heif() -> None:
    global _heif_is_ready
    with _heif_lock:
        if not _heif_is_ready:
            import pillow_heif

            pillow_heif.register_heif_opener()
            _heif_is_ready = True


def decode(
    path: str | os.PathLike[str], box: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """The picture in `path` as RGB, upright, fitted into `box` (width, height in pixels as displayed) if given.

    Never enlarged; JPEGs are scaled while decoding. Alpha lies on neutral grey; of several frames or
    pictures the first (for HEIC the primary one, or its thumbnail where that is large enough) is taken. Raises
    UnreadableImage.
    """
    file, state = open_source(path)
    with file:
        if state.st_size == 0:
            raise UnreadableImage("empty", "the file is empty (0 bytes)")
        data = _read(file) if state.st_size <= IN_MEMORY else None
        with opened(file if data is None else io.BytesIO(data), os.fspath(path), max_pixels) as (image, kind):
            if kind == "heic" and box is not None:
                fitted = _fit(image.size, box)
                small = _heic_thumbnail(data)
                if small is not None and small.width >= fitted[0] and small.height >= fitted[1]:
                    return _rendered(small, kind, fitted, fitted)
            return _rendered(image, kind, box)


def size_of(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of the picture in `path` as displayed, in pixels, by its header. Raises UnreadableImage."""
    file, _state = open_source(path)
    with file, opened(file, os.fspath(path), max_pixels) as (image, kind):
        return upright_size(image, kind, orientation_of(image, kind, exif_of(image)))


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise explained(error) from error


@contextmanager
def opened(source: BinaryIO, path: str, max_pixels: int) -> Iterator[tuple[Image.Image, Format]]:
    """The header of a picture, its format checked against the file's name and its size against `max_pixels`.

    Whatever the file or the decoder raises, also inside the block, comes out as UnreadableImage.
    """
    try:
        head = source.read(formats.HEAD)
        source.seek(0)
    except OSError as error:
        raise explained(error) from error
    kind = checked_format(head, path)
    if kind == "heic":
        _prepare_heif()
    width = height = 0
    try:
        with _opened(source, kind, max_pixels) as image:
            width, height = image.info.get("raw_size", image.size)
            if width * height > max_pixels:
                raise _too_large(width, height, max_pixels, source)
            yield image, kind
    except UnreadableImage:
        raise
    except MemoryError as error:
        reason = "there is not enough memory to decode this"
        raise UnreadableImage("too_large", reason, pixels=width * height) from error
    except Exception as error:  # decoders raise anything at all on hostile input
        raise _damage(error, kind, source) from error


def _opened(source: BinaryIO, kind: Format, max_pixels: int) -> Image.Image:
    if kind == "raw":
        return raw.preview(source, max_pixels)
    return Image.open(source, formats=[_PLUGINS[kind]])


def _too_large(width: int, height: int, max_pixels: int, source: BinaryIO) -> UnreadableImage:
    """Beyond the limit: a large picture, or a small file that claims to be one."""
    pixels = width * height
    claim = f"{width} x {height} is {pixels / 1e6:,.0f} megapixels; the limit is {max_pixels / 1e6:,.0f}"
    size = source.seek(0, os.SEEK_END)
    if pixels > BOMB_PIXELS_A_BYTE * size:
        return UnreadableImage("bomb", f"{claim} (setting max_pixels), and the file has but {size:,} bytes for it")
    return UnreadableImage("too_large", f"{claim} (setting max_pixels)")


def checked_format(head: bytes, path: str) -> Format:
    """The format of a file by its first bytes, held against its name. Raises UnreadableImage where they differ."""
    if not head:
        raise UnreadableImage("empty", "the file is empty (0 bytes)")
    kind = formats.kind_of(head, path)
    ending = formats.extension(path)
    claimed = formats.EXTENSIONS.get(ending)
    if kind is None:
        if head.startswith((b"\xff\xd8", b"\x89PN", b"GIF8", b"RIFF")):
            raise UnreadableImage("corrupt", "the beginning of the file is damaged")
        raise UnreadableImage("not_an_image", f"named .{ending}, but the content is {formats.content_of(head)}")
    if claimed is not None and kind not in claimed:
        raise UnreadableImage("mislabelled", f"named .{ending}, but the content is {formats.NAMES[kind]}")
    return kind


def _damage(error: Exception, kind: Format, source: BinaryIO) -> UnreadableImage:
    """What went wrong, for a person: cut off, or damaged, or beyond this decoder."""
    text = str(error).strip()
    name = formats.NAMES[kind]
    if isinstance(error, OSError) and error.errno is not None:
        return explained(error)
    is_unknown = isinstance(error, NotImplementedError) or "unsupported" in text.lower()
    if is_unknown and not (kind == "raw" and _ends_early(source)):
        return UnreadableImage("unsupported", f"this variant of {name} is not supported ({text})")
    is_short = isinstance(error, EOFError) or "truncated" in text.lower() or "end of file" in text.lower()
    try:
        source.seek(0)
        data = source.read()
    except (OSError, ValueError, MemoryError):
        data = b""
    if is_short or (data and formats.ends_early(kind, data)):
        return UnreadableImage("truncated", f"the {name} ends before its picture does ({len(data):,} bytes are there)")
    detail = "" if not text or "cannot identify" in text else f" ({text.splitlines()[0][:120]})"
    return UnreadableImage("corrupt", f"the {name} is damaged{detail}")


def _ends_early(source: BinaryIO) -> bool:
    """Whether a RAW file's directories lie beyond its end."""
    try:
        source.seek(0)
        return formats.ends_early("raw", source.read())
    except (OSError, ValueError, MemoryError):
        return False


def exif_of(image: Image.Image) -> Image.Exif:
    """The picture's EXIF; empty where there is none or it is beyond reading, because the picture is what counts."""
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - broken metadata raises anything, and must not cost the picture
        return Image.Exif()


def orientation_of(image: Image.Image, kind: Format, exif: Image.Exif) -> int:
    """The EXIF orientation as the file gives it, 1 to 8; 1 where it gives none or nonsense."""
    value: object
    if kind == "raw":
        value = image.info.get("raw_orientation")
    elif kind == "heic":
        value = image.info.get("original_orientation")
    elif isinstance(image, TiffImagePlugin.TiffImageFile):
        value = image.tag_v2.get(0x0112)
    else:
        value = exif.get(0x0112)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright_size(image: Image.Image, kind: Format, orientation: int) -> tuple[int, int]:
    """Width and height as displayed. HEIC and TIFF decoders answer in displayed pixels already."""
    if kind == "raw":
        shown: tuple[int, int] = image.info["raw_size"]
        return shown
    width, height = image.size
    return (height, width) if orientation >= 5 and not _turns_itself(kind) else (width, height)


def turn_of(kind: Format, orientation: int | None) -> Image.Transpose | None:
    """What makes a decoded picture of that EXIF orientation upright; None where it is."""
    return None if orientation is None or _turns_itself(kind) else _UPRIGHT.get(orientation)


def _turns_itself(kind: Format) -> bool:
    return kind in ("heic", "tiff")


def verify(image: Image.Image, kind: Format, data: bytes | None) -> None:
    """Decode just enough to know that the picture is whole. `data` is the whole file, where it is in memory.

    Of a HEIC file whose parts are all there by its own tables, the thumbnail is enough: a scan need not spend a second
    on each. What is damaged inside the large picture comes to light when it is studied.

    Raises UnreadableImage('truncated'), or whatever the decoder raises (see `opened`).
    """
    if kind != "jpeg":
        if kind != "heic" or _heic_thumbnail(data) is None:
            _load(image)
        return
    shape = _drafted(image)
    _load(image)
    if data is None:
        return
    if jpeg.has_zeroed_end(data):
        raise UnreadableImage("truncated", "the end of the JPEG was never written (it is all zero bytes)")
    if _ends_in_mid_grey(image):
        _prove_whole(image, data, shape)


def _heic_thumbnail(data: bytes | None) -> Image.Image | None:
    """The thumbnail of a HEIC file, decoded; None where there is none that can stand for the picture."""
    found = heif_thumbnail.thumbnail(data) if data is not None else None
    if found is None:
        return None
    try:
        image = Image.open(io.BytesIO(found.data), formats=["HEIF"])
        image.load()
    except Exception:  # noqa: BLE001 - a damaged thumbnail is not the picture's damage, which is decoded instead
        return None
    return image if image.size == found.size else None


def _drafted(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    image.draft("RGB", (max(1, width // _VERIFY_SCALE), max(1, height // _VERIFY_SCALE)))
    return image.size


def _ends_in_mid_grey(image: Image.Image) -> bool:
    """What libjpeg leaves where the data ended too early."""
    last = image.getpixel((image.width - 1, image.height - 1))
    return last in (128, (128, 128, 128))


def _prove_whole(image: Image.Image, data: bytes, shape: tuple[int, int]) -> None:
    noisy = jpeg.with_noise_at_the_end(data)
    if noisy is None:
        return
    with Image.open(io.BytesIO(noisy), formats=["JPEG"]) as other:
        _drafted(other)
        other.load()
        if other.tobytes() != image.tobytes():
            missing = _grey_rows(image) / shape[1]
            raise UnreadableImage(
                "truncated", f"the JPEG ends before its picture does: about {max(missing, 0.01):.0%} is missing"
            )


def _grey_rows(image: Image.Image) -> int:
    """How many rows at the bottom are nothing but the decoder's grey."""
    colours = image.convert("RGB")
    rows = 0
    while rows < colours.height:
        row = colours.crop((0, colours.height - rows - 1, colours.width, colours.height - rows))
        if row.getextrema() != ((128, 128),) * 3:
            break
        rows += 1
    return rows


def _load(image: Image.Image) -> None:
    if image.width * image.height > _LARGE:
        with _one_large:
            image.load()
    else:
        image.load()


def _rendered(
    image: Image.Image, kind: Format, box: tuple[int, int] | None, exactly: tuple[int, int] | None = None
) -> Image.Image:
    profile = image.info.get("icc_profile")
    orientation = orientation_of(image, kind, exif_of(image))
    is_turned = orientation in _UPRIGHT and not _turns_itself(kind)
    size = upright_size(image, kind, orientation)
    if kind == "raw":  # what is there to be shown is the preview
        size = (image.height, image.width) if is_turned and orientation >= 5 else image.size
    fitted = exactly or _fit(size, box)
    if is_turned and orientation >= 5:
        fitted = (fitted[1], fitted[0])
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft("RGB", fitted)
    _load(image)
    flat = eight_bit(image)
    if flat.size != fitted:
        flat = flat.resize(fitted, Image.Resampling.LANCZOS, reducing_gap=3.0)
    colours = to_srgb(flat, profile if isinstance(profile, bytes) else None)
    if is_turned:
        colours = colours.transpose(_UPRIGHT[orientation])
    if colours is image:
        colours = colours.copy()  # the file closes behind it
    colours.info.clear()
    return colours


def _fit(size: tuple[int, int], box: tuple[int, int] | None) -> tuple[int, int]:
    """`size` scaled to fit into `box`, keeping its proportions, never enlarged, never empty."""
    width, height = size
    if box is None or (width <= box[0] and height <= box[1]):
        return size
    scale = min(max(1, box[0]) / width, max(1, box[1]) / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
