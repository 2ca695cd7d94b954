"""Vision: what a picture looks like, as numbers: encoders, vectors on disk, plain readings.

The names below are loaded when they are asked for: a decoder process needs no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.vision.builtin import Readings
    from engine.vision.encoders import Encoder, EncoderCard, load
    from engine.vision.vision import Vision

__all__ = ["Encoder", "EncoderCard", "Readings", "Vision", "load"]

_HOMES = {"Readings": "builtin", "Vision": "vision"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'encoders')}"), name)
