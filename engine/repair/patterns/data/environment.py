"""What stands for a variable of the environment that a system does not set: what systems take it for without it."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.source.edit import Module

_TEXTS = {
    "EDITOR": "vi",
    "VISUAL": "vi",
    "PAGER": "less",
    "SHELL": "/bin/sh",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "1",
    "COLUMNS": "80",
    "LINES": "24",
    **dict.fromkeys(("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "TERM"), ""),
}
_CALLS = {
    **dict.fromkeys(("HOME", "USERPROFILE"), ("os", 'path.expanduser("~")')),
    **dict.fromkeys(("USER", "USERNAME", "LOGNAME"), ("getpass", "getuser()")),
    **dict.fromkeys(("TMP", "TEMP", "TMPDIR"), ("tempfile", "gettempdir()")),
    "PWD": ("os", "getcwd()"),
    "HOSTNAME": ("socket", "gethostname()"),
}


def usual(module: Module, use: cst.Subscript, key: object) -> str | None:
    """The default of `os.environ[key]`, as source; None where there is none, or where it is only asked for."""
    around = module.parent(use)
    owner = module.code(use.value)
    if owner not in ("os.environ", "environ") or not isinstance(key, str):
        return None
    if isinstance(around, cst.If | cst.While | cst.IfExp | cst.BooleanOperation | cst.UnaryOperation | cst.Comparison):
        return None
    if any(isinstance(one, cst.FormattedString) for one in module.ancestors(use)):
        return None
    if key in _TEXTS:
        return f"{module.quote}{_TEXTS[key]}{module.quote}"
    if key in _CALLS:
        name, call = _CALLS[key]
        return f"{module.name_of_import(name)}.{call.replace(chr(34), module.quote)}"
    return None
