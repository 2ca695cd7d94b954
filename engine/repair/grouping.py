"""Which errors are the same fault: by type and place first, by what matters in the message second.

First level: the exception's type and the innermost frame inside the project, as module, function and normalised code
line, without line numbers, so that moved lines and renamed folders change nothing; recursion counts once. Second level:
the message's slots (see `slots`), unless the project raised it itself: then the line says it all. The recipe has a
version and every group's id carries it: groups made by an older recipe keep their ids, and go on counting what is
theirs by that recipe.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

from engine.repair.record import ErrorRecord, Frame
from engine.repair.slots import template

VERSION = 2
_FOREIGN = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|\.venv|venv|virtualenv|\.tox|\.nox|node_modules|__pypackages__)/"
    r"|(?:^|/)lib(?:64)?/python\d(?:\.\d+)?/|(?:^|/)Python\d+/[Ll]ib/|^<(?!stdin>|string>|ipython)|(?:^|/)_pytest/|\.pyx$"
)
_SPACES = re.compile(r"\s+")
_COMMENT = re.compile(r"\s+#[^'\"]*$")
_RAISES = re.compile(r"raise\b|assert\b")  # the project's own words: the line says what is wrong
_ALIASES = {"builtins.": "", "exceptions.": "", "__main__.": ""}


@dataclass(frozen=True, slots=True)
class Key:
    """What two records of one group have in common. `file` and `line` are those of one of them, for people."""

    type: str
    module: str
    function: str
    code: str
    slots: str
    version: int = VERSION

    @property
    def fingerprint(self) -> str:
        """`v2-` (the recipe) and 16 hexadecimal digits: equal for equal keys, on every machine."""
        return _fingerprint("\0".join((self.type, self.module, self.function, self.code, self.slots)), self.version)


def key(record: ErrorRecord, root: str | None = None) -> Key:
    """The group that a record belongs to. `root`: the project's folder, where frames outside it are not its own."""
    return key_at(record, own_frame(record.frames, root))


def key_at(record: ErrorRecord, frame: Frame | None, version: int = VERSION) -> Key:
    """The group of a record whose own frame is known, by the recipe of this version."""
    name = _type(record.type)
    if frame is None:
        return Key(name, "", "", "", template(name, record.message, version), version)
    is_raised_here = frame is record.frames[-1] and bool(_RAISES.match(frame.code))
    slots = "" if is_raised_here else template(name, record.message, version)
    return Key(name, _module(frame.file), _function(frame.function), normalised(frame.code), slots, version)


def own_frame(frames: Sequence[Frame], root: str | None = None) -> Frame | None:
    """The innermost frame inside the project; the innermost of all where none is; None without frames."""
    for frame in reversed(frames):
        if is_own(frame.file, root):
            return frame
    return frames[-1] if frames else None


@lru_cache(maxsize=8192)  # a log names the same few files over and over
def is_own(file: str, root: str | None = None) -> bool:
    """Whether a file of a traceback is the project's, not the standard library's or an installed package's."""
    path = file.replace("\\", "/")
    if not path or _FOREIGN.search(path):
        return False
    if root and path.startswith("/"):
        return path == root or path.startswith(root.rstrip("/") + "/")
    return True


@lru_cache(maxsize=8192)
def normalised(code: str) -> str:
    """A code line without its comment, its spacing and its indentation."""
    return _SPACES.sub(" ", _COMMENT.sub("", code)).strip()[:300]


@lru_cache(maxsize=8192)
def _fingerprint(text: str, version: int) -> str:
    return f"v{version}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@lru_cache(maxsize=8192)
def _module(file: str) -> str:
    """The file's own name, with its folder's where every package has such a file; nothing of the way to it."""
    path = PurePosixPath(file.replace("\\", "/"))
    if path.stem in ("__init__", "__main__"):
        return "/".join(path.parts[-2:]) if len(path.parts) > 1 else path.name
    return path.name


def _function(name: str) -> str:
    """A function's name without the classes around it, lambdas and comprehensions as they are."""
    return name.rpartition(".")[2] if not name.endswith(">") else name


def _type(name: str) -> str:
    for prefix, instead in _ALIASES.items():
        if name.startswith(prefix):
            return instead + name.removeprefix(prefix)
    return name
