"""The fields of the query language, and the condition in SQL that each makes of what was typed.

Relies on the tables. What a person types is only ever bound as a value; names of columns come from here. A field of
`image_facts` or `image_metadata` is asked through a subquery over that table, so that an index on the column serves it.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa

from engine.library import ranges
from engine.library.formats import EXTENSIONS, NAMES
from engine.library.known import within as below_folder
from engine.library.query import Query, QueryError, Term, Value, parse, suggestion
from engine.library.ranges import Range
from engine.library.recommended import CLASSES, RESOLUTION_BOUNDS
from engine.store.schema import images, projects
from engine.store.schema.facts import image_facts, image_metadata

Condition = sa.ColumnElement[bool]
Kind = Literal["text", "choice", "number", "date", "yes or no"]

#: The names that `engine.library.colours` gives; a test holds the two equal.
_COLOURS = (
    "black", "grey", "white", "red", "orange", "yellow", "green", "olive", "teal", "turquoise", "blue", "sky blue",
    "purple", "pink", "brown", "beige",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """What a condition may need besides the value: a connection for names, and what rooms know (`dup`)."""

    connection: sa.Connection
    hooks: Mapping[str, Condition] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what it takes, an example, and how it becomes a condition (ValueError: the words for the person)."""

    name: str
    kind: Kind
    example: str
    condition: Callable[[Asking, str], Condition]
    choices: tuple[str, ...] = ()


def conditions(asking: Asking, text: str) -> list[Condition]:
    """What a query asks for, all of it at once. Raises QueryError, naming the column and what is possible."""
    found: list[Condition] = []
    query: Query = parse(text, tuple(FIELDS))
    for group in query:
        made = [_negatable(asking, term) for term in group]
        found.append(made[0] if len(made) == 1 else sa.or_(*made))
    return found


def _negatable(asking: Asking, term: Term) -> Condition:
    made = [_one(asking, term, value) for value in term.values]
    whole = made[0] if len(made) == 1 else sa.or_(*made)
    return sa.not_(whole) if term.is_negated else whole


def _one(asking: Asking, term: Term, value: Value) -> Condition:
    if term.field is None:
        return _anywhere(value.text)
    asked = FIELDS[term.field]
    try:
        return asked.condition(asking, value.text)
    except ValueError as error:
        told = str(error)
        possible = (
            f"{suggestion(value.text, asked.choices)}Possible: {', '.join(asked.choices)}." if asked.choices else ""
        )
        remedy = possible or f"For example {asked.example}."
        raise QueryError(f"{term.field}: {told}", value.start + 1, len(value.text), remedy=remedy) from error


# -- texts -------------------------------------------------------------------------------------------------------------


def _contains(column: sa.ColumnElement[Any], word: str) -> Condition:
    """Anywhere in the text, whatever the case. SQL folds only ASCII; names are stored in NFC, paths as on the disk."""
    if word.isascii():
        return column.icontains(word, autoescape=True)
    forms = {
        unicodedata.normalize(form, each) for form in ("NFC", "NFD") for each in (word, word.lower(), word.title())
    }
    return sa.or_(*(column.icontains(each, autoescape=True) for each in sorted(forms)))


def _in_list(column: sa.ColumnElement[Any], word: str) -> Condition:
    """Anywhere in the texts of a JSON list, which spells what is not ASCII as escapes."""
    text = sa.cast(column, sa.String)
    forms = sorted({unicodedata.normalize("NFC", each) for each in (word, word.lower(), word.title())})
    escaped = {json.dumps(each)[1:-1] for each in (forms if not word.isascii() else [word])}
    raw = set() if word.isascii() else set(forms)
    return sa.or_(*(text.icontains(each, autoescape=True) for each in sorted(escaped | raw)))


def _anywhere(word: str) -> Condition:
    """A plain word: in the path, title, description or keywords."""
    told = image_metadata.c
    said = sa.or_(_contains(told.title, word), _contains(told.description, word), _in_list(told.keywords, word))
    speaks = sa.or_(told.title.is_not(None), told.description.is_not(None), sa.cast(told.keywords, sa.String) != "[]")
    return sa.or_(_contains(images.c.path, word), images.c.id.in_(sa.select(told.image_id).where(speaks, said)))


def _of(table: sa.Table, condition: Condition) -> Condition:
    """Images whose row in `table` is so."""
    return images.c.id.in_(sa.select(table.c.image_id).where(condition))


def _known(table: sa.Table, column: sa.Column[Any], text: str) -> Condition | None:
    """`none` and `any` for a column that may be empty; None where something else is asked."""
    if text.lower() == "any":
        return _of(table, column.is_not(None))
    if text.lower() == "none":
        return sa.not_(_of(table, column.is_not(None)))
    return None


def _text(table: sa.Table, *columns: sa.Column[Any]) -> Callable[[Asking, str], Condition]:
    def condition(_asking: Asking, text: str) -> Condition:
        known = _known(table, columns[0], text)
        if known is not None:
            return known
        if len(columns) == 1:
            return _of(table, _contains(columns[0], text))
        # 'nikon d70' is spread over make and model.
        whole = sa.func.coalesce(columns[0], "") + " " + sa.func.coalesce(columns[1], "")
        return _of(table, _contains(whole, text))

    return condition


def _list(column: sa.Column[Any]) -> Callable[[Asking, str], Condition]:
    def condition(_asking: Asking, text: str) -> Condition:
        filled = sa.cast(column, sa.String) != "[]"
        if text.lower() in ("any", "none"):
            has = _of(image_metadata, filled)
            return has if text.lower() == "any" else sa.not_(has)
        return _of(image_metadata, sa.and_(filled, _in_list(column, text)))

    return condition


# -- choices -----------------------------------------------------------------------------------------------------------


def _choice(text: str, choices: tuple[str, ...]) -> list[str]:
    """The choices that begin as typed, or the one that is meant exactly. Raises ValueError when none does."""
    wanted = text.lower()
    found = [each for each in choices if each == wanted] or [each for each in choices if each.startswith(wanted)]
    if not found:
        raise ValueError(f"there is no '{text}'")
    return found


def _one_of(column: sa.Column[Any], choices: tuple[str, ...]) -> Callable[[Asking, str], Condition]:
    return lambda _asking, text: _of(image_facts, column.in_(_choice(text, choices)))


def _marked(column: sa.Column[Any], choices: tuple[str, ...], form: str) -> Callable[[Asking, str], Condition]:
    """Among the entries of a JSON list; `form` is how one is written there."""

    def condition(_asking: Asking, text: str) -> Condition:
        written = sa.cast(column, sa.String)
        wanted = _choice(text.replace("-", "_"), choices)
        return _of(image_facts, sa.or_(*(written.contains(form.format(each), autoescape=True) for each in wanted)))

    return condition


def _colour(_asking: Asking, text: str) -> Condition:
    wanted = _choice(text.replace("gray", "grey"), _COLOURS)
    written = sa.cast(image_facts.c.colours, sa.String)
    spelled = [f'{before}{each}"' for each in wanted for before in ('"', " ")]  # "red", and "dark red"
    return _of(image_facts, sa.or_(*(written.contains(each, autoescape=True) for each in spelled)))


def _is(text: str) -> bool:
    wanted = text.lower()
    if wanted in ("yes", "y", "true", "1"):
        return True
    if wanted in ("no", "n", "false", "0"):
        return False
    raise ValueError(f"'{text}' is neither yes nor no")


def _gps(_asking: Asking, text: str) -> Condition:
    placed = _of(image_metadata, image_metadata.c.latitude.is_not(None))
    return placed if _is(text) else sa.not_(placed)


def _flash(_asking: Asking, text: str) -> Condition:
    return _of(image_metadata, image_metadata.c.flash.is_(_is(text)))


def _duplicate(asking: Asking, text: str) -> Condition:
    wanted = _is(text)
    if "dup" not in asking.hooks:
        raise ValueError("duplicates have not been looked for yet")
    return asking.hooks["dup"] if wanted else sa.not_(asking.hooks["dup"])


def _project(asking: Asking, text: str) -> Condition:
    return of_project(asking.connection, text, is_exact=False)


def of_project(connection: sa.Connection, name: str, *, is_exact: bool) -> Condition:
    """The project of that id; while somebody is still typing it, all whose id begins like that."""
    key = name.casefold()
    known = [(row.key, row.id) for row in connection.execute(sa.select(projects.c.key, projects.c.id))]
    same = [identity for each, identity in known if each == key]
    if not same and not is_exact:
        same = [identity for each, identity in known if each.startswith(key)]
    return images.c.project_id.in_(same)


def _format(_asking: Asking, text: str) -> Condition:
    wanted = text.lower().lstrip(".")
    if wanted in EXTENSIONS:
        return images.c.format.in_(sorted(EXTENSIONS[wanted] - ({"avif"} if wanted.startswith("hei") else set())))
    return images.c.format.in_([each for each in NAMES if each.startswith(wanted)])


def _under(_asking: Asking, text: str) -> Condition:
    if not text.startswith("/"):
        raise ValueError("a folder is named in full, from / on")
    return below_folder(text.rstrip("/") or "/")


def _orientation(_asking: Asking, text: str) -> Condition:
    wanted = _choice(text, ("landscape", "portrait", "square"))[0]
    wide, tall = images.c.width, images.c.height
    return {"landscape": wide > tall, "portrait": wide < tall, "square": wide == tall}[wanted]


def _resolution(_asking: Asking, text: str) -> Condition:
    pixels = images.c.width * images.c.height
    bounds = (0, *RESOLUTION_BOUNDS, None)
    asked = []
    for name in _choice(text, CLASSES["resolution"]):
        at = CLASSES["resolution"].index(name)
        low, high = bounds[at], bounds[at + 1]
        asked.append(pixels >= low if high is None else sa.and_(pixels >= low, pixels < high))
    return sa.or_(*asked)


# -- numbers and dates -------------------------------------------------------------------------------------------------


def within(column: sa.ColumnElement[Any], found: Range[Any], slack: float = 0.0) -> Condition:
    """The range as a condition on a column; an end of a range and an exact value reach `slack` (a fraction) further."""
    asked: list[Condition] = []
    if found.low is not None:
        low = found.low - abs(found.low) * slack if slack and not found.low_open else found.low
        asked.append(column > low if found.low_open else column >= low)
    if found.high is not None:
        high = found.high + abs(found.high) * slack if slack and not found.high_open else found.high
        asked.append(column < high if found.high_open else column <= high)
    return sa.and_(*asked)


Reader = Callable[[str], Range[Any]]


def _measure(
    table: sa.Table, column: sa.ColumnElement[Any], read: Reader = ranges.number_range, slack: float = 0.0
) -> Callable[[Asking, str], Condition]:
    """A figure of a table beside `images`; `slack` because a camera writes 1/250 as 0.004 and f/2.8 as 2.79."""

    def condition(_asking: Asking, text: str) -> Condition:
        if isinstance(column, sa.Column) and column.nullable:
            known = _known(table, column, text)
            if known is not None:
                return known
        return _of(table, within(column, read(text), slack))

    return condition


def _own(
    column: sa.ColumnElement[Any], read: Reader = ranges.number_range, slack: float = 0.0
) -> Callable[[Asking, str], Condition]:
    """A figure or a date of `images` itself."""

    def condition(_asking: Asking, text: str) -> Condition:
        if text.lower() in ("none", "any"):
            return column.is_(None) if text.lower() == "none" else column.is_not(None)
        return within(column, read(text), slack)

    return condition


def _fields() -> list[Field]:
    facts, told = image_facts.c, image_metadata.c
    yes_no = ("yes", "no")
    qualities = ("excellent", "good", "average", "poor")
    lights = ("natural", "artificial", "challenging")
    sources = ("phone", "dslr", "other")
    flags = ("screenshot", "document", "dark", "overexposed", "low_information")
    unit = partial(partial, ranges.number_range)
    pixels = images.c.width * images.c.height / 1_000_000.0
    return [
        Field("camera", "text", "camera:nikon", _text(image_metadata, told.camera_make, told.camera_model)),
        Field("make", "text", "make:canon", _text(image_metadata, told.camera_make)),
        Field("lens", "text", 'lens:"24-70"', _text(image_metadata, told.lens)),
        Field("project", "text", "project:mojo1", _project),
        Field("format", "choice", "format:heic", _format, tuple(NAMES)),
        Field("taken", "date", "taken:2024-05..2024-07", _own(images.c.taken_at, ranges.date_range)),
        Field("added", "date", "added:>2024-05", _own(images.c.added_at, ranges.date_range)),
        Field("size", "number", "size:10mb..", _own(images.c.size, ranges.size_range)),
        Field("width", "number", "width:>4000", _own(images.c.width, unit(unit="px"))),
        Field("height", "number", "height:..1080", _own(images.c.height, unit(unit="px"))),
        Field("resolution", "choice", "resolution:4k", _resolution, CLASSES["resolution"]),
        Field("mp", "number", "mp:12..24", _own(pixels, unit(unit="mp"), 0.005)),
        Field("iso", "number", "iso:>800", _measure(image_metadata, told.iso)),
        Field("f", "number", "f:..2.8", _measure(image_metadata, told.f_number, ranges.aperture_range, 0.02)),
        Field("exposure", "number", "exposure:..1/250",
              _measure(image_metadata, told.exposure_time, ranges.seconds_range, 0.02)),
        Field("focal", "number", "focal:24..70mm", _measure(image_metadata, told.focal_length, unit(unit="mm"), 0.005)),
        Field("flash", "yes or no", "flash:yes", _flash, yes_no),
        Field("rating", "number", "rating:>=4", _measure(image_metadata, told.rating)),
        Field("keyword", "text", "keyword:beach", _list(told.keywords)),
        Field("people", "text", "people:asha", _list(told.people)),
        Field("title", "text", "title:wedding", _text(image_metadata, told.title)),
        Field("description", "text", "description:harbour", _text(image_metadata, told.description)),
        Field("gps", "yes or no", "gps:yes", _gps, yes_no),
        Field("quality", "choice", "quality:good,excellent", _one_of(facts.quality, qualities), qualities),
        Field("blur", "number", "blur:>0.6", _measure(image_facts, 1.0 - facts.sharpness)),
        Field("sharpness", "number", "sharpness:>0.5", _measure(image_facts, facts.sharpness)),
        Field("subject", "number", "subject:>0.5", _measure(image_facts, facts.subject_sharpness)),
        Field("brightness", "number", "brightness:<0.2", _measure(image_facts, facts.brightness)),
        Field("exposed", "number", "exposed:<-0.3", _measure(image_facts, facts.exposure)),
        Field("contrast", "number", "contrast:>0.3", _measure(image_facts, facts.contrast)),
        Field("noise", "number", "noise:>0.2", _measure(image_facts, facts.noise)),
        Field("colourfulness", "number", "colourfulness:>0.5", _measure(image_facts, facts.colourfulness)),
        Field("colour", "choice", "colour:red", _colour, _COLOURS),
        Field("lighting", "choice", "lighting:challenging", _one_of(facts.lighting, lights), lights),
        Field("source", "choice", "source:phone", _one_of(facts.source, sources), sources),
        Field("flag", "choice", "flag:dark", _marked(facts.flags, flags, '"{}"'), flags),
        Field("dup", "yes or no", "dup:yes", _duplicate, yes_no),
        Field("folder", "text", "folder:2024/05", lambda _asking, text: _contains(images.c.folder, text)),
        Field("under", "text", "under:/photos/2024", _under),
        Field("name", "text", "name:IMG_", lambda _asking, text: _contains(images.c.name, text)),
        Field("orientation", "choice", "orientation:portrait", _orientation, ("landscape", "portrait", "square")),
    ]  # fmt: skip


_ALIASES = {"model": "camera", "keywords": "keyword", "tag": "keyword", "person": "people", "color": "colour",
            "shutter": "exposure", "aperture": "f", "type": "format", "date": "taken", "file": "name"}  # fmt: skip
FIELDS: dict[str, Field] = {each.name: each for each in _fields()}
FIELDS.update({alias: FIELDS[name] for alias, name in _ALIASES.items()})
NAMED: tuple[Field, ...] = tuple(FIELDS[name] for name in dict.fromkeys(each.name for each in FIELDS.values()))
