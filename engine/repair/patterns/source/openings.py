"""Calls that open or read text: what they are, which mode they have, whether they name an encoding.

The positions of parameters are those of the standard library's documentation (3.11 to 3.14).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, own_parts, text_of, walk
from engine.repair.patterns.source.wording import LEVELS

Direction = Literal["read", "write", "both", "unknown"]


@dataclass(frozen=True)
class Kind:
    """Where a callable takes its mode and its encoding; None where it takes none, or by keyword alone."""

    name: str
    mode: int | None
    encoding: int | None
    default: str


@dataclass(frozen=True)
class Opening:
    """One call that opens text. `mode` is None where it is only known at run time."""

    call: cst.Call
    kind: Kind
    mode: str | None
    path: cst.BaseExpression | None

    @property
    def is_binary(self) -> bool:
        """Whether it surely gives bytes."""
        return self.mode is not None and "b" in self.mode

    @property
    def direction(self) -> Direction:
        """Whether it reads or writes."""
        if self.mode is None:
            return "unknown"
        if "+" in self.mode:
            return "both"
        return "write" if any(sign in self.mode for sign in "wax") else "read"


_OPEN = Kind("open", 1, 3, "r")
_RUN = Kind("subprocess", None, None, "r+")
CALLS: dict[str, Kind] = {
    "open": _OPEN,
    "io.open": _OPEN,
    "builtins.open": _OPEN,
    "codecs.open": Kind("codecs.open", 1, 2, "r"),
    "gzip.open": Kind("gzip.open", 1, 3, "rb"),
    "bz2.open": Kind("bz2.open", 1, 3, "rb"),
    "lzma.open": Kind("lzma.open", 1, None, "rb"),
    "os.fdopen": Kind("os.fdopen", 1, 3, "r"),
    "aiofiles.open": Kind("aiofiles.open", 1, 3, "r"),
    "anyio.open_file": Kind("anyio.open_file", 1, 3, "r"),
    "io.TextIOWrapper": Kind("io.TextIOWrapper", None, 1, "r+"),
    "tempfile.NamedTemporaryFile": Kind("tempfile", 0, 2, "w+b"),
    "tempfile.TemporaryFile": Kind("tempfile", 0, 2, "w+b"),
    "tempfile.SpooledTemporaryFile": Kind("tempfile", 1, 3, "w+b"),
    "logging.FileHandler": Kind("logging.FileHandler", 1, 2, "a"),
    "logging.handlers.WatchedFileHandler": Kind("logging.FileHandler", 1, 2, "a"),
    "logging.handlers.RotatingFileHandler": Kind("logging.FileHandler", 1, 4, "a"),
    "logging.handlers.TimedRotatingFileHandler": Kind("logging.FileHandler", None, 4, "a"),
    "logging.basicConfig": Kind("logging.basicConfig", None, None, "a"),
    "argparse.FileType": Kind("argparse.FileType", 0, 2, "r"),
    "numpy.loadtxt": Kind("numpy", None, None, "r"),
    "numpy.genfromtxt": Kind("numpy", None, None, "r"),
    "numpy.savetxt": Kind("numpy", None, None, "w"),
    "fileinput.input": Kind("fileinput", None, None, "r"),
    **{f"subprocess.{name}": _RUN for name in ("run", "Popen", "check_output", "check_call", "call")},
}
METHODS: dict[str, Kind] = {
    "read_text": Kind("read_text", None, 0, "r"),
    "write_text": Kind("write_text", None, 1, "w"),
    "open": Kind("Path.open", 0, 2, "r"),
}
BY_THE_WAY = ("logging.basicConfig", "argparse.FileType", "numpy")  # they open files, among other things
IN_BOTH = ("open", "codecs.open", "logging.FileHandler")  # Python 2 has them, or others that do the same
PARSERS = ("ConfigParser", "RawConfigParser", "SafeConfigParser")


def opening(module: Module, call: cst.Call) -> Opening | None:
    """What a call opens, if it is one that opens text or bytes by a name that is known."""
    name = module.qualified(call.func)
    kind = CALLS.get(name)
    if kind is not None and name == "open" and ("open" in module.imported or module.defines("open")):
        return None
    if kind is None and isinstance(call.func, cst.Attribute):
        first = name.partition(".")[0] if name else ""
        own = call.func.value
        is_module = isinstance(own, cst.Name) and own.value in module.imported and first not in ("pathlib",)
        kind = None if is_module else METHODS.get(last_name(call.func))
    if kind is None:
        return None
    if kind.name == "logging.basicConfig" and keyword(call, "filename") is None:
        return None
    mode = _mode(call, kind)
    if kind.name == "Path.open" and not _is_mode(mode, call):
        return None
    if kind is _RUN:
        mode = "r+" if _is_text(call) else "r+b"
    path = (
        call.func.value if isinstance(call.func, cst.Attribute) and kind in METHODS.values() else _positional(call, 0)
    )
    return Opening(call, kind, mode, path)


def keyword(call: cst.Call, name: str) -> cst.BaseExpression | None:
    """A keyword argument's value."""
    return next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == name), None)


def named_encoding(one: Opening) -> str | None:
    """The encoding that a call names; '*' where it cannot be known from the code; None where it names none."""
    if any(arg.star for arg in one.call.args):
        return "*"
    given = keyword(one.call, "encoding")
    if given is None and one.kind.encoding is not None:
        given = _positional(one.call, one.kind.encoding)
    if given is None or (isinstance(given, cst.Name) and given.value == "None"):
        return None
    return text_of(given) or "*"


def _positional(call: cst.Call, index: int) -> cst.BaseExpression | None:
    plain = [arg for arg in call.args if arg.keyword is None and not arg.star]
    return plain[index].value if index < len(plain) else None


def _mode(call: cst.Call, kind: Kind) -> str | None:
    given = keyword(call, "mode") if kind.mode is not None else None
    if given is None and kind.mode is not None:
        given = _positional(call, kind.mode)
    if given is None:
        return kind.default
    if isinstance(given, cst.IfExp):
        modes = [text_of(given.body), text_of(given.orelse)]
        if None not in modes and all("b" not in (one or "") for one in modes):
            return "".join(sorted(set("".join(one or "" for one in modes)) | {"+"}))
    return text_of(given)


def _is_mode(mode: str | None, call: cst.Call) -> bool:
    if mode is None:
        return False
    plain = [arg for arg in call.args if arg.keyword is None]
    return len(plain) <= 4 and bool(mode) and set(mode) <= set("rwaxbt+U")


def _is_text(call: cst.Call) -> bool:
    return any(
        isinstance(value := keyword(call, name), cst.Name) and value.value == "True"
        for name in ("text", "universal_newlines")
    ) or (keyword(call, "errors") is not None or keyword(call, "encoding") is not None)


def log_file(here: tuple[Module, cst.CSTNode]) -> Opening | None:
    """The log file that the same module opens, where the line that failed logs something."""
    module, statement = here
    calls = [node for part in own_parts(statement) for node in walk(part) if isinstance(node, cst.Call)]
    if not any(last_name(one.func) in LEVELS for one in calls):
        return None
    files = [one for call in module.nodes(cst.Call) if (one := opening(module, call)) is not None]
    files = [one for one in files if one.kind.name.startswith("logging.") and named_encoding(one) is None]
    return files[0] if len(files) == 1 else None


def argument_file(here: tuple[Module, cst.CSTNode], do: str) -> Opening | None:
    """The one file that argparse opens, where the line that failed reads an attribute of what it parsed."""
    module, statement = here
    if do != "decode" or not re.search(r"\bargs?\.\w|\bopts?\.\w|\boptions\.\w|\ba\.\w", module.code(statement)):
        return None
    files = [one for call in module.nodes(cst.Call) if (one := opening(module, call)) is not None]
    files = [one for one in files if one.kind.name == "argparse.FileType" and one.mode == "r"]
    return files[0] if len(files) == 1 and named_encoding(files[0]) is None else None
