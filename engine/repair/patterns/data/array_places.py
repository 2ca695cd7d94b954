"""Arrays as places that are no whole numbers: numpy makes an empty list, and the sum of one, an array of floats.

Every proposal is for review.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.subscripts import index_of, subscripts
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.underlined import decided

_SAID = re.compile(r"arrays used as indices must be of integer")
_MASK = re.compile(r"(?i)bool|mask|logical_|is(?:nan|inf|finite|in)\(|[<>]|[!=]=")
_WHOLE = re.compile(r"\.astype\(|dtype=|arange\(|argsort\(|argwhere\(|nonzero\(|where\(|randint\(|argmax\(")
_MAKING = re.compile(r"(?:\A|\.)(?:as)?array\Z|\.(?:concatenate|hstack|cumsum|ravel|flatten)\Z")


def recognised(message: str) -> bool:
    """Whether an IndexError says that an array of other than whole numbers was given as places."""
    return _SAID.search(message) is not None


def propose(case: Case, module: Module, line: int) -> Proposal | Declined:
    """Make the places whole numbers where the array comes from, else where it is used; or why not."""
    every = decided(case, module, line, subscripts(module, line))
    for one in every:
        made = index_of(one)
        if isinstance(made, cst.Call) and _MAKING.search(module.code(made.func)) and not _is_known(module.code(made)):
            if (reason := intent.meant(case, module, one, line, "IndexError")) is not None:
                return decline(reason)
            module.replace(made, guards.expression(f"{module.code(made)}.astype(int)"))
            return finish(module, "whole-numbers", "An array of nothing is one of floats: places are whole numbers.")
    names = [(one, name) for one in every if (name := _array(index_of(one))) is not None]
    open_ones = [(one, name) for one, name in names if not _MASK.search(f"{name.value} {_made(module, name)}")]
    open_ones = [(one, name) for one, name in open_ones if not _WHOLE.search(_made(module, name))]
    if not open_ones:
        return decline("which array gives places that are no whole numbers cannot be told from this line")
    use, name = open_ones[0]
    reason = intent.meant(case, module, use, line, "IndexError")
    if reason:
        return decline(reason)
    why = f"{name.value} has floats where it is made of nothing: as places they are whole numbers."
    value = bound_to(module, name)
    if isinstance(value, cst.Call):
        module.replace(value, guards.expression(f"{module.code(value)}.astype(int)"))
        return finish(module, "whole-numbers", why)
    index = index_of(use)
    if index is None:
        return decline("the places are worked out on the line itself")
    module.replace(index, guards.expression(f"{module.code(index)}.astype(int)"))
    return finish(module, "whole-numbers", why)


def _is_known(code: str) -> bool:
    return _MASK.search(code) is not None or _WHOLE.search(code) is not None


def _array(index: cst.BaseExpression | None) -> cst.Name | None:
    """The name of an array, or of a part of one, `places[:-1]`, that is given as places."""
    if isinstance(index, cst.Subscript) and all(isinstance(one.slice, cst.Slice) for one in index.slice):
        index = index.value
    return index if isinstance(index, cst.Name) else None


def _made(module: Module, name: cst.Name) -> str:
    value = bound_to(module, name)
    return module.code(value) if value is not None else ""
