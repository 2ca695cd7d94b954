"""`proofsheet variants`: prompt variants: list, add, pause, weigh, analyze, retrain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, list_by_default, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.experiments import Variant
    from engine.experiments.report import Analysis

_BARS = "▁▂▃▄▅▆▇█"


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def variants(ctx: click.Context, as_json: bool) -> None:
    """Prompt variants: list, add, pause, weigh, analyze."""
    list_by_default(ctx, list_variants, as_json)


@variants.command("list", help="Every variant with its share of new users.")
@json_option
@engine_command
async def list_variants(engine: Engine, as_json: bool) -> None:
    """One line a variant."""
    found = await engine.experiments.variants()
    if as_json:
        emit([_document(one) for one in found])
        return
    for one in found:
        state = f"{one.weight:>6.1%}" if one.is_active else "paused"
        say(f"{one.id:<24} {state}  {one.content_hash[:10]}  {one.created_at[:10]}  {one.title}")
    say()
    say(await engine.experiments.why_weights())


@variants.command(help="Print a variant's prompt.")
@click.argument("variant_id", metavar="ID")
@json_option
@engine_command
async def show(engine: Engine, variant_id: str, as_json: bool) -> None:
    """The prompt as it stands, and what was done to it."""
    one = await engine.experiments.variant(variant_id)
    events = await engine.experiments.events(variant_id)
    if as_json:
        emit(_document(one) | {"template": one.template, "events": [asdict(event) for event in events]})
        return
    say(one.template.rstrip("\n"))
    for event in events:
        note(f"{event.at[:16].replace('T', ' ')}  {event.action:<8} by {event.actor}: {event.why}")


@variants.command(help="Add the prompt that a UTF-8 text file holds, as a new variant.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "variant_id", help="Its id (default: the file's name).")
@click.option("--title", default="", help="A name for people.")
@click.option("--weight", type=float, help="Its share of new users, 0 to 1 (default: an average arm's).")
@click.option("--why", default="", help="The reason, for the record.")
@json_option
@engine_command
async def add(
    engine: Engine, file: Path, variant_id: str | None, title: str, weight: float | None, why: str, as_json: bool
) -> None:
    """Placeholders are checked; another text is always another variant."""
    made = await engine.experiments.add_variant_file(
        file.expanduser().absolute(), variant_id=variant_id, title=title, weight=weight, why=why
    )
    if as_json:
        emit(_document(made))
    else:
        say(f"'{made.id}' is there, with {made.weight:.1%} of new users")


@variants.command(help="Give a variant no more users; its users move to the others.")
@click.argument("variant_id", metavar="ID")
@click.option("--why", default="paused by hand", help="The reason, for the record.")
@json_option
@engine_command
async def pause(engine: Engine, variant_id: str, why: str, as_json: bool) -> None:
    """The others share what it had."""
    made = await engine.experiments.pause(variant_id, why)
    emit(_document(made)) if as_json else say(f"'{made.id}' is paused")


@variants.command(help="Let a paused variant have users again.")
@click.argument("variant_id", metavar="ID")
@click.option("--why", default="resumed by hand", help="The reason, for the record.")
@json_option
@engine_command
async def resume(engine: Engine, variant_id: str, why: str, as_json: bool) -> None:
    """It gets an average arm's share."""
    made = await engine.experiments.resume(variant_id, why)
    emit(_document(made)) if as_json else say(f"'{made.id}' runs, with {made.weight:.1%} of new users")


@variants.command(help="Show the shares of new users, propose better ones, approve them, or set them by hand.")
@click.option("--propose", is_flag=True, help="Draw weights from the results, as a suggestion.")
@click.option("--approve", is_flag=True, help="Put the waiting proposal in force (with --propose: the new one).")
@click.option("--reject", is_flag=True, help="Decline the waiting proposal.")
@click.option("--undo", is_flag=True, help="Take back the newest decision on weights or a draft.")
@click.option("--set", "settings", multiple=True, metavar="ID=SHARE[,ID=SHARE...]", help="Set shares, adding to 1.")
@click.option("--why", default="set by hand", help="The reason, for the record (with --set).")
@json_option
@engine_command
async def weights(
    engine: Engine,
    propose: bool,
    approve: bool,
    reject: bool,
    undo: bool,
    settings: tuple[str, ...],
    why: str,
    as_json: bool,
) -> None:
    """Without a flag: the weights now, and why they are so."""
    room = engine.experiments
    alone = [bool(settings), undo, propose or approve or reject]
    if sum(alone) > 1 or (approve and reject):
        raise UsageError("choose one of --propose, --approve, --reject, --undo and --set")
    warnings: list[str] = []
    suggestion = None
    if undo:
        said = await room.undo()
        if said is None:
            raise UsageError("there is no decision to take back")
        note(f"proofsheet: {said}")
    if settings:
        _epoch, warnings = await room.set_weights(read_weights(settings), why)
    if propose:
        suggestion = await room.propose_weights()
    if approve or reject:
        suggestion = suggestion if suggestion and suggestion.id is not None else await room.pending_weights()
        if suggestion is None and not propose:
            raise UsageError("no proposal is waiting", remedy="Make one: proofsheet variants weights --propose")
        if suggestion is not None and suggestion.id is not None:
            await (room.approve_weights(suggestion) if approve else room.reject_weights(suggestion))
    for warning in warnings:
        note(f"proofsheet: {warning}")
    now = {one.id: one.weight for one in await room.variants() if one.is_active}
    reason = await room.why_weights()
    if as_json:
        shown = None if suggestion is None else {**suggestion.proposal, "suggestion": suggestion.id}
        proposed = suggestion.proposal["weights"] if suggestion is not None and not (approve or reject) else now
        emit({"weights": proposed, "current": now, "why": reason, "proposal": shown, "warnings": warnings})
        return
    say(reason)
    if suggestion is not None and not (approve or reject):
        say()
        say(suggestion.proposal["why"])
        if suggestion.id is None:
            say("Nothing is to be decided.")
        elif await room.pending_weights() is not None:
            say("Approve it with: proofsheet variants weights --approve")


@variants.command(help="Which variant is better, by the metric named in advance; look as often as you like.")
@click.option("--metric", type=click.Choice(["success", "rating"]), help="Default: the settings'.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Sessions of the last days only.")
@json_option
@engine_command
async def analyze(engine: Engine, metric: Any, days: int | None, as_json: bool) -> None:
    """The whole report as JSON; for people the arms, the comparisons and the verdict."""
    found = await engine.experiments.analyze(metric, days)
    if as_json:
        emit(found.document())
    else:
        report(found)


@variants.command(help="The unified diff of two variants' prompts.")
@click.argument("a")
@click.argument("b")
@json_option
@engine_command
async def diff(engine: Engine, a: str, b: str, as_json: bool) -> None:
    """What changed from A to B."""
    found = await engine.experiments.diff(a, b)
    emit({"a": a, "b": b, "diff": found}) if as_json else say(found.rstrip("\n"))


@variants.command(help="Learn from rated sessions: what works where, a quality predictor, a better prompt's draft.")
@click.option("--days", type=int, help="Sessions of the last days only.")
@click.option("--min-rating", default=4, show_default=True, type=int, help="Stars from which on a result is good.")
@click.option("--detach", is_flag=True, help="Go on in a process of its own.")
@json_option
@engine_command
async def retrain(engine: Engine, days: int | None, min_rating: int, detach: bool, as_json: bool) -> None:
    """Progress on stderr, the report on stdout."""
    run = await engine.experiments.retrain(days, min_rating, detach=detach)
    if detach:
        emit({"run": run.id}) if as_json else say(f"{run.id} goes on by itself: proofsheet runs tail {run.id}")
        return
    try:
        async for event in engine.runs.tail(run.id):
            if event.type == "progress":
                note(f"  {event.data['message']}")
            elif event.type == "refused":
                for one in event.data["files"]:
                    note(f"  passed over: session {one['path']}: {one['reason']}")
    except asyncio.CancelledError:
        await engine.runs.cancel(run.id)
        raise
    found = dict((await engine.runs.finished(run.id)).result or {})
    await engine.experiments.drafts()  # the draft waits for review from now on
    if as_json:
        emit({"run": run.id, **found})
    else:
        lessons(found)


@variants.command(help="Drafts of better prompts that wait for you; approve or decline one.")
@click.option("--approve", metavar="DRAFT", help="Make this draft a variant.")
@click.option("--reject", metavar="DRAFT", help="Decline this draft.")
@click.option("--id", "variant_id", help="The new variant's id (with --approve).")
@json_option
@engine_command
async def drafts(
    engine: Engine, approve: str | None, reject: str | None, variant_id: str | None, as_json: bool
) -> None:
    """A draft is named by its subject, as the list shows it."""
    room = engine.experiments
    if approve and reject:
        raise UsageError("choose one of --approve and --reject")
    waiting = await room.drafts()
    if approve or reject:
        wanted = approve or reject
        draft = next((one for one in waiting if one.subject == wanted), None)
        if draft is None:
            raise UsageError(f"no draft '{wanted}' is waiting", remedy="`proofsheet variants drafts` lists them.")
        if approve:
            made = await room.approve_draft(draft, variant_id=variant_id)
            emit(_document(made)) if as_json else say(f"'{made.id}' is there, with {made.weight:.1%} of new users")
        else:
            await room.reject_draft(draft)
            emit({"rejected": draft.subject}) if as_json else say(f"{draft.subject} is declined")
        return
    if as_json:
        emit([{"draft": one.subject, "model": one.model, **one.proposal} for one in waiting])
        return
    if not waiting:
        say("No drafts wait. `proofsheet variants retrain` makes one when there is something to learn.")
    for one in waiting:
        say(f"{one.subject}  from '{one.proposal['parent']}', would be '{one.proposal['variant_id']}'")
        for lesson in one.proposal["lessons"]:
            say(f"  + {lesson['lesson']}")
            say(f"    because: {lesson['because']}")


@variants.command(help="Training examples that were derived; validate or refuse one.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--validate", metavar="SESSION", help="This example is right.")
@click.option("--refuse", metavar="SESSION", help="This example is wrong.")
@json_option
@engine_command
async def examples(engine: Engine, limit: int, validate: str | None, refuse: str | None, as_json: bool) -> None:
    """Newest first, with the quality and its interval."""
    for session, is_good in ((validate, True), (refuse, False)):
        if session is not None:
            await engine.experiments.review_example(session, is_good)
    found = await engine.experiments.examples(limit)
    if as_json:
        emit([asdict(one) for one in found])
        return
    if not found:
        say("No examples. `proofsheet variants retrain` derives them from rated sessions that have a result.")
    for one in found:
        said = {True: "validated", False: "refused", None: "not looked at"}[one.is_validated]
        say(f"{one.session_id}  quality {one.quality:.2f} ({one.quality_low:.2f} to {one.quality_high:.2f})  {said}")


def lessons(found: Mapping[str, Any]) -> None:
    """What a retraining found, for people."""
    say(
        f"{found['sessions']:,} rated sessions with a canvas, {found['negatives']:,} of them below "
        f"{found['good_from']} stars; {found['examples']:,} examples"
    )
    if found["model"]:
        brier = ", ".join(f"{name} {value:.4f}" for name, value in found["scores"]["brier"].items())
        say(f"{found['model']}: Brier score on {found['users_held_out']:,} new users: {brier}")
    for reason in found["why_not"]:
        say(f"  not promoted: {reason}")
    say()
    for one in found["findings"]:
        say(f"  {one['text']}")
    if not found["findings"]:
        say("  Nothing works better anywhere that could be told from chance.")
    if found["draft"]:
        say()
        say(f"A draft waits: proofsheet variants drafts --approve {found['draft']['subject']}")


def read_weights(texts: tuple[str, ...]) -> dict[str, float]:
    """`ID=SHARE` pairs, several a text when separated by commas. Raises UsageError for what is none."""
    found: dict[str, float] = {}
    for pair in (pair for text in texts for pair in text.split(",") if pair.strip()):
        name, sign, share = pair.strip().rpartition("=")
        try:
            if not sign or not name.strip():
                raise ValueError
            value = float(share)
        except ValueError as error:
            raise UsageError(f"'{pair}' is no weight", remedy="Write --set original=0.3,enhanced-v1=0.7") from error
        if name.strip() in found:
            raise UsageError(f"'{name.strip()}' is given twice")
        found[name.strip()] = value
    if not found:
        raise UsageError("--set names no weight", remedy="Write --set original=0.3,enhanced-v1=0.7")
    return found


def report(found: Analysis) -> None:
    """The verdict first, then what it rests on."""
    say(found.verdict)
    say()
    head = f"  {'variant':<20} {'share':>6} {'users':>8} {'rated':>8} {'success':>8}  {'95 %':<15}"
    say(f"{head} {'stars':>5}  1-5    P(best)")
    for one in found.variants:
        ends = f"{one.success_ci[0]:.1%}-{one.success_ci[1]:.1%}" if one.success_ci else "-"
        say(
            f"  {one.id:<20} {_share(one.weight, 6, 0)} {one.users:>8,} {one.rated_users:>8,} "
            f"{_share(one.success_rate, 8)}  {ends:<15} {_plain(one.rating_mean):>5}  "
            f"{sparkline(one.rating_histogram)}  {_share(one.p_best, 7)}"
        )
    for pair in found.comparisons:
        ends = (
            "-" if pair.always_valid_ci is None else f"{pair.always_valid_ci[0]:+.3f} to {pair.always_valid_ci[1]:+.3f}"
        )
        word = "differ" if pair.significant else "no difference shown"
        say(
            f"  {pair.b} against {pair.a}: {found.metric} {ends} at every look ({word}), "
            f"P(superior) {_plain(pair.p_superior)}"
        )
    for bound in found.selection.bounds:
        lee = f"{bound.lee[0]:+.3f} to {bound.lee[1]:+.3f} among those who rate either way, " if bound.lee else ""
        say(
            f"  {bound.b} against {bound.a}, bounds: {lee}{bound.manski[0]:+.3f} to {bound.manski[1]:+.3f} "
            "whatever the silent ones think"
        )
    say()
    for name, target in found.targets.items():
        met = {True: "met", False: "missed", None: "unknown"}[target.met]
        say(f"  {name.replace('_', ' '):<16} {_plain(target.value):>10}  target {target.target:g}: {met}")
    for warning in found.warnings:
        note(f"proofsheet: {warning}")


def sparkline(histogram: list[int]) -> str:
    """Five bars, the tallest full; blanks for none."""
    tallest = max(histogram)
    return "".join(_BARS[round(one / tallest * 7)] if one else " " for one in histogram) if tallest else " " * 5


def _document(one: Variant) -> dict[str, Any]:
    document = asdict(one)
    del document["pk"], document["template"]
    return document


def _share(value: float | None, width: int, digits: int = 1) -> str:
    return f"{value:>{width}.{digits}%}" if value is not None else f"{'-':>{width}}"


def _plain(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "-"
