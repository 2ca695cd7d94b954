"""What the inventory's workers tell it: ids, pages, figures, an error in a query, what a word of it may become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from engine.library.completion import Completion
    from engine.library.distribution import Mix
    from engine.library.listing import Details
    from engine.library.model import Inventory

    Ids = Sequence[int] | npt.NDArray[np.int64]

Sort = Literal["name", "taken", "size", "resolution", "project"]


@dataclass
class Listed(Message, bubble=False):
    """The ids that the filter and the order give."""

    ids: Ids
    cursor: int
    filter: str
    sort: Sort
    seconds: float = 0.0  # that it took
    is_whole: bool = True
    start: int = 0  # of `images`
    images: list[Details] = field(default_factory=list)  # the page that is looked at, where it came along


@dataclass
class Unlisted(Message, bubble=False):
    """A list that could not be had; the banner says why."""

    filter: str


@dataclass
class Misread(Message, bubble=False):
    """A query that cannot be read."""

    filter: str
    said: str
    remedy: str


@dataclass
class Completed(Message, bubble=False):
    """What the word at the cursor of the query may become; `is_asked`: by Tab, so that the first is put in."""

    text: str
    found: Completion
    is_asked: bool


@dataclass
class Mixed(Message, bubble=False):
    """The distributions of what is listed, and how long they took, in seconds."""

    mix: Mix
    filter: str
    seconds: float


@dataclass
class Paged(Message, bubble=False):
    """One page of images."""

    start: int
    images: list[Details]
    edition: int


@dataclass
class Refreshed(Message, bubble=False):
    """Images that are held already, looked up anew."""

    images: list[Details]


@dataclass
class Counted(Message, bubble=False):
    """The library in figures."""

    inventory: Inventory


@dataclass
class Accompanied(Message, bubble=False):
    """The files that travel with an image."""

    image_id: int
    paths: list[Path]
