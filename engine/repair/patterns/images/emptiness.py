"""An image whose emptiness the code asks for itself: one that was not read is as good as empty.

before    mask = cv2.imread(path)                      after     mask = read_image(path)
          if mask.size != 0:                                     if mask is None:
              area[mask == 0] = 0                                    logger.warning("cannot read image: %s", path)
                                                                 if mask is not None and mask.size != 0:
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import walk

_EMPTY = r"(?:{name}\.size\s*(?:==\s*0|<\s*1|<=\s*0)|not\s+{name}\.size|len\({name}\)\s*==\s*0|not\s+len\({name}\))"
_FULL = r"(?:{name}\.size(?:\s*(?:!=|>)\s*0|\s*>=\s*1)?|len\({name}\)(?:\s*(?:!=|>)\s*0)?|not\s+{empty})"


def asks_for_empty(module: Module, line: cst.SimpleStatementLine, name: str) -> tuple[cst.If, str] | None:
    """The `if` under a line that asks whether what it read is empty, and its test made ready for None; else None.

    Only where nothing else needs the image then: the branch for an empty one leaves without it, or all uses are in the
    other's.
    """
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return None
    later = list(block.body)[list(block.body).index(line) + 1 :]
    asked = later[0] if later else None
    if not isinstance(asked, cst.If):
        return None
    test = module.code(asked.test).strip()
    empty = _EMPTY.format(name=re.escape(name))
    if re.fullmatch(_FULL.format(name=re.escape(name), empty=rf"\(?{empty}\)?"), test):
        behind: list[cst.CSTNode] = [*later[1:], *([asked.orelse] if asked.orelse is not None else [])]
        return None if any(_uses(module, one, name) for one in behind) else (asked, f"{name} is not None and {test}")
    if re.fullmatch(empty, test) and _leaves(asked) and not _uses(module, asked.body, name):
        return asked, f"{name} is None or {test}"
    return None


def _uses(module: Module, node: cst.CSTNode, name: str) -> bool:
    return any(isinstance(one, cst.Name | cst.Attribute) and module.code(one) == name for one in walk(node))


def _leaves(asked: cst.If) -> bool:
    """Whether the branch ends in leaving the function or the round."""
    last = asked.body.body[-1] if isinstance(asked.body, cst.IndentedBlock) and asked.body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    return isinstance(small, cst.Return | cst.Raise | cst.Continue | cst.Break)
