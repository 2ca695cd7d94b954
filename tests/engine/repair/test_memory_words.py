"""What counts as running out of a GPU's memory: the detector and the code that it writes must say the same of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord

RUNS_OUT = [
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7.79 GiB",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "cuda runtime error (2) : out of memory at /opt/conda/THCStorage.cu:58",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "Unable to find a valid cuDNN algorithm to run convolution",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB, max allowed: 9.07 GB)",
    "Invalid buffer size: 12.50 GB",
    "HIP out of memory. Tried to allocate 86.00 MiB.",
]
PASSES = [
    "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`",
    "cuda runtime error (59) : device-side assert triggered",
    "CUDA error: an illegal memory access was encountered",
    "[enforce fail at alloc_cpu.cpp:75] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.",
    "Sizes of tensors must match except in dimension 1",
    "DataLoader worker (pid 1) is killed by signal: Killed.",
]


@pytest.fixture(scope="module")
def written() -> Callable[[Exception], bool]:
    names: dict[str, Any] = {}
    exec(IS_OUT_OF_MEMORY, names)  # our own source, as a fix puts it into a file
    found: Callable[[Exception], bool] = names["_is_out_of_memory"]
    return found


@pytest.mark.parametrize(("message", "runs_out"), [*((m, True) for m in RUNS_OUT), *((m, False) for m in PASSES)])
def test_detector_and_written_code_agree(message: str, runs_out: bool, written: Callable[[Exception], bool]) -> None:
    assert built_in("out-of-memory").recognises(ErrorRecord("RuntimeError", message, ())) is runs_out
    assert written(RuntimeError(message)) is runs_out


def test_an_accelerator_error_counts_by_its_message_and_pythons_own_never() -> None:
    pattern = built_in("out-of-memory")
    assert pattern.recognises(ErrorRecord("torch.AcceleratorError", "CUDA error: out of memory", ()))
    assert not pattern.recognises(ErrorRecord("torch.AcceleratorError", "CUDA error: device-side assert triggered", ()))
    assert not pattern.recognises(ErrorRecord("MemoryError", "", ()))
