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

SHOWN = 2  # GPUs, narrow one: a person with eight of them sees the busiest
WIDE, NARROW = 34, 22  # cells
_NAME = 11


def rows(reading: Reading, narrow: bool = False) -> list[Row]:
    """The block, with a blank row above it."""
    width = NARROW if narrow else WIDE
    found = [row(), row(("meters", "dim"))]
    gpus = [device for device in reading.devices if device.kind != "cpu"]
    most = 1 if narrow else SHOWN
    shown = sorted(gpus, key=lambda device: (-(device.utilisation or 0), device.index))[:most]
    for device in sorted(shown, key=lambda device: device.index):
        found += _device(device, width)
    if len(gpus) > most:
        found.append(row((f"+{len(gpus) - most} more", "faint")))
    for device in reading.devices:
        if device.kind == "cpu":
            found += _device(device, width)
    return [*found, *_own(reading, width), *_flow(reading)]


def _device(device: Device, width: int) -> list[Row]:
    problem = [row((line, "danger")) for line in fold(device.problem, width)[:3]]
    if problem and device.utilisation is None and device.memory_used is None:
        return [row((device.label, "text")), *problem]
    heat: tuple[Span, ...] = ((f"{device.temperature:.0f} °C", "text"),) if device.temperature is not None else ()
    found = []
    if device.utilisation is not None:
        found.append(_gauge(device.label, device.utilisation, width))
    else:
        found.append(Row(((device.label, "dim"),), heat))
        heat = ()
    if device.memory_used is not None:
        found.append(_memory(device.memory_used, device.memory_total))
    if heat:
        found.append(Row((("  heat", "dim"),), heat))
    return [*found, *problem]


def _gauge(name: str, share: float, width: int) -> Row:
    room = max(3, width - _NAME - 8)
    left = ((f"{name:<{_NAME}}"[:_NAME], "dim"), *bar(share, room, "suggest"))
    return Row(left, ((metering.percent(share), "text"),))


def _memory(used: int, total: int | None) -> Row:
    return Row((("  memory", "dim"),), ((metering.memory(used, total), "text"),))


def _own(reading: Reading, width: int) -> list[Row]:
    """What Proofsheet takes, itself and all that it started."""
    own = reading.processes
    said = row(("proofsheet", "dim")) if own.cpu is None else _gauge("proofsheet", own.cpu, width)
    return [said, _memory(own.memory_used, None)]


def _flow(reading: Reading) -> list[Row]:
    found = []
    if reading.images_per_second is not None:
        found.append(
            Row((("images", "dim"),), ((metering.speed(reading.images_per_second), "strong"),)),
        )
    if reading.error_rate is not None:
        ink = "danger" if reading.error_rate else "text"
        well, failed = metering.percent(1 - reading.error_rate), metering.percent(reading.error_rate)
        found.append(Row(((f"{well} ", "text"), ("ok", "dim")), ((f"{failed} ", ink), ("failed", "dim"))))
    return found
