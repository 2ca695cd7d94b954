"""A simulated NVIDIA management library: cards that say what a test wants, drivers that fail on cue. No real GPU."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace


class NVMLError(Exception):
    """As the real binding's: `value` is the code."""

    def __init__(self, value: int) -> None:
        super().__init__(f"simulated error {value}")
        self.value = value


@dataclass
class Card:
    """A pretend GPU. A figure of None is one that the card does not measure."""

    name: str | bytes = "Simulated GPU"
    utilisation: int | None = 71
    memory: tuple[int, int] | None = (9, 24)
    temperature: int | None = 64


@dataclass
class SimulatedNvml:
    """Stands where `pynvml` would. `fails` raises the code at every question, `fails_to_open` at nvmlInit."""

    cards: list[Card] = field(default_factory=lambda: [Card()])
    fails: int | None = None
    fails_to_open: int | None = None
    opened: int = 0
    closed: int = 0

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_FUNCTION_NOT_FOUND = 13
    NVML_ERROR_GPU_IS_LOST = 15
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18

    def nvmlInit(self) -> None:
        if self.fails_to_open is not None:
            raise NVMLError(self.fails_to_open)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.closed += 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> str | bytes:
        return card.name

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> SimpleNamespace:
        return SimpleNamespace(gpu=self._said(card.utilisation), memory=0)

    def nvmlDeviceGetMemoryInfo(self, card: Card) -> SimpleNamespace:
        used, total = self._said(card.memory)
        return SimpleNamespace(used=used, total=total, free=total - used)

    def nvmlDeviceGetTemperature(self, card: Card, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return self._said(card.temperature)

    def _said(self, value):
        if self.fails is not None:
            raise NVMLError(self.fails)
        if value is None:
            raise NVMLError(self.NVML_ERROR_NOT_SUPPORTED)
        return value
