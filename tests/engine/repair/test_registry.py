"""Fix patterns are found by name, and other distributions add theirs by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from engine.repair.patterns import registry
from engine.repair.patterns.pattern import Case, Declined
from engine.repair.record import ErrorRecord

MINE = ("unicode", "missing-file", "imread", "missing-import")


class Extra:
    """A plugin's pattern."""

    id = "extra"
    title = "an extra one"

    def recognises(self, record: ErrorRecord) -> bool:
        return record.type == "ExtraError"

    def propose(self, case: Case) -> Declined:
        return Declined(self.id, "not today")


class Taken(Extra):
    id = "unicode"


def points(**named: str) -> list[EntryPoint]:
    return [EntryPoint(name, f"{__name__}:{value}", registry.GROUP) for name, value in named.items()]


@pytest.mark.parametrize("name", MINE)
def test_a_pattern_is_found_by_its_id(name: str) -> None:
    found = registry.built_in(name)
    assert found.id == name
    assert found.title


def test_plugins_are_added_and_bad_ones_are_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "BUILT_IN", {name: registry.BUILT_IN[name] for name in MINE})
    listed = points(extra="Extra", taken="Taken", lacking="pytest", gone="nowhere")
    monkeypatch.setattr(registry, "entry_points", lambda group: listed if group == registry.GROUP else [])
    found = registry.registry()
    assert [*found.patterns] == [*MINE, "extra"]
    assert set(found.refused) == {"taken", "lacking", "gone"}
    assert "already" in found.refused["taken"]
    assert "lacks id" in found.refused["lacking"]
    assert "cannot be loaded" in found.refused["gone"]
