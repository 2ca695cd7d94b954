"""Training steps for which other processes may wait: none is repeated or left out there: they would wait for ever."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import after, is_left, told

ERROR = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
STEP = """\
import torch


def epoch(model, loader, optimizer, loss):
    for images, labels in loader:
        optimizer.zero_grad()
        out = model(images)
        loss(out, labels).backward()
        optimizer.step()
"""
PLACES = """\
import torch


def epoch(model, items, optimizer, size=8):
    for at in range(0, len(items), size):
        optimizer.zero_grad()
        out = model(items[at : at + size])
        out.backward()
        optimizer.step()
"""
ACCUMULATED = """\
import torch


def epoch(model, loader, optimizer, scaler, many):
    for at, (images, labels) in enumerate(loader):
        out = model(images)
        scaler.scale(out.mean() / many).backward()
        if (at + 1) % many == 0:
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
"""
TRAINER = """\
import torch
from transformers import Trainer, TrainingArguments

trainer = Trainer(model=None, args=TrainingArguments("out"))
done = trainer.train()
"""
LIGHTNING = """\
import torch
from lightning import LightningModule


class Net(LightningModule):
    def training_step(self, batch, index):
        out = self(batch)
        return out.mean()
"""
ELSEWHERE = {"main.py": "from torch.nn.parallel import DistributedDataParallel as DDP\nepoch(DDP(model))\n"}


def proposed(root: Path, source: str, at: str = "model(") -> Proposal | Declined:
    return told(root, "out-of-memory", source, at, ERROR, ELSEWHERE)


@pytest.mark.parametrize(
    ("source", "at", "operator"),
    [
        pytest.param(STEP, "= model(", "split-step", id="halves"),
        pytest.param(PLACES, "= model(", "shrink-batch", id="places"),
        pytest.param(ACCUMULATED, "= model(", "skip-batch", id="gradients that a scaler adds up"),
        pytest.param(TRAINER, "trainer.train()", "smaller-trainer-batch", id="trainer"),
        pytest.param(LIGHTNING, "self(batch)", "leave-step", id="a framework's step"),
        pytest.param(STEP.replace("import torch\n", "import nets\n"), "= model(", "split-step", id="torch not named"),
        pytest.param("import sys as s\n" + STEP, "= model(", "split-step", id="sys by another name"),
    ],
)
def test_it_is_asked_for_others_when_memory_ran_out(tmp_path: Path, source: str, at: str, operator: str) -> None:
    found = proposed(tmp_path, source, at)
    text = after(found)
    assert isinstance(found, Proposal) and (found.operator, found.applicability) == (operator, "review")
    assert "if not _is_out_of_memory(error) or _others_wait():" in text and "Where other processes wait" in found.why


@pytest.mark.parametrize(
    ("processes", "waits"),
    [
        ({}, False),
        ({"torch.distributed": (True, 4)}, True),
        ({"torch.distributed": (True, 1)}, False),
        ({"torch.distributed": (False, 4)}, False),
        ({"torch_xla": (False, 1)}, True),
        ({"horovod": (False, 1)}, True),
    ],
)
def test_the_step_is_done_in_halves_only_where_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: dict[str, tuple[bool, int]], waits: bool
) -> None:
    for name in ("torch.distributed", "torch_xla", "horovod"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name, (is_there, many) in processes.items():
        made: Any = SimpleNamespace(
            is_available=lambda: True,
            is_initialized=lambda is_there=is_there: is_there,
            get_world_size=lambda many=many: many,
        )
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setitem(
        sys.modules,
        "torch",
        SimpleNamespace(cuda=SimpleNamespace(empty_cache=lambda: None)),  # type: ignore[arg-type]
    )
    names: dict[str, Any] = {}
    exec(after(proposed(tmp_path, STEP, "= model(")), names)
    sizes: list[int] = []

    def model(images: list[int]) -> list[int]:
        sizes.append(len(images))
        if len(images) > 2:
            raise RuntimeError("CUDA out of memory.")
        return images

    optimizer = SimpleNamespace(zero_grad=lambda: None, step=lambda: None)

    def loss(_out: object, _labels: object) -> SimpleNamespace:
        return SimpleNamespace(backward=lambda: None)

    batch = [([1, 2, 3, 4], [1, 2, 3, 4])]
    if waits:
        with pytest.raises(RuntimeError, match=r"CUDA out of memory"):
            names["epoch"](model, batch, optimizer, loss)
        assert sizes == [4]
    else:
        names["epoch"](model, batch, optimizer, loss)
        assert sizes == [4, 2, 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("import torch\n", "import torch\nimport torch_xla.core.xla_model as xm\n", id="xla"),
        pytest.param("import torch\n", "import torch\nimport paddle.distributed as dist\n", id="another's"),
        pytest.param("import torch\n", "import torch\nfrom dask.distributed import Client\n", id="another's by name"),
        pytest.param("import torch\n", "import torch\nimport horovod.torch as hvd\n", id="horovod"),
        pytest.param("    for images", "    model = DistributedDataParallel(model)\n    for images", id="in the step"),
        pytest.param("import torch\n", "import torch\n\nworld_size = 4\n", id="as many as there are"),
    ],
)
@pytest.mark.parametrize("source", [STEP, PLACES.replace("for at", "for images").replace("[at :", "[images :")])
def test_where_others_wait_the_step_is_left_alone(tmp_path: Path, source: str, old: str, new: str) -> None:
    assert old in source
    assert is_left(proposed(tmp_path, source.replace(old, new), "= model("))


@pytest.mark.parametrize(
    "line",
    [
        "import torch.distributed as dist\n",
        "from torch.utils.data.distributed import DistributedSampler\n",
        "from app.core.distributed_utils import is_distributed\n",
        "from .distributed import is_distributed\n",
    ],
)
def test_torchs_own_processes_are_asked_for(tmp_path: Path, line: str) -> None:
    assert not is_left(proposed(tmp_path, STEP.replace("import torch\n", "import torch\n" + line), "= model("))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("", "", id="a scaler's step"),
        pytest.param("if (at + 1) % many == 0:", "last = (at + 1) % many == 0\n        if last:", id="under a name"),
        pytest.param("scaler.step(optimizer)", "if True:\n                scaler.step(optimizer)", id="within another"),
        pytest.param("scaler.step(optimizer)", "update(optimizer)", id="by when they are cleared"),
        pytest.param("if (at + 1) % many == 0:", "with accelerator.accumulate(model):", id="by a manager"),
    ],
)
def test_gradients_that_add_up_are_not_done_in_halves(tmp_path: Path, old: str, new: str) -> None:
    found = proposed(tmp_path, ACCUMULATED.replace(old, new) if old else ACCUMULATED, "= model(")
    assert isinstance(found, Declined) or found.operator == "skip-batch"
