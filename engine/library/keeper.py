"""Which of a group to keep, and why: resolution, quality, metadata, format, rating, and a score from elsewhere.

Pure functions over values. Criteria are asked one after the other, and each leaves those that are as good as the best;
the reason names the criteria that left anybody out. Where nothing tells the files apart, the one found first is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # groups take NumPy, and nobody waits for that before the first page
    from engine.library.grouping import Kind

# Larger is kept: what the camera wrote, then what loses nothing, then what loses least.
_FORMATS: Mapping[str, int] = {
    "raw": 5, "dng": 5, "tiff": 4, "png": 4, "heic": 3, "avif": 3, "jpeg": 2, "webp": 1, "bmp": 1, "gif": 0,
}  # fmt: skip
_QUALITIES: Mapping[str, int] = {"excellent": 3, "good": 2, "average": 1, "poor": 0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is weighed of an image; None where it is not known. `sharpness` 0 to 1, `jpeg_quality` 1 to 100, `quality`
    one of excellent, good, average, poor; `tags` counts keywords, title, description and people; `score` is the
    hallway's, higher is better."""

    id: int
    name: str
    path: str
    width: int
    height: int
    size: int
    format: str
    mtime_ns: int = 0
    has_camera: bool = False
    sharpness: float | None = None
    jpeg_quality: int | None = None
    quality: str | None = None
    rating: int | None = None
    tags: int = 0
    companions: int = 0
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Keeper:
    """The image to keep and why, in a person's words; `reason` is never empty."""

    id: int
    reason: str


Criterion = tuple[str, Callable[[Candidate], float | None], float]  # words, larger is better, what counts as equal


def _pixels(one: Candidate) -> float:
    return one.width * one.height


def _is_a_copy_by_name(one: Candidate) -> float:
    lower = one.name.lower()
    stem = lower.rpartition(".")[0]
    is_copy = "copy" in lower or (stem.endswith(")") and "(" in stem) or "kopie" in lower or "thumb" in lower
    return -1.0 if is_copy else 0.0


_RATING: Criterion = ("rated highest", lambda one: one.rating, 0)
_SCORE: Criterion = ("the ranker likes it best", lambda one: one.score, 1e-6)
_RESOLUTION: Criterion = ("largest", _pixels, 0.02)
_FORMAT: Criterion = ("best format", lambda one: _FORMATS.get(one.format, 1), 0)
_COMPRESSION: Criterion = ("least compressed", lambda one: one.jpeg_quality, 0.03)
_CAMERA: Criterion = ("has the camera's data", lambda one: float(one.has_camera), 0)
_TAGS: Criterion = ("most keywords and texts", lambda one: one.tags, 0)
_QUALITY: Criterion = ("best quality", lambda one: _QUALITIES.get(one.quality or "", None), 0)
_SHARPNESS: Criterion = ("sharpest", lambda one: one.sharpness, 0.03)
_BYTES: Criterion = ("most detail kept", lambda one: one.size, 0.05)
_COMPANIONS: Criterion = ("has its companions", lambda one: one.companions, 0)
_NAME: Criterion = ("not named a copy", _is_a_copy_by_name, 0)

_ASKED: Mapping[Kind, tuple[Criterion, ...]] = {
    "exact": (_COMPANIONS, _NAME),
    "same": (
        _RESOLUTION, _CAMERA, _RATING, _FORMAT, _COMPRESSION, _QUALITY, _TAGS, _SHARPNESS, _BYTES, _SCORE, _COMPANIONS,
        _NAME,
    ),
    "burst": (_RATING, _SCORE, _QUALITY, _SHARPNESS, _RESOLUTION, _FORMAT, _BYTES),
}  # fmt: skip
_SHOWN = 2


def suggest(kind: Kind, candidates: Sequence[Candidate]) -> Keeper:
    """The keeper of a group. Raises ValueError for an empty one."""
    if not candidates:
        raise ValueError("a group has members")
    left = list(candidates)
    reasons: list[str] = []
    for words, value, tolerance in _ASKED[kind]:
        kept = _best(left, value, tolerance)
        if len(kept) < len(left):
            reasons.append(words)
            left = kept
        if len(left) == 1:
            break
    if len(left) > 1:
        left = sorted(left, key=lambda one: (one.mtime_ns, len(one.path), one.path))
        reasons.append("the oldest file" if left[0].mtime_ns < left[1].mtime_ns else "the shortest path")
    if kind == "exact":
        reasons.insert(0, "identical files")
    return Keeper(left[0].id, " · ".join(reasons[: _SHOWN + (kind == "exact")]))


def _best(left: Sequence[Candidate], value: Callable[[Candidate], float | None], tolerance: float) -> list[Candidate]:
    """Those as good as the best, by share; all, where the value is not known of every one."""
    values = [value(one) for one in left]
    known = [one for one in values if one is not None]
    if not known or (len(known) < len(left) and value is not _RATING[1]):
        return list(left)
    best = max(known)
    return [
        one for one, each in zip(left, values, strict=True) if each is not None and each >= best - abs(best) * tolerance
    ]
