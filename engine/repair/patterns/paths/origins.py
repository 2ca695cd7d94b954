"""Where a missing path comes from: whether whoever called named the file, or the code itself knows where it lies.

A file that somebody asked for by name must be there, or they are told. One that the code looks for at a place of its
own (a setting, a cache, a folder beside the program) may not be there yet, and the rest goes on without it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.paths.answers import FIRST_TIME, as_parameter, takes_parameter
from engine.repair.patterns.paths.guards import Site
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import bound_values, last_name, own_attribute, text_of, walk

_WRAPPING = frozenset(
    (
        *("str", "fspath", "fsdecode", "abspath", "expanduser", "expandvars", "realpath", "normpath", "Path"),
        *("resolve", "absolute", "with_suffix", "as_posix", "encode", "strip", "format", "joinpath", "join"),
    )
)
_OPTIONS = re.compile(r"(?i)_*(?:args?|opts?|options?|argv|ns|namespace|parsed|params?|flags|request|event)\Z")
_OWN_THINGS = re.compile(FIRST_TIME.pattern + r"|config|setting|prefs|preference|recent|cookie|bookmark|lock|pid|theme")
_DECORATION = re.compile(  # what a program can do without
    r"(?i)(?:\A|[^a-z])(?:icons?|favicons?|logos?|covers?|artworks?|posters?|banners?|thumb(?:nail)?s?|avatars?|themes?|styles?|locales?|translations?|i18n|lang(?:uage)?s?)"
    r"(?:[^a-z]|\Z)"
)
_STEPS = 8
BUILDING = ("__init__", "__new__", "__post_init__")


def is_asked(site: Site) -> bool:
    """Whether the file was named by whoever called: its last part comes from a parameter, or from a command line."""
    if _is_default(site) or is_decoration(site):
        return False
    return _is_asked(site.module, site.call.path, _STEPS)


def is_decoration(site: Site) -> bool:
    """Whether a file is something to look at, which a program can do without."""
    return _DECORATION.search(_place(site)) is not None


def _place(site: Site) -> str:
    """A path as it is written, with what its name is bound to."""
    module, path = site.module, site.call.path
    function = module.function(site.call.call)
    line = module.position(site.call.call).start.line
    bound = bound_values(module, function, path.value, line)[:1] if function and isinstance(path, cst.Name) else []
    return " ".join(module.code(one) for one in (path, *bound))


def _is_default(site: Site) -> bool:
    """Whether the path is what a parameter of the function has where nobody gives another."""
    function = site.module.function(site.call.call)
    parameter = as_parameter(site, function) if function is not None else None
    if function is None or parameter is None:
        return False
    for one in (*function.params.params, *function.params.kwonly_params):
        default = text_of(one.default) if one.name.value == parameter else None
        if default:
            return f"'{default}'" in site.trail.record.message
    return False


def _is_asked(module: Module, path: cst.BaseExpression, steps: int) -> bool:
    part = last_part(path)
    if steps == 0:
        return True
    if part is not path:
        return _is_asked(module, part, steps - 1)
    if text_of(part) is not None:
        return False
    if isinstance(part, cst.Name):
        return _is_asked_name(module, part, steps)
    if isinstance(part, cst.Attribute):
        return _is_asked_attribute(module, part)
    if isinstance(part, cst.FormattedString):
        return any(_is_asked(module, one.expression, steps - 1) for one in _last_fields(part))
    if isinstance(part, cst.Subscript):
        return _OPTIONS.match(last_name(part.value)) is not None or last_name(part.value) == "environ"
    if isinstance(part, cst.Call):
        if last_name(part.func) in ("input", "get", "getenv", "pop", "popleft"):
            return last_name(part.func) not in ("get", "getenv") or len(part.args) != 2  # it says where it lies else
        base = part.func.value if isinstance(part.func, cst.Attribute) else None
        return base is not None and _OPTIONS.match(last_name(base)) is not None
    return any(_is_asked(module, one, steps - 1) for one in walk(part) if isinstance(one, cst.Name) and one is not part)


def _is_asked_name(module: Module, name: cst.Name, steps: int) -> bool:
    function = module.function(name)
    if function is None:
        return False
    line = module.position(name).start.line
    bound = [one for one in bound_values(module, function, name.value, line) if isinstance(one, cst.BaseExpression)]
    if takes_parameter(function, name.value):
        return all(name.value in module.code(one) for one in bound) if bound else True
    if bound:
        around = module.parent(bound[0])
        if isinstance(around, cst.For):
            return True
        return _is_asked(module, bound[0], steps - 1)
    return False


def _is_asked_attribute(module: Module, part: cst.Attribute) -> bool:
    """`args.path`; and `self.path` that `__init__` was given, unless it is called a thing of the class's own."""
    if _OPTIONS.match(last_name(part.value)) or _is_parsed(module, part.value):
        return True
    around = module.nearest(part, cst.ClassDef)
    inside = module.function(part)
    if not own_attribute(part) or around is None or inside is None or inside.name.value not in BUILDING:
        return False  # it was named some time ago: it may be gone since, or not be there yet
    code = module.code(part)
    for one in module.nodes(cst.Assign, within=around):
        if any(module.code(each.target) == code for each in one.targets):
            function = module.function(one)
            given = last_part(one.value)
            while isinstance(given, cst.BooleanOperation):
                given = given.left
            if function is not None and isinstance(given, cst.Name) and takes_parameter(function, given.value):
                return _OWN_THINGS.search(f"{around.name.value} {code}") is None
    return False


def _is_parsed(module: Module, owner: cst.BaseExpression) -> bool:
    """Whether a name holds the options of a command line."""
    name = owner.value if isinstance(owner, cst.Name) else ""
    form = rf"(?m)^\s*{re.escape(name)}(?:, ?\w+)? = [\w.]+\.parse_(?:known_)?args\("
    return bool(name) and re.search(form, module.tree.code) is not None


def last_part(path: cst.BaseExpression) -> cst.BaseExpression:
    """The expression that names the file itself: `name` of `join(folder, name)`, `folder / name`, `Path(name)`."""
    if isinstance(path, cst.BinaryOperation):
        if isinstance(path.operator, cst.Divide):
            return path.right
        if isinstance(path.operator, cst.Add):
            text = text_of(path.right)
            return path.left if text is not None and text.startswith(".") else path.right
        return path
    if isinstance(path, cst.Call) and last_name(path.func) in _WRAPPING:
        plain = [arg.value for arg in path.args if arg.keyword is None and not arg.star]
        method = isinstance(path.func, cst.Attribute) and last_name(path.func) not in ("join", "joinpath", "Path")
        is_module = isinstance(path.func, cst.Attribute) and last_name(path.func.value) in ("os", "path", "pathlib")
        if method and not is_module and isinstance(path.func, cst.Attribute):
            return path.func.value
        return plain[-1] if plain else path
    return path


def _last_fields(text: cst.FormattedString) -> list[cst.FormattedStringExpression]:
    """The fields behind the last slash of an f-string."""
    found: list[cst.FormattedStringExpression] = []
    for one in reversed(text.parts):
        if isinstance(one, cst.FormattedStringText):
            if "/" in one.value or "\\" in one.value:
                break
        elif isinstance(one, cst.FormattedStringExpression):
            found.append(one)
    return found
