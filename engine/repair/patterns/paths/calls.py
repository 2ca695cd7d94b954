"""Calls that fail with FileNotFoundError: what they do to which path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.openings import keyword, opening
from engine.repair.patterns.source.syntax import last_name, text_of

Action = Literal["read", "list", "write", "within", "delete", "delete-tree", "mkdir", "move"]


@dataclass(frozen=True)
class PathCall:
    """One call and the path it needs; `target` is where a copy goes, `is_path` says that it is a Path for sure.

    `within` is a folder in which something new is made; `is_guess`: names alone tell what is done.
    """

    call: cst.Call
    action: Action
    path: cst.BaseExpression
    is_path: bool = False
    target: cst.BaseExpression | None = None
    is_guess: bool = False


FUNCTIONS: dict[str, Action] = {
    **{f"os.{name}": "list" for name in ("listdir", "scandir")},
    **{f"os.{name}": "read" for name in ("stat", "lstat", "chmod", "chown", "utime", "readlink", "open", "truncate")},
    **{f"os.path.{name}": "read" for name in ("getsize", "getmtime", "getctime", "getatime")},
    **{f"os.{name}": "delete" for name in ("remove", "unlink")},
    "shutil.rmtree": "delete-tree",
    "os.rmdir": "delete-tree",
    "os.mkdir": "mkdir",
    **{f"os.{name}": "move" for name in ("rename", "replace", "link")},
    **{f"shutil.{name}": "move" for name in ("copy", "copy2", "copyfile", "move", "copytree")},
    **{f"PIL.Image.{name}": "read" for name in ("open",)},
    **{
        f"pandas.read_{name}": "read"
        for name in ("csv", "json", "excel", "parquet", "pickle", "table", "fwf", "feather", "xml")
    },
    **{f"numpy.{name}": "read" for name in ("load", "loadtxt", "genfromtxt", "fromfile", "memmap")},
    **{f"numpy.{name}": "write" for name in ("save", "savez", "savez_compressed", "savetxt")},
    **dict.fromkeys(
        ("torch.load", "joblib.load", "zipfile.ZipFile", "tarfile.open", "wave.open", "rawpy.imread"), "read"
    ),
    **dict.fromkeys(
        ("xml.etree.ElementTree.parse", "imageio.imread", "imageio.v2.imread", "imageio.v3.imread"), "read"
    ),
    **dict.fromkeys(("skimage.io.imread", "matplotlib.pyplot.imread", "matplotlib.image.imread", "h5py.File"), "read"),
    **dict.fromkeys(
        ("xml.dom.minidom.parse", "soundfile.read", "safetensors.torch.load_file", "polars.read_csv"), "read"
    ),
    **dict.fromkeys(("matplotlib.pyplot.savefig", "imageio.imwrite", "skimage.io.imsave", "soundfile.write"), "write"),
    **dict.fromkeys(
        ("matplotlib.pyplot.imsave", "scipy.io.wavfile.write", "scipy.io.savemat", "shutil.chown"), "write"
    ),
    **dict.fromkeys(
        ("scipy.io.loadmat", "scipy.io.wavfile.read", "os.walk", "shutil.disk_usage", "os.statvfs"), "read"
    ),
    "logging.FileHandler": "write",
    **{f"logging.handlers.{name}Handler": "write" for name in ("RotatingFile", "TimedRotatingFile", "WatchedFile")},
}
SECOND: dict[str, Action] = dict.fromkeys(
    (
        *("torch.save", "joblib.dump", "safetensors.torch.save_file", "urllib.request.urlretrieve", "gdown.download"),
        *("wget.download", "os.symlink", "requests_download.download", "torch.hub.download_url_to_file"),
    ),
    "write",
)
WITHIN = frozenset(
    f"tempfile.{name}" for name in ("mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory")
)
METHODS: dict[str, Action] = {
    **dict.fromkeys(("read_text", "read_bytes", "stat", "lstat", "chmod"), "read"),
    "iterdir": "list",
    **dict.fromkeys(("write_text", "write_bytes", "touch", "symlink_to", "hardlink_to"), "write"),
    "unlink": "delete",
    "rmdir": "delete-tree",
    "mkdir": "mkdir",
    **dict.fromkeys(("rename", "replace"), "move"),
}
_ALONE = ("read_bytes", "stat", "lstat", "iterdir", "unlink", "rmdir")  # what a path does itself, given nothing
SAVERS = frozenset(
    (
        *("save", "savefig", "to_csv", "to_json", "to_excel", "to_parquet", "to_pickle", "to_html", "tofile", "imsave"),
        *("to_feather", "to_netcdf", "to_hdf", "to_file", "write_html", "write_image", "write_json", "write_csv"),
        *("write_parquet", "save_weights", "save_model", "dump_stats", "write_videofile", "saveas", "save_as"),
    )
)


def path_call(module: Module, call: cst.Call) -> PathCall | None:
    """What a call needs a path for; None where it is no call that is known to need one."""
    name = module.qualified(call.func)
    if any(arg.star for arg in call.args) or _is_elsewhere(call):
        return None
    opened = opening(module, call)
    if (
        opened is not None
        and opened.path is not None
        and opened.kind.name not in ("subprocess", "tempfile", "os.fdopen", "fileinput")
    ):
        if opened.kind.name == "io.TextIOWrapper" or opened.mode is None:
            return None
        is_path = opened.kind.name in ("Path.open", "read_text", "write_text")
        creates = any(sign in opened.mode for sign in "wax") and "r" not in opened.mode
        return PathCall(call, "write" if creates else "read", _bare(opened.path), is_path)
    first, second = _argument(call, 0), _argument(call, 1)
    if name in FUNCTIONS:
        action = FUNCTIONS[name]
        mode = text_of(second) if name in ("zipfile.ZipFile", "tarfile.open", "wave.open", "h5py.File") else None
        creates = name == "os.open" and second is not None and "O_CREAT" in module.code(second)
        if creates or (mode and mode[0] in "wax"):
            action = "write"
        if first is None:
            first = keyword(call, "path") or keyword(call, "filename") or keyword(call, "file")
        if first is None:
            return None
        return PathCall(call, action, _bare(first), target=_bare(second) if action == "move" and second else None)
    file = keyword(call, "filename") if name == "logging.basicConfig" else None
    if file is not None:
        return PathCall(call, "write", _bare(file))
    folder = keyword(call, "dir") if name in WITHIN else None
    if folder is not None:
        return PathCall(call, "within", _bare(folder))
    if name in SECOND:
        second = second or keyword(call, "filename") or keyword(call, "out") or keyword(call, "output")
    if name in SECOND and second is not None:
        return PathCall(call, "write", _bare(second))
    if not isinstance(call.func, cst.Attribute):
        return None
    own, method = call.func.value, call.func.attr.value
    if isinstance(own, cst.Name) and own.value in module.imported and not name.startswith("pathlib."):
        return None
    if method in METHODS:
        action = METHODS[method]
        if method in _ALONE and any(arg.keyword is None for arg in call.args):
            return None  # a path that is given to something else: another machine's, as a rule
        if action == "move":
            return (
                PathCall(call, action, own, True, _bare(first)) if first is not None and len(call.args) == 1 else None
            )
        return PathCall(call, action, own, True)
    if method in SAVERS and (first is not None or keyword(call, "path") is not None):
        return PathCall(call, "write", _bare(first or keyword(call, "path") or own))
    return None


_ELSEWHERE = re.compile(r"(?i)(?:\A|_)(?:s?ftp|ssh|scp|remote|s3|gcs|hdfs|webdav|smb|bucket|blob)(?:_|\Z|client)")
_PATH_LIKE = re.compile(
    r"(?i)(?:^|_)(?:path|file|filename|fname|filepath|dir|dirname|directory|folder|src|source)\d?\Z"
)
OF_PATHS = frozenset(  # these need nothing to be there
    (
        *("join", "basename", "dirname", "abspath", "exists", "Path", "str", "print", "format", "info", "debug"),
        *("makedirs", "mkdir", "walk", "glob", "iglob", "isfile", "isdir", "is_file", "splitext", "normpath", "append"),
        *("realpath", "expanduser", "expandvars", "warning", "error", "exception", "splitdrive", "relpath", "split"),
        *("connect", "bind", "chdir", "resolve", "with_suffix", "joinpath", "fspath", "fsencode", "fsdecode", "len"),
    )
)
_WRITING = re.compile(
    r"(?i)(?:^|_)(?:save|write|export|dump|store|download|retrieve|render|record|archive)|(?:Writer|Handler|Recorder)\Z"
    r"|\Ato_"
)
_GOAL = re.compile(
    r"(?i)(?:^|_)(?:out|output|dst|dest|destination|target|save|log|logfile|export|result|report)(?:_|\Z)"
)
_JOINING = ("os.path.join", "pathlib.Path")


def _is_elsewhere(call: cst.Call) -> bool:
    """Whether a file is asked for on another machine: whether there is one on this disk says nothing."""
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    return owner is not None and _ELSEWHERE.search(last_name(owner)) is not None


def path_like_call(module: Module, call: cst.Call) -> PathCall | None:
    """A call of what is not known that is given something called a path, or made as one; None for others."""
    name = last_name(call.func)
    if name in OF_PATHS or _is_elsewhere(call):
        return None
    for arg in call.args:
        given = last_name(arg.value)
        label = arg.keyword.value if arg.keyword is not None else ""
        if arg.star or not (_PATH_LIKE.search(given) or _PATH_LIKE.search(label) or _is_joined(module, arg.value)):
            continue
        if isinstance(arg.value, cst.SimpleString | cst.Integer | cst.List | cst.Dict) or given in ("None", "True"):
            continue
        is_write = name != "write" and (_WRITING.search(name) or _GOAL.search(label or given))  # an archive reads it
        return PathCall(call, "write" if is_write else "read", _bare(arg.value), is_guess=True)
    return None


def _is_joined(module: Module, given: cst.BaseExpression) -> bool:
    """`os.path.join(...)`, `Path(...)`, `folder / name`."""
    if isinstance(given, cst.BinaryOperation):
        return isinstance(given.operator, cst.Divide) and isinstance(given.right, cst.SimpleString)
    return isinstance(given, cst.Call) and module.qualified(given.func) in _JOINING


def _argument(call: cst.Call, index: int) -> cst.BaseExpression | None:
    plain = [arg for arg in call.args if arg.keyword is None]
    return plain[index].value if index < len(plain) else None


def _bare(path: cst.BaseExpression) -> cst.BaseExpression:
    """The path within `str(...)` and `os.fspath(...)`."""
    while isinstance(path, cst.Call) and last_name(path.func) in ("str", "fspath") and len(path.args) == 1:
        path = path.args[0].value
    return path
