"""Picks leave again, by change set: log, list, folder, ratings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from engine.changes import ChangeSet
from engine.engine import Engine
from engine.errors import ProofsheetError, UsageError
from engine.ranking.export import safe_name, sidecar_of
from engine.ranking.xmp import NotXmp, read_rating, with_rating
from engine.workspace import Workspace


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two projects with two and three small images."""
    for project, count in (("mojo1", 3), ("mojo2", 2)):
        folder = tmp_path / "pictures" / project
        folder.mkdir(parents=True)
        for number in range(count):
            Picture.effect_noise((48, 32), 20 + 30 * number).convert("RGB").save(folder / f"im{number}.jpg")
    return tmp_path / "pictures"


@pytest.fixture
async def engine(workspace: Workspace, pictures: Path) -> AsyncIterator[Engine]:
    """Scanned, with the last image of each project picked."""
    async with Engine.open(workspace) as opened:
        await opened.runs.wait((await opened.library.scan([pictures])).id)
        for one in await opened.ranking.queue():
            members = (await opened.ranking.image_set(one)).members
            await opened.ranking.pick(one, members[-1].image.id)
        yield opened


async def apply(engine: Engine, planned: ChangeSet) -> None:
    assert engine.changes.preview(planned)
    await engine.changes.apply(planned.id)


async def test_a_log_that_was_exported_gives_the_same_selections_in_a_fresh_workspace(
    engine: Engine, tmp_path: Path, pictures: Path
) -> None:
    file = tmp_path / "out" / "selection_only_log.csv"
    planned = await engine.ranking.export_selections(file)
    assert not file.exists(), "planned is not applied"
    await apply(engine, planned)
    async with Engine.open(Workspace.init(tmp_path / "fresh")) as fresh:
        await fresh.runs.wait((await fresh.library.scan([pictures])).id)
        found = await fresh.ranking.import_selections(file)
        assert (found.sets, found.pairs, found.projects, found.refused) == (2, 3, {"mojo1": 1, "mojo2": 1}, ())
        assert [w.path for w in await fresh.ranking.winners()] == [w.path for w in await engine.ranking.winners()]
        again = tmp_path / "out" / "again.csv"
        await apply(fresh, await fresh.ranking.export_selections(again))
        assert again.read_bytes() == file.read_bytes()


async def test_what_was_rejected_since_does_not_go_out(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    await apply(engine, await engine.ranking.export_selections(file))
    assert len(file.read_text().splitlines()) == 3
    await engine.ranking.import_selections(file)
    await engine.ranking.reject(1)
    await apply(engine, await engine.ranking.export_selections(file))
    assert len(file.read_text().splitlines()) == 2


async def test_winners_as_a_list(engine: Engine, tmp_path: Path, pictures: Path) -> None:
    expected = [str(pictures / "mojo1" / "im2.jpg"), str(pictures / "mojo2" / "im1.jpg")]
    for form in ("txt", "json", "csv"):
        file = tmp_path / f"winners.{form}"
        await apply(engine, await engine.ranking.export_winners(file, form))  # type: ignore[arg-type]
        text = file.read_text()
        if form == "json":
            assert json.loads(text) == expected
        else:
            assert all(path in text for path in expected)
    one = tmp_path / "one.txt"
    await apply(engine, await engine.ranking.export_winners(one, project="MOJO2"))
    assert one.read_text() == expected[1] + "\n"


async def test_winners_as_copies_and_as_hard_links(engine: Engine, tmp_path: Path, pictures: Path) -> None:
    await apply(engine, await engine.ranking.export_folder(tmp_path / "copies"))
    await apply(engine, await engine.ranking.export_folder(tmp_path / "links", link=True))
    source = pictures / "mojo1" / "im2.jpg"
    copy, link = (tmp_path / kind / "mojo1" / "im2.jpg" for kind in ("copies", "links"))
    assert copy.read_bytes() == link.read_bytes() == source.read_bytes()
    assert link.stat().st_ino == source.stat().st_ino != copy.stat().st_ino


async def test_companions_travel_with_the_winners(workspace: Workspace, tmp_path: Path, pictures: Path) -> None:
    (pictures / "mojo2" / "im1.yaml").write_text("prompt: a cat\n")
    async with Engine.open(workspace) as engine:
        await engine.runs.wait((await engine.library.scan([pictures / "mojo2"])).id)
        (one,) = await engine.ranking.queue()
        members = (await engine.ranking.image_set(one)).members
        await engine.ranking.pick(one, members[-1].image.id)
        await apply(engine, await engine.ranking.export_folder(tmp_path / "out"))
    assert next((tmp_path / "out").rglob("im1.yaml")).read_text() == "prompt: a cat\n"


async def test_ratings_go_into_sidecars_and_come_off_again(engine: Engine, pictures: Path) -> None:
    sidecar = pictures / "mojo2" / "im1.xmp"
    before = SIDECAR.replace(b'xmp:Rating="2"', b'xmp:Rating="1"')
    sidecar.write_bytes(before)
    planned = await engine.ranking.export_xmp()
    await apply(engine, planned)
    assert sidecar.read_bytes() == SIDECAR.replace(b'xmp:Rating="2"', b'xmp:Rating="5"')
    assert read_rating((pictures / "mojo1" / "im2.xmp").read_bytes()) == 5
    assert not (pictures / "mojo1" / "im0.xmp").exists()
    await engine.changes.rollback(planned.id)
    assert sidecar.read_bytes() == before
    assert not (pictures / "mojo1" / "im2.xmp").exists()


async def test_a_damaged_sidecar_is_named_and_nothing_is_planned(engine: Engine, pictures: Path) -> None:
    (pictures / "mojo2" / "im1.xmp").write_bytes(b"<broken")
    with pytest.raises(ProofsheetError, match=r"im1\.xmp: it is not well-formed XML"):
        await engine.ranking.export_xmp()
    planned = await engine.ranking.export_xmp(skip_damaged=True)
    assert [step.path.name for step in planned.operations] == ["im2.xmp"]


async def test_nothing_picked_is_said_so(workspace: Workspace, tmp_path: Path) -> None:
    async with Engine.open(workspace) as engine:
        with pytest.raises(UsageError, match="no winners yet"):
            await engine.ranking.export_winners(tmp_path / "w.txt")


# --- sidecars -------------------------------------------------------------------------------------------------------

SIDECAR = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <!-- by hand: a > b -->
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Label="a &gt; b > c" xmp:Rating="2">
   <dc:subject><rdf:Bag><rdf:li>Katze &amp; Hund</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'xmp:Rating="2"', b'xmp:Rating="4"'),
        (b"xmp:Rating = '2'", b'xmp:Rating = "4"'),
        (b'xmp:Rating=""', b'xmp:Rating="4"'),
    ],
)
def test_an_existing_rating_is_replaced_and_nothing_else(before: bytes, after: bytes) -> None:
    start = SIDECAR.replace(b'xmp:Rating="2"', before)
    assert with_rating(start, 4) == start.replace(before, after)


def test_a_rating_element_is_replaced_in_place() -> None:
    for element in (b"<xmp:Rating>2</xmp:Rating>", b"<xmp:Rating/>", b"<xmp:Rating></xmp:Rating>"):
        start = SIDECAR.replace(b' xmp:Rating="2"', b"").replace(b"   <dc:", b"   " + element + b"<dc:", 1)
        assert with_rating(start, 3) == start.replace(element, b"<xmp:Rating>3</xmp:Rating>")


def test_a_missing_rating_is_added_whatever_the_prefixes() -> None:
    without = SIDECAR.replace(b' xmp:Rating="2"', b"")
    added = with_rating(without, 5)
    assert read_rating(added) == 5
    assert added.replace(b' xmp:Rating="5"', b"") == without
    other = without.replace(b"xmlns:xmp=", b"xmlns:xap=").replace(b"xmp:Label", b"xap:Label")
    assert b' xap:Rating="5"' in with_rating(other, 5)
    stolen = without.replace(b"http://ns.adobe.com/xap/1.0/", b"http://example.org/")
    assert read_rating(with_rating(stolen, 5)) == 5


def test_what_is_no_sidecar_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + SIDECAR[SIDECAR.index(b"<x:") :]
    for content in (b"<x/>", b"not xml", SIDECAR[:200], bomb, SIDECAR.decode().encode("utf-16")):
        with pytest.raises(NotXmp):
            with_rating(content, 5)


def test_a_new_sidecar_is_whole() -> None:
    for empty in (None, b"", b"  \n"):
        assert read_rating(with_rating(empty, -1)) == -1
    with pytest.raises(ValueError, match="a rating is -1 to 5"):
        with_rating(None, 6)


@given(st.integers(-1, 5), st.integers(-1, 5), st.text(st.characters(codec="utf-8", categories=["L", "N", "P"])))
def test_rating_twice_is_rating_once(first: int, second: int, label: str) -> None:
    from xml.sax.saxutils import escape

    quoted = escape(label, {'"': "&quot;", "'": "&apos;"}).encode()
    start = SIDECAR.replace(b"a &gt; b > c", quoted)
    assert with_rating(with_rating(start, first), second) == with_rating(start, second)
    assert with_rating(with_rating(None, first), second) == with_rating(None, second)


def test_a_sidecar_that_two_images_would_share_is_named_after_the_whole_name(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    assert sidecar_of(image, is_shared=False) == (tmp_path / "a.xmp", False)
    assert sidecar_of(image, is_shared=True) == (tmp_path / "a.jpg.xmp", False)
    (tmp_path / "a.XMP").write_text("x")
    assert sidecar_of(image, is_shared=False) == (tmp_path / "a.XMP", True)
    assert sidecar_of(image, is_shared=True) == (tmp_path / "a.jpg.xmp", False)


def test_a_project_is_one_folder_whatever_its_id() -> None:
    assert [safe_name(one) for one in ("mojo1", "a/b", "..", "")] == ["mojo1", "a_b", "_..", "_"]
