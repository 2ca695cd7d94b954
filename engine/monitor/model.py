"""What the meters say. Plain values; a figure that the machine does not give is None, never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

DeviceKind = Literal["cuda", "mps", "cpu"]
Source = Literal["nvml", "torch", "psutil"]


@dataclass(frozen=True, slots=True)
class Device:
    """What computes. `utilisation` is a share of its time (0 to 1), memory in bytes, `temperature` in °C.

    `source` says who was asked. `problem` says why figures are None that it would give as a rule; empty while it
    answers.
    """

    kind: DeviceKind
    index: int
    name: str | None
    source: Source
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: float | None = None
    problem: str = ""

    @property
    def label(self) -> str:
        """`cuda:0`, `cpu`."""
        return f"{self.kind}:{self.index}" if self.kind == "cuda" else self.kind


@dataclass(frozen=True, slots=True)
class Processes:
    """What Proofsheet itself takes: this process, those that carry runs on this machine, and all that they started.

    `cpu` is their share of the processor time there is on all cores (0 to 1; None until two moments can be compared),
    `memory_used` what they hold resident, bytes; what they share is counted once for each.
    """

    count: int
    cpu: float | None
    memory_used: int


@dataclass(frozen=True, slots=True)
class RunPace:
    """How one run goes. `images` were handled so far, `failed` of them in vain; None for a run that handles none."""

    id: str
    kind: str
    project: str | None
    state: str
    done: int | None
    total: int | None
    images: int | None
    failed: int | None
    images_per_second: float | None

    @property
    def error_rate(self) -> float | None:
        """The share of the images that failed, 0 to 1."""
        return _share(self.failed, self.images)


@dataclass(frozen=True, slots=True)
class Reading:
    """All meters at one moment: GPUs first, then the processor. `at` is ISO 8601 with Z."""

    at: str
    devices: tuple[Device, ...]
    processes: Processes
    runs: tuple[RunPace, ...]

    @property
    def images_per_second(self) -> float | None:
        """Of all runs together; None where none handles images."""
        return _total([run.images_per_second for run in self.runs])

    @property
    def error_rate(self) -> float | None:
        """The share of the running runs' images that failed, 0 to 1."""
        return _share(_total([run.failed for run in self.runs]), _total([run.images for run in self.runs]))

    def document(self) -> dict[str, Any]:
        """As `proofsheet monitor --json` prints it."""
        return {
            "at": self.at,
            "devices": [asdict(device) for device in self.devices],
            "processes": asdict(self.processes),
            "images_per_second": _rounded(self.images_per_second),
            **_rates(self.error_rate),
            "runs": [
                {**asdict(run), "images_per_second": _rounded(run.images_per_second), **_rates(run.error_rate)}
                for run in self.runs
            ],
        }


def _rates(error_rate: float | None) -> Mapping[str, float | None]:
    return {"error_rate": error_rate, "success_rate": None if error_rate is None else 1 - error_rate}


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
