"""Perceptual hashes of images, each computed once: 64-bit pHash of the scaled decode, kept in the workspace's cache.

Relies on imagehash and on the library's decoder. A file that is gone or unreadable gets a hash of its content's name,
so that it is a near-duplicate of its own bytes and of nothing else. The cache may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.library.apart import decode
from engine.library.model import Image
from engine.library.source import UnreadableImage
from engine.runs import RunContext

_BOX = (128, 128)
# So many are computed in a minute or so, and what a killed run has computed since the last of them is lost.
WRITTEN_EVERY = 4_000


class HashCache:
    """pHashes by content hash, in one JSON file."""

    def __init__(self, file: Path, max_pixels: int) -> None:
        self._file = file
        self._max_pixels = max_pixels

    def hashes(self, images: Sequence[Image], run: RunContext) -> NDArray[np.uint64]:
        """(n,) the images' hashes; computes what is missing in the run's threads and tells its progress.

        What was computed is kept whatever ends the run. Raises RunCancelled once the run was asked to stop.
        """
        known = self._read()
        missing = {image.content_hash: image for image in images if image.content_hash not in known}
        done = written = 0
        try:
            for done, (content_hash, value) in enumerate(run.map(self._hash, missing.values()), start=1):
                known[content_hash] = value
                if done - written >= WRITTEN_EVERY:
                    self._write(known)
                    written = done
                run.progress(done, len(missing), "looking for near-duplicates")
        finally:
            if done > written:
                self._write(known)
        return np.array([int(known[image.content_hash], 16) for image in images], dtype=np.uint64)

    def _hash(self, image: Image) -> tuple[str, str]:
        import imagehash

        try:
            return image.content_hash, str(imagehash.phash(decode(image.path, _BOX, self._max_pixels)))
        except UnreadableImage:
            return image.content_hash, hashlib.blake2b(image.content_hash.encode(), digest_size=8).hexdigest()

    def _read(self) -> dict[str, str]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # a cache that is absent or torn is made anew
        return found if isinstance(found, dict) else {}

    def _write(self, known: dict[str, str]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(f"{self._file.name}.{os.getpid()}.new")
        fresh.write_text(json.dumps(known), encoding="utf-8")
        fresh.replace(self._file)
