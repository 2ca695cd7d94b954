"""The library: scan, decode, capture times, projects, companions, inventory. Its door is `Library`."""

from engine.library.library import Library
from engine.library.model import Counts, Image, Inventory, Project, Refusal
from engine.library.source import UnreadableImage

__all__ = ["Counts", "Image", "Inventory", "Library", "Project", "Refusal", "UnreadableImage"]
