"""Queries as people type them: what they find, what is said when they cannot be read, and what Tab offers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UsageError
from engine.library import colours, ranges
from engine.library.completion import complete
from engine.library.fields import FIELDS, NAMED, Asking, conditions
from engine.library.query import QueryError, parse
from engine.store import Store
from engine.workspace import Workspace
from tests.engine.library.rows import add_image, add_project, facts, told
from tests.engine.library.shelf import Shelf, shelf_in


@pytest_asyncio.fixture
async def library(workspace: Workspace) -> AsyncIterator[Shelf]:
    """Seven images; `bare.png` was never studied."""
    async with shelf_in(workspace) as shelf:
        fill(shelf.store)
        yield shelf


def fill(store: Store) -> None:
    trip, mojo = add_project(store, "Trip"), add_project(store, "mojo1")
    red = [{"name": "red", "hex": "#f00", "share": 0.5}]
    blue = [{"name": "sky blue", "hex": "#8bf", "share": 0.9}]
    add_image(
        store, "/p/2024/beach.jpg", trip,
        facts(sharpness=0.2, quality="poor", flags=["dark"], lighting="challenging", colours=red),
        told(camera_make="NIKON", camera_model="NIKON D70", lens="24-70mm", exposure_time=0.004, f_number=2.79, iso=200,
             focal_length=35.0, flash=False, latitude=12.5, longitude=80.0, keywords=["Sunset", "été"], rating=4,
             people=["Asha"]),
        taken_at="2024-05-31T23:59:59.000000+02:00",
    )  # fmt: skip
    add_image(
        store, "/p/2024/harbour.jpg", trip, facts(sharpness=0.95, quality="excellent", source="phone"),
        told(camera_make="Apple", camera_model="iPhone 12", iso=50, title="Sunset at the harbour", description="Boats"),
        taken_at="2024-06-01T00:00:00.000000", size=12_000_000, width=3000, height=4000,
    )  # fmt: skip
    add_image(
        store, "/p/2024/sky.jpg", trip, facts(colours=blue, noise=0.4),
        told(camera_make="NIKON", camera_model="COOLPIX P6000"),
        taken_at="2024-08-01T10:00:00.000000", width=640, height=480,
    )  # fmt: skip
    papers = facts(flags=["low_information", "document"])
    add_image(store, "/p/mojo/stage1.heic", mojo, papers, format="heic", width=2048, height=2048)
    late = {"format": "webp", "taken_at": "2023-01-02T03:04:05"}
    add_image(store, "/p/mojo/work in progress.webp", mojo, facts(lighting="artificial"), **late)
    add_image(store, "/p/mojo/bare.png", mojo, format="png", size=500_000)
    add_image(store, "/p/mojo/gone.jpg", mojo, facts(), removed_at="2026-01-01T00:00:00.000000Z")


EVERYTHING = {"beach.jpg", "harbour.jpg", "sky.jpg", "stage1.heic", "work in progress.webp", "bare.png"}
FINDS: list[tuple[str, set[str]]] = [
    ("", EVERYTHING),
    ("sunset", {"beach.jpg", "harbour.jpg"}),
    ("SUNSET -keyword:sunset", {"harbour.jpg"}),
    ("boats", {"harbour.jpg"}),
    ('"at the harbour"', {"harbour.jpg"}),
    ("ÉTÉ", {"beach.jpg"}),
    ('-"work in progress" project:mojo1', {"stage1.heic", "bare.png"}),
    ("camera:nikon", {"beach.jpg", "sky.jpg"}),
    ('camera:"nikon d70"', {"beach.jpg"}),
    ('camera:"nikon nikon"', {"beach.jpg"}),
    ("camera:d70,iphone", {"beach.jpg", "harbour.jpg"}),
    ("camera:none", {"stage1.heic", "work in progress.webp", "bare.png"}),
    ("-camera:any", {"stage1.heic", "work in progress.webp", "bare.png"}),
    ("make:apple", {"harbour.jpg"}),
    ("lens:24-70", {"beach.jpg"}),
    ("project:trip", {"beach.jpg", "harbour.jpg", "sky.jpg"}),
    ("format:heic or format:png", {"stage1.heic", "bare.png"}),
    ("format:heic,png sunset", set()),
    ("sunset camera:nikon or camera:iphone", {"beach.jpg", "harbour.jpg"}),
    ("taken:2024-05", {"beach.jpg"}),
    ("taken:2024-05..2024-07", {"beach.jpg", "harbour.jpg"}),
    ("taken:2024", {"beach.jpg", "harbour.jpg", "sky.jpg"}),
    ("taken:2024-06-01", {"harbour.jpg"}),
    ("taken:..2023", {"work in progress.webp"}),
    ("taken:>2024-05", {"harbour.jpg", "sky.jpg"}),
    ("taken:<2024", {"work in progress.webp"}),
    ("taken:none", {"stage1.heic", "bare.png"}),
    ("added:2026", EVERYTHING),
    ("size:10mb..", {"harbour.jpg"}),
    ("size:<1mb", {"bare.png"}),
    ("width:>=4000 -height:<3000", {"beach.jpg", "work in progress.webp", "bare.png"}),
    ("mp:12 orientation:portrait", {"harbour.jpg"}),
    ("orientation:square", {"stage1.heic"}),
    ("resolution:vga", {"sky.jpg"}),
    ("iso:100..400", {"beach.jpg"}),
    ("f:2.8", {"beach.jpg"}),
    ("f:f/2.8", {"beach.jpg"}),
    ("exposure:1/250", {"beach.jpg"}),
    ("exposure:..1/500", set()),
    ("focal:35mm", {"beach.jpg"}),
    ("flash:no", {"beach.jpg"}),
    ("rating:>=4", {"beach.jpg"}),
    ("rating:none project:trip", {"harbour.jpg", "sky.jpg"}),
    ("people:asha", {"beach.jpg"}),
    ("people:none project:trip", {"harbour.jpg", "sky.jpg"}),
    ("title:harbour", {"harbour.jpg"}),
    ("gps:yes", {"beach.jpg"}),
    ("gps:no project:trip", {"harbour.jpg", "sky.jpg"}),
    ("quality:poor", {"beach.jpg"}),
    ("quality:ex,poor", {"beach.jpg", "harbour.jpg"}),
    ("blur:>0.6", {"beach.jpg"}),
    ("sharpness:0.9..1", {"harbour.jpg"}),
    ("noise:>0.3", {"sky.jpg"}),
    ("colour:red", {"beach.jpg"}),
    ("color:blue", {"sky.jpg"}),
    ("lighting:challenging or lighting:artificial", {"beach.jpg", "work in progress.webp"}),
    ("source:phone", {"harbour.jpg"}),
    ("flag:dark", {"beach.jpg"}),
    ("flag:low-information", {"stage1.heic"}),
    ("folder:2024", {"beach.jpg", "harbour.jpg", "sky.jpg"}),
    ("under:/p/mojo/", {"stage1.heic", "work in progress.webp", "bare.png"}),
    ("name:stage", {"stage1.heic"}),
    ("camera:", EVERYTHING),
    ("nothing-like-it", set()),
    ("10:30", set()),
    ("camera:nikon or", {"beach.jpg", "sky.jpg"}),
]  # fmt: skip


async def names(shelf: Shelf, query: str) -> set[str]:
    return {image.name for image in await shelf.library.page(list(await shelf.library.ids(query)))}


@pytest.mark.parametrize(("query", "found"), FINDS, ids=[query or "nothing" for query, _ in FINDS])
async def test_a_query_finds_what_it_reads_like(library: Shelf, query: str, found: set[str]) -> None:
    assert await names(library, query) == found


@pytest.mark.parametrize(
    ("query", "column", "said", "remedy"),
    [
        ("camra:nikon", 1, "there is no field 'camra'", "Did you mean camera?"),
        ("sunset -qualitty:poor", 9, "there is no field 'qualitty'", "Did you mean quality?"),
        ("quality:excelent", 9, "quality: there is no 'excelent'", "Did you mean excellent? Possible: excellent, good"),
        ("sunset taken:2024-13", 14, "taken: '2024-13' is not a date", "taken:2024-05..2024-07"),
        ("taken:2024-07..2024-05", 7, "ends (2024-05) before it begins", "taken:"),
        ("blur:high", 6, "'high' is not a number", "blur:>0.6"),
        ("blur:0.9..0.1", 6, "ends (0.1) below where it begins", "blur:>0.6"),
        ("size:10mbb", 6, "is not a size", "size:10mb.."),
        ("exposure:1/0", 10, "is not an exposure time", "exposure:"),
        ("gps:maybe", 5, "neither yes nor no", "Possible: yes, no"),
        ("dup:yes", 5, "duplicates have not been looked for yet", "yes"),
        ("under:photos", 7, "from / on", "under:/photos/2024"),
        ("iso:100,fast", 9, "'fast' is not a number", "iso:>800"),
    ],
)
async def test_what_cannot_be_read_is_told_with_its_column_and_what_is_possible(
    library: Shelf, query: str, column: int, said: str, remedy: str
) -> None:
    with pytest.raises(QueryError) as refused:
        await library.library.ids(query)
    assert refused.value.column == column
    assert f"column {column}: " in refused.value.message
    assert said in refused.value.message
    assert remedy in refused.value.remedy
    assert isinstance(refused.value, UsageError)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_in_words(text: str) -> None:
    try:
        query = parse(text, tuple(FIELDS))
    except QueryError as error:
        assert 1 <= error.column <= len(text)
        return
    for group in query:
        assert group
        for term in group:
            assert term.values
            for value in term.values:
                assert text[value.start : value.start + len(value.text.split('"')[0])] or value.is_quoted


@given(field=st.sampled_from(sorted(FIELDS)), value=st.text(min_size=1, max_size=12))
def test_every_value_of_every_field_becomes_a_condition_or_an_error(field: str, value: str) -> None:
    engine = sa.create_engine("sqlite://")
    from engine.store.schema import metadata

    metadata.create_all(engine)
    with engine.connect() as connection:
        try:
            found = conditions(Asking(connection), f'{field}:"{value}"')
        except QueryError:
            return
        from engine.store.schema import images

        connection.execute(sa.select(images.c.id).where(*found)).all()
    engine.dispose()


def test_every_example_is_a_query_and_every_colour_is_one_that_is_measured() -> None:
    for field in NAMED:
        assert parse(field.example, tuple(FIELDS)), field.name
        assert field.example.startswith(field.name + ":")
    assert set(FIELDS["colour"].choices) == set(colours._names())


async def test_a_room_may_say_what_is_a_duplicate(library: Shelf) -> None:
    from engine.store.schema import images

    library.library.hooks = lambda: {"dup": images.c.name.in_(["sky.jpg", "beach.jpg"])}
    assert await names(library, "dup:yes") == {"sky.jpg", "beach.jpg"}
    assert await names(library, "dup:no project:trip") == {"harbour.jpg"}
    assert (await library.library.mix()).near_duplicates == pytest.approx(2 / 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", ("2024-01-01", "2025-01-01")),
        ("2024-12", ("2024-12-01", "2025-01-01")),
        ("2024-02-29", ("2024-02-29", "2024-03-01")),
        ("2024-12-31", ("2024-12-31", "2025-01-01")),
        ("2024-05..", ("2024-05-01", None)),
        ("..2024", (None, "2025-01-01")),
        ("<=2024-05", (None, "2024-06-01")),
    ],
)
def test_dates_mean_whole_days_months_and_years(text: str, expected: tuple[str | None, str | None]) -> None:
    found = ranges.date_range(text)
    assert (found.low, found.high) == expected


@pytest.mark.parametrize("text", ["2023-02-29", "2024-00", "24", "yesterday", "..", "2024-5-5-5", ">"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a date|needs a beginning"):
        ranges.date_range(text)


WORDS = {"camera": ("NIKON D70", "iPhone 12"), "keyword": ("sunset",), "quality": ()}


@pytest.mark.parametrize(
    ("text", "start", "candidates"),
    [
        ("cam", 0, ["camera:"]),
        ("sunset -qu", 8, ["quality:"]),
        ("camera:n", 7, ['"NIKON D70"', '"iPhone 12"']),
        ('camera:"nik', 7, ['"NIKON D70"']),
        ("camera:iphone,d7", 14, ['"NIKON D70"']),
        ("quality:", 8, ["excellent", "good", "average", "poor"]),
        ("keyword:sun", 8, ["sunset"]),
        ("nofield:x", 9, []),
    ],
)
def test_tab_offers_fields_and_the_librarys_own_values(text: str, start: int, candidates: list[str]) -> None:
    found = complete(text, len(text), WORDS)
    assert found.start == start
    assert list(found.candidates) == candidates


def test_a_candidate_goes_where_the_word_was() -> None:
    text = "sunset camera:ni blur:>0.5"
    found = complete(text, len("sunset camera:ni"), WORDS)
    assert found.applied(text) == ('sunset camera:"NIKON D70" blur:>0.5', len('sunset camera:"NIKON D70"'))


async def test_the_vocabulary_is_of_this_library_the_commonest_first(library: Shelf) -> None:
    words = await library.library.vocabulary()
    assert set(words["camera"]) == {"NIKON D70", "COOLPIX P6000", "iPhone 12"}
    assert words["make"][0] == "NIKON"
    assert set(words["keyword"]) == {"Sunset", "été"}
    assert words["project"] == ("mojo1", "Trip")
    assert words["taken"] == ("2024", "2023")
    trip = add_project(library.store, "garden")
    add_image(library.store, "/p/new.jpg", trip, facts(), told(camera_model="X100"))
    assert "X100" in (await library.library.vocabulary())["camera"], "what is new is offered too"
