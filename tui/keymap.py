"""Keys: how they are written and read, and the keymap in force.

`Keymap` lays a person's `keymap` setting (action id -> keys) over the registry's own keys and refuses what cannot be.
Relies on the error family alone; the actions themselves are in `tui.actions`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.errors import UsageError

if TYPE_CHECKING:
    from tui.actions import Action

#: Punctuation as Textual names its keys; people write the character itself, in settings and on screen.
PUNCTUATION = {
    "?": "question_mark",
    ":": "colon",
    ";": "semicolon",
    "/": "slash",
    "\\": "backslash",
    "+": "plus",
    "-": "minus",
    "=": "equals_sign",
    "_": "underscore",
    "*": "asterisk",
    ".": "full_stop",
    ",": "comma",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "(": "left_parenthesis",
    ")": "right_parenthesis",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "!": "exclamation_mark",
    "@": "at",
    "#": "number_sign",
    "$": "dollar_sign",
    "%": "percent_sign",
    "&": "ampersand",
    "'": "apostrophe",
    '"': "quotation_mark",
    "|": "vertical_line",
    "~": "tilde",
    "`": "grave_accent",
    "^": "circumflex_accent",
    "{": "left_curly_bracket",
    "}": "right_curly_bracket",
}
_SHOWN = {name: character for character, name in PUNCTUATION.items()} | {
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "backspace": "⌫",
}


def key_name(key: str) -> str:
    """A key as Textual names it: `?` -> `question_mark`, `Ctrl+P` -> `ctrl+p`; one capital letter stays a capital."""
    *modifiers, last = key.strip().split("+") if len(key.strip()) > 1 else [key.strip()]
    last = PUNCTUATION.get(last, last if len(last) == 1 else last.lower())
    return "+".join([*(modifier.lower() for modifier in modifiers), last])


def key_text(key: str) -> str:
    """A key as people read it: `question_mark` -> `?`, `left` -> `←`, `f2` -> `F2`, `ctrl+p` stays."""
    name = key_name(key)
    if len(name) > 1 and name[0] == "f" and name[1:].isdigit():
        return name.upper()
    *modifiers, last = name.split("+")
    return "+".join([*modifiers, _SHOWN.get(last, last)])


class Keymap:
    """The keys in force: the registry's own with a person's changes laid over them.

    Raises UsageError for an action id that does not exist, an empty key list, too few keys for a numbered action,
    and for a key that would then mean two things on one screen.
    """

    def __init__(self, changes: Mapping[str, str] | None = None, source: str = "setting `keymap`") -> None:
        from tui.actions import ACTIONS

        self._actions = ACTIONS
        known = {action.id: action for action in ACTIONS}
        self._keys = {action.id: tuple(map(key_name, action.keys)) for action in ACTIONS}
        problems = []
        for name, text in (changes or {}).items():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                problems.append(f"no action is called {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
                continue
            keys = tuple(key_name(key) for key in _split(text))
            if not keys:
                problems.append(f"{name} is given no key")
            elif known[name].numbered and len(keys) < 2:
                problems.append(f"{name} needs one key for each number, for example '1,2,3'")
            else:
                self._keys[name] = keys
        problems += self._conflicts(changes or {})
        if problems:
            raise UsageError(
                f"{source}: " + "; ".join(problems),
                remedy="`proofsheet config` shows where the setting comes from; `?` in the app lists the action ids.",
            )

    def _conflicts(self, changes: Mapping[str, str]) -> list[str]:
        """A key may mean one thing on each screen; a screen's own meaning would hide one that holds everywhere."""
        found = []
        for place in dict.fromkeys(action.place for action in self._actions):
            owners: dict[str, str] = {}
            for action in self._actions:
                if action.place not in (place, "everywhere"):
                    continue
                for key in self._keys[action.id]:
                    other = owners.setdefault(key, action.id)
                    if other != action.id and (other in changes or action.id in changes):
                        found.append(f"{key_text(key)!r} would mean both {other} and {action.id}")
        return list(dict.fromkeys(found))

    def keys(self, action_id: str) -> tuple[str, ...]:
        """The keys of an action, as Textual names them. Raises KeyError for an unknown id."""
        return self._keys[action_id]

    def shown(self, action: Action, most: int = 1) -> str:
        """The keys of an action for the eye: `←→` belongs to moving, `1-9` to a numbered one."""
        keys = [key_text(key) for key in self._keys[action.id]]
        if action.numbered:
            return f"{keys[0]}-{keys[-1]}"
        return " ".join(keys[:most])

    def changed(self) -> dict[str, str]:
        """The difference to the registry as `App.set_keymap` takes it: binding id -> comma-separated keys."""
        moved: dict[str, str] = {}
        for action in self._actions:
            keys = self._keys[action.id]
            if keys == tuple(map(key_name, action.keys)):
                continue
            if action.numbered:
                moved |= {
                    f"{action.id}.{number}": keys[number - 1] if number <= len(keys) else ""
                    for number in range(1, len(action.keys) + 1)
                }
            else:
                moved[action.id] = ",".join(keys)
        return moved


def _split(text: str) -> list[str]:
    """Comma-separated keys; a comma itself is written `comma`."""
    return [key.strip() for key in text.split(",") if key.strip()]
