"""Distributions that are called as the module that they give: those that are widely used, from a list that ships.

Relies on `known_distributions.txt` beside it, which says where its names come from. It is asked after the map made by
hand (`distributions`) and after the project itself (`named_elsewhere`): a name is all that it knows.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

FILE = "known_distributions.txt"


def same_named(module: str) -> str | None:
    """The distribution called as this top-level module, with "-" for "_"; None where none is widely used."""
    return module.replace("_", "-") if module in _names() else None


@cache
def _names() -> frozenset[str]:
    lines = resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
