"""`proofsheet monitor`: the meters of devices, processes and running runs, once or every second."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from engine.errors import UsageError
from tui import metering
from tui.commands.common import emit, engine_command, json_option, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.monitor import Reading


@click.command(
    "monitor",
    help="Read the meters: devices, what Proofsheet takes of them, and how fast and how well runs go. "
    "What a machine does not measure is left out (null with --json).",
)
@click.option("--watch", is_flag=True, help="Go on until interrupted; with --json, one document a line.")
@click.option("--every", type=click.FloatRange(0.1, 3600), metavar="SECONDS", help="How often with --watch.  [1]")
@click.option("--count", type=click.IntRange(1), metavar="N", help="With --watch, end after N readings.")
@json_option
@engine_command
async def monitor(engine: Engine, watch: bool, every: float | None, count: int | None, as_json: bool) -> None:
    """One reading, or a stream of them."""
    if not watch:
        if every is not None or count is not None:
            raise UsageError("--every and --count belong to --watch", remedy="Add --watch.")
        reading = await engine.monitor.read()
        if as_json:
            emit(reading.document())
        else:
            _tell(reading)
        return
    taken = 0
    async for reading in engine.monitor.watch(every or 1.0):
        if as_json:
            say(json.dumps(reading.document(), ensure_ascii=False))
        else:
            say(_line(reading))
        taken += 1
        if taken == count:
            return


def _tell(reading: Reading) -> None:
    """A line a device, one for ourselves, one a run."""
    for device in reading.devices:
        said = metering.told(metering.device_line(device)) or ("" if device.problem else "measures nothing")
        say(f"{device.label:<12}{'  '.join(filter(None, (said, device.problem, device.name)))}")
    say(f"{'proofsheet':<12}{metering.told(_own(reading))}")
    if not reading.runs:
        say("Nothing is running.")
    for run in reading.runs:
        far = "" if run.done is None else f"{run.done:,}/{run.total:,}" if run.total else f"{run.done:,}"
        fast = "" if run.images_per_second is None else f"{metering.speed(run.images_per_second)[:-2]} images/s"
        wrong = "" if run.error_rate is None else f"{metering.percent(run.error_rate)} failed"
        say("  ".join(filter(None, (f"{run.kind:<10}", run.project, far, fast, wrong, run.id))))


def _line(reading: Reading) -> str:
    """Everything in one line, the time first."""
    devices = [f"{one.label}  {metering.told(metering.device_line(one)) or one.problem}" for one in reading.devices]
    own = f"proofsheet  {metering.told(_own(reading))}"
    return "   ".join(filter(None, (reading.at[11:19], *devices, own, metering.told(metering.flow(reading)))))


def _own(reading: Reading) -> list[tuple[str, str]]:
    own = reading.processes
    said = [("cpu", metering.percent(own.cpu))] if own.cpu is not None else []
    count = "1 process" if own.count == 1 else f"{own.count} processes"
    return [*said, ("mem", metering.memory(own.memory_used, None)), ("in", count)]
