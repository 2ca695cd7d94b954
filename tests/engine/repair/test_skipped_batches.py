"""A training step that cannot be done in halves is passed over, where the loop goes on without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

STEP = """\
import torch


def epoch(model, loader, optimizer, most):
    done = []
    for number, batch in enumerate(loader):
        if number > most:
            break
        loss = model(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        done.append(batch)
    return done
"""


def proposed(root: Path, source: str) -> Proposal | Declined:
    error = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    return told(root, "out-of-memory", source, "= model(", error)


def test_the_loop_goes_on_with_the_next_batch(tmp_path: Path) -> None:
    found = proposed(tmp_path, STEP)
    assert isinstance(found, Proposal) and (found.operator, found.applicability) == ("skip-batch", "review")
    names: dict[str, object] = {}
    exec(
        found.edits[0].after.decode().replace("import torch\n", "from unittest.mock import Mock\ntorch = Mock()\n"),
        names,
    )
    seen: list[str] = []

    class Anything:
        def zero_grad(self) -> None:
            seen.append("cleared")

        def step(self) -> None:
            seen.append("step")

        def backward(self) -> None:
            seen.append("backward")

    def model(batch: int) -> Anything:
        if batch == 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        if batch == 9:
            raise RuntimeError("bad input")
        return Anything()

    epoch = names["epoch"]
    assert callable(epoch) and epoch(model, [1, 2, 3], Anything(), 5) == [1, 3]
    assert seen == ["cleared", "backward", "step", "cleared", "cleared", "backward", "step"]
    with pytest.raises(RuntimeError, match="bad input"):
        epoch(model, [1, 9], Anything(), 5)


def test_where_other_processes_wait_for_the_step_it_is_not_skipped(tmp_path: Path) -> None:
    source = STEP.replace(
        "        optimizer.step()\n", "        torch.distributed.barrier()\n        optimizer.step()\n"
    )
    assert isinstance(proposed(tmp_path, source), Declined)
    things = STEP.replace("enumerate(loader)", "enumerate(things)").replace("batch", "thing")
    assert isinstance(proposed(tmp_path, things), Declined)


@pytest.mark.parametrize(
    "line",
    [
        "from torch.distributed import all_reduce\n",
        "world_size = 2\n",
        "comm.barrier()\n",
        "parser.add_argument('--world-size', type=int)\n",
        "from torch.distributed.fsdp import fully_shard\n",
    ],
)
def test_where_other_processes_may_wait_for_the_step_it_is_not_skipped(tmp_path: Path, line: str) -> None:
    assert isinstance(proposed(tmp_path, STEP.replace("import torch\n", "import torch\n" + line)), Declined)


@pytest.mark.parametrize(
    "line",
    [
        "import torch.distributed as dist\n",
        "from torch.nn.parallel import DistributedDataParallel as DDP\n",
        "if args.distributed:\n    model = DDP(model)\n",
    ],
)
def test_where_torch_may_have_other_processes_it_is_asked_when_memory_ran_out(tmp_path: Path, line: str) -> None:
    found = proposed(tmp_path, STEP.replace("import torch\n", "import torch\n" + line))
    assert isinstance(found, Proposal), found
    text = found.edits[0].after.decode()
    asks = "if not _is_out_of_memory(error) or _others_wait():\n                raise\n"
    assert asks in text and "other processes" in found.why


def test_the_words_of_a_licence_are_no_processes(tmp_path: Path) -> None:
    head = '"""Made to be used alone."""\n# Software distributed under the License is distributed as it is.\n'
    assert isinstance(proposed(tmp_path, head + STEP), Proposal)


def test_gradients_that_add_up_over_batches_are_not_doubled_by_halves(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef epoch(model, loader, optimizer, accum):\n    for i, batch in enumerate(loader):\n"
        "        loss = model(batch) / accum\n        loss.backward()\n        if (i + 1) % accum == 0:\n"
        "            optimizer.step()\n            optimizer.zero_grad()\n"
    )
    found = proposed(tmp_path, source)
    assert isinstance(found, Proposal) and found.operator == "skip-batch"
    compile(found.edits[0].after.decode(), "app.py", "exec")
