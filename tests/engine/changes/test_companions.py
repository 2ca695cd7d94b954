"""Companions travel with their image, and keep their relation to its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.changes import Changes, ChangesRefused, Copy, Move, RefusalCode
from tests.engine.changes.trees import contents, snapshot, write


@pytest.mark.parametrize(
    ("companion", "becomes"),
    [
        ("one.xmp", "best.xmp"),
        ("one.yaml", "best.yaml"),
        ("one.jpg.xmp", "best.jpeg.xmp"),
        ("one.caption.txt", "best.caption.txt"),
        ("sidecars/one.txt", "sidecars/best.txt"),
        ("other.txt", "other.txt"),
    ],
)
async def test_a_companion_moves_along_under_the_new_name(
    changes: Changes, pictures: Path, companion: str, becomes: str
) -> None:
    write(pictures / companion, b"note")
    before = snapshot(pictures)

    planned = await changes.plan(
        [Move(pictures / "one.jpg", pictures / "top" / "best.jpeg")],
        "move",
        [pictures],
        {pictures / "one.jpg": [pictures / companion]},
    )
    await changes.apply(planned.id)

    after = contents(pictures)
    assert after["top/best.jpeg"] == b"one" * 3000
    assert after[f"top/{becomes}"] == b"note"
    assert companion not in after
    await changes.rollback(planned.id)
    assert snapshot(pictures) == before


async def test_a_companion_of_a_copy_is_copied_and_of_a_hard_link_too(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan(
        [Copy(pictures / "one.jpg", pictures / "out" / "one.jpg", link=True)],
        "export",
        [pictures],
        {pictures / "one.jpg": [pictures / "one.xmp"]},
    )
    await changes.apply(planned.id)

    assert (pictures / "out" / "one.jpg").samefile(pictures / "one.jpg")
    assert (pictures / "out" / "one.xmp").read_bytes() == (pictures / "one.xmp").read_bytes()
    assert not (pictures / "out" / "one.xmp").samefile(pictures / "one.xmp"), "an edit there must not come back here"


async def test_a_companion_that_two_images_share_travels_once(changes: Changes, pictures: Path) -> None:
    write(pictures / "one.heic", b"raw")
    planned = await changes.plan(
        [
            Move(pictures / "one.jpg", pictures / "t" / "one.jpg"),
            Move(pictures / "one.heic", pictures / "t" / "one.heic"),
        ],
        "pair",
        [pictures],
        {pictures / name: [pictures / "one.xmp"] for name in ("one.jpg", "one.heic")},
    )

    assert [step.path.name for step in planned.operations] == ["one.jpg", "one.xmp", "one.heic"]


async def test_a_companion_that_is_gone_has_nothing_to_travel(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan(
        [Move(pictures / "one.jpg", pictures / "t.jpg")],
        "gone",
        [pictures],
        {pictures / "one.jpg": [pictures / "one.yaml"]},
    )

    assert [step.path.name for step in planned.operations] == ["t.jpg"]


async def test_a_companion_is_held_to_the_same_rules(changes: Changes, pictures: Path) -> None:
    write(pictures / "t.xmp", b"somebody's")

    with pytest.raises(ChangesRefused) as refused:
        await changes.plan(
            [Move(pictures / "one.jpg", pictures / "t.jpg")],
            "occupied",
            [pictures],
            {pictures / "one.jpg": [pictures / "one.xmp"]},
        )
    assert [(found.code, found.path.name) for found in refused.value.refusals] == [(RefusalCode.EXISTS, "t.xmp")]
