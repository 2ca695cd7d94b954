"""`proofsheet review`: decide sets without a screen: the next one, its verdict, undo, the taste."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, note, say, tell_of_unusable

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.ranking import ImageSet, Outcome, Turn
    from engine.review import Decision, Suggestion

project_option = click.option("--project", help="Only this project.")


@click.group("review", help="Decide sets without a screen: the next one, and its verdict.")
def review() -> None:
    """The whole loop: next, decide, next..."""


@review.command("next", help="The next set to decide, with its suggestion.")
@project_option
@json_option
@engine_command
async def next_set(engine: Engine, project: str | None, as_json: bool) -> None:
    """Without a set left, `set` is null. Asking twice gives the same set until it is decided."""
    turn = await engine.ranking.turn(project)
    await tell_of_unusable(engine, turn.shown.project if turn.shown is not None else project)
    if as_json:
        emit(_turn_document(turn))
        return
    if turn.shown is None:
        say("every set has a verdict" if turn.progress.counts.total else "no sets yet: proofsheet scan FOLDER")
        return
    say(f"set {turn.shown.id}  {turn.shown.project}  {turn.shown.title}   {turn.progress.counts.remaining:,} left")
    wanted = turn.suggestion.proposal["image"] if turn.suggestion else None
    for member in turn.shown.members:
        say(f"  {'★' if member.image.id == wanted else ' '} {member.image.path}")
    if turn.suggestion is not None:
        sure = f", {turn.suggestion.confidence:.0%} sure" if turn.suggestion.confidence is not None else ""
        say(f"  suggested by {turn.suggestion.model}{sure}: {' · '.join(turn.suggestion.reasons) or 'no plain reason'}")
    say(f"  proofsheet review decide {turn.shown.id} --winner PATH | --reject-all | --skip")


@review.command("decide", help="Record a verdict on a set.")
@click.argument("set_id", metavar="SET", type=int)
@click.option("--winner", type=click.Path(path_type=Path), help="The image that wins.")
@click.option("--reject-all", is_flag=True, help="None of them is good.")
@click.option("--skip", is_flag=True, help="Leave it undecided for now.")
@click.option("--blind", is_flag=True, help="The suggestion was not looked at.")
@project_option
@json_option
@engine_command
async def decide(
    engine: Engine,
    set_id: int,
    winner: Path | None,
    reject_all: bool,
    skip: bool,
    blind: bool,
    project: str | None,
    as_json: bool,
) -> None:
    """SET is the number that `review next` gives. What was decided before is kept; this verdict is in force."""
    from engine.review import Verdict

    if sum((winner is not None, reject_all, skip)) != 1:
        raise UsageError("one verdict is needed", remedy="Give one of --winner PATH, --reject-all and --skip.")
    verdict = Verdict.REJECTED if reject_all else Verdict.SKIPPED if skip else Verdict.APPROVED
    outcome = await engine.ranking.decide(set_id, verdict, winner, project=project, blind=blind)
    one = await engine.ranking.image_set(set_id)
    left = (await engine.ranking.total(project)).remaining
    if outcome.earlier is not None:
        note(f"set {set_id} had a verdict already: {_said(outcome.earlier, one)}. Both are kept; yours is in force")
    if as_json:
        emit(_outcome_document(outcome, one) | {"left": left})
    else:
        say(f"set {set_id}: {_said(outcome.decision, one)}; {left:,} left")


@review.command("undo", help="Take the newest verdict back, with all that were given together with it.")
@json_option
@engine_command
async def undo(engine: Engine, as_json: bool) -> None:
    """An undo is a decision too: nothing is erased. With nothing left to undo, the list is empty."""
    made = await engine.ranking.take_back()
    left = (await engine.ranking.total()).remaining
    if as_json:
        undone = [
            {"set": _set_of(one), "decision": one.id, "undoes": one.undoes, "verdict": one.verdict} for one in made
        ]
        emit({"undone": undone, "left": left})
    elif not made:
        say("nothing left to undo")
    elif len(made) == 1:
        say(f"set {_set_of(made[0])} is as it was before; {left:,} left")
    else:
        say(f"{len(made):,} sets are as they were before; {left:,} left")


@review.command("taste", help="What you prefer, in plain words, each with pairs of your own as proof.")
@project_option
@json_option
@engine_command
async def taste(engine: Engine, project: str | None, as_json: bool) -> None:
    """Only what is more than chance is said."""
    card = await engine.ranking.taste(project)
    own = await engine.ranking.consistency(project)
    if as_json:
        emit(card.document() | {"consistency": own.document()})
        return
    if card.why_not:
        say(card.why_not)
    for trait in card.traits:
        say(f"{trait.words:<18} {trait.agrees:,} of your pairs for, {trait.against:,} against")
        for proof in trait.proof:
            say(f"    {proof.winner.path}\n      over {proof.loser.path}")
    if own.share is not None and own.low is not None and own.high is not None:
        say(f"you agree with yourself in {own.agreed} of {own.of} sets ({own.low:.0%} to {own.high:.0%})")


@review.command("progress", help="How far each project is.")
@json_option
@engine_command
async def progress(engine: Engine, as_json: bool) -> None:
    """Sets decided and left, and the time left at your pace of late."""
    found = await engine.ranking.progress_by_project()
    if as_json:
        emit({"projects": [one.document() for one in found]})
        return
    for one in found:
        left = one.seconds_left
        when = f"  about {max(1, round(left / 60)):,} min" if left else ""
        say(f"{one.project or '':<24} {one.counts.decided:>7,} of {one.counts.total:>7,} decided{when}")


def _turn_document(turn: Turn) -> dict[str, Any]:
    counts = turn.progress.counts
    return {
        "set": None if turn.shown is None else _set_document(turn.shown),
        "suggestion": None if turn.suggestion is None or turn.shown is None else _advice(turn.suggestion, turn.shown),
        "left": counts.remaining,
        "total": counts.total,
        "decided": counts.decided,
        "seconds_left": turn.progress.document()["seconds_left"],
    }


def _set_document(one: ImageSet) -> dict[str, Any]:
    return {
        "id": one.id,
        "project": one.project,
        "session_id": one.session_id,
        "set_id": one.set_id,
        "source": one.source,
        "title": one.title,
        "taken_at": one.taken_at,
        "members": [str(member.image.path) for member in one.members],
        "images": [{"id": m.image.id, "path": str(m.image.path), "label": m.label} for m in one.members],
    }


def _advice(suggestion: Suggestion, one: ImageSet) -> dict[str, Any]:
    return {
        "winner": _path(one, int(suggestion.proposal["image"])),
        "confidence": suggestion.confidence,
        "because": list(suggestion.reasons),
        "model": suggestion.model,
    }


def _outcome_document(outcome: Outcome, one: ImageSet) -> dict[str, Any]:
    made = outcome.decision
    return {
        "set": one.id,
        "decision": made.id,
        "verdict": made.verdict,
        "winner": _path(one, made.value.get("image")),
        "actor": made.actor,
        "decided_at": made.decided_at,
        "blind": made.blind,
        "repeat": outcome.is_repeat,
        "in_force": not outcome.is_repeat,
        "earlier": None if outcome.earlier is None else _earlier(outcome.earlier, one),
    }


def _earlier(one: Decision, shown: ImageSet) -> dict[str, Any]:
    return {
        "decision": one.id,
        "verdict": one.verdict,
        "winner": _path(shown, one.value.get("image")),
        "actor": one.actor,
        "decided_at": one.decided_at,
    }


def _said(one: Decision, shown: ImageSet) -> str:
    winner = _path(shown, one.value.get("image"))
    what = f"{winner} wins" if winner else str(one.verdict)
    return f"{what} ({one.actor}, {one.decided_at})"


def _path(shown: ImageSet, image_id: Any) -> str | None:
    return next((str(member.image.path) for member in shown.members if member.image.id == image_id), None)


def _set_of(one: Decision) -> int:
    return int(one.subject.removeprefix("set:"))
