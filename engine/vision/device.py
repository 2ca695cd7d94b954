"""Where an encoder computes and in which precision, and what was learned about it: batch size, speed.

Relies on torch, which is imported only in here and only when asked. What is learned about a device is kept in one small
JSON file that may be deleted at any time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ProofsheetError

if TYPE_CHECKING:
    import torch

CPU_FLAGS = Path("/proc/cpuinfo")
_lock = threading.Lock()


def choose(wanted: str = "auto") -> torch.device:
    """The device that is wanted; for `auto` a GPU where there is one. Raises ProofsheetError when it is not there."""
    import torch

    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ProofsheetError(
            f"there is no CUDA device that torch {torch.__version__} can use",
            remedy="Install a torch built for this machine's driver, or use --device cpu.",
        )
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ProofsheetError("there is no Apple GPU here", remedy="Use --device cpu, or cuda.")
    return torch.device(wanted)


def name(device: torch.device) -> str:
    """The device in words: the card's name, or the processor's."""
    import torch

    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return "Apple GPU" if device.type == "mps" else f"cpu, {torch.get_num_threads()} threads"


def half_precision(device: torch.device) -> torch.dtype | None:
    """The 16-bit type that the device computes in natively; None where there is none."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    return torch.bfloat16 if cpu_has_bfloat16() else None


def cpu_has_bfloat16(flags: Path = CPU_FLAGS) -> bool:
    """Whether the processor multiplies bfloat16 itself (AVX512-BF16 or AMX), by Linux's list of its flags."""
    try:
        text = flags.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in text or "amx_bf16" in text


def keep_to_cores(count: int) -> None:
    """Have torch compute what this thread asks for on so many cores. Other threads are not affected."""
    import torch

    if torch.get_num_threads() == count:
        return

    # torch notes the last number set for threads that it has not met yet, so that one is put back; a thread is met when
    # it first asks. What was set in a thread that it has met stays that thread's own (ATen/ParallelOpenMP).
    with _lock:
        usual = torch.get_num_threads()
        torch.set_num_threads(count)
        back = threading.Thread(target=torch.set_num_threads, args=(usual,))
        back.start()
        back.join()


def seconds_of(work: Callable[[], object], repeats: int = 2) -> float:
    """The best time of a few repeats, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch says that the device, or the machine, has no room."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and any(sign in str(error).lower() for sign in ("out of memory", "can't allocate memory", "not enough memory"))
    )


class Notes:
    """What was learned about encoders on devices, by key. Written whole; a lost or damaged file is learned again."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def get(self, key: str) -> dict[str, Any]:
        """What is known under this key."""
        found = self._all().get(key)
        return dict(found) if isinstance(found, dict) else {}

    def put(self, key: str, **values: Any) -> None:
        """Remember values under this key, beside those that are known."""
        if self._file is None:
            return
        with _lock:
            told = self._all()
            told[key] = {**self.get(key), **values}
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
            temporary.replace(self._file)

    def _all(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8")) if self._file is not None else {}
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
