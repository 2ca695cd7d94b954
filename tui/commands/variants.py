"""`proofsheet variants`: prompt variants: list, add, pause, weigh, analyze, retrain."""

from __future__ import annotations

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
@click.option("--set", "settings", multiple=True, metavar="ID=SHARE[,ID=SHARE...]", help="Set shares, adding to 1.")
@click.option("--why", default="set by hand", help="The reason, for the record (with --set).")
@json_option
@engine_command
async def weights(
    engine: Engine, propose: bool, approve: bool, reject: bool, settings: tuple[str, ...], why: str, as_json: bool
) -> None:
    """Without a flag: the weights now, and why they are so."""
    room = engine.experiments
    if (settings and (propose or approve or reject)) or (approve and reject):
        raise UsageError("choose one of --propose, --approve, --reject and --set")
    warnings: list[str] = []
    suggestion = None
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
