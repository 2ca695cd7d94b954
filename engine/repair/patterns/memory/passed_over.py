"""A round of a loop over jobs, samples or pages that does not fit into memory is passed over, and the next one begun.

For what is one item already. Only where the round's result goes into a record or a file of its own: where results are
told apart by their place alone, leaving one out would give each of the others the wrong one.

    for path in paths:                          for path in paths:
        mask = model(load(path))                    try:
        mask.save(path + ".png")        ->              mask = model(load(path))
                                                    except Exception as error:
                                                        if not _is_out_of_memory(error):
                                                            raise
                                                        print(f"Skipping what does not fit ...: {path}")
                                                        continue
                                                    mask.save(path + ".png")
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_body, with_helpers
from engine.repair.patterns.memory.left_out import keeps_its_meaning, takes_its_job
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, walk

_NO_ITEMS = re.compile(  # rounds over these do the same work anew: without one of them the rest says something else
    r"(?i)(?:^|_)(?:models?|nets?|networks?|runners?|layers?|blocks?|epochs?|steps?|folds?|configs?|cfg|settings?|options?|"
    r"scales?|angles?|rotations?|flips?|transforms?|augs?|views?|crops?|sizes?|thresholds?|channels?|windows?|slices?|"
    r"parts?|segments?|heads?|stages?|levels?|passes|rounds?|tiles?|patch(?:es)?|chunks?|frames?|tokens?|attempts?|tries|devices?|gpus?|seeds?|timesteps?|sigmas?|t|iteration|batch(?:es)?)\Z"
)
_TAKES = re.compile(r"\b(?:get|get_nowait|recv|receive|input|popleft|pop|next_job|blpop|lpop)\(")
_OWED = re.compile(
    r"\.(?:task_done|set_result|release|put|put_nowait|respond\w*|reply\w*|n?ack|commit|send\w*|publish\w*|complete\w*|"
    r"finish\w*|delete\w*|remove|succeed)\("
)
_DONE = re.compile(r"[\w.]+\.task_done\(\)")
_SHORT = re.compile(r"(?i)(?:.*_)?(?:\w*(?:name|path|file|title|url|key|uid|uuid)|id|idx|index|i|n|no|count|number)\Z")
_LISTED = re.compile(r"(?i)(?:files?|paths?|names|urls|ids|prompts|texts|titles|keys)\b|\b(?:listdir|i?glob|iterdir)\(")
_NAMES = re.compile(r"(?i)\w*(?:name|path|file|title|url|id)\Z")
_SAID = "Skipping what does not fit into memory"


def pass_over(site: Site, statement: cst.CSTNode) -> Proposal | None:
    """The statement in a `try` that goes on with the loop's next round; None where a result would be missed."""
    module = site.module
    loop = _loop_of_items(module, statement)
    if loop is None:
        return None
    inside = {statement, *module.ancestors(statement)}
    body = list(loop.body.body)
    at = next((index for index, one in enumerate(body) if one in inside), None)
    if at is None:
        return None
    owed = next((code for one in body[at:] if _DONE.fullmatch(code := module.code(one).strip())), "")
    if _OWED.search(module.code(loop.body).replace(owed, "") if owed else module.code(loop.body)):
        return None
    own = _of_the_item(module, loop, statement)
    if not keeps_its_meaning(module, loop, statement, own):
        return None
    tried = _outermost_with(module, statement, loop)
    if not isinstance(tried, cst.SimpleStatementLine | cst.With) or not isinstance(
        module.parent(tried), cst.IndentedBlock
    ):
        return None
    outer = [one for around in module.ancestors(loop) if isinstance(around, cst.For) for one in _targets(around)]
    names = [*sorted(own, key=lambda one: (not _NAMES.match(one), one not in _targets(loop), one)), *outer]
    handler = _handler(site, statement, loop, names, owed)
    module.replace(tried, tried_body(module, [tried], handler).with_changes(leading_lines=_blank(tried)))
    return finished(site, "skip-item", "Where memory runs out, what does not fit is told and passed over.")


def _blank(statement: cst.SimpleStatementLine | cst.With) -> list[cst.EmptyLine]:
    return [one for one in statement.leading_lines if one.comment is None]


def _loop_of_items(module: Module, statement: cst.CSTNode) -> cst.For | cst.While | None:
    """The innermost loop around a statement, where it is one over items, or one that takes them from a queue."""
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.ExceptHandler | cst.Finally):
            return None
        if isinstance(around, cst.For | cst.While):
            if around.orelse is not None or not isinstance(around.body, cst.IndentedBlock):
                return None
            is_one = takes_its_job(around) if isinstance(around, cst.While) else _is_over_items(module, around)
            return around if is_one else None
    return None


def _is_over_items(module: Module, loop: cst.For) -> bool:
    over = loop.iter
    if isinstance(over, cst.Call) and last_name(over.func) in ("tqdm", "trange", "track", "enumerate") and over.args:
        over = over.args[0].value
    if isinstance(over, cst.Call) and last_name(over.func) == "range":
        lengths = ("len", "size", "count")
        if len(over.args) > 2 or not isinstance(over.args[-1].value, cst.Call):
            return False
        return last_name(over.args[-1].value.func) in lengths
    if re.search(r"(?i)loader|batch|chunk", module.code(over)):
        return False
    names = _targets(loop)
    return bool(names) and not any(_NO_ITEMS.search(one) for one in names)


def _targets(loop: cst.For | cst.While) -> list[str]:
    if isinstance(loop, cst.While):
        return []
    return [one.value for one in walk(loop.target) if isinstance(one, cst.Name)]


def _of_the_item(module: Module, loop: cst.For | cst.While, failed: cst.CSTNode) -> set[str]:
    """The names that tell which item it is: the loop's own, and what was made of them before it failed."""
    names = set(_targets(loop))
    line = module.position(failed).start.line
    for one in module.nodes(cst.Assign, within=loop.body):
        if module.position(one).start.line >= line:
            break
        used = {each.value for each in walk(one.value) if isinstance(each, cst.Name)}
        taken = isinstance(loop, cst.While) and _TAKES.search(module.code(one.value))
        if used & names or taken:
            names |= {
                each.value for target in one.targets for each in walk(target.target) if isinstance(each, cst.Name)
            }
    return names


def _outermost_with(module: Module, statement: cst.CSTNode, loop: cst.CSTNode) -> cst.CSTNode:
    """The `with torch.no_grad()` around it, as what comes next in there needs the GPU as well; else itself."""
    found = statement
    for around in module.ancestors(statement):
        if around is loop or not isinstance(around, cst.With | cst.IndentedBlock):
            break
        if isinstance(around, cst.With) and not any(
            isinstance(one, cst.Return | cst.Break | cst.Yield) for one in walk(around.body)
        ):
            found = around
    return found


def _handler(site: Site, statement: cst.CSTNode, loop: cst.For | cst.While, names: Sequence[str], owed: str) -> str:
    module = site.module
    name = "error" if "error" not in module.names() else "out_of_memory"
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    short = next((one for one in names if _SHORT.match(one)), None)
    targets = _targets(loop)
    if short is None and isinstance(loop, cst.For) and len(targets) == 1 and _LISTED.search(module.code(loop.iter)):
        short = targets[0]
    warn = wording.warning(module, statement, _SAID, short or name, name if short else None)
    steps = "".join(f"    {one}\n" for one in _lines((clear, warn, owed, "continue")))
    return f"except Exception as {name}:\n    if not _is_out_of_memory({name}):\n        raise\n{steps}"


def _lines(steps: Sequence[str]) -> Iterator[str]:
    return (one for one in steps if one)
