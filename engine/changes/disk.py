"""Small, careful acts on a disk: every one reaches its folder component by component without following a symbolic
link, works by name within that open folder, never overwrites by accident, and flushes what it wrote. Relies on POSIX
(openat and friends); never decides what ought to happen: plan, apply and undo do.

Durability: a file's bytes are on disk once the file is flushed, and its *name* once its folder is. `flush_directory`
is therefore left to the caller, who flushes each folder once for many names.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.changes.model import ChangesRefused, Fingerprint, RefusalCode

_CHUNK = 1 << 20
_SEARCH = getattr(os, "O_PATH", os.O_RDONLY)  # walking through a folder needs no right to list it
_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL_FLUSH: int | None = getattr(fcntl, "F_FULLFSYNC", None)  # on macOS fsync stops at the drive's own cache
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def opened_directory(path: Path, *, to_flush: bool = False) -> Iterator[int]:
    """A descriptor of the folder `path`, reached from `/` through real folders only.

    Raises ChangesRefused (symlink, not-a-file) and FileNotFoundError. `to_flush`: one that may be fsynced.
    """
    last = len(path.parts) - 1
    descriptor = os.open("/", (os.O_RDONLY if to_flush and last == 0 else _SEARCH) | _FOLDER)
    try:
        for position, part in enumerate(path.parts[1:], start=1):
            access = os.O_RDONLY if to_flush and position == last else _SEARCH
            try:
                deeper = os.open(part, access | _FOLDER, dir_fd=descriptor)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise _no_folder(part, descriptor, Path(*path.parts[: position + 1])) from error
                raise
            os.close(descriptor)
            descriptor = deeper
        yield descriptor
    finally:
        os.close(descriptor)


def _no_folder(name: str, parent: int, path: Path) -> ChangesRefused:
    if stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
        return ChangesRefused.one(RefusalCode.SYMLINK, path, "is a symbolic link")
    return ChangesRefused.one(RefusalCode.NOT_A_FILE, path, "is not a folder")


def status(path: Path) -> os.stat_result | None:
    """What stands at `path` (a link itself, not what it points to), or None. Raises ChangesRefused."""
    try:
        with opened_directory(path.parent) as parent:
            return os.lstat(path.name, dir_fd=parent)
    except FileNotFoundError:
        return None


@contextmanager
def opened_file(path: Path) -> Iterator[int]:
    """A descriptor to read the regular file `path`. Raises ChangesRefused and FileNotFoundError."""
    with opened_directory(path.parent) as parent:
        try:
            # O_NONBLOCK: opening a named pipe must not wait for a writer before it is refused
            descriptor = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        except OSError as error:
            raise _unopened(error, path) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ChangesRefused.one(RefusalCode.NOT_A_FILE, path, "is not an ordinary file")
        yield descriptor
    finally:
        os.close(descriptor)


def _unopened(error: OSError, path: Path) -> OSError | ChangesRefused:
    if error.errno in (errno.ELOOP, errno.EMLINK):
        return ChangesRefused.one(RefusalCode.SYMLINK, path, "is a symbolic link")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ChangesRefused.one(RefusalCode.UNREADABLE, path, "may not be read")
    if error.errno == errno.ENXIO:
        return ChangesRefused.one(RefusalCode.NOT_A_FILE, path, "is not an ordinary file")
    return error


def chunks(descriptor: int) -> Iterator[bytes]:
    """The bytes from here to the end of an open file, a mebibyte at a time."""
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk


def fingerprint(path: Path) -> Fingerprint | None:
    """The regular file at `path`, read and hashed; None when nothing is there.

    Raises ChangesRefused for a symbolic link on the way or at the end, and for anything but a readable regular file.
    """
    try:
        with opened_file(path) as descriptor:
            digest = hashlib.sha256()
            for chunk in chunks(descriptor):
                digest.update(chunk)
            seen = os.fstat(descriptor)
    except FileNotFoundError:
        return None
    return Fingerprint(
        digest.hexdigest(), seen.st_size, stat.S_IMODE(seen.st_mode), seen.st_mtime_ns, seen.st_dev, seen.st_ino
    )


def is_still(path: Path, seen: Fingerprint) -> bool:
    """Whether `path` is the very file that was seen a moment ago, unwritten since by all signs but its bytes."""
    now = status(path)
    return now is not None and (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == (
        seen.device,
        seen.inode,
        seen.size,
        seen.mtime_ns,
    )


def is_writable(path: Path) -> bool:
    """Whether the file or folder `path` may be written: by its permission bits, whoever asks (to root, too, a file
    without any write bit is meant to stay), and by what the system says (owner, read-only volume, immutable file)."""
    with opened_directory(path.parent) as parent:
        has_write_bit = bool(os.lstat(path.name, dir_fd=parent).st_mode & 0o222) if path.name else True
        return has_write_bit and os.access(path.name or ".", os.W_OK, dir_fd=parent, effective_ids=True)


def read_bytes(path: Path) -> bytes:
    """The whole regular file. Raises ChangesRefused and FileNotFoundError."""
    with opened_file(path) as descriptor:
        return b"".join(chunks(descriptor))


def flush(descriptor: int) -> None:
    """Put what was written on the disk itself, through every cache."""
    if _FULL_FLUSH is not None:
        with contextlib.suppress(OSError):  # a network volume knows only fsync, below
            fcntl.fcntl(descriptor, _FULL_FLUSH)
            return
    os.fsync(descriptor)


def flush_directory(path: Path) -> None:
    """Make the names in `path` durable: those that appeared, and those that went."""
    with opened_directory(path, to_flush=True) as descriptor:
        try:
            flush(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some network volumes cannot flush a folder, and keep names by themselves
                raise


def flush_directories(paths: Iterable[Path]) -> None:
    """Each folder once; one that is gone again has nothing to flush."""
    for path in sorted(set(paths)):
        with contextlib.suppress(FileNotFoundError):
            flush_directory(path)


def write_new(path: Path, content: Iterable[bytes], *, private: bool = False) -> str:
    """Write a file that must not exist yet, flushed; returns the sha256 of what was written.

    `private`: with mode 0600, whatever the umask. Raises FileExistsError, OSError (a full disk).
    """
    with _opened_new(path, 0o600 if private else 0o666) as descriptor:
        sha256 = _write(descriptor, content)
        flush(descriptor)
    return sha256


def copy_new(source: Path, target: Path, *, as_new: Iterable[bytes] | None = None) -> str:
    """Copy a file to a name that must not exist yet, flushed: bytes, owner, mode, extended attributes, and both times.

    With `as_new` these bytes are written instead, and the times are now. Returns the sha256 of what was written.
    """
    with opened_file(source) as original, _opened_new(target, 0o600) as copy:
        sha256 = _write(copy, chunks(original) if as_new is None else as_new)
        _take_over(original, copy)
        if as_new is None:
            seen = os.fstat(original)
            os.utime(copy, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        flush(copy)
    return sha256


@contextmanager
def _opened_new(path: Path, mode: int) -> Iterator[int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with opened_directory(path.parent) as parent:
        descriptor = os.open(path.name, flags, mode, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in content:
        digest.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    return digest.hexdigest()


def _attributes(descriptor: int) -> list[str]:
    try:
        return os.listxattr(descriptor) if hasattr(os, "listxattr") else []
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOTSUP):
            raise
        return []


def _take_over(original: int, copy: int) -> None:
    seen = os.fstat(original)
    made = os.fstat(copy)
    if (seen.st_uid, seen.st_gid) != (made.st_uid, made.st_gid):
        with contextlib.suppress(PermissionError):  # only root gives files away; the copy is then simply ours
            os.fchown(copy, seen.st_uid, seen.st_gid)
    for name in _attributes(original):
        with contextlib.suppress(OSError):  # some namespaces are closed to us, and the target's volume may have none
            os.setxattr(copy, name, os.getxattr(original, name))
    os.fchmod(copy, stat.S_IMODE(seen.st_mode))  # last: changing the owner clears the set-id bits


def link(source: Path, target: Path) -> bool:
    """Give `source` the further name `target`; False when this volume knows no hard links (exFAT and its like).

    Raises ChangesRefused: exists, other-volume.
    """
    with opened_directory(source.parent) as from_folder, opened_directory(target.parent) as to_folder:
        try:
            os.link(source.name, target.name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
        except FileExistsError as error:
            raise ChangesRefused.one(RefusalCode.EXISTS, target, "has come into being meanwhile") from error
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise ChangesRefused.one(
                    RefusalCode.OTHER_VOLUME, target, f"is on another volume than {source}"
                ) from error
            if error.errno in _NO_HARD_LINKS:
                return False
            raise
    return True


def rename(source: Path, target: Path) -> None:
    """Rename, for volumes without hard links: a name that exists is refused, though only as of a moment before."""
    if status(target) is not None:
        raise ChangesRefused.one(RefusalCode.EXISTS, target, "has come into being meanwhile")
    replace(source, target)


def replace(source: Path, target: Path) -> None:
    """Rename over whatever stands at `target`, atomically. A symbolic link there would be replaced, not followed."""
    with opened_directory(source.parent) as from_folder, opened_directory(target.parent) as to_folder:
        os.replace(source.name, target.name, src_dir_fd=from_folder, dst_dir_fd=to_folder)


def place(source: Path, target: Path) -> None:
    """Rename without ever overwriting, and so that a crash in between leaves both names, never neither."""
    if link(source, target):
        unlink(source)
    else:
        rename(source, target)


def unlink(path: Path) -> None:
    """Remove a name; one that is gone already is as good."""
    with contextlib.suppress(FileNotFoundError), opened_directory(path.parent) as parent:
        os.unlink(path.name, dir_fd=parent)


def make_directory(path: Path) -> None:
    """Make one folder, durably; one that is there already is as good. Raises ChangesRefused for anything else there."""
    with opened_directory(path.parent) as parent, contextlib.suppress(FileExistsError):
        os.mkdir(path.name, dir_fd=parent)
    flush_directory(path.parent)
    with opened_directory(path):
        return


def remove_directory(path: Path) -> None:
    """Remove a folder if it is empty; one that others have put files into stays."""
    try:
        with opened_directory(path.parent) as parent:
            os.rmdir(path.name, dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise


def missing_directories(path: Path) -> list[Path]:
    """The folders that must be made before `path` is one, outermost first. Raises ChangesRefused: a link, a file."""
    missing: list[Path] = []
    while True:
        try:
            with opened_directory(path):
                return missing[::-1]
        except FileNotFoundError:
            missing.append(path)
            path = path.parent
