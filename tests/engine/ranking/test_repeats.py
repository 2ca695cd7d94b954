"""Sets that come back: when, which, what they change (nothing), and what they tell."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from engine.ranking.repeats import BETWEEN, REPEAT, wilson
from engine.review import Verdict
from engine.settings import Settings
from engine.store.schema import sets
from tests.engine.ranking.conftest import World


@pytest.fixture
def settings() -> Settings:
    return Settings(actor="ada", auto_train=False, repeat_share=0.1)


@pytest.fixture(autouse=True)
def untaught(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is suggested is no matter here, and learning from a few verdicts, again and again, is most of the time."""
    monkeypatch.setattr("engine.ranking.early.early_taste", lambda *_: None)


async def many(world: World, count: int, project: str = "mojo1") -> list[int]:
    """So many sets of two images, in review order."""
    for number in range(count):
        world.add(f"/lib/{project}/{number:04}", [f"{number}a.png", f"{number}b.png"], project=project)
    await world.ranking.build_sets()
    return await world.ranking.queue(project)


async def loop(world: World, turns: int, answers: dict[int, int] | None = None) -> list[tuple[int, bool]]:
    """Drive the loop: the first image wins, or on a repeat the one at `answers[set]`; (set, was it a repeat)."""
    seen: list[tuple[int, bool]] = []
    first: dict[int, int] = {}
    for _ in range(turns):
        turn = await world.ranking.turn()
        assert turn.shown is not None
        one = turn.shown
        place = first.setdefault(one.id, 0)
        if any(one.id == other for other, _ in seen):
            assert turn.suggestion is None, "a repeat shows no suggestion"
            place = (answers or {}).get(one.id, place)
        outcome = await world.ranking.decide(one.id, Verdict.APPROVED, one.members[place].image.path)
        seen.append((one.id, outcome.is_repeat))
    return seen


async def test_about_the_share_asked_for_comes_back_and_never_soon(world: World) -> None:
    await many(world, 140)
    seen = await loop(world, 140)
    again = [(place, one) for place, (one, is_repeat) in enumerate(seen) if is_repeat]
    assert 5 <= len(again) <= 10, "one in ten of those after the first 60"
    for place, one in again:
        earlier = next(index for index, (other, _) in enumerate(seen) if other == one)
        assert place - earlier >= BETWEEN
        assert not seen[place - 1][1], "two never follow one another"
    assert len({one for _, one in again}) == len(again), "no set comes back twice"
    own = await world.ranking.consistency()
    assert (own.agreed, own.of, own.share) == (len(again), len(again), 1.0)
    assert own.low is not None and own.low < 1.0 and own.high == 1.0


async def test_a_repeat_changes_no_verdict_and_teaches_nothing(world: World) -> None:
    await many(world, 120)
    seen = await loop(world, 100)
    again = next(one for one, is_repeat in seen if is_repeat)
    standing = await world.review.standing("ranking")
    assert len(standing) == sum(not is_repeat for _, is_repeat in seen)
    before = await world.review.in_force("ranking", f"set:{again}")
    counts = await world.ranking.total()
    assert counts.decided == len(standing)
    (answer,) = [one for one in await world.review.standing(REPEAT) if one.subject == f"set:{again}"]
    assert before is not None and answer.blind and answer.value["repeats"] == before.id


async def test_a_different_answer_counts_against_and_the_first_stays_in_force(world: World) -> None:
    ids = await many(world, 120)
    seen = await loop(world, 100, dict.fromkeys(ids, 1))
    repeated = [one for one, is_repeat in seen if is_repeat]
    own = await world.ranking.consistency()
    assert (own.agreed, own.of) == (0, len(repeated))
    before = await world.review.in_force("ranking", f"set:{repeated[0]}")
    assert before is not None
    assert before.value["image"] == (await world.ranking.image_set(repeated[0])).members[0].image.id
    assert (await world.ranking.consistency("mojo1")).of == own.of
    assert (await world.ranking.consistency("nowhere")).share is None


async def test_the_same_verdicts_bring_the_same_sets_back(world: World) -> None:
    await many(world, 80)
    await loop(world, 60)
    due = [await world.ranking.repeat_due(ahead=ahead) for ahead in range(1, 10)]
    assert due == [await world.ranking.repeat_due(ahead=ahead) for ahead in range(1, 10)]
    assert sum(one is not None for one in due) <= 1


async def until_due(world: World) -> int:
    for following in await world.ranking.queue("mojo1"):
        due = await world.ranking.repeat_due()
        if due is not None:
            return due.set_pk
        await world.ranking.pick(following, (await world.ranking.image_set(following)).image_ids[0])
    raise AssertionError("no repeat came due")


async def test_undo_takes_a_repeat_back_and_asks_it_again(world: World) -> None:
    await many(world, 140)
    again = await until_due(world)
    turn = await world.ranking.turn()
    assert turn.shown is not None and turn.shown.id == again
    made = await world.ranking.reject(again)
    assert made.kind == REPEAT
    assert (await world.ranking.consistency()).of == 1
    undone = await world.ranking.take_back()
    assert [one.undoes for one in undone] == [made.id]
    assert (await world.ranking.consistency()).of == 0
    turn = await world.ranking.turn()
    assert turn.shown is not None and turn.shown.id == again, "it was left open"
    await world.ranking.pick(again, turn.shown.image_ids[0])
    own = await world.ranking.consistency()
    assert (own.agreed, own.of) == (1, 1)


async def test_an_interrupted_repeat_waits_and_a_skipped_one_says_nothing(world: World) -> None:
    await many(world, 140)
    again = await until_due(world)
    for _ in range(2):
        turn = await world.ranking.turn()
        assert turn.shown is not None and turn.shown.id == again
    await world.ranking.skip(again)
    assert (await world.ranking.consistency()).of == 0
    turn = await world.ranking.turn()
    assert turn.shown is not None and turn.shown.id != again
    in_force = await world.review.in_force("ranking", f"set:{again}")
    assert in_force is not None and in_force.verdict is Verdict.APPROVED


async def test_a_set_whose_verdict_was_taken_back_is_no_repeat(world: World) -> None:
    await many(world, 140)
    again = await until_due(world)
    await world.ranking.turn()
    await world.review.decide("ranking", f"set:{again}", Verdict.SKIPPED, project="mojo1")
    assert (await world.ranking.repeat_due()) is None
    images = (await world.ranking.image_set(again)).image_ids
    assert (await world.ranking.pick(again, images[0])).kind == "ranking"


async def test_a_set_that_lost_an_image_does_not_come_back(world: World) -> None:
    await many(world, 140)
    again = await until_due(world)
    due = await world.ranking.repeat_due()
    assert due is not None
    world.remove((await world.ranking.image_set(again)).image_ids[0])
    other = await world.ranking.repeat_due()
    assert other is None or other.set_pk != again


async def test_a_project_is_only_asked_for_its_own_sets_again(world: World) -> None:
    await many(world, 140)
    world.add("/lib/garden/1", ["a.png", "b.png"], project="garden")
    await world.ranking.build_sets()
    await until_due(world)
    assert await world.ranking.repeat_due("garden") is None
    due = await world.ranking.repeat_due("MOJO1")
    assert due is not None
    with world.store.reading() as connection:
        assert connection.execute(sa.select(sets.c.project_id).where(sets.c.id == due.set_pk)).scalar() == 1


async def test_it_can_be_switched_off(world: World) -> None:
    await many(world, 140)
    await until_due(world)
    world.ranking._settings = Settings(actor="ada", repeat_share=0)
    assert await world.ranking.repeat_due() is None


def test_wilsons_interval_is_scipys() -> None:
    from scipy.stats import binomtest

    for agreed, of in ((0, 1), (1, 1), (7, 9), (30, 31), (45, 90)):
        expected = binomtest(agreed, of).proportion_ci(method="wilson")
        assert wilson(agreed, of) == pytest.approx((expected.low, expected.high), abs=1e-12)
