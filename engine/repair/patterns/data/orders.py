"""None among what is put in order, or asked for its least or most: `sorted(x)`, `max(a, b)`, `min(x for x in y)`."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.guarding.subscripts import constant
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to, producer_of
from engine.repair.patterns.source.syntax import last_name, parameter_of
from engine.repair.patterns.source.underlined import decided

NONE = "NoneType"
_ORDERING = ("sorted", "max", "min", "sort")
_WRITTEN = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.List, cst.Dict)
_LIMIT = re.compile(r"(?i)min|max|limit|bound|cap|lower|upper|lowest|highest|floor|ceil|least|most|end|stop|start")


def may_be_none(module: Module, node: cst.BaseExpression) -> bool:
    """Whether an operand may have been None: it is nothing that is written out or worked out."""
    if isinstance(node, (*_WRITTEN, cst.BinaryOperation, cst.BaseComp, cst.Tuple, cst.Set)):
        return False
    return producer_of(module, node).reason is None or isinstance(node, cst.Name)


def propose(case: Case, module: Module, line: int, left: str, right: str, sign: str) -> Proposal | Declined:
    """The edit for what was put in order; `left`, `right` and `sign` are those of the comparison that failed."""
    if NONE not in (left, right):
        return decline(f"a {left} and a {right} have no order, and nothing here says what was meant")
    every = [one for one in module.nodes(cst.Call, line) if module.code(one.func).rpartition(".")[2] in _ORDERING]
    asking = "max" if sign[0] == ">" else "min"
    calls = [
        one for one in every if module.code(one.func) == asking
    ] or every  # `max` asks for more, all others for less
    for call in decided(case, module, line, calls):
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        if any(arg.star for arg in call.args):
            return _untold()
        key = next((arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "key"), None)
        plain = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
        name = module.code(call.func)
        if key is not None and (reason := _why_no_key(module, key)) is not None:
            return decline(reason)
        if key is not None:
            return _none_first(module, key, "is None" if name == "min" else "is not None")
        if key is None and (ordered := _of_tuples(module, call)) is not None:
            return ordered
        if key is None and len(plain) == 1 and name in ("sorted", "max", "min"):
            return without_none(module, plain[0])
        if key is None and len(plain) > 1 and name in ("max", "min"):
            return _of_several(case, module, line, call, plain, left == NONE)
    return decline("which of the elements was None cannot be told")


def _why_no_key(module: Module, key: cst.BaseExpression) -> str | None:
    """Why what is given as a key cannot be called for each element; None where nothing says so."""
    code = module.code(key)
    branches = [key.body, key.orelse] if isinstance(key, cst.IfExp) else [key]
    if any(module.code(one) == "None" for one in branches):
        return f"the key is {code}: the elements themselves are put in order where there is none"
    producer = producer_of(module, key)
    is_open = producer.is_known and producer.kind != "function"  # an own function makes the key, or it would not be one
    if (is_open or _may_be_none_itself(module, key)) and not checks.is_guarded(module, key, code):
        return f"{code} may be None itself: the elements themselves are put in order then"
    if isinstance(key, cst.Call) and last_name(key.func) == "cmp_to_key":
        return f"{code} compares the elements itself"
    return None


def _may_be_none_itself(module: Module, key: cst.BaseExpression) -> bool:
    """Whether a name is None by default, as a parameter, or is bound to None somewhere in its function; or a field to
    either anywhere in the file."""
    if not isinstance(key, cst.Name | cst.Attribute):
        return False
    code, function = module.code(key), module.function(key)
    if isinstance(key, cst.Name):
        bound = bound_to(module, key)
        if isinstance(bound, cst.BooleanOperation) and isinstance(bound.operator, cst.Or):
            return module.code(bound.right) == "None"  # `key = key or len`
        parameter = parameter_of(function, code) if function is not None else None
        if parameter is not None and parameter.default is not None and module.code(parameter.default) == "None":
            return True
    within = function.body if function is not None and isinstance(key, cst.Name) else module.tree
    for one in module.nodes(cst.Assign, within=within):
        value = one.value
        if code not in [module.code(each.target) for each in one.targets]:
            continue
        branches = [value.body, value.orelse] if isinstance(value, cst.IfExp) else [value]
        if any(module.code(branch) == "None" for branch in branches):
            return True
        if isinstance(key, cst.Attribute) and isinstance(value, cst.Name) and _may_be_none_itself(module, value):
            return True
    return False


def _none_first(module: Module, key: cst.BaseExpression, asked: str) -> Proposal | Declined:
    """Let a key that is None come first in an order, or never be the least or the most."""
    where = "first" if asked == "is not None" else "last"
    why = f"Some keys are None: those come {where}."
    if isinstance(key, cst.Lambda):
        code = module.code(key.body.with_changes(lpar=[], rpar=[]))
        if isinstance(key.body, cst.Tuple):
            return _each_part(module, key.body, asked, why)
        if guards.is_repeatable(code):
            module.replace(key.body, guards.expression(f"({guards.in_parentheses(code)} {asked}, {code})"))
            return finish(module, "none-first", why)
        name = guards.fresh(module, "value", "key", "found")
        module.replace(key.body, guards.expression(f"(({name} := {code}) {asked}, {name})"))
        return finish(module, "none-first", why)
    one, name = guards.fresh(module, "one", "item", "element"), guards.fresh(module, "value", "key", "found")
    code = f"{module.code(key)}({one})"
    getter = last_name(key.func) if isinstance(key, cst.Call) else ""
    if isinstance(key, cst.Call) and getter in ("itemgetter", "attrgetter"):
        if len(key.args) != 1:
            return decline("which part of the keys was None cannot be told")
        place = key.args[0].value
        code = f"{one}[{module.code(place)}]"
        if getter == "attrgetter":
            attribute = constant(place)
            if not isinstance(attribute, str):
                return decline("which attribute it was cannot be told")
            code = f"{one}.{attribute}"
        module.replace(key, guards.expression(f"lambda {one}: ({code} {asked}, {code})"))
        return finish(module, "none-first", why)
    module.replace(key, guards.expression(f"lambda {one}: (({name} := {code}) {asked}, {name})"))
    return finish(module, "none-first", why)


def _each_part(module: Module, parts: cst.Tuple, asked: str, why: str) -> Proposal | Declined:
    """Any part of a key may be None: each comes with whether it is."""
    for one in parts.elements:
        code = module.code(one.value)
        if isinstance(one, cst.StarredElement) or not guards.is_repeatable(code):
            return decline("which part of the keys was None cannot be told")
        if may_be_none(module, one.value) and not isinstance(one.value, cst.UnaryOperation | cst.Comparison):
            module.replace(one.value, guards.expression(f"({guards.in_parentheses(code)} {asked}, {code})"))
    return finish(module, "none-first", why)


def _of_tuples(module: Module, call: cst.Call) -> Proposal | None:
    """`pairs.sort()` of tuples, in any part of which None may stand; None where they are not known to be tuples."""
    is_method = isinstance(call.func, cst.Attribute) and call.func.attr.value == "sort" and not call.args
    owner = call.func.value if is_method and isinstance(call.func, cst.Attribute) else None
    if module.code(call.func) == "sorted" and call.args and all(one.keyword is not None for one in call.args[1:]):
        owner = call.args[0].value
    function = module.function(call)
    if owner is None or not isinstance(owner, cst.Name | cst.ListComp | cst.GeneratorExp):
        return None
    made: list[cst.BaseExpression] = [owner]
    within = function.body if function is not None else module.tree
    if isinstance(owner, cst.Name):
        made = [one.value for one in module.nodes(cst.Assign, within=within)
                if [module.code(each.target) for each in one.targets] == [owner.value]]  # fmt: skip
        added = [one for one in module.nodes(cst.Call, within=within)
                 if module.code(one.func) == f"{owner.value}.append" and len(one.args) == 1]  # fmt: skip
        made += [one.args[0].value for one in added]
    elements = [one.elt if isinstance(one, cst.ListComp | cst.GeneratorExp) else one for one in made]
    elements = [one for one in elements if not (isinstance(one, cst.List) and not one.elements)]
    if not elements or not all(isinstance(one, cst.Tuple) for one in elements):
        return None
    row, part = guards.fresh(module, "row", "pair", "entry"), guards.fresh(module, "part", "one", "element")
    key = cst.Arg(
        guards.expression(f"lambda {row}: [({part} is not None, {part}) for {part} in {row}]"),
        keyword=cst.Name("key"),
        equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
    )
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    before = [one.with_changes(comma=comma) for one in call.args]
    module.replace(call, call.with_changes(args=[*before, key]))
    return finish(module, "none-first", "Some parts are None: those come first.")


def _of_several(
    case: Case, module: Module, line: int, call: cst.Call, given: list[cst.BaseExpression], is_later: bool
) -> Proposal | Declined:
    """`min(value, limit)`: each argument is compared, from the left, with the least of those before it."""
    unsure = [one for one in given if may_be_none(module, one)]
    if len(given) > 2 or not unsure:
        if not unsure or len(unsure) != len(given):
            return nothing.guarded(case, module, line, call, unsure[-1]) if unsure else _untold()
        name = guards.fresh(module, "one", "value", "element")
        codes = ", ".join(module.code(one) for one in given)
        made = guards.expression(f"{module.code(call.func)}({name} for {name} in ({codes}) if {name} is not None)")
        module.replace(call, made.with_changes(lpar=call.lpar, rpar=call.rpar))
        return finish(module, "filter", "None has no place in an order: it is left out.")
    subject, other = (given[1], given[0]) if is_later else (given[0], given[1])
    if subject not in unsure:
        return _untold()
    code = module.code(subject)
    if checks.is_guarded(module, call, code):
        return decline(f"{code} is checked before it is used")
    is_value = not _LIMIT.search(code) and _LIMIT.search(module.code(other))
    if is_value or not guards.is_repeatable(code):
        return nothing.guarded(case, module, line, call, subject)
    module.replace(call, guards.conditional(module, call, f"{code} is not None", module.code(other)))
    return finish(module, "conditional", f"{code} is None where there is no such limit: {module.code(other)} then.")


def _untold() -> Declined:
    return decline("which of the elements was None cannot be told")


def without_none(module: Module, elements: cst.BaseExpression) -> Proposal | Declined:
    """Leave None out of what is put in order."""
    if isinstance(elements, cst.ListComp | cst.GeneratorExp | cst.SetComp):
        code = module.code(elements.elt.with_changes(lpar=[], rpar=[]))
        if guards.is_repeatable(code):
            guards.with_filter(module, elements, f"{guards.in_parentheses(code)} is not None")
        else:
            name = guards.fresh(module, "value", "one", "element")
            guards.with_filter(module, elements, f"({name} := {code}) is not None", last=True)
            module.replace(elements.elt, cst.Name(name))
    else:
        name = guards.fresh(module, "one", "value", "element")
        made = guards.expression(f"({name} for {name} in {guards.walked(module, elements)} if {name} is not None)")
        module.replace(elements, made.with_changes(lpar=[], rpar=[]) if len(_args(module, elements)) == 1 else made)
    return finish(module, "filter", "None has no place in an order: it is left out.")


def _args(module: Module, node: cst.CSTNode) -> list[cst.Arg]:
    call = module.parent(module.parent(node) or node)
    return list(call.args) if isinstance(call, cst.Call) else []
