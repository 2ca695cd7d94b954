"""`proofsheet demo`: everything on generated pictures, in a throwaway workspace; without a terminal, a report.

Relies on engine.demo for the work. Only prints and opens; never touches the person's own workspace or settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import emit, ending, json_option, say
from tui.commands.following import ProgressLine

if TYPE_CHECKING:
    from engine.demo.demo import DemoReport, Rooms

_THE_PERSONS = ("DATABASE_URL", "PROOFSHEET_DATABASE_URL", "PROOFSHEET_ENCODER", "PROOFSHEET_PROJECTS")
_NAMES = {
    "random": "at random",
    "first": "always the first",
    "last": "always the last",
    "largest_file": "the largest file",
    "sharpest": "the sharpest",
    "last_stage": "the last stage",
    "nearest_winners": "like earlier winners",
    "logistic_difference": "logistic regression",
}
_GROUPS = {"exact": "groups of identical files", "same": "groups of copies", "burst": "bursts"}
_BAR = 28


@click.command("demo")
@click.option("--headless", is_flag=True, help="Do the work without a screen and print a report.")
@click.option("--fresh", is_flag=True, help="Draw everything anew, and forget the picks of the last demo.")
@json_option
@click.pass_context
def demo(ctx: click.Context, /, headless: bool, fresh: bool, as_json: bool) -> None:
    """Try everything on generated pictures and simulated decisions, in a workspace of its own. Yours is not touched."""
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    work = _report if headless or as_json or not has_terminal else _app
    ctx.exit(ending(lambda: work(fresh, as_json), Path.home))


def _report(fresh: bool, as_json: bool) -> int | None:
    from engine.demo.demo import headless

    line = ProgressLine()
    report = asyncio.run(headless(fresh=fresh, tell=_tell(line)))
    line.clear()
    if as_json:
        emit(report.document())
    else:
        for text in lines(report):
            say(text)
    return None


def _app(fresh: bool, _as_json: bool) -> int | None:
    from engine.demo.demo import prepare

    line = ProgressLine()
    with _quiet_keys():
        workspace = asyncio.run(prepare(fresh=fresh, tell=_tell(line)))
        line.clear()
    for name in _THE_PERSONS:  # the environment would win over the demo's own settings, in detached runs too
        os.environ.pop(name, None)
    from tui.running import run_app

    return run_app(workspace, demo=True)


@contextlib.contextmanager
def _quiet_keys() -> Iterator[None]:
    """Keys pressed meanwhile are neither echoed nor kept for the app; Ctrl+C still interrupts."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = [*before]
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        termios.tcflush(terminal, termios.TCIFLUSH)


def _tell(line: ProgressLine) -> Callable[[str, int, int], None]:
    def tell(what: str, done: int, total: int) -> None:
        line.tell(f"proofsheet demo · {what}{f' {done}/{total}' if total > 1 else ''} …")

    return tell


def lines(report: DemoReport) -> list[str]:
    """The report for people: what was there, how the ranker does beside the baselines, what it suggests."""
    train = report.train
    held = train.get("held_out", {})
    accuracy = float(held.get("pair_accuracy") or 0.0)
    sets = train.get("sets", {})
    text = [
        "Proofsheet demo: generated pictures, simulated decisions",
        "",
        f"  {report.images:>5,} images     {report.refused} files refused",
        f"  {report.sets:>5,} sets       {report.simulated_decisions} decided by the simulated taste",
        "",
        f"Pairs ranked as the taste ranks them, on {sets.get('held_out', 0)} sets that the ranker never saw",
        "",
        _bar(f"{train.get('model') or 'the ranker'} (learned)", accuracy, "█"),
    ]
    rows = {**_numbers(train.get("references")), **_numbers(train.get("baselines"))}
    for name, value in sorted(rows.items(), key=lambda one: -one[1]):
        text.append(_bar(_NAMES.get(name, name), value, "░"))
    verdict = "It beats every naive baseline by more than chance, and is in use."
    if not train.get("promoted"):
        verdict = "It is not in use: it does not beat every naive baseline by more than chance."
    top, error, chance = held.get("top1_accuracy"), held.get("ece"), held.get("ece_floor")
    text += ["", f"  {verdict}"]
    if top is not None and error is not None and chance is not None:
        text += [
            f"  It finds the winner of a set {top:.0%} of the time. Its confidence is off by {error:.0%} on average;",
            f"  with so few held-out sets that of a perfect ranker would be off by {chance:.0%}.",
        ]
    if report.suggestions:
        text += ["", f"Suggested winners in the sets that are left ({len(report.suggestions)}), the surest first", ""]
        surest = sorted(report.suggestions, key=lambda one: -(one.confidence or 0.0))
        for one in surest[:8]:
            sure = f"{one.confidence:>4.0%}" if one.confidence is not None else "    "
            text.append(f"  {sure}  {one.set:<34.34}  {Path(one.winner).name}")
    if report.rooms is not None:
        text += ["", *_rooms(report.rooms)]
    return [*text, "", f"Done in {report.seconds:g} s. In a terminal, `proofsheet demo` opens the app on these sets."]


def _rooms(rooms: Rooms) -> list[str]:
    """A line for each of the other rooms."""
    quality = ", ".join(f"{count:,} {name}" for name, count in rooms.quality.items() if count)
    groups = ", ".join(f"{count:,} {_GROUPS.get(kind, kind)}" for kind, count in rooms.duplicates.items())
    text = [
        f"  quality      {quality or 'no image was studied'}",
        f"  duplicates   {groups or 'none'}",
    ]
    told = f"{rooms.simulated_sessions:,} simulated resize sessions. {rooms.experiment}"
    first, *rest = textwrap.wrap(told, 80)
    text += [f"  experiment   {first}", *(f"{'':15}{line}" for line in rest)]
    if rooms.simulated_errors:
        fixes = f"; fixes proposed: {', '.join(rooms.fixes)}" if rooms.fixes else ""
        text.append(f"  repair       {rooms.simulated_errors} simulated errors, {rooms.recurring} recurring{fixes}")
    return text


def _numbers(values: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (values or {}).items() if isinstance(value, int | float)}


def _bar(label: str, share: float, mark: str) -> str:
    return f"  {label:<24.24} {mark * round(share * _BAR):<{_BAR}} {share:>6.1%}"
