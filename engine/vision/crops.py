"""Where the images of a set differ, and what they look like just there.

A global vector of near-identical images says mostly what they share. So the images are drawn small, grey and alike in
tone, laid over one another (by phase correlation, which finds the shift between two renderings), and the two or three
windows in which they differ most are cut out of each and embedded. A crop is kept under the name of its set, its
picture and its number, apart from the vectors of whole pictures. Relies on the pipeline and the shelves; the search
itself is pure functions over arrays.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.errors import ProofsheetError
from engine.logs.recoveries import Recovery
from engine.runs import RunContext
from engine.vision import pixels
from engine.vision.builtin import Floats
from engine.vision.encoders import Encoder
from engine.vision.pipeline import Pipeline, Refused
from engine.vision.pixels import Source, Unread
from engine.vision.vectors import Entry, Shelf

SIDE = 64
"""Side of the small renderings, pixels: a shift of one is 1.6 % of the picture."""
MOST = 3
_WINDOW = 22  # a third of the side: a face in a portrait, a hand, a lantern
_ENOUGH = 0.35  # a third region must differ by this share of what the first does
_FARTHEST = SIDE // 6  # a larger shift is another picture, not another moment
_PICTURES = 12  # decoded pictures that are kept between drawing them small and cutting them up
_MARGIN = 2  # at the edges, shifted renderings have nothing to compare

Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crops:
    """`vectors` (n, k, d) float32, n images in the order of the set, k = 2 or 3 regions, the one of most difference
    first;
    `regions` (k, 4) float32: left, top, right, bottom as fractions of the sides of the set's first image."""

    vectors: Floats
    regions: Floats


def rendering(picture: Image.Image) -> Floats:
    """(SIDE, SIDE) float32: the picture grey and small, stretched to a square, with mean 0 and deviation 1."""
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    toned: Floats = (grey - grey.mean()) / max(float(grey.std()), 1.0)
    return toned


def shift_between(first: Floats, second: Floats) -> tuple[int, int]:
    """By how many pixels (down, right) `second` is shifted against `first`; (0, 0) where that would be implausible.

    Phase correlation (Kuglin and Hines, 1975), on windowed renderings so that the edges do not count.
    """
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    spectrum = np.fft.rfft2(second * window) * np.conj(np.fft.rfft2(first * window))
    peaks = np.fft.irfft2(spectrum / np.maximum(np.abs(spectrum), 1e-9), s=first.shape)
    down, right = np.unravel_index(int(peaks.argmax()), peaks.shape)
    shift = tuple(int(one) - SIDE if one > SIDE // 2 else int(one) for one in (down, right))
    if max(map(abs, shift)) > _FARTHEST:
        return 0, 0
    unmoved = float(np.mean((first - second) ** 2))
    moved = float(np.mean((first - np.roll(second, (-shift[0], -shift[1]), (0, 1))) ** 2))
    return (shift[0], shift[1]) if moved < unmoved else (0, 0)


def difference(renderings: Sequence[Floats], shifts: Sequence[tuple[int, int]]) -> Floats:
    """(SIDE, SIDE) float32: the deviation among the renderings, laid over one another, at each place;
    0 at the edges.
    """
    laid = np.stack(
        [np.roll(one, (-down, -right), (0, 1)) for one, (down, right) in zip(renderings, shifts, strict=True)]
    )
    spread: Floats = laid.std(0).astype(np.float32)
    top, left = (_MARGIN + max((max(s[axis], 0) for s in shifts), default=0) for axis in (0, 1))
    bottom, right = (_MARGIN + max((max(-s[axis], 0) for s in shifts), default=0) for axis in (0, 1))
    inside = np.zeros_like(spread)
    # What np.roll brought in from the other side lies at the end that the picture moved away from.
    inside[bottom : SIDE - top, right : SIDE - left] = spread[bottom : SIDE - top, right : SIDE - left]
    return inside


def regions_of(spread: Floats) -> list[tuple[int, int]]:
    """(top, left) of the two or three windows of `_WINDOW` pixels with most difference, none over half of another."""
    total = np.pad(spread.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    w = _WINDOW
    sums = total[w:, w:] - total[:-w, w:] - total[w:, :-w] + total[:-w, :-w]
    # Where images hardly differ, ties go to the middle, where the subject is.
    middle = np.abs(np.arange(sums.shape[0]) - (sums.shape[0] - 1) / 2)
    sums = sums - 1e-6 * (middle[:, None] + middle[None, :])
    found: list[tuple[int, int]] = []
    first = 0.0
    while len(found) < MOST:
        top, left = (int(one) for one in np.unravel_index(int(sums.argmax()), sums.shape))
        value = float(sums[top, left])
        if len(found) == MOST - 1 and value < _ENOUGH * first:
            break
        first = first if found else value
        found.append((top, left))
        half = w // 2
        sums[max(0, top - half) : top + half + 1, max(0, left - half) : left + half + 1] = -np.inf
    return found


def plan(pictures: Sequence[Image.Image]) -> list[list[Region]]:
    """For each picture of a set its two or three regions, as fractions of its sides, in the same order for all.

    Raises ValueError for fewer than two pictures.
    """
    if len(pictures) < 2:
        raise ValueError("a set of fewer than two pictures has no differences")
    return plan_renderings([rendering(one) for one in pictures])


def plan_renderings(drawn: Sequence[Floats]) -> list[list[Region]]:
    """`plan`, of renderings that are there already."""
    shifts = [(0, 0), *(shift_between(drawn[0], one) for one in drawn[1:])]
    windows = regions_of(difference(drawn, shifts))
    return [[_fractions(top + down, left + right) for top, left in windows] for down, right in shifts]


def _fractions(top: int, left: int) -> Region:
    across, down = (min(max(one, 0), SIDE - _WINDOW) for one in (left, top))
    return across / SIDE, down / SIDE, (across + _WINDOW) / SIDE, (down + _WINDOW) / SIDE


def set_name(hashes: Sequence[str]) -> str:
    """The name of a set by what is in it, whatever the order and however often; the first image is its reference."""
    return hashlib.blake2b("\n".join((hashes[0], *sorted(set(hashes)))).encode(), digest_size=12).hexdigest()


def crop_name(hashes: Sequence[str], content_hash: str, number: int) -> str:
    """The key of one crop."""
    return f"{set_name(hashes)}:{content_hash}:{number}"


@dataclass(frozen=True)
class _Wanted:
    """One picture of one set, to be cut in these regions."""

    index: int
    source: Source
    regions: tuple[Region, ...]


class Cropper:
    """Finds, embeds and keeps the crops of sets. A step of a run when it is given one."""

    def __init__(
        self,
        encoder: Encoder,
        shelf_of: Callable[[Encoder, str], Shelf],
        *,
        threads: int,
        max_pixels: int,
        run: RunContext | None = None,
    ) -> None:
        self._encoder = encoder
        self._shelf_of = shelf_of
        self._threads = threads
        self._max_pixels = max_pixels
        self._run = run
        self._lock = threading.Lock()
        self._pictures: OrderedDict[str, Image.Image] = OrderedDict()

    def crops(self, sets: Sequence[Sequence[tuple[str, Source]]], *, compute: bool) -> list[Crops | None]:
        """One answer a set of (project, picture), in order. Raises ProofsheetError for a set of several projects."""
        found: list[Crops | None] = []
        for number, members in enumerate(sets):
            self._check()
            projects = {project.casefold() for project, _ in members}
            if len(projects) > 1:
                raise ProofsheetError(
                    f"crops are compared within one project, and this set is of {', '.join(sorted(projects))}",
                    remedy="Ask for one project at a time.",
                )
            found.append(self._of_set(next(iter(projects)), [one for _, one in members], compute) if members else None)
            if self._run is not None:
                self._run.progress(number + 1, len(sets), "looking where the sets differ")
        return found

    def _of_set(self, project_key: str, sources: Sequence[Source], compute: bool) -> Crops | None:
        hashes = [one.content_hash for one in sources]
        if len(hashes) < 2:
            return None
        shelf = self._shelf_of(self._encoder, project_key)
        known = self._known(shelf, hashes)
        if known is not None or not compute:
            return known
        return self._known(shelf, hashes) if self._computed(shelf, sources) else None

    def _known(self, shelf: Shelf, hashes: Sequence[str]) -> Crops | None:
        names = [[crop_name(hashes, one, number) for number in range(MOST)] for one in hashes]
        rows = shelf.rows([name for each in names for name in each])
        counts = {sum(name in rows for name in each) for each in names}
        if len(counts) != 1 or (count := counts.pop()) < 2:
            return None  # none, or stored in part by a run that was cut off
        wanted = [rows[name] for each in names for name in each[:count]]
        vectors = shelf.read(wanted).reshape(len(hashes), count, shelf.dimension)
        return Crops(vectors, shelf.read_beside(wanted[:count]))

    def _computed(self, shelf: Shelf, sources: Sequence[Source]) -> bool:
        """Whether every picture of the set could be read; then its crops are stored."""
        hashes = [one.content_hash for one in sources]
        unique = list({one.content_hash: one for one in sources}.values())
        drawn: list[Floats] = []
        for source, small in zip(unique, self._each(unique, self._rendered), strict=True):
            if isinstance(small, Unread):
                self._refuse(source, small.reason, small.code)
                return False
            drawn.append(small)
        planned = plan_renderings(drawn)
        wanted = [_Wanted(at, one, tuple(planned[at])) for at, one in enumerate(unique)]
        entries: dict[str, Entry] = {}
        pieces = [(one, number) for one in wanted for number in range(len(one.regions))]
        pipeline: Pipeline[tuple[_Wanted, int]] = Pipeline(
            self._encoder, self._piece, threads=self._threads, check=self._check, on_recovery=self._recovered
        )
        for done in pipeline.run(pieces):
            one, number = done.item
            if done.vector is None:
                self._refuse(one.source, done.reason, done.code)
                return False
            entries[crop_name(hashes, one.source.content_hash, number)] = Entry(done.vector, one.regions[number])
        shelf.add(entries)  # a set at once: never a part of it
        return True

    def _each(self, sources: Sequence[Source], work: Callable[[Source], Floats | Unread]) -> list[Floats | Unread]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self._threads, len(sources))) as pool:
            return list(pool.map(work, sources))

    def _rendered(self, source: Source) -> Floats | Unread:
        picture = self._picture(source)
        return picture if isinstance(picture, Unread) else rendering(picture)

    def _piece(self, item: tuple[_Wanted, int]) -> object:
        one, number = item
        picture = self._picture(one.source)
        if isinstance(picture, Unread):
            return Refused(picture.reason, picture.code)
        left, top, right, bottom = one.regions[number]
        box = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
        left_px, top_px = round(box[0]), round(box[1])
        crop = picture.crop((left_px, top_px, max(left_px + 1, round(box[2])), max(top_px + 1, round(box[3]))))
        return self._encoder.prepare(crop)

    def _picture(self, source: Source) -> Image.Image | Unread:
        """The picture, large enough that a third of it still fills the encoder; the last few are kept for their
        pieces."""
        known = self._pictures.get(source.content_hash)
        if known is not None:
            return known
        found = pixels.read(source, self._encoder, self._max_pixels, magnified=SIDE / _WINDOW)
        if isinstance(found, Image.Image):
            with self._lock:
                self._pictures[source.content_hash] = found
                while len(self._pictures) > _PICTURES:
                    self._pictures.popitem(last=False)
        return found

    def _refuse(self, source: Source, reason: str, code: str) -> None:
        if self._run is not None:
            self._run.refuse(source.path, reason, code)

    def _check(self) -> None:
        if self._run is not None:
            self._run.check()

    def _recovered(self, recovery: Recovery, message: str) -> None:
        if self._run is not None:
            self._run.recovered(recovery, message)
