"""What the meters say, in words: for the training screen and for the command line. Pure functions over a reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.monitor import Device, Reading

GIB = 1024**3


def percent(share: float) -> str:
    """`71 %`; near nothing and near all with a decimal, so that a few errors in a thousand are not said to be none."""
    is_near = 0 < share < 0.0995 or 0.9005 < share < 1
    return f"{share * 100:.1f} %" if is_near else f"{share * 100:.0f} %"


def memory(used: int | None, total: int | None) -> str:
    """`9.1/24 GB`, in units of 1024³ bytes as a card's maker counts them; empty where nothing is known."""
    if used is None:
        return ""
    return f"{_gib(used)}/{_gib(total)} GB" if total else f"{_gib(used)} GB"


def speed(images_per_second: float) -> str:
    """`1,240/s`, `8.4/s`."""
    return f"{images_per_second:,.0f}/s" if images_per_second >= 10 else f"{images_per_second:.1f}/s"


def device_line(device: Device) -> list[tuple[str, str]]:
    """(what, value) of one device, what is known of it alone."""
    said = []
    if device.utilisation is not None:
        said.append(("util", percent(device.utilisation)))
    if held := memory(device.memory_used, device.memory_total):
        said.append(("mem", held))
    if device.temperature is not None:
        said.append(("", f"{device.temperature:.0f} °C"))
    return said


def flow(reading: Reading) -> list[tuple[str, str]]:
    """(what, value) of all running runs together: images a second, how many were done well, how many failed."""
    said = []
    if reading.images_per_second is not None:
        said.append(("", f"{speed(reading.images_per_second).removesuffix('/s')} images/s"))
    if reading.error_rate is not None:
        said += [("ok", percent(1 - reading.error_rate)), ("failed", percent(reading.error_rate))]
    return said


def told(said: Sequence[tuple[str, str]]) -> str:
    """`util 71 %  mem 9.1/24 GB  64 °C`."""
    return "  ".join(f"{what} {value}".strip() for what, value in said)


def _gib(count: int) -> str:
    amount = count / GIB
    return f"{amount:.1f}" if amount < 99.95 and f"{amount:.1f}"[-2:] != ".0" else f"{amount:.0f}"
