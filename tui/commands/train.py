"""`proofsheet train`: learn from the verdicts so far. The numbers stand beside the naive baselines, always."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, note, say
from tui.commands.following import ProgressLine

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.runs import RunEvent


@click.group("train", help="Train the ranker on the verdicts so far.")
def train() -> None:
    """One command a model."""


@train.command("ranker", help="Train a new version of the ranker; it is used only if it earns it.")
@click.option("--project", help="Learn from this project alone.")
@click.option(
    "--mode",
    type=click.Choice(["unified", "per-project"]),
    help="unified: one taste, from which projects may deviate (default); per-project: each project by itself.",
)
@click.option("--per-project", is_flag=True, help="The same as --mode per-project.")
@click.option("--encoder", help="Whose vectors to learn from (default: the setting).")
@click.option(
    "--without",
    type=click.Choice(["embedding", "quality", "crops"]),
    multiple=True,
    help="Leave a block of features out; may be repeated.",
)
@click.option("--actor", help="Whose verdicts to learn from, beside the imported logs (default: yours).")
@click.option("--seed", type=click.IntRange(0), help="Seed of the splits and the bootstrap.")
@click.option("--detach", is_flag=True, help="Go on after this terminal closes; `proofsheet runs tail` follows it.")
@json_option
@engine_command
async def ranker(
    engine: Engine,
    project: str | None,
    mode: str | None,
    per_project: bool,
    encoder: str | None,
    without: tuple[str, ...],
    actor: str | None,
    seed: int | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Progress on stderr, the report on stdout."""
    if per_project and mode == "unified":
        raise UsageError("--per-project and --mode unified contradict each other", remedy="Name one of them.")
    apart = per_project or mode == "per-project"
    run = await engine.ranking.train(
        project, detach, per_project=apart, actor=actor, seed=seed, encoder=encoder, without=without
    )
    if detach:
        emit({"run": run.id}) if as_json else say(f"{run.id} goes on by itself: proofsheet runs tail {run.id}")
        return
    line = ProgressLine()
    try:
        async for event in engine.runs.tail(run.id):
            _follow(event, line)
    except asyncio.CancelledError:
        await engine.runs.cancel(run.id)
        raise
    finally:
        line.clear()
    result = (await engine.runs.finished(run.id)).result or {}
    if as_json:
        emit(dict(result))
    else:
        report(result)


def _follow(event: RunEvent, line: ProgressLine) -> None:
    """What goes by is written over; what was found stays."""
    data = event.data
    if event.type == "progress":
        far = f" {data['done']:,}/{data['total']:,}" if data.get("total") else ""
        line.tell(f"  {data['message']}{far}")
        return
    told = list(_told(event))
    if told:
        line.clear()
    for text in told:
        note(f"  {text}")


def _told(event: RunEvent) -> Iterator[str]:
    data = event.data
    if event.type == "metric":
        last = data["points"][-1]
        yield f"step {last['step']:>3}  loss {last['loss']:.4f}  held-out pairs {last['held_out_pair_accuracy']:.1%}"
    elif event.type == "log":
        yield data["message"]
    elif event.type == "refused":
        for file in data["files"]:
            yield f"passed over: {file['path']}: {file['reason']}"
    elif event.type == "recovered":
        for one in data["what"]:
            yield f"recovered from: {one['message']}"


def report(result: Mapping[str, Any]) -> None:
    """The model beside every baseline and the reference, what each block is worth, and what follows from it."""
    held_out, sets = result["held_out"], result["sets"]
    say(f"{result['model']}  learned from {sets['train']:,} sets, measured on {sets['held_out']:,} held out")
    say()
    rows = [("this model", held_out["pair_accuracy"])]
    rows += [(f"baseline: {name.replace('_', ' ')}", value) for name, value in result["baselines"].items()]
    rows += [("reference: logistic regression", result["references"]["logistic_difference"])]
    rows += [(f"without {name}", value) for name, value in result["ablation"].items()]
    rows += [(f"tried: {one['name']}", one["pair_accuracy"]) for one in result["candidates"] if not one["chosen"]]
    rows += [("winners drawn by lot", held_out["permuted_pair_accuracy"])]
    say(f"  {'pairs in the right order':<34}")
    for name, value in rows:
        say(f"  {name:<34} {value:>6.1%}  {'█' * round(value * 30)}")
    say()
    low, high = held_out["pair_accuracy_ci"]
    say(f"  {'95 % interval of this model':<34} {low:>6.1%} to {high:.1%}")
    say(f"  {'winner named first':<34} {held_out['top1_accuracy']:>6.1%}")
    if held_out["self_consistency"] is not None:
        say(f"  {'you agree with yourself':<34} {held_out['self_consistency']:>6.1%}")
    by_chance = f"  ({held_out['ece_floor']:.1%} by chance alone, at so many sets)"
    say(f"  {'calibration error':<34} {held_out['ece']:>6.1%}{by_chance}")
    say(f"  {'can be approved at 95 %':<34} {held_out['coverage_at_95']:>6.1%}")
    if len(held_out["by_project"]) > 1:
        for project, value in held_out["by_project"].items():
            say(f"  {'project ' + project:<34} {value:>6.1%}")
    say()
    if result["promoted"]:
        say("Promoted: it suggests from now on.")
    else:
        say("Kept, not promoted:")
        for reason in result["why_not"]:
            say(f"  - {reason}")


@train.command("replay", help="How many of your verdicts each order of asking would have needed.")
@click.option("--project", help="Of this project alone.")
@json_option
@engine_command
async def replay(engine: Engine, project: str | None, as_json: bool) -> None:
    """Replays what was decided: by expected information, by date and at random. Changes nothing."""
    found = await engine.ranking.replay(project)
    if as_json:
        emit(found)
        return
    say(f"{found['sets']['asked']:,} sets asked again, {found['sets']['held_out']:,} measured on")
    say(f"verdicts needed for {found['goal']:.1%} of pairs (nine tenths of {found['final_pair_accuracy']:.1%}):")
    for name, count in found["needed"].items():
        say(f"  {name:<12} {count:>6,.0f}")
