"""A small `torch` that stands in for the real one where a GPU runs out of memory, and programs that use it."""

from tests.engine.repair.corpus.program import program, spared

TORCH = '''"""Stands in for torch: batches are lists, and a model takes only so many at once."""
import contextlib, types


class OutOfMemoryError(RuntimeError):
    pass


class Tensor:
    def __init__(self, items):
        self.items = list(items)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, at):
        return Tensor(self.items[at]) if isinstance(at, slice) else self.items[at]

    def to(self, device):
        return self

    def cpu(self):
        return self

    def tolist(self):
        return list(self.items)


def cat(parts):
    return Tensor([one for part in parts for one in part.items])


cleared = []
sizes = []
cuda = types.SimpleNamespace(OutOfMemoryError=OutOfMemoryError, empty_cache=lambda: cleared.append("cuda"))
mps = types.SimpleNamespace(empty_cache=lambda: cleared.append("mps"))
words = "CUDA out of memory. Tried to allocate 2.00 GiB"
kind = OutOfMemoryError
most = 2


@contextlib.contextmanager
def no_grad():
    yield


def tensor(items):
    return Tensor(items)


def run(batch):
    sizes.append(len(batch))
    if len(batch) > most:
        raise kind(words)
    if any(one == "bad" for one in batch):
        raise RuntimeError("bad input")
    return Tensor([one * 2 for one in batch])


class Loss:
    def backward(self):
        pass

    def item(self):
        return 1.0
'''
TRANSFORMERS = '''"""Stands in for transformers: a trainer that asks its arguments for the batch's size at each run."""


class TrainingArguments:
    def __init__(self, per_device_train_batch_size=8, per_device_eval_batch_size=8, gradient_accumulation_steps=1):
        self.per_device_train_batch_size = per_device_train_batch_size
        self.per_device_eval_batch_size = per_device_eval_batch_size
        self.gradient_accumulation_steps = gradient_accumulation_steps


class Trainer:
    def __init__(self, model, args, train_dataset):
        self.model, self.args, self.items = model, args, train_dataset

    def train(self):
        size = self.args.per_device_train_batch_size
        for at in range(0, len(self.items), size):
            self.model(self.items[at : at + size])
'''
FILES = {"torch.py": TORCH, "transformers.py": TRANSFORMERS}
MODEL = "def model(batch):\n    return torch.run(batch)\n"


def oom(name, app, check, **more):
    return program(name, app, check, files=FILES, **more)


def checked(call, result, also=""):
    return (
        f"import app, torch\nassert {call} == {result}, {call}\nassert torch.cleared\n"
        f"torch.most = 0\ntry:\n    {call}\nexcept RuntimeError as error:\n    assert 'batch of 1' in str(error)\n"
        f"else:\n    raise SystemExit('one fits')\n{also}"
    )


def kept(name, app, run="import app", **more):
    return spared(name, app, run=run, files=FILES, **more)


F = "import torch\ntorch.most = 0\n\n\n"
_LOG = 'Traceback (most recent call last):\n  File "{root}/app.py", line %d, in f\n    %s\n%s\n'
_OOM = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"


def told(name, app, line, code, error=_OOM):
    return spared(name, app, log=_LOG % (line, code, error))
