"""Variants and assignment: immutable prompts, recorded changes, users who keep what they have."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.errors import UsageError
from engine.experiments import Experiments, NewSession
from engine.experiments.bucketing import bucket_ranges, choose_variation, hash_unit
from engine.experiments.template import TemplateRefused, check_template, read_template, render
from engine.store import Store
from engine.store.schema.experiments import exposures
from tests.engine.experiments.conftest import Clock

PROMPT = "Resize {currentWidth}x{currentHeight} to {targetWidth}x{targetHeight}: {canvas}\n"


async def test_two_variants_ship_with_an_equal_split(room: Experiments) -> None:
    found = await room.variants()
    assert [(one.id, one.weight, one.source) for one in found] == [
        ("original", 0.5, "shipped"),
        ("enhanced-v1", 0.5, "shipped"),
    ]
    assert "Golden ratio" in found[1].template
    assert "{targetWidth}" in found[0].template


async def test_an_added_variant_gets_an_average_share_and_is_recorded(room: Experiments, tmp_path: Path) -> None:
    file = tmp_path / "short.txt"
    file.write_text(PROMPT)
    made = await room.add_variant_file(file, why="shorter is cheaper")
    assert (made.id, made.weight) == ("short", pytest.approx(1 / 3))
    event = (await room.events("short"))[0]
    assert (event.action, event.actor, event.why) == ("added", "ada", "shorter is cheaper")
    assert (await room.epochs())[-1].arms == tuple((one.id, one.weight) for one in await room.variants())


async def test_a_variant_never_changes(room: Experiments) -> None:
    await room.add_variant("mine", PROMPT, why="first")
    assert (await room.add_variant("mine", PROMPT, why="again")).id == "mine"
    with pytest.raises(UsageError, match="another text") as refused:
        await room.add_variant("mine", PROMPT + "Hurry.", why="second")
    assert "mine-v2" in refused.value.remedy
    with pytest.raises(UsageError, match="already, as 'mine'"):
        await room.add_variant("other", PROMPT, why="a copy")
    assert len(await room.epochs()) == 2


@pytest.mark.parametrize("bad", ["", "a b", "../x", "é", "x" * 65, "-a"])
async def test_an_id_that_is_none_is_refused(room: Experiments, bad: str) -> None:
    with pytest.raises(UsageError, match="no variant id"):
        await room.add_variant(bad, PROMPT, why="")


def test_an_unknown_placeholder_is_refused_with_its_line() -> None:
    with pytest.raises(TemplateRefused, match=r"p\.txt, line 3: unknown placeholder \{colour\}"):
        check_template("{targetWidth}\n{targetHeight}\nin {colour}\n", "p.txt")


def test_a_missing_placeholder_is_refused_with_the_line_where_the_prompt_ends() -> None:
    with pytest.raises(TemplateRefused, match=r"p\.txt, line 2: the prompt ends without \{targetHeight\}"):
        check_template("make it {targetWidth}\nwide", "p.txt")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"ok\n\xff", "line 2: not UTF-8"), (b"", "is empty"), (b"a\n\nb\0", "line 3: a NUL"), (b"x" * 100_001, "longer")],
)
def test_a_file_that_is_no_prompt_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(TemplateRefused, match=said):
        read_template(data, "p.txt")


def test_rendering_fills_placeholders_and_leaves_other_braces() -> None:
    template = '{currentWidth} to {targetWidth} ({scaleX}, {targetAspectRatio}) {{canvas}} {"id": {}} {objectCount}'
    canvas = {"width": 800, "height": 600, "objects": [{"text": "{targetWidth}"}]}
    assert render(template, canvas, (1080, 1920)) == '800 to 1080 (1.35, 0.5625) {canvas} {"id": {}} 1'
    assert '"{targetWidth}"' in render("{canvas}", canvas, (1, 1))  # what a person wrote is not filled in
    assert render("{currentWidth}", {"width": float("nan")}, (1, 1)) == "unknown"


async def test_pausing_moves_the_share_and_the_last_one_cannot_be_paused(room: Experiments) -> None:
    await room.pause("original", "too slow")
    assert [(one.id, one.weight) for one in await room.variants()] == [("original", 0.0), ("enhanced-v1", 1.0)]
    with pytest.raises(UsageError, match="only variant that runs"):
        await room.pause("enhanced-v1")
    await room.resume("original")
    assert [one.weight for one in await room.variants()] == [0.5, 0.5]
    assert [event.action for event in await room.events("original")] == ["resumed", "paused", "added"]


async def test_weights_that_do_not_add_to_one_become_an_equal_split_with_a_warning(room: Experiments) -> None:
    epoch, warnings = await room.set_weights({"original": 0.2, "enhanced-v1": 0.7})
    assert dict(epoch.arms) == {"original": 0.5, "enhanced-v1": 0.5}
    assert "add to 0.9" in warnings[0]
    epoch, warnings = await room.set_weights({"original": 0.2, "enhanced-v1": 0.795}, why="a hair short")
    assert (sum(dict(epoch.arms).values()), warnings) == (pytest.approx(1.0), [])
    assert "a hair short" in await room.why_weights()


@pytest.mark.parametrize("bad", [{"nobody": 1.0}, {"original": -0.5, "enhanced-v1": 1.5}, {"original": float("nan")}])
async def test_bad_weights_are_refused(room: Experiments, bad: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        await room.set_weights(bad)
    assert len(await room.epochs()) == 1


async def test_a_user_keeps_the_variant_whatever_the_weights_become(room: Experiments) -> None:
    users = [f"user-{number}" for number in range(60)]
    before = {user: (await room.assign(user)).variant_id for user in users}
    assert set(before.values()) == {"original", "enhanced-v1"}
    await room.set_weights({"original": 0.0, "enhanced-v1": 1.0})
    for user in users:
        again = await room.assign(user)
        assert (again.variant_id, again.is_sticky) == (before[user], True)
    assert {(await room.assign(f"new-{number}")).variant_id for number in range(20)} == {"enhanced-v1"}


async def test_pausing_moves_only_the_users_of_the_paused_variant(room: Experiments) -> None:
    users = [f"user-{number}" for number in range(40)]
    before = {user: (await room.assign(user)).variant_id for user in users}
    await room.pause("original")
    for user in users:
        now = await room.assign(user)
        assert now.variant_id == "enhanced-v1"
        assert now.is_sticky == (before[user] == "enhanced-v1")


async def test_every_assignment_can_be_drawn_again(room: Experiments, store: Store, clock: Clock) -> None:
    for weights in ({"original": 0.5, "enhanced-v1": 0.5}, {"original": 0.1, "enhanced-v1": 0.9}):
        await room.set_weights(weights)
        for number in range(40):
            await room.start_session(NewSession(f"user-{number * len(weights)}", "http"))
        clock.forward(days=1)
    await room.pause("original")
    for number in range(0, 80, 3):
        await room.start_session(NewSession(f"user-{number}", "http"))
    replayed = await room.replay_assignments()
    assert (replayed.checked, replayed.different) == (107, ())
    with store.writing() as connection:
        wrong = connection.execute(sa.select(exposures.c.id).where(exposures.c.variant_pk == 2).limit(1)).scalar_one()
        connection.execute(sa.update(exposures).where(exposures.c.id == wrong).values(variant_pk=1))
    assert (await room.replay_assignments()).different == (wrong,)


async def test_any_client_can_draw_the_same_variant(room: Experiments) -> None:
    await room.set_weights({"original": 0.3, "enhanced-v1": 0.7})
    epoch = (await room.epochs())[-1]
    names, weights = zip(*epoch.arms, strict=True)
    for user in ("ada", "Zoë", "用户", "a" * 400):
        n = hash_unit(epoch.seed, user, epoch.hash_version)
        assert n is not None
        expected = names[choose_variation(n, bucket_ranges(2, epoch.coverage, weights))]
        found = await room.assign(user)
        assert (found.variant_id, found.bucket, found.probability) == (expected, n, dict(epoch.arms)[expected])
        assert await room.preview_assignments([user]) == [expected]


@pytest.mark.parametrize("bad", ["", "   ", "x" * 501, "\ud800"])
async def test_a_user_without_a_proper_id_is_refused(room: Experiments, bad: str) -> None:
    with pytest.raises(UsageError):
        await room.assign(bad)


async def test_the_diff_of_two_prompts(room: Experiments) -> None:
    await room.add_variant("b", PROMPT, why="")
    await room.add_variant("c", PROMPT + "Hurry.\n", why="")
    assert (await room.diff("b", "c")).endswith("+Hurry.\n")
    assert await room.diff("b", "b") == ""
    with pytest.raises(UsageError, match="no variant 'zzz'"):
        await room.diff("b", "zzz")
