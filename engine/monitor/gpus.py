"""What GPUs say of themselves: NVIDIA's through its management library, else what torch counts where it is at work.

Nothing here starts torch, a driver's context or a process. `nvidia-ml-py` (module `pynvml`) is one small file that
binds NVIDIA's own library, imported when the meters are first read; on a machine without that library it is asked once.
A driver that fails in mid-work costs the figures, not the reading: it is told as the device's problem, and asked again.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from engine.monitor.model import Device

ASK_AGAIN = 10.0  # seconds until a library that failed is opened anew


def nvml() -> Any | None:
    """NVIDIA's management library as a module, None where its binding is not installed."""
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


@dataclass(frozen=True, slots=True)
class _Known:
    """A GPU as it was found when the library was opened."""

    index: int
    handle: Any
    name: str | None


class Nvidia:
    """NVIDIA's GPUs. Not safe to call from two threads at once."""

    def __init__(
        self, load: Callable[[], Any | None] = nvml, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._monotonic = monotonic
        self._library: Any | None = None
        self._is_open = False
        self._is_absent = False
        self._known: list[_Known] = []
        self._problem = ""
        self._failed_at = 0.0

    def read(self) -> list[Device]:
        """Every GPU; none where there is no NVIDIA driver."""
        if self._is_absent:
            return []
        if not self._is_open and (self._is_resting() or not self._open()):
            return self._unanswered()
        devices = [self._device(one) for one in self._known]
        if any(device.problem for device in devices):
            self._fail(next(device.problem for device in devices if device.problem))
        return devices

    def close(self) -> None:
        """Let the library go."""
        if self._is_open and self._library is not None:
            self._is_open = False
            try:
                self._library.nvmlShutdown()
            except self._library.NVMLError as error:  # it is being left; a driver that has gone has nothing to close
                self._problem = str(error)

    def _unanswered(self) -> list[Device]:
        """What is known of the GPUs while the library cannot be opened: their names if it ever was, else that one is
        expected, for there is a driver that fails."""
        if self._known or self._is_absent:
            return [self._silent(one) for one in self._known]
        return [Device("cuda", 0, None, "nvml", problem=self._problem)]

    def _is_resting(self) -> bool:
        return bool(self._problem) and self._monotonic() - self._failed_at < ASK_AGAIN

    def _open(self) -> bool:
        if self._library is None:
            self._library = self._load()
        library = self._library
        if library is None:
            self._is_absent = True
            return False
        try:
            library.nvmlInit()
            self._known = [self._found(library, index) for index in range(library.nvmlDeviceGetCount())]
        except library.NVMLError as error:
            # Without a driver there is no NVIDIA GPU to speak of; once one was seen, its silence is worth a word.
            self._is_absent = not self._known and error.value in (
                library.NVML_ERROR_LIBRARY_NOT_FOUND,
                library.NVML_ERROR_DRIVER_NOT_LOADED,
            )
            self._fail(_said(error))
            return False
        self._is_open, self._problem = True, ""
        return True

    def _fail(self, problem: str) -> None:
        self.close()
        self._is_open = False
        self._problem, self._failed_at = problem, self._monotonic()

    def _found(self, library: Any, index: int) -> _Known:
        handle = library.nvmlDeviceGetHandleByIndex(index)
        name = self._asked(lambda: library.nvmlDeviceGetName(handle))
        return _Known(index, handle, name.decode(errors="replace") if isinstance(name, bytes) else name)

    def _silent(self, one: _Known, problem: str = "") -> Device:
        return Device("cuda", one.index, one.name, "nvml", problem=problem or self._problem)

    def _device(self, one: _Known) -> Device:
        library = self._library
        if library is None:
            return self._silent(one)
        try:
            use = self._asked(lambda: library.nvmlDeviceGetUtilizationRates(one.handle))
            memory = self._asked(lambda: library.nvmlDeviceGetMemoryInfo(one.handle))
            heat = self._asked(lambda: library.nvmlDeviceGetTemperature(one.handle, library.NVML_TEMPERATURE_GPU))
        except library.NVMLError as error:
            return self._silent(one, _said(error))
        return Device(
            "cuda",
            one.index,
            one.name,
            "nvml",
            utilisation=None if use is None else use.gpu / 100,
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            temperature=None if heat is None else float(heat),
        )

    def _asked(self, call: Callable[[], Any]) -> Any | None:
        """What the library answers; None for what this card does not measure or does not tell us."""
        library = self._library
        if library is None:
            return None
        try:
            return call()
        except library.NVMLError as error:
            if error.value in (
                library.NVML_ERROR_NOT_SUPPORTED,
                library.NVML_ERROR_NO_PERMISSION,
                library.NVML_ERROR_FUNCTION_NOT_FOUND,
            ):
                return None
            raise


def counted_by_torch(torch: ModuleType | None) -> list[Device]:
    """The GPUs that torch computes on in this process: their memory, for it counts nothing else. `torch` is the module
    where it is loaded already, else None; one that has not begun to use a GPU is not made to."""
    if torch is None:
        return []
    try:
        return [*_cuda(torch), *_mps(torch)]
    except (AttributeError, AssertionError, RuntimeError):  # half loaded yet, built without, or its driver failed
        return []


def _cuda(torch: Any) -> Sequence[Device]:
    if not torch.cuda.is_initialized():
        return []
    found = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        found.append(Device("cuda", index, name, "torch", memory_used=total - free, memory_total=total))
    return found


def _mps(torch: Any) -> Sequence[Device]:
    if not torch.backends.mps.is_available():
        return []
    used, total = torch.mps.driver_allocated_memory(), torch.mps.recommended_max_memory()
    return [Device("mps", 0, "Apple GPU", "torch", memory_used=used, memory_total=total)]


def _said(error: Exception) -> str:
    return f"the NVIDIA driver does not answer: {error}"
