"""Walking folders: what lies where, without opening anything.

Relies on os.scandir. Links inside a root are not followed, neither to files nor to folders: an image has one real
path, loops cannot arise, and what a link leads to is scanned by naming it as a root. Hidden names, other
programs' shadow folders and the workspace's own folders are passed over. What cannot be listed is a refusal, never
a stop. A folder's images come together, sorted by name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.library.companions import may_be_companion
from engine.library.formats import EXTENSIONS
from engine.library.manifest import SUFFIX as MANIFEST_SUFFIX
from engine.library.model import RefusalCode
from engine.library.source import explained, is_utf8, kind_of

# Folders in which other programs keep shadows of images (Synology, macOS archives, Windows' bin).
SHADOWS = frozenset({"@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
_CHECK_EVERY = 1024


@dataclass(slots=True)
class Found:
    """An image file as listed: nothing in it has been read yet. `mtime_ns` in nanoseconds since 1970."""

    path: str
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Listing:
    """One folder: its images, the names that may be companions, its manifests, and what is refused without opening.

    `is_whole` is False when the folder could not be listed: what is known of it must not be taken for gone.
    `links` counts the links that were not followed.
    """

    folder: str
    images: list[Found] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)
    refused: list[tuple[str, RefusalCode, str]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: int = 0
    is_whole: bool = True


def walk(root: str, skip: frozenset[str], check: Callable[[], None]) -> Iterator[Listing]:
    """Every folder under `root` (absolute, no link), itself first, then its folders by name, depth first.

    `skip` are folders (absolute) to leave out. `check` is called often and may raise to stop.
    """
    waiting = [root]
    while waiting:
        check()
        listing = list_folder(waiting.pop(), skip, check)
        waiting.extend(sorted(listing.folders, reverse=True))
        yield listing


def list_folder(folder: str, skip: frozenset[str], check: Callable[[], None]) -> Listing:
    """One folder, not what is below it. Its images are in no order; see `Listing`."""
    listing = Listing(folder)
    images, others, extensions = listing.images, listing.others, EXTENSIONS
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries, start=1):
                if count % _CHECK_EVERY == 0:
                    check()
                name = entry.name
                if name[0] == ".":
                    continue
                ending = name[name.rfind(".") + 1 :].lower()
                if ending in extensions and entry.is_file(follow_symlinks=False) and name.isascii():
                    state = entry.stat(follow_symlinks=False)
                    images.append(Found(entry.path, state.st_size, state.st_mtime_ns))
                elif may_be_companion(ending) and entry.is_file(follow_symlinks=False) and is_utf8(name):
                    if name.endswith(MANIFEST_SUFFIX):
                        listing.manifests.append(entry.path)
                    else:
                        others.append(name)
                else:
                    _note(entry, ending, listing, skip)
    except FileNotFoundError:
        return listing  # it went away: so did what was in it
    except OSError as error:
        problem = explained(error)
        listing.refused.append((folder, problem.code, problem.reason.replace("this", "this folder", 1)))
        listing.is_whole = False
    return listing


def _note(entry: os.DirEntry[str], ending: str, listing: Listing, skip: frozenset[str]) -> None:
    """What is no plainly named image or companion: folders, links, pipes, odd names."""
    is_image = ending in EXTENSIONS
    try:
        if entry.is_symlink():
            listing.links += 1
        elif entry.is_dir(follow_symlinks=False):
            if entry.name in SHADOWS or entry.path in skip:
                return
            if is_utf8(entry.name):
                listing.folders.append(entry.path)
            else:
                listing.refused.append((entry.path, "not_utf8", "the folder's name is not valid UTF-8; rename it"))
        elif is_image and not is_utf8(entry.name):
            listing.refused.append((entry.path, "not_utf8", "the file's name is not valid UTF-8; rename it"))
        elif is_image:
            state = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(state.st_mode):
                listing.images.append(Found(entry.path, state.st_size, state.st_mtime_ns))
            else:
                listing.refused.append((entry.path, "not_a_file", f"this is {kind_of(state.st_mode)}, not a file"))
    except FileNotFoundError:
        return
    except OSError as error:
        problem = explained(error)
        listing.refused.append((entry.path, problem.code, problem.reason))
