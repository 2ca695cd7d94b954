"""Keys that must be there: settings, registries, arguments, tables of what is allowed. Without them nothing can go on.

Told by the names of the container, the key and the function. Relies on LibCST alone.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data.key_defaults import only
from engine.repair.patterns.guarding.checks import within
from engine.repair.patterns.guarding.subscripts import constant
from engine.repair.patterns.source.edit import Module

_MUST = re.compile(
    r"(?:^|\.)(?:environ|modules|argv|kwargs|kw|globals\(\)|locals\(\)|vars\(.*\)|secrets|credentials|\w*registry|\w*_?handlers|"
    r"\w*factories|\w*plugins|\w*dispatch\w*|\w*commands|\w*backends|\w*converters|\w*parsers|\w*loaders|__dict__)\Z"
)
_SETTINGS = re.compile(r"(?i)(?:^|\.)_?(?:config|settings|conf|cfg|env|options)\Z")
_REQUIRED = re.compile(
    r"(?i)(?:secret|passw|token|api_?key|credential|dsn|database|db_|_url\Z|\Aurl\Z|\Ahost\Z|endpoint|license|bucket)"
)
_OPTIONAL = re.compile(
    r"(?:HOME|USER|USERNAME|LOGNAME|PATH|PYTHONPATH|DISPLAY|WAYLAND_DISPLAY|LANG|LANGUAGE|LC_\w+|TERM|COLORTERM|SHELL|EDITOR|"
    r"PAGER|BROWSER|TMP|TEMP|TMPDIR|TZ|XDG_\w+|APPDATA|LOCALAPPDATA|USERPROFILE|PROGRAMFILES|PROGRAMDATA|COLUMNS|LINES|"
    r"SSH_\w+|CI|VIRTUAL_ENV|CONDA_PREFIX|HOSTNAME|PWD|LD_LIBRARY_PATH|CUDA_VISIBLE_DEVICES|CUDA_HOME|LOCAL_RANK|RANK|"
    r"WORLD_SIZE|NO_COLOR|DEBUG|HTTPS?_PROXY|https?_proxy|no_proxy|SystemRoot|COMSPEC|MANPATH|NUMBER_OF_PROCESSORS)\Z"
)
_FRAMEWORK = re.compile(r"(?:django|rest_framework)\b|.*_django\b")
_VIEW = re.compile(r"(?:View|ViewSet|Mixin)\Z|(?:\A|\.)views?\.")
_LOOKUP = re.compile(r"(?:must_|require|strict|or_raise|validate|ensure)")


def must_be_there(module: Module, use: cst.Subscript, key: object) -> str | None:
    """Why a key that is not there goes on raising; None where it may be missing."""
    base = "".join(module.code(use.value).split())
    last = base.rpartition(".")[2]
    function = module.function(use)
    name = function.name.value if function else ""
    if name in ("__getitem__", "__missing__", "__delitem__", "__getattr__", "__contains__", "pop", "get_or_raise"):
        return f"{name} means the error: it is how Python asks"
    if _LOOKUP.search(name):
        return f"{name} is there to say what is missing"
    if _only_asks(module, use):
        return None
    of_view = base == "self.kwargs" and _is_view(module, use)  # parts of a page's address, which may be left out
    if _MUST.search(base) and not of_view and not (base.endswith("environ") and _is_usual(module, use, key)):
        return f"{base} must have the key: without it nothing here can go on"
    if re.fullmatch(r"_?[A-Z][A-Z0-9_]*", last):
        return f"{last} is a table of what is allowed: another key is the caller's error"
    if re.fullmatch(r"[A-Z]\w*", last):
        return f"{last} is a class: another name is the caller's error"
    if re.search(r"(?:^|\.)(?:request|req)\.(?!(?:headers|cookies|query|match_info|META|state|session)\Z)\w+\Z", base):
        return f"{base} is what a person sent: the framework tells them what is missing"
    if _SETTINGS.search(base.partition("[")[0]) and isinstance(key, str) and (key.isupper() or _REQUIRED.search(key)):
        return f"{base} must name {key}: a default would hide that it is missing"
    if _is_accessor(function):
        return None
    if isinstance(key, str) and re.search(r"(?i)secret|passw|token|api_?key|credential", key):
        return f"{key} must be given: a default would hide that it is missing"
    if isinstance(use.value, cst.Dict):
        return "a table written out here: another key is the caller's error"
    if _has_another(module, use, base):
        return None
    for one in module.tree.body:  # a table of functions, at the top of the file
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) else None
        if (isinstance(small, cst.Assign) and isinstance(small.value, cst.Dict)) and (
            module.code(small.targets[0].target) == base and isinstance(key, str) and constant(only(use)) is ...
        ):
            return f"{base} is a table of what is allowed: another key is the caller's error"
    return None


def _only_asks(module: Module, use: cst.Subscript) -> bool:
    """Whether a condition asks only whether there is anything under a key: `if loaders["val"] and step % 10 == 0`."""
    inner: cst.CSTNode = use
    around = module.parent(use)
    while isinstance(around, cst.BooleanOperation):
        inner, around = around, module.parent(around)
    is_alone = isinstance(module.parent(use), cst.BooleanOperation) or inner is use
    return is_alone and isinstance(around, cst.If | cst.While) and around.test is inner


def _has_another(module: Module, use: cst.Subscript, base: str) -> bool:
    """`if key in table[one]: ... else: table[usual][key]`: the code says itself where it looks otherwise."""
    around = next((one for one in module.ancestors(use) if isinstance(one, cst.If | cst.IfExp | cst.BaseSuite)), None)
    if not isinstance(around, cst.If | cst.IfExp) or around.orelse is None or not within(module, use, around.test):
        return False
    return f"{base}[" in module.code(around.orelse)


def _is_view(module: Module, use: cst.Subscript) -> bool:
    """Whether a class is one of a web framework's views, or built on one of the project's own that is called so."""
    around = module.nearest(use, cst.ClassDef)
    if around is None:
        return False
    names = [module.qualified(one.value) for one in around.bases if one.keyword is None]
    of_framework = any(_FRAMEWORK.match(one) for one in (*module.imported.values(), *names))
    return of_framework and any(_VIEW.search(one) for one in names)


def _is_accessor(function: cst.FunctionDef | None) -> bool:
    """Whether a property does nothing but read one key: whoever asks it has to see what it gives."""
    if function is None or [cst.Module([]).code_for_node(one.decorator) for one in function.decorators] != ["property"]:
        return False
    body = [one for one in function.body.body if not (isinstance(one, cst.SimpleStatementLine) and _is_text(one))]
    only_line = body[0] if len(body) == 1 else None
    return isinstance(only_line, cst.SimpleStatementLine) and isinstance(only_line.body[0], cst.Return)


def _is_text(line: cst.SimpleStatementLine) -> bool:
    only_part = line.body[0]
    return isinstance(only_part, cst.Expr) and isinstance(only_part.value, cst.SimpleString | cst.ConcatenatedString)


def _is_usual(module: Module, use: cst.Subscript, key: object) -> bool:
    """Whether a variable of the environment is one that a system sets or not, or is only asked for in a condition."""
    around = module.parent(use)
    if isinstance(around, cst.Comparison | cst.If | cst.While | cst.IfExp | cst.BooleanOperation | cst.UnaryOperation):
        return True
    return isinstance(key, str) and _OPTIONAL.match(key) is not None
