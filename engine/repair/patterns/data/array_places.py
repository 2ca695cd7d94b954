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


def recognised(message: str) -> bool:
    """Whether an IndexError says that an array of other than whole numbers was given as places."""
    return _SAID.search(message) is not None


def propose(case: Case, module: Module, line: int) -> Proposal | Declined:
    """Make the places whole numbers where the array comes from, else where it is used; or why not."""
    every = decided(case, module, line, subscripts(module, line))
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


def _array(index: cst.BaseExpression | None) -> cst.Name | None:
    """The name of an array, or of a part of one, `places[:-1]`, that is given as places."""
    if isinstance(index, cst.Subscript) and all(isinstance(one.slice, cst.Slice) for one in index.slice):
        index = index.value
    return index if isinstance(index, cst.Name) else None


def _made(module: Module, name: cst.Name) -> str:
    value = bound_to(module, name)
    return module.code(value) if value is not None else ""
