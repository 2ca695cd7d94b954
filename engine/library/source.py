"""The one way in which a source file is opened: for reading, never through a link, never waiting on a pipe.

Relies on the operating system. Never opens anything for writing, and where the system permits it does not
even touch the time of last access.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from engine.library.model import RefusalCode

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_ATIME = getattr(os, "O_NOATIME", 0)


class UnreadableImage(Exception):
    """A file that cannot be taken in: `code` for programs, `reason` for people (what, and where possible why).
    `pixels` is how large the picture says it is, where memory was wanting for it; `frames` (see
    `engine.logs.errors.ErrorRecord`) tell where our own code failed over it, if it did."""

    def __init__(
        self, code: RefusalCode, reason: str, *, pixels: int = 0, frames: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(reason)
        self.code: RefusalCode = code
        self.reason = reason
        self.pixels = pixels
        self.frames = frames


def open_source(path: str | os.PathLike[str], *, follow_links: bool = True) -> tuple[BinaryIO, os.stat_result]:
    """The file opened for reading, and its state at that moment. Raises UnreadableImage.

    A file may be written to while it is read: the state is taken before, so that the next scan sees the change.
    """
    flags = _READ if follow_links else _READ | _NO_LINK
    try:
        descriptor = _open(path, flags)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise UnreadableImage("not_a_file", f"this is {kind_of(state.st_mode)}, not a file")
            return os.fdopen(descriptor, "rb"), state
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise explained(error) from error


def _open(path: str | os.PathLike[str], flags: int) -> int:
    try:
        return os.open(path, flags | _NO_ATIME)
    except PermissionError:
        if not _NO_ATIME:
            raise
        return os.open(path, flags)  # only the owner may ask for it


def explained(error: OSError) -> UnreadableImage:
    """An error of the operating system as a refusal."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableImage("vanished", "there is no such file, or no longer")
    if isinstance(error, PermissionError):
        return UnreadableImage("permission", "you are not permitted to read this (see its permissions)")
    if error.errno == errno.ELOOP:
        return UnreadableImage("not_a_file", "this is a link, not a file")
    return UnreadableImage("unreadable", f"the system cannot read this: {error.strerror or error}")


def state_of(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Size (bytes) and time of modification (ns) of a file, by which one sees whether it changed; None if gone."""
    try:
        state = Path(path).stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def kind_of(mode: int) -> str:
    """What a thing that is no file is, in words for a person."""
    for test, words in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISCHR, "a device"),
    ):
        if test(mode):
            return words
    return "something special"


def printable(path: str) -> str:
    """A path that can be shown and stored: bytes that are not valid UTF-8 are written as `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Whether a name from the file system is valid UTF-8."""
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
