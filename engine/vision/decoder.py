"""The decoder process of this room: it also prepares a picture for an encoder, because what an encoder wants of it is
smaller than the picture, and costs this process less. `python -m engine.vision.decoder`.

Relies on the library's decoder process, whose bounds and protocol it shares, and on the built-in descriptor and the
preprocessing, neither of which loads torch.
"""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import Any

from engine.library.decoder import main, picture_of
from engine.vision import builtin
from engine.vision.preprocessing import Preprocessing


def examine(asked: dict[str, Any], shared: int) -> dict[str, Any]:
    """The built-in descriptor (float32, in the shared memory) and the readings of a picture."""
    vector, readings = builtin.examine(picture_of(asked))
    return {"readings": asdict(readings), "bytes": os.pwrite(shared, vector.tobytes(), 0)}


def prepare(asked: dict[str, Any], shared: int) -> dict[str, Any]:
    """What a CLIP's preprocessing makes of a picture, (height, width, 3) uint8 in the shared memory."""
    told: dict[str, Any] = asked["preprocessing"]
    told["mean"], told["std"] = tuple(told["mean"]), tuple(told["std"])
    side = Preprocessing(**told)
    made = side.prepare(picture_of(asked))
    return {"shape": made.shape, "bytes": os.pwrite(shared, made.tobytes(), 0)}


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:5]), more={"examine": examine, "prepare": prepare})
