"""What an edit for a missing path is handed out as: the proposal, the refusal, statements put before what failed.

Relies on LibCST through `edit.Module` alone.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.paths.guards import Site, whole_statement
from engine.repair.patterns.pattern import Applicability, Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line

PATTERN = "missing-file"
ONE_MISSING = "one of several files is missing: it is skipped and said so"


def done(module: Module, operator: str, how: Applicability, why: str) -> Proposal:
    """The edit of a file as a proposal. Raises NotEditable."""
    edit = module.edit()
    return Proposal(PATTERN, operator, (edit,), first_changed_line(edit), how, why)


def declined(reason: str) -> Declined:
    """The reason why nothing is proposed."""
    return Declined(PATTERN, reason)


def inserted(
    site: Site, source: str, operator: str, how: Applicability, why: str, instead: cst.CSTNode
) -> Proposal | Declined:
    """Put statements before the one that failed, `instead` in its place. Raises NotEditable."""
    whole = whole_statement(site.module, site.statement)
    if whole is not site.statement and instead is not site.statement:
        return declined("the path stands in an elif and is made there")
    site.module.insert_before(whole, source, instead if whole is site.statement else None)
    return done(site.module, operator, how, why)
