"""The meters at the foot of the runs, in rows: each device with its bar, then how fast and how well the runs go.

Pure functions over a reading. A device that does not answer says why; what is not measured has no row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import metering
from tui.widgets.chrome import bar, fold
from tui.widgets.lines import Row, Span, row

if TYPE_CHECKING:
    from engine.monitor import Device, Reading

SHOWN = 2  # GPUs: a person with eight of them sees the busiest
WIDE, NARROW = 34, 22  # cells
_NAME = 11


def rows(reading: Reading, narrow: bool = False) -> list[Row]:
    """The block, with a blank row above it."""
    width = NARROW if narrow else WIDE
    found = [row(), row(("meters", "dim"))]
    gpus = [device for device in reading.devices if device.kind != "cpu"]
    shown = sorted(gpus, key=lambda device: (-(device.utilisation or 0), device.index))[:SHOWN]
    for device in sorted(shown, key=lambda device: device.index):
        found += _device(device, width)
    if len(gpus) > SHOWN:
        found.append(row((f"+{len(gpus) - SHOWN} more", "faint")))
    for device in reading.devices:
        if device.kind == "cpu":
            found += _device(device, width)
    found.append(_own(reading))
    return [*found, *_flow(reading)]


def _device(device: Device, width: int) -> list[Row]:
    if device.problem and device.utilisation is None and device.memory_used is None:
        return [
            row((device.label, "text")),
            *(row((line, "danger")) for line in fold(device.problem, width)[:3]),
        ]
    heat: tuple[Span, ...] = ((f"{device.temperature:.0f} °C", "text"),) if device.temperature is not None else ()
    found = []
    if device.utilisation is not None:
        found.append(_gauge(device.label, device.utilisation, metering.percent(device.utilisation), width))
    else:
        found.append(Row(((device.label, "dim"),), heat))
        heat = ()
    held = metering.memory(device.memory_used, device.memory_total)
    if held:
        found.append(Row((("  memory", "dim"),), ((held, "text"),)))
    if heat:
        found.append(Row((("  heat", "dim"),), heat))
    return found


def _gauge(name: str, share: float, said: str, width: int) -> Row:
    room = max(4, width - _NAME - 8)
    return Row(((f"{name:<{_NAME}}"[:_NAME], "dim"), *bar(share, room, "suggest")), ((said, "text"),))


def _own(reading: Reading) -> Row:
    own = reading.processes
    spans = [metering.percent(own.cpu)] if own.cpu is not None else []
    spans.append(metering.memory(own.memory_used, None))
    return Row((("proofsheet", "dim"),), (("  ".join(spans), "text"),))


def _flow(reading: Reading) -> list[Row]:
    found = []
    if reading.images_per_second is not None:
        found.append(
            Row((("images", "dim"),), ((metering.speed(reading.images_per_second), "strong"),)),
        )
    if reading.error_rate is not None:
        failed = metering.percent(reading.error_rate)
        ink = "danger" if reading.error_rate else "text"
        right = ((f"{metering.percent(1 - reading.error_rate)}  ", "text"), (f"{failed} failed", ink))
        found.append(Row((("ok", "dim"),), right))
    return found
