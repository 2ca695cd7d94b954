"""Walking folders: what lies where, without opening anything.

Relies on os.scandir. Links inside a root are not followed, neither to files nor to folders: an image has one real
path, loops cannot arise, and what a link leads to is scanned by naming it as a root. Hidden names, other
programs' shadow folders and the engine's own folders are passed over, and named in the listing, so that nobody takes
what lies in them for gone. What cannot be listed is a refusal, never a stop.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import xxhash

from engine.library.companions import may_be_companion
from engine.library.formats import EXTENSIONS, extension
from engine.library.manifest import SUFFIX as MANIFEST_SUFFIX
from engine.library.model import RefusalCode
from engine.library.source import explained, is_utf8, kind_of

# Folders in which other programs keep shadows of images (Synology, macOS archives, Windows' bin).
SHADOWS = frozenset({"@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"})
# The usual spellings of endings, looked up without making a string lower case first.
_ENDINGS = frozenset(spelled for each in EXTENSIONS for spelled in (f".{each}", f".{each.upper()}"))
_SHORT = frozenset(each for each in _ENDINGS if len(each) == 4)
_LONG = frozenset(each for each in _ENDINGS if len(each) == 5)
_CHECK_EVERY = 1024
_KIND = stat.S_IFMT(0xFFFFFFFF)  # the bits of a mode that say what kind of thing it is


@dataclass(slots=True)
class Listing:
    """One folder: its images, the names that may be companions, its manifests, what is refused without opening.

    images: names, in the order of the file system; numbers: for each of them size (bytes), then mtime (ns since 1970),
    int64. `is_whole` is False when the folder could not be listed: what is known of it must not be
    taken for gone. `passed_over` are the folders that the walk does not enter although they are there.
    `links` counts the links that were not followed; `vanished` are the paths that went away while we looked.
    """

    folder: str
    images: list[str] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    others: list[str] = field(default_factory=list)
    manifests: list[str] = field(default_factory=list)
    refused: list[tuple[str, RefusalCode, str]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    links: int = 0
    is_whole: bool = True

    @property
    def prefix(self) -> str:
        """What makes a path of a name."""
        return self.folder.rstrip("/") + "/"

    def fingerprint(self, rules: str) -> str:
        """A digest of all that a scan looks at, and of the `rules` that it would go by: while it stays the same,
        nothing in this folder needs looking at. (A file system that lists in another order only costs that look.)"""
        digest = xxhash.xxh3_128(self.numbers.tobytes())
        digest.update("\0".join([rules, *self.images, "", *self.others]).encode("utf-8"))
        return digest.hexdigest()


def walk(root: str, skip: frozenset[str], check: Callable[[], None]) -> Iterator[Listing]:
    """Every folder under `root` (absolute, no link), itself first, then its folders by name, depth first.

    `skip` are folders (absolute) to leave out. `check` is called often and may raise to stop.
    """
    waiting = [root]
    while waiting:
        listing = list_folder(waiting.pop(), skip, check)
        waiting.extend(sorted(listing.folders, reverse=True))
        yield listing


def list_folder(folder: str, skip: frozenset[str], check: Callable[[], None]) -> Listing:
    """One folder, not what is below it; see `walk`. Written for speed: it sees every file of every rescan."""
    listing = Listing(folder)
    add_image, add_number = listing.images.append, listing.numbers.append
    short, long, regular = _SHORT, _LONG, stat.S_IFREG
    try:
        with os.scandir(folder) as entries:
            while some := list(islice(entries, _CHECK_EVERY)):
                check()
                for entry in some:
                    name = entry.name
                    try:
                        if (name[-4:] in short or name[-5:] in long) and name[0] != "." and name.isascii():
                            state = entry.stat(follow_symlinks=False)
                            if state.st_mode & _KIND == regular:
                                add_image(name)
                                add_number(state.st_size)
                                add_number(state.st_mtime_ns)
                                continue
                        _sort_in(entry, listing, skip)
                    except FileNotFoundError:
                        listing.vanished.append(entry.path)
                    except OSError as error:
                        problem = explained(error)
                        listing.refused.append((entry.path, problem.code, problem.reason))
    except FileNotFoundError:
        return Listing(folder, vanished=[folder])  # the folder went away: so did what was in it
    except OSError as error:
        problem = explained(error)
        listing.refused.append((folder, problem.code, problem.reason.replace("this", "this folder", 1)))
        listing.is_whole = False
    return listing


def _sort_in(entry: os.DirEntry[str], listing: Listing, skip: frozenset[str]) -> None:
    """Put an entry where it belongs in the listing."""
    name = entry.name
    if name.startswith("."):
        if entry.is_dir(follow_symlinks=False):
            listing.passed_over.append(entry.path)
        return
    ending = extension(name)
    if entry.is_symlink():
        listing.links += 1
    elif entry.is_dir(follow_symlinks=False):
        if name in SHADOWS or entry.path in skip:
            listing.passed_over.append(entry.path)
        elif is_utf8(name):
            listing.folders.append(entry.path)
        else:
            listing.refused.append((entry.path, "not_utf8", "the folder's name is not valid UTF-8; rename it"))
    elif ending in EXTENSIONS:
        state = entry.stat(follow_symlinks=False)
        if not is_utf8(name):
            listing.refused.append((entry.path, "not_utf8", "the file's name is not valid UTF-8; rename it"))
        elif not entry.is_file(follow_symlinks=False):
            listing.refused.append((entry.path, "not_a_file", f"this is {kind_of(state.st_mode)}, not a file"))
        else:
            listing.images.append(name)
            listing.numbers.extend((state.st_size, state.st_mtime_ns))
    elif may_be_companion(ending) and entry.is_file(follow_symlinks=False) and is_utf8(name):
        if name.endswith(MANIFEST_SUFFIX):
            listing.manifests.append(entry.path)
        else:
            listing.others.append(name)
