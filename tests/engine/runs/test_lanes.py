"""The collector of cycles at rest: off while something large is made, on again afterwards, whoever else rests it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from engine.runs.lanes import collector_at_rest


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.freeze()  # as it is for all tests
    gc.enable()


def test_it_comes_back_when_the_last_is_done() -> None:
    with collector_at_rest():
        with collector_at_rest():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_comes_back_after_a_failure_too() -> None:
    with pytest.raises(ZeroDivisionError), collector_at_rest():
        1 / 0  # noqa: B018
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    with collector_at_rest(), collector_at_rest():
        pass
    assert not gc.isenabled()


def test_only_what_stays_is_never_walked_over() -> None:
    gc.unfreeze()
    with collector_at_rest():
        made = [[number] for number in range(1000)]
    assert gc.get_freeze_count() == 0
    with collector_at_rest(lambda: len(made) == 1000):
        pass
    assert gc.get_freeze_count() >= 1000
