"""What a loop gives where one of its rounds is left out: whether each other round's result stays what it is.

Not so where rounds are counted, added up or averaged, where one goes on from another, where results go by their place,
or where a part of the round's record is kept before it fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import dotted, last_name, walk

_QUEUES = ("get", "get_nowait", "recv", "receive", "input", "popleft", "pop", "next_job", "blpop", "lpop")
_MAKES = re.compile(r"(?:dict|list|tuple|str|dumps|format|join|basename|[A-Z]\w*)\Z")
_SAVES = re.compile(
    r"(?i)(?:^|[._])(?:save\w*|write\w*|imwrite|imsave|dump|export\w*|plot\w*|to_(?:csv|json|file|parquet)|print|tqdm|info|"
    r"warning|error|debug|update|copy|move|upload\w*|mkdir|makedirs)\Z"
)
_KEEPS = ("append", "extend", "add", "insert", "appendleft", "extendleft", "push", "setdefault")
_WRITES = ("write", "writelines", "writerow", "writerows")
_COUNTS = ("update", "increment", "incr", "inc", "record", "accumulate", "add_batch", "log_metric", "add_scalar")
_BAR = re.compile(r"(?i)(?:.*[._])?\w*(?:bar|tqdm|progress)\w*\Z")
_DICT = re.compile(r"(?:\{.*\}|(?:collections\.)?(?:dict|defaultdict|OrderedDict)\(.*\))\Z", re.S)
_LIST = re.compile(r"(?:\[\]|list\(\)|set\(\)|(?:collections\.)?deque\(\))\Z")
_AVERAGES = re.compile(
    r"\b(?:f?sum|nan(?:mean|median|sum)|mean|average|median|std|[vh]?stack|cat|concat|concatenate|zip)\("
)
_BY_PLACE = (
    r"\b(?:len|array|asarray|tensor|enumerate|write_videofile|mimsave|Series)\([^\n]*(?<![\w.]){name}\b|"
    r"(?<![\w.]){name}\[|\bDataFrame\(\s*\{{[^}}]*\b{name}\b"
)


def takes_its_job(loop: cst.While) -> bool:
    """Whether each round begins with the job that it takes from a queue, in the loop's test or its first line."""
    first = loop.body.body[0] if isinstance(loop.body, cst.IndentedBlock) and loop.body.body else None
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else None
    taken = [one.value for one in walk(loop.test) if isinstance(one, cst.NamedExpr)]
    if isinstance(small, cst.Assign):
        taken.append(small.value)
    return any(_is_taking(one.expression if isinstance(one, cst.Await) else one) for one in taken)


def _is_taking(value: cst.BaseExpression) -> bool:
    return (
        isinstance(value, cst.Call)
        and last_name(value.func) in _QUEUES
        and all(arg.keyword is not None and arg.keyword.value in ("timeout", "block") for arg in value.args)
    )


def keeps_its_meaning(module: Module, loop: cst.For | cst.While, failed: cst.CSTNode, own: set[str]) -> bool:
    """Whether the other rounds' results stay what they are, and the round is seen to do something with its own.

    `own`: the names that tell which item the round is of.
    """
    function = module.function(loop)
    scope: cst.CSTNode = function.body if function is not None else module.tree
    line = module.position(failed).start.line
    if (
        (isinstance(loop, cst.While) and _waits_for_more(module, loop, line))
        or _is_used_after(module, loop, scope, failed)
        or _goes_on_from_another(module, loop, failed)
    ):
        return False
    own = own - _bound_from(module, loop, line)
    kept: set[str] = set()
    does = False
    for one in walk(loop.body):
        is_before = module.position(one).start.line < line
        if isinstance(one, cst.Yield | cst.AugAssign | cst.Global | cst.Nonlocal):
            return False
        if isinstance(one, cst.Continue):
            does = True
        elif isinstance(one, cst.AssignTarget | cst.AnnAssign) and _has_parts(one.target):
            name = _filled(module, scope, one.target, own)
            if is_before or not name:
                return False
            kept.add(name)
            does = True
        elif isinstance(one, cst.Call):
            name = last_name(one.func)
            owner = module.code(one.func.value) if isinstance(one.func, cst.Attribute) else ""
            if name in _COUNTS and owner and not _BAR.match(owner):
                return False
            if owner and name in (*_KEEPS, *_WRITES):
                if not _is_of_the_round(module, loop, owner):
                    is_list = name in _WRITES or _is_only(module, scope, owner, _LIST)
                    if is_before or not is_list or not _tells(one, own):
                        return False
                    kept.add(owner)
                does = True
            elif not is_before and _SAVES.search(name):
                does = True
    return does and len(kept) <= 1 and not any(_goes_by_place(module, scope, loop, one) for one in kept)


def _has_parts(target: cst.CSTNode) -> bool:
    """Whether places or attributes are bound."""
    return any(isinstance(one, cst.Attribute | cst.Subscript) for one in walk(target))


def _filled(module: Module, scope: cst.CSTNode, target: cst.CSTNode, own: set[str]) -> str:
    """The dict that is given a value for its item; '' where it is no dict, or the key does not tell of the item."""
    if not isinstance(target, cst.Subscript) or not _is_only(module, scope, module.code(target.value), _DICT):
        return ""
    return module.code(target.value) if any(_names_of(one) & own for one in target.slice) else ""


def _waits_for_more(module: Module, loop: cst.While, line: int) -> bool:
    """Whether the loop ends, or its queue goes on, by what is done behind the line: a round left out might not end."""
    if any(
        isinstance(one, cst.Break | cst.Return) and module.position(one).start.line > line for one in walk(loop.body)
    ):
        return True
    asked = set(_names(module, loop.test)) - _bound_names(loop.test)
    calls = [one for part in (loop.test, loop.body.body[0]) for one in walk(part) if isinstance(one, cst.Call)]
    asked |= {dotted(one.func.value) for one in calls if isinstance(one.func, cst.Attribute)} - {""}
    return any(
        one == name or (one.startswith(f"{name}.") and not one.endswith(".task_done"))
        for one in _names(module, loop.body, line)
        for name in asked
    )


def _names(module: Module, node: cst.CSTNode, behind: int = 0) -> Iterator[str]:
    """The names and attributes in code, each in full; those behind a line."""
    for one in walk(node):
        if isinstance(one, cst.Name | cst.Attribute) and not isinstance(module.parent(one), cst.Attribute):
            name = dotted(one)
            if name and module.position(one).start.line > behind:
                yield name


def _bound_names(node: cst.CSTNode) -> set[str]:
    """The plain names that code binds."""
    targets = [one.target for one in walk(node) if isinstance(one, cst.AssignTarget | cst.NamedExpr | cst.AnnAssign)]
    return {
        one.value
        for target in targets
        if not isinstance(target, cst.Attribute | cst.Subscript)
        for one in walk(target)
        if isinstance(one, cst.Name)
    }


def _bound_from(module: Module, loop: cst.For | cst.While, line: int) -> set[str]:
    """The names that the statement that failed, and those behind it, bind."""
    return {
        name
        for one in module.nodes(cst.SimpleStatementLine, within=loop.body)
        if module.position(one).start.line >= line
        for name in _bound_names(one)
    }


def _is_used_after(module: Module, loop: cst.For | cst.While, scope: cst.CSTNode, failed: cst.CSTNode) -> bool:
    """Whether what the round binds from there on is read behind the loop: the last round's."""
    end = module.position(loop).end.line
    bound = _bound_from(module, loop, module.position(failed).start.line)
    return any(
        one.value in bound and module.position(one).start.line > end for one in module.nodes(cst.Name, within=scope)
    )


def _goes_on_from_another(module: Module, loop: cst.For | cst.While, failed: cst.CSTNode) -> bool:
    """Whether a name that the round binds is read in front of that, or elsewhere than in the branch that binds it."""
    first: dict[str, int] = {}
    for one in module.nodes(cst.SimpleStatementLine, within=loop.body):
        for name in _bound_names(one):
            first.setdefault(name, module.position(one).start.line)
    targets = {id(part) for one in walk(loop.body) if isinstance(one, cst.AssignTarget) for part in walk(one.target)}
    reads = [
        (one.value, module.position(one).start.line)
        for one in module.nodes(cst.Name, within=loop)
        if id(one) not in targets
        and not (isinstance(around := module.parent(one), cst.Attribute) and around.attr is one)
        and not (isinstance(around, cst.Arg) and around.keyword is one)
    ]
    own = _bound_names(loop.test) if isinstance(loop, cst.While) else _names_of(loop.target)
    if any(line <= first.get(name, -1) for name, line in reads if name not in own):
        return True
    bound = _bound_names(failed)
    for around in module.ancestors(failed):
        if around is loop:
            break
        if isinstance(around, cst.If):
            end = module.position(around).end.line
            if any(name in bound and line > end for name, line in reads):
                return True
    return False


def _names_of(node: cst.CSTNode) -> set[str]:
    return {one.value for one in walk(node) if isinstance(one, cst.Name)}


def _is_only(module: Module, scope: cst.CSTNode, name: str, begun: re.Pattern[str]) -> bool:
    """Whether a name is begun as such a container, and as nothing else."""
    values = [
        module.code(value)
        for one in module.nodes(cst.Assign, within=scope)
        for value in [one.value]
        if any(module.code(each.target) == name for each in one.targets)
    ]
    return name.isidentifier() and bool(values) and all(begun.match(one) for one in values)


def _is_of_the_round(module: Module, loop: cst.For | cst.While, owner: str) -> bool:
    """Whether a list or a file is begun in the round itself."""
    opened = {name for one in module.nodes(cst.AsName, within=loop.body) for name in _names_of(one.name)}
    return owner in opened or _is_only(module, loop.body, owner, _LIST)


def _tells(call: cst.Call, own: set[str]) -> bool:
    """Whether what is kept says of which item it is."""
    return any(one in own for arg in call.args for one in _laid_out(arg.value))


def _laid_out(node: cst.CSTNode) -> Iterator[str]:
    """The names that a record is made of as they are: what a model gives of an item does not tell which it was."""
    if isinstance(node, cst.Name):
        yield node.value
    elif not isinstance(node, cst.Call) or _MAKES.match(last_name(node.func)):
        for child in node.children:
            yield from _laid_out(child)


def _goes_by_place(module: Module, scope: cst.CSTNode, loop: cst.For | cst.While, name: str) -> bool:
    """Whether what is kept is counted, averaged (as wherever something is divided), or told by its place."""
    end = module.position(loop).end.line
    if any(module.position(one).start.line > end for one in module.nodes(cst.Divide, within=scope)):
        return True
    code = "\n".join(module.lines[end : module.position(scope).end.line])
    if _AVERAGES.search(code):
        return True
    found = _BY_PLACE.format(name=re.escape(name))
    return bool(re.search(found, re.sub(r"\(\s*\n\s*", "(", code)))
