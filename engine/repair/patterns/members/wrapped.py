"""A tuple where the one thing in it was meant, and an array that is asked for what numpy has as a function.

Every proposal is for review.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.members.of_modules import quote_of
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.producers import bound_to, name_for

_FUNCTIONS = frozenset(
    (
        *("power", "multiply", "divide", "add", "subtract", "log", "log2", "log10", "log1p", "exp", "sqrt", "square"),
        *("abs", "absolute", "sign", "floor", "ceil", "isnan", "isinf", "isfinite", "maximum", "minimum", "median"),
        *("percentile", "quantile", "average", "diff", "unique", "flip", "fliplr", "flipud", "tile", "sin", "cos"),
    )
)
_OF_RESULTS = frozenset(("logits", "last_hidden_state", "sample", "prediction_logits"))
_OF_ARRAYS = frozenset(("shape", "dtype", "device", "ndim", "T", "requires_grad", "is_cuda", "grad", "data"))


def propose(module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | None:
    """The edit for what a tuple, or an array, does not have; None where nothing says what was meant."""
    kind = owner.rpartition(".")[2]
    call = module.parent(use)
    is_called = isinstance(call, cst.Call) and call.func is use
    if kind == "ndarray" and name in _FUNCTIONS and isinstance(call, cst.Call) and is_called:
        return _by_function(module, use, call, name)
    if kind == "tuple" and not hasattr(tuple, name):
        return _first_of(module, use, name)
    return None


def first_of_result(module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined | None:
    """`features = model(x)` that is asked for what arrays have, and is a tuple: its first element is the array;
    None for anything else."""
    if owner == "tuple" and _is_unwrapped(module, use):
        return Declined("attribute", f"the first element of {module.code(use.value)} is taken already")
    if owner == "tuple" and name in _OF_RESULTS:
        return _in_its_place(module, use, name)
    value = bound_to(module, use.value) if isinstance(use.value, cst.Name) else None
    if owner != "tuple" or name not in _OF_ARRAYS or not isinstance(value, cst.Call):
        return None
    return _first_of(module, use, name)


def _is_unwrapped(module: Module, use: cst.Attribute) -> bool:
    """`if isinstance(x, tuple): x = x[0]`, in front of a use."""
    code, function = module.code(use.value), module.function(use)
    within = function.body if function is not None else module.tree
    return any(
        module.code(one.test) == f"isinstance({code}, tuple)" and f"{code} = {code}[0]" in module.code(one.body)
        for one in module.nodes(cst.If, within=within)
    )


def _in_its_place(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """`model(x).logits`, where the model gives a plain tuple: what it is named for comes first."""
    subject, line, quote = use.value, guards.statement_line(module, use), quote_of(module, use)
    if guards.is_repeatable(module.code(subject)):
        found = module.code(subject)
        module.replace(use, _either(module, use, found, quote))
    elif line is not None and isinstance(subject, cst.Call) and guards.is_unconditional(module, use):
        found = guards.fresh(module, "output", "result", "found")
        new = line.deep_replace(use, _either(module, use, found, quote))
        guards.before(module, line, f"{found} = {module.code(subject)}\n", new)
    else:
        return None
    return _finish(module, f"{module.code(subject)} is sometimes a plain tuple: its first element is the '{name}'.")


def _either(module: Module, use: cst.Attribute, found: str, quote: str) -> cst.BaseExpression:
    name = use.attr.value
    made = f"{found}.{name} if hasattr({found}, {quote}{name}{quote}) else {found}[0]"
    return guards.expression(f"({made})" if guards.needs_parentheses(module, use) else made)


def _by_function(module: Module, use: cst.Attribute, call: cst.Call, name: str) -> Proposal | None:
    source = module.code(use.value)
    numpy = next((one for one, whole in module.imported.items() if whole == "numpy"), "")
    if not numpy or not guards.is_repeatable(source):
        return None
    given = ", ".join([source, *(module.code(one.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for one in call.args)])
    quote = quote_of(module, use)
    good = f"hasattr({source}, {quote}{name}{quote})"
    module.replace(call, guards.conditional(module, call, good, f"{numpy}.{name}({given})"))
    return _finish(module, f"{source} is sometimes a plain array, which numpy.{name} takes instead.")


def _first_of(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """`x.to(device)` of `(x, more)`: the first element is what has the attribute, as models and caches give it."""
    subject, source = use.value, module.code(use.value)
    line = guards.statement_line(module, use)
    if checks.is_guarded(module, use, f"isinstance({source}, tuple)"):
        return None
    if not guards.is_repeatable(source):
        if line is None or not isinstance(subject, cst.Call) or not guards.is_unconditional(module, use):
            return None
        _bound(module, use)
    elif line is None or not guards.is_unconditional(module, use):
        _inline(module, use)
    elif isinstance(subject, cst.Name):
        guards.before(module, line, f"if isinstance({source}, tuple):\n    {source} = {source}[0]\n")
    else:
        for one in _same(module, use):
            _bound(module, one)
    return _finish(module, f"{source} is sometimes a tuple: its first element is what has '{name}'.")


def _same(module: Module, use: cst.Attribute) -> list[cst.Attribute]:
    """The use, and those of the same part of an object for the same thing in the other methods of its class."""
    around = module.nearest(use, cst.ClassDef)
    if around is None or not module.code(use).startswith("self."):
        return [use]
    found = [use]
    for one in module.nodes(cst.Attribute, within=around):
        is_like = module.code(one) == module.code(use) and module.function(one) is not module.function(use)
        if is_like and guards.statement_line(module, one) is not None and guards.is_unconditional(module, one):
            found.append(one)
    return found


def _bound(module: Module, use: cst.Attribute) -> None:
    """Give a name to what may be a tuple, and take the first of it."""
    line = guards.statement_line(module, use)
    if line is None:
        return
    name = guards.fresh(module, *name_for(module, use.value))
    new = line.deep_replace(use.value, cst.Name(name))
    source = module.code(use.value)
    guards.before(module, line, f"{name} = {source}\nif isinstance({name}, tuple):\n    {name} = {name}[0]\n", new)


def _inline(module: Module, use: cst.Attribute) -> None:
    source = module.code(use.value)
    module.replace(use.value, guards.expression(f"({source}[0] if isinstance({source}, tuple) else {source})"))


def _finish(module: Module, why: str) -> Proposal:
    edit = module.edit()
    return Proposal("attribute", "unwrapped", (edit,), first_changed_line(edit), "review", why)
