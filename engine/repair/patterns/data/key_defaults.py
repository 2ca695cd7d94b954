"""The default for a key that is not there, where the code around it handles one."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import record_parts
from engine.repair.patterns.guarding import checks, for_nothing, guards, result_uses, stand_ins
from engine.repair.patterns.guarding.lasting import adds_text, lasts
from engine.repair.patterns.guarding.statement_kinds import is_only_shown
from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import last_name

LISTS = ("append", "extend", "insert")
_TEXT = (
    "strip",
    "lower",
    "upper",
    "title",
    "split",
    "replace",
    "startswith",
    "endswith",
    "lstrip",
    "rstrip",
    "encode",
    "splitlines",
    "partition",
    "rpartition",
    "casefold",
)
_OF_DICT = ("items", "keys", "values", "get")
_COLLECTING = (
    "len",
    "sorted",
    "list",
    "tuple",
    "set",
    "enumerate",
    "any",
    "all",
    "sum",
    "reversed",
    "map",
    "filter",
    "zip",
)

_SAYING = ("print", "debug", "info", "warning", "error", "log", "echo", "write")
_TABLE = re.compile(
    r"(?i)(?:^|_)(?:headers|params|options|attrs|attributes|kwargs|properties|settings|env|environment)\Z"
)
_SEVERAL = re.compile(r"(?:[A-Za-z]{2,}(?<!s)(?<!u)(?<!i)s|(?i:list|items|children))\Z")
_PLAIN_CALLS = (
    r"(?:print|open|Path|join|loads?|dumps?|set|add|append|remove|pop|get|format|write|replace|str|bytes|len)"
)
_TEXTS = re.compile(r"(?:^|\.)(?:req|request|self)\.(?:headers|cookies|query|match_info|META|path_params)\Z")
_COUNTS = re.compile(
    r"(?i)(?:^|_)(?:n|num|number|counts?|counters?|totals?|frequenc(?:y|ies)|freqs?|usage|hits|tally)(?:_|\Z)"
)
_BEGUN = re.compile(r"(?:\A|_)(?:step|epoch|iteration|iter|count|counter|offset|retries|attempts)\Z")  # at nothing
_MOMENT = re.compile(r"(?i)(?:^|_)(?:time|timestamp|ts|date|datetime|at|since|start|started|began|epoch|[acm]time)$")


_RUNNING = ("run", "Popen", "call", "check_call", "check_output", "create_subprocess_exec")


def only(use: cst.Subscript) -> cst.BaseExpression:
    index = index_of(use)
    if index is None:
        raise NotEditable("the code is set out as nobody would expect")
    return index


def takes_none(module: Module, use: cst.BaseExpression) -> bool:
    around = module.parent(use)
    if isinstance(around, cst.DictElement | cst.Return | cst.If | cst.BooleanOperation | cst.UnaryOperation):
        return True
    if isinstance(around, cst.Arg):
        return around.keyword is not None
    return isinstance(around, cst.Assign) and is_only_shown(module, around)


def default_for(case: Case, module: Module, use: cst.BaseExpression, key: object) -> tuple[str, bool] | None:
    """What `.get` should give where what follows handles it ('' for None), and whether the code says so itself."""
    whole = _through_cast(module, use)
    if whole is not use:
        return default_for(case, module, whole, key)
    around = module.parent(use)
    if isinstance(use, cst.Subscript) and is_frame(module, use.value):
        return None
    words = str(key) if isinstance(key, str) else ""
    if _MOMENT.search(words) and isinstance(around, cst.BinaryOperation | cst.AugAssign):
        return None  # nothing is no moment: a span from then on would be of decades
    if isinstance(around, cst.For | cst.CompFor):
        return "[]", False
    if isinstance(around, cst.Attribute):
        name = around.attr.value
        return ("{}", False) if name in _OF_DICT else ('""', False) if name in _TEXT else None
    if isinstance(around, cst.BinaryOperation):
        other = around.right if around.left is use else around.left
        if isinstance(around.operator, cst.Add) and adds_text(module, around):
            return '""', False
        if isinstance(around.operator, cst.Add) and isinstance(other, cst.List):
            return "[]", False
        if isinstance(around.operator, cst.Modulo) and isinstance(other, cst.SimpleString):
            return '""', False
        if (
            isinstance(around.operator, cst.Subtract)
            or isinstance(other, cst.Integer | cst.Float)
            or for_nothing.NUMBER.search(words)
        ):
            divides = isinstance(around.operator, cst.Divide | cst.FloorDivide | cst.Modulo) and around.right is use
            return None if divides else ("0", False)
        return ("0", False) if isinstance(around.operator, cst.Multiply) else None
    if isinstance(around, cst.AugAssign):
        return ("0", False) if isinstance(around.operator, cst.AddAssign | cst.SubtractAssign) else None
    if isinstance(around, cst.FormattedStringExpression):
        if around.format_spec and re.search(r"[fFeEgG%]\}\Z", module.code(around)) and not _MOMENT.search(words):
            mark = "'" if _outer_quote(module, use) == '"' else '"'
            return f"float({mark}nan{mark})", False
        return None if around.format_spec else ("''" if _outer_quote(module, use) == '"' else '""', False)
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.UnaryOperation | cst.BooleanOperation | cst.IfExp):
        return "", False
    if isinstance(around, cst.Comparison) and around.left is use and len(around.comparisons) == 1:
        target = around.comparisons[0]
        if isinstance(target.operator, cst.Equal | cst.NotEqual | cst.Is | cst.IsNot):
            return "", False
        return None
    if isinstance(around, cst.ComparisonTarget) and isinstance(around.operator, cst.In | cst.NotIn):
        return "()", False
    if isinstance(around, cst.Lambda):
        arg = module.parent(around)
        call = module.parent(arg) if isinstance(arg, cst.Arg) else None
        is_most = isinstance(call, cst.Call) and module.code(call.func) in ("max", "min")
        return "0" if is_most or for_nothing.NUMBER.search(words) else '""', False
    if isinstance(around, cst.DictElement) and around.value is use:
        return ("0" if _is_count(module, use, around) else ""), False
    if isinstance(around, cst.Arg):
        return None if _is_asserted(module, use) else as_argument(module, around, words)
    if isinstance(around, cst.BaseComp):
        arg = module.parent(around)
        call = module.parent(arg) if isinstance(arg, cst.Arg) else None
        if isinstance(call, cst.Call) and module.code(call.func) in ("sum", "math.fsum", "fsum"):
            return "0", False
        if isinstance(call, cst.Call) and module.code(call.func) == "zip":
            return "", False  # one left out would put all that follow beside the wrong partner
        return None
    if isinstance(around, cst.Return):
        function = module.function(use)
        if function is None:
            return None
        value = for_nothing.given_for_nothing(case, module, function, "None")
        needed = result_uses.needed(case, module, function) if value.strength == "guessed" else None
        if needed is not None:
            return (needed, False) if needed else None
        return ("" if value.code == "None" else value.code), value.strength == "told"
    if isinstance(around, cst.Assign) and _is_of_texts(module, use):
        return module.quote * 2, False
    if isinstance(around, cst.Element) and _is_handed_on(module, around):
        return "", False
    if isinstance(around, cst.Element) and _is_walked_display(module, around):
        return module.quote * 2 if not for_nothing.NUMBER.search(words) else "", False
    if isinstance(around, cst.Assign) and _BEGUN.search(words) and lasts(module, use, "0"):
        return "0", False
    if isinstance(around, cst.Assign) and is_put_into_words(module, around):
        return module.quote * 2, False
    if isinstance(around, cst.Assign):
        return ("", False) if is_only_shown(module, around) else _by_later_reads(case, module, around)
    return None


def is_put_into_words(module: Module, change: cst.Assign) -> bool:
    """Whether the name that is bound here is read in texts for people alone, `f"{make} {model}"`, and in no address."""
    reads = stand_ins.later_reads(module, change) if isinstance(change.targets[0].target, cst.Name) else None
    for one in reads or ():
        part = module.parent(one)
        whole = module.parent(part) if isinstance(part, cst.FormattedStringExpression) else None
        if not isinstance(part, cst.FormattedStringExpression) or part.format_spec is not None or whole is None:
            return False
        if re.search(r"[/\\=&?]|_\{|\}_", module.code(whole)):
            return False
        arg = module.parent(whole)
        call = module.parent(arg) if isinstance(arg, cst.Arg) else None
        if not isinstance(arg, cst.Return) and last_name(getattr(call, "func", cst.Name("_"))) not in _SAYING:
            return False
    return bool(reads)


def _is_count(module: Module, use: cst.BaseExpression, part: cst.DictElement) -> bool:
    """Whether what is read is how often something was counted: a table of counts, by its name, and a part that is
    named so; what was never seen was counted no times."""
    if not isinstance(use, cst.Subscript) or isinstance(constant(only(use)), str):
        return False
    return any(_COUNTS.search(one) for one in (last_name(use.value), module.code(part.key).strip("'\"")))


def _is_of_texts(module: Module, use: cst.BaseExpression) -> bool:
    """Whether what is read holds nothing but texts: the parts of what a person's browser sent."""
    owner = use.value if isinstance(use, cst.Subscript) else None
    return owner is not None and bool(_TEXTS.search(module.code(owner)))


def _is_handed_on(module: Module, element: cst.Element) -> bool:
    """`a, b = data["a"], data["b"]`, where all that is done with the name is that calls get it by keyword."""
    display = module.parent(element)
    change = module.parent(display) if isinstance(display, cst.Tuple) else None
    target = change.targets[0].target if isinstance(change, cst.Assign) and len(change.targets) == 1 else None
    function = module.function(element)
    if not isinstance(target, cst.Tuple) or not isinstance(display, cst.Tuple) or function is None:
        return False
    if len(target.elements) != len(display.elements):
        return False
    name = module.code(target.elements[list(display.elements).index(element)].value)
    line = module.position(display).end.line
    reads = [
        one
        for one in module.nodes(cst.Name, within=function.body)
        if one.value == name and module.position(one).start.line > line and stand_ins.is_read(module, one)
    ]
    return bool(reads) and all(stand_ins.is_shown(module, one) for one in reads)


def _is_walked_display(module: Module, around: cst.Element) -> bool:
    """`for part in [data["a"], data["b"]]`"""
    display = module.parent(around)
    loop = module.parent(display) if isinstance(display, cst.List | cst.Tuple) else None
    return isinstance(loop, cst.For | cst.CompFor) and loop.iter is display


def _words_beside(module: Module, use: cst.Subscript) -> list[cst.Subscript]:
    """What the block reads from the same thing, each for a name of its own, and only puts into words as well."""
    line = module.nearest(use, cst.SimpleStatementLine)
    block = module.parent(line) if line is not None else None
    found: list[cst.Subscript] = []
    for one in block.body if isinstance(block, cst.IndentedBlock) else ():
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        value = small.value if isinstance(small, cst.Assign) else None
        if not isinstance(value, cst.Subscript) or not isinstance(small, cst.Assign) or value is use:
            continue
        if module.code(value.value) == module.code(use.value) and isinstance(constant(only(value)), str):
            found += [value] if is_put_into_words(module, small) else []
    return found


def alike(module: Module, use: cst.Subscript) -> list[cst.Subscript]:
    """Other words that are read from the same thing for the same purpose: beside it in a display that is walked, or
    in a `zip`. Where one is missing, the others may be just so."""
    around = module.parent(use)
    if isinstance(around, cst.Assign) and is_put_into_words(module, around):
        return _words_beside(module, use)
    holder = module.parent(around) if isinstance(around, cst.Element | cst.Arg) else None
    if isinstance(holder, cst.Call):
        parts = [one.value for one in holder.args] if module.code(holder.func) in ("zip", "zip_longest") else []
    elif isinstance(around, cst.Element) and _is_walked_display(module, around):
        parts = [one.value for one in holder.elements] if isinstance(holder, cst.List | cst.Tuple) else []
    else:
        parts = []
    base = module.code(use.value)
    found = [one for one in parts if isinstance(one, cst.Subscript) and one is not use]
    return [one for one in found if module.code(one.value) == base and isinstance(constant(only(one)), str)]


def _is_looked_for(module: Module, one: cst.Name) -> bool:
    """`if style.get("align"): use(style["align"])`"""
    around = module.parent(one)
    index = index_of(around) if isinstance(around, cst.Subscript) else None
    if index is None:
        return False
    key = module.code(index)
    return any(checks.is_guarded(module, one, test) for test in (f"{one.value}.get({key})", f"{key} in {one.value}"))


def _through_cast(module: Module, use: cst.BaseExpression) -> cst.BaseExpression:
    """`cast(list, data["rows"])`, which is what stands in it."""
    around = module.parent(use)
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    is_cast = isinstance(call, cst.Call) and module.code(call.func) in ("cast", "typing.cast", "t.cast")
    return call if is_cast and isinstance(call, cst.Call) and call.args[-1] is around else use


def _is_asserted(module: Module, use: cst.CSTNode) -> bool:
    """Whether an assertion follows on what comes of a value: a stand-in would not pass it."""
    line = module.nearest(use, cst.SimpleStatementLine)
    block = module.parent(line) if line is not None else None
    if (
        line is None
        or not isinstance(line.body[0], cst.Assign)
        or not isinstance(block, cst.IndentedBlock | cst.Module)
    ):
        return False
    names = {one.value for target in line.body[0].targets for one in module.nodes(cst.Name, within=target)}
    later = list(block.body)[list(block.body).index(line) + 1 :]
    found = [one for statement in later for one in module.nodes(cst.Assert, within=statement)]
    return any(one.value in names for check in found for one in module.nodes(cst.Name, within=check.test))


def _by_later_reads(case: Case, module: Module, change: cst.Assign) -> tuple[str, bool] | None:
    """The empty value that everything later can use, where a function does not say what it gives for nothing."""
    function = module.function(change)
    reads = stand_ins.later_reads(module, change)
    if not reads or function is None or guards.loop_around(module, change) is not None:
        return None
    told = [one for one in reads if not stand_ins.is_shown(module, one) and not _is_looked_for(module, one)]
    told = [one for one in told if not checks.is_guarded(module, one, one.value)]
    if for_nothing.given_for_nothing(case, module, function, "None").strength == "told" or not told:
        return None
    given = [one for one in told if isinstance(module.parent(one), cst.Arg) and not stand_ins.is_walked(module, one)]
    empty = stand_ins.empty_for(module, [one for one in told if one not in given])
    if given and empty != "{}":
        return None  # what is called with it may need more than that it is empty
    return (empty, False) if empty is not None else None


def as_argument(module: Module, around: cst.Arg, words: str) -> tuple[str, bool] | None:
    """The default of what is given to a call: what the call takes, or else what the key says that it holds."""
    call = module.parent(around)
    if not isinstance(call, cst.Call):
        return None
    name = module.code(call.func)
    if name.endswith((".get", ".pop", "getattr")) and around is call.args[-1] and len(call.args) > 1:
        return "", False  # what is given for nothing itself
    if name in ("max", "min"):
        return None  # of nothing there is no largest
    if name in _COLLECTING:
        return "[]", False
    if name in ("int", "float", "abs", "round", "Decimal"):
        return "0", False
    if name.endswith(".join"):
        return "[]", False
    if around.keyword is not None and around.keyword.value == "args" and last_name(call.func) in _RUNNING:
        return None  # of nothing there is no program
    part = record_parts.default_of(module, around, call)
    if part is not None:
        return part, False
    if around.keyword is not None and (len(call.args) > 1 or name != "dict"):
        return "", False
    if _is_part_of_record(module, around, call):
        return "", False
    if name == "dict" or re.search(rf"(?:^|[._]){_PLAIN_CALLS}\Z", name):
        return None
    return ("{}", False) if _TABLE.search(words) else ("[]", False) if _SEVERAL.search(words) else None


def _is_part_of_record(module: Module, arg: cst.Arg, call: cst.Call) -> bool:
    """`add(entry["title"], entry["icon"], entry["action"])`: one of three parts or more of the same data."""
    owner = module.code(arg.value.value) if isinstance(arg.value, cst.Subscript) else ""
    same = [one.value for one in call.args if isinstance(one.value, cst.Subscript)]
    same = [one for one in same if module.code(one.value) == owner and isinstance(constant(only(one)), str)]
    return bool(owner) and not arg.star and len(same) > 2 and isinstance(module.parent(call), cst.Expr)


def is_frame(module: Module, base: cst.BaseExpression) -> bool:
    """Whether what is read from is a table of a library, whose columns have no default: `pd.read_csv(...)`."""
    value = bound_to(module, base) if isinstance(base, cst.Name) else None
    made = value.func if isinstance(value, cst.Call) else None
    while isinstance(made, cst.Attribute):
        made = made.value
    return made is not None and module.imported.get(module.code(made), "").partition(".")[0] in ("pandas", "polars")


def held(module: Module, use: cst.Subscript) -> str | None:
    """What a table is to hold under a key, where all that is done with the name it gets is that something is put into
    it: `track = tracks[id]`, `track.append(box)`. None for anything else."""
    change = module.parent(use)
    reads = stand_ins.later_reads(module, change) if isinstance(change, cst.Assign) else None
    if not reads or isinstance(constant(only(use)), str) or not guards.is_repeatable(module.code(use)):
        return None
    owner = use.value
    made = bound_to(module, owner) if isinstance(owner, cst.Name) else None
    if not module.code(owner).startswith("self.") and not isinstance(made, cst.Dict):
        return None  # what a caller has put together is as the caller wants it
    names = []
    for one in reads:
        method = module.parent(one)
        if not isinstance(method, cst.Attribute) or not isinstance(
            module.parent(module.parent(method) or method), cst.Expr
        ):
            return None
        names.append(method.attr.value)
    kinds = {"append": "[]", "extend": "[]", "add": "set()"}
    empty = {kinds.get(one) for one in names}
    return empty.pop() if len(empty) == 1 else None


def _outer_quote(module: Module, use: cst.CSTNode) -> str:
    outer = next((one for one in module.ancestors(use) if isinstance(one, cst.FormattedString)), None)
    return outer.end[-1] if outer is not None else '"'
