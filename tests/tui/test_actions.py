"""The registry of keys: nothing twice, a person's changes checked, everything else made from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from tui.actions import ACTIONS, TITLES, actions, bindings, footer
from tui.keymap import Keymap, key_name, key_text


def test_action_ids_are_unique_and_every_action_is_explained() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    assert all(action.help.endswith(".") and action.label for action in ACTIONS)


@pytest.mark.parametrize("place", TITLES)
def test_no_key_means_two_things_on_one_screen(place) -> None:
    owners: dict[str, str] = {}
    for action in actions(place):
        for key in action.keys:
            assert owners.setdefault(key_name(key), action.id) == action.id


def test_digits_are_verdicts_and_never_switch_screens() -> None:
    assert not [a.id for a in actions("everywhere") for key in a.keys if key.isdigit()]
    assert [a.id for a in actions("ranking") if "1" in a.keys] == ["ranking.number"]


def test_vi_and_arrow_keys_do_the_same() -> None:
    pairs = {"h": "left", "j": "down", "k": "up", "l": "right"}
    for place in ("ranking", "zoom"):
        for action in actions(place):
            for vi, arrow in pairs.items():
                assert (vi in action.keys) == (arrow in action.keys)


def test_a_changed_key_replaces_the_registrys_own() -> None:
    keymap = Keymap({"ranking.skip": "n,space", "ranking.number": "a,f,d"})
    assert keymap.keys("ranking.skip") == ("n", "space")
    changed = keymap.changed()
    assert changed["ranking.skip"] == "n,space"
    assert changed["ranking.number.3"] == "d"
    assert changed["ranking.number.4"] == ""
    assert "ranking.undo" not in changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ranking.pik": "p"}, "did you mean 'ranking.pick'"),
        ({"ranking.skip": "u"}, "'u' would mean both ranking.skip and ranking.undo"),
        ({"ranking.skip": "q"}, "'q' would mean both app.quit and ranking.skip"),
        ({"ranking.skip": " , "}, "ranking.skip is given no key"),
        ({"ranking.number": "a"}, "one key for each number"),
    ],
)
def test_a_keymap_that_cannot_be_is_refused_with_the_reason(changes, said) -> None:
    with pytest.raises(UsageError, match="keymap") as refusal:
        Keymap(changes)
    assert said in str(refusal.value)


def test_a_freed_key_may_be_given_to_another_action() -> None:
    keymap = Keymap({"ranking.skip": "u", "ranking.undo": "backspace"})
    assert keymap.keys("ranking.undo") == ("backspace",)


def test_the_bottom_line_offers_the_most_important_keys_first() -> None:
    labels = [action.id for action in footer("ranking")]
    assert labels[:2] == ["ranking.pick", "ranking.number"]
    assert [action.id for action in footer("ranking", ["ranking.undo"])] == ["ranking.undo"]


def test_bindings_carry_the_ids_that_a_keymap_changes() -> None:
    ids = {binding.id for binding in bindings("ranking")}
    assert {"ranking.pick", "ranking.number.1", "ranking.number.9"} <= ids


@given(st.sampled_from([key for action in ACTIONS for key in action.keys]))
def test_a_keys_name_is_stable_and_readable(key: str) -> None:
    assert key_name(key_name(key)) == key_name(key)
    assert key_text(key)
    assert key_text(key_name(key)) == key_text(key)
