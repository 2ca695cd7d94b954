"""The library: scan, decode, capture times, projects, companions, inventory. Its door is `Library`.

The names below are loaded when they are asked for: a decoder process needs the decoders and no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.library.library import Library
    from engine.library.model import Counts, Image, Inventory, Project, Refusal
    from engine.library.source import UnreadableImage

__all__ = ["Counts", "Image", "Inventory", "Library", "Project", "Refusal", "UnreadableImage"]

_HOMES = {"Library": "library", "UnreadableImage": "source"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'model')}"), name)
