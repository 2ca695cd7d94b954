"""Encoders behind one door: `load(spec)` gives the thing that turns pictures into vectors, and says exactly what it is.

Relies on the built-in descriptor, and on open_clip and torch only when a CLIP is asked for. Never guesses: a spec that
is not known is refused with those that are; only `auto` chooses, and `Choice` says what it chose and why. An encoder's
identity (name, architecture, weights, preprocessing, dimension) is complete, because two encoders' vectors must never
meet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from engine.errors import ProofsheetError, UsageError
from engine.settings import ENCODER_FORMS, is_encoder_name, is_open_clip
from engine.vision import builtin
from engine.vision.batching import Batches
from engine.vision.builtin import Floats, Readings

DEFAULT_CLIP = "open_clip:ViT-B-32/laion2b_s34b_b79k"
HOW_TO_CHOOSE = "Choose with --encoder SPEC, `encoder` in proofsheet.toml, or PROOFSHEET_ENCODER."


@dataclass(frozen=True)
class EncoderCard:
    """What an encoder is, in full. `weights_sha256` is empty where there are no weights."""

    name: str
    architecture: str
    weights_sha256: str
    preprocessing: str
    dimension: int

    @property
    def identity(self) -> str:
        """SHA-256 over everything on the card: equal for one encoder only, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Encoder(Protocol):
    """Turns pictures into vectors. Safe to use from several threads."""

    @property
    def id(self) -> str:
        """Short name, for folders and columns: `builtin-1`, `open_clip-ViT-B-32-1f3a9c`."""

    @property
    def spec(self) -> str:
        """What loads exactly this encoder again; never `auto`."""

    @property
    def card(self) -> EncoderCard:
        """The whole identity."""

    @property
    def dimension(self) -> int:
        """Width of a vector."""

    @property
    def can_embed(self) -> bool:
        """Whether it can look at pictures; imported vectors cannot."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether batches are computed on a device of their own, so that the processor is free meanwhile."""

    def batches(self) -> Batches:
        """How many pictures to send at once: what is remembered of the device, or where to begin."""

    def keep_to_cores(self, count: int) -> None:
        """Called in a thread that computes whole batches while others compute theirs, where no device of its own does:
        what the thread computes from here on takes so many cores."""

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """The box (pixels) into which a picture of that displayed size is best decoded: all it needs, and no more."""

    def prepare(self, picture: Image.Image) -> Any:
        """The part of the work that is done for each RGB picture by itself, in any thread."""

    def finish(self, prepared: Sequence[Any]) -> Callable[[], Floats]:
        """Begin the part that is done for a batch at once; the answer is called to wait for its (n, dimension) float32.

        May raise OutOfMemory, then and later: the batch is to be halved.
        """

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """(n, dimension) float32 of n RGB pictures."""

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:
        """`encode`, and the plain readings of the same pictures."""


class OutOfMemory(Exception):
    """The device has no room for a batch of this size."""


class BuiltinEncoder:
    """The descriptor of `engine.vision.builtin` as an encoder. What it prepares is already vector and readings."""

    id = builtin.ENCODER_ID
    spec = "builtin"
    can_embed = True
    is_elsewhere = True  # everything happens while preparing: the threads need not wait for a batch to be put together
    dimension = builtin.DIMENSION
    card = EncoderCard(
        name="builtin",
        architecture=f"descriptor-{builtin.VERSION}",
        weights_sha256="",
        preprocessing=hashlib.sha256(
            f"longest side {builtin.WORKING_SIDE}, box filter, JFIF YCbCr".encode()
        ).hexdigest(),
        dimension=builtin.DIMENSION,
    )

    def batches(self) -> Batches:
        """Half a second's work, since a batch is what a crash can cost."""
        return Batches(64, 64)

    def keep_to_cores(self, count: int) -> None:
        """Nothing to do: nothing is computed in batches."""

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """A whole fraction (1/1, 1/2, 1/4, 1/8) of the size, because JPEGs decode to these without being resampled."""
        return builtin_box(width, height)

    def prepare(self, picture: Image.Image) -> tuple[Floats, Readings]:
        """Vector and readings of one picture."""
        return builtin.examine(picture)

    @property
    def request(self) -> Mapping[str, Any]:
        """How the process that decodes a picture (engine.vision.decoder) prepares it as `prepare` does."""
        return {"do": "examine", "how": {}}

    def received(self, found: Mapping[str, Any], data: bytearray) -> tuple[Floats, Readings]:
        """What that process answered, as `prepare` gives it."""
        return np.frombuffer(data, np.float32), Readings(**found["readings"])

    def finish(self, prepared: Sequence[tuple[Floats, Readings]]) -> Callable[[], Floats]:
        """Nothing is left but to put the vectors together."""
        return lambda: _stacked([vector for vector, _ in prepared], self.dimension)

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """(n, dimension) float32, each block of a row L2-normalised."""
        return self.examine(pictures)[0]

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:
        """Vectors and readings in one pass."""
        seen = [builtin.examine(picture) for picture in pictures]
        return _stacked([vector for vector, _ in seen], self.dimension), [readings for _, readings in seen]


def builtin_box(width: int, height: int) -> tuple[int, int]:
    """The box in which the built-in descriptor wants a picture of that displayed size."""
    for divisor in (8, 4, 2):
        if max(width, height) >= divisor * builtin.WORKING_SIDE:
            return -(-width // divisor), -(-height // divisor)
    return width, height


def _stacked(vectors: Sequence[Floats], dimension: int) -> Floats:
    return np.stack(vectors) if vectors else np.empty((0, dimension), np.float32)


def load(
    spec: str = "builtin",
    *,
    clip: str = DEFAULT_CLIP,
    device: str = "auto",
    embeddings: Path | None = None,
    notes: Path | None = None,
) -> Encoder:
    """The encoder that `spec` names: `builtin`, `open_clip:ARCH/WEIGHTS`, `auto`, or a name that embeddings were
    imported under (looked up in the folder `embeddings`).

    `auto` takes `clip` if its weights are here, else the built-in one, without reaching for the net; `choose` may fetch
    them first. `notes` is a file in which a device's batch size and precision are remembered. Raises UsageError for a
    spec that names nothing, ProofsheetError for weights that cannot be had or are not to be trusted, each with the
    remedy.
    """
    if spec == "auto":
        spec = choose(clip).spec
    if spec == "builtin":
        return BuiltinEncoder()
    if is_open_clip(spec):
        from engine.vision.clip import OpenClipEncoder

        return OpenClipEncoder.load(spec, device, notes)
    if is_encoder_name(spec) and embeddings is not None:
        from engine.vision.imported_encoder import ImportedEncoder

        return ImportedEncoder.load(embeddings, spec)
    raise UsageError(f"there is no encoder {spec!r}", remedy=f"There are: {ENCODER_FORMS}. {HOW_TO_CHOOSE}")


@dataclass(frozen=True)
class Choice:
    """What `auto` comes to: the spec, and in words why. `failed`: what would have been it and did not load, and why."""

    spec: str
    reason: str
    failed: str = ""


def choose(clip: str, *, fetch: bool = False, memory: Path | None = None) -> Choice:
    """Which encoder `auto` is: `clip` where its weights are here (or, with `fetch`, can be fetched), else built-in.

    `memory` is a file that remembers for an hour that a hub could not be reached, so that one is not kept waiting.
    """
    from engine.vision import weights

    try:
        if weights.are_here(clip):
            return Choice(clip, f"the weights of {clip} are here")
        if not fetch:
            return Choice("builtin", f"the weights of {clip} are not here")
        weights.fetch(clip, memory)
    except ProofsheetError as error:
        return Choice("builtin", error.message)
    return Choice(clip, f"the weights of {clip} were fetched")
