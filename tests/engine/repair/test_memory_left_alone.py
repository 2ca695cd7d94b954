"""What runs out of memory and is left alone: what would loop for ever, give wrong means, or answer as a success."""

from __future__ import annotations

import cProfile
import pstats
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import after, told

OOM = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
TENSORFLOW = "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor"


def proposed(root: Path, source: str, code: str, error: str = OOM) -> Proposal | Declined:
    return told(root, "out-of-memory", source, code, error)


def operator(found: Proposal | Declined) -> str:
    return found.operator if isinstance(found, Proposal) else ""


# -- rounds that are passed over ---------------------------------------------------------------------------------------

QUEUE = """\
import torch


def work(jobs, model, options, i, done):
    while TEST:
        FIRST
        mask = model(load(job))
        mask.save(job + ".png")
        LAST
"""


@pytest.mark.parametrize(
    ("test", "first", "last", "is_passed"),
    [
        ("True", "job = jobs.get()", "", True),
        ("True", "job = jobs.get(timeout=1)", "", True),
        ("job := jobs.popleft()", "", "", True),
        ("i < len(jobs)", "job = options.get('size')", "i += 1", False),
        ("i < len(jobs)", "job = options.get('size')", "i = i + 1", False),
        ("i < len(jobs)", "job = jobs.get()", "i = len(model.seen)", False),
        ("not done", "job = jobs.get()", "done.append(job)", False),
        ("True", "job = jobs.get()", "jobs.task_done()", True),
        ("True", "job = jobs.get()", "if mask.last:\n            break", False),
        ("True", "job = jobs.get()", "jobs.forget(job)", False),
        ("True", "job = jobs.get()", "options.delete(job)", False),
        ("True", "job = jobs.get(i)", "", False),
        ("True", "size = options\n        job = jobs.get()", "", False),
    ],
)
def test_a_loop_that_does_not_begin_with_its_job_is_not_gone_on_with(
    tmp_path: Path, test: str, first: str, last: str, is_passed: bool
) -> None:
    source = QUEUE.replace("TEST", test).replace("FIRST", first).replace("LAST", last)
    source = "\n".join(one for one in source.splitlines() if one.strip() or not one) + "\n"
    assert (operator(proposed(tmp_path, source, "mask = model(")) == "skip-item") is is_passed


ROUNDS = """\
import torch


class Run:
    def work(self, paths, model, total):
        names = []
        kept = []
        done = {}
        for path in paths:
            BEFORE
            score = model(load(path))
            BEHIND
            print(path)
        END
"""


@pytest.mark.parametrize(
    ("before", "behind", "end"),
    [
        pytest.param("", "total += score", "return total / len(paths)", id="a mean"),
        pytest.param("", "total = total + score", "return total", id="a sum"),
        pytest.param("", "total.update(score)", "return total.avg", id="a meter"),
        pytest.param("names.append(path)", "kept.append((path, score))", "", id="in step with another list"),
        pytest.param("", "names.append(path)\n            kept.append((path, score))", "", id="two lists"),
        pytest.param("self.names.append(path)", "self.kept.append(score)", "", id="two lists of the object"),
        pytest.param("", "self.kept.append(score)", "", id="the object's list"),
        pytest.param("", "kept.append((path, score))", "show(zip(paths, kept))", id="told by place"),
        pytest.param(
            "", "done[path] = score", "found = done.values()\n        return np.mean(found)", id="by another name"
        ),
        pytest.param("", "done[path] = score", "return sum(done.values()) / len(paths)", id="a mean of a dict"),
        pytest.param("", "self.scores[path] = score", "", id="an array of the object"),
        pytest.param("", "scores = np.empty(9)\n            scores[0] = score", "", id="an array"),
        pytest.param("", "self.last = score", "", id="what the object keeps"),
        pytest.param("path = join(path, names)", "names = score", "", id="the round before"),
        pytest.param("", "done[len(done)] = score", "", id="a dict by place"),
        pytest.param("", "self.last, rest = score", "", id="what the object keeps, and more"),
        pytest.param("done[path] = None", "", "", id="a part of it is kept"),
        pytest.param("yield path", "", "", id="a part of it is given"),
    ],
)
def test_rounds_that_are_counted_or_go_by_their_place_are_not_left_out(
    tmp_path: Path, before: str, behind: str, end: str
) -> None:
    source = ROUNDS.replace("BEFORE", before).replace("BEHIND", behind).replace("END", end)
    source = "\n".join(one for one in source.splitlines() if one.strip() or not one) + "\n"
    plain = ROUNDS.replace("BEFORE", "").replace("BEHIND", "").replace("END", "")
    assert operator(proposed(tmp_path, plain, "score = model(")) == "skip-item"
    assert operator(proposed(tmp_path, source, "score = model(")) != "skip-item"


def test_the_scales_of_one_image_are_no_items(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, scales, image):\n    for scale in scales:\n"
        "        out = model(resize(image, scale))\n        save(scale, out)\n"
    )
    assert operator(proposed(tmp_path, source, "out = model(")) != "skip-item"
    assert operator(proposed(tmp_path, source.replace("scale", "page"), "out = model(")) == "skip-item"


# -- answers -----------------------------------------------------------------------------------------------------------

BESIDE = """\
import torch


class Service:
    def size_of(self, n):
        try:
            return ORDINARY
        except torch.cuda.OutOfMemoryError:
            return FAILED

    def embed(self, text):
        vector = self.model(text)
        return OWN
"""


@pytest.mark.parametrize(
    ("ordinary", "failed", "own", "is_answered"),
    [
        ("self.probe(n)", "0", "vector", False),
        ("self.probe(n)", "False", "vector", False),
        ("{'text': n}", "{'text': 'large', 'code': 1}", "vector", False),
        ("{'text': n}", "{'text': 'large', 'code': 1}", "{'text': vector}", True),
        ("{'text': n}", "{'text': 'large', 'code': 1}", "dumps({'text': vector})", False),
        ("{'text': n}", "{'text': 'large', 'code': 1}", "{'vector': vector}", False),
        ("{'text': n}", "{'text': 'large', 'code': 0}", "{'text': vector}", False),
        ("{'text': n}", "{'text': 'large'}", "{'text': vector}", False),
        ("{'text': n}", "{'text': '', 'success': True}", "{'text': vector, 'success': True}", False),
        ("{'text': n}", "{'text': '', 'success': False}", "{'text': vector, 'success': True}", True),
        ("{'text': n}", "{'text': '', 'status': 200}", "{'text': vector, 'status': 200}", False),
    ],
)
def test_only_a_failure_of_its_own_kind_is_answered_as_beside(
    tmp_path: Path, ordinary: str, failed: str, own: str, is_answered: bool
) -> None:
    source = BESIDE.replace("ORDINARY", ordinary).replace("FAILED", failed).replace("OWN", own)
    found = proposed(tmp_path, source, "vector = self.model(")
    is_beside = isinstance(found, Proposal) and "`size_of`" in found.why
    assert is_beside is is_answered


def fails(*_args: object, **_more: object) -> object:
    raise RuntimeError("CUDA out of memory.")


@pytest.mark.parametrize(
    ("first", "then", "answer"),
    [
        ("{'success': False, 'message': 'none'}", "{'success': True, 'message': out}", ("success", False)),
        ("{'ok': 0, 'text': ''}", "{'ok': 1, 'text': out}", ("ok", 0)),
        ("{'error': 1, 'text': ''}", "{'error': 0, 'text': out}", ("error", 1)),
        ("{'status': 'error', 'text': ''}", "{'status': 'ok', 'text': out}", ("status", "error")),
    ],
)
def test_a_record_that_says_failure_is_not_turned_to_success(
    tmp_path: Path, first: str, then: str, answer: tuple[str, object]
) -> None:
    source = (
        "import torch\n\n\ndef handle(model, asked):\n    out = model.generate(asked)\n    if out is None:\n"
        f"        return {first}\n    return {then}\n"
    )
    text = after(proposed(tmp_path, source, "out = model.generate")).replace("import torch\n", "", 1)
    names: dict[str, Any] = {"torch": SimpleNamespace(cuda=SimpleNamespace(empty_cache=lambda: None))}
    exec(text, names)
    assert names["handle"](SimpleNamespace(generate=fails), 1)[answer[0]] == answer[1]


@pytest.mark.parametrize(
    "record",
    [
        "{'success': False, 'message': out}",
        "{'error': 1, 'text': out}",
        "{'error': 0, 'text': out, 'tokens': tokens}",
        "{'error': 0, 'text': out, 'tokens': maybe}",
        "{'error': found, 'text': out}",
    ],
)
def test_a_record_of_a_failure_or_of_what_is_not_there_is_no_answer(tmp_path: Path, record: str) -> None:
    source = (
        "import torch\n\n\ndef handle(model, asked):\n    if asked:\n        maybe = 1\n"
        f"    out, tokens = model.generate(\n        asked\n    )\n    return {record}\n"
    )
    assert operator(proposed(tmp_path, source, "out, tokens = ")) != "answer-error"


# -- the CPU -----------------------------------------------------------------------------------------------------------

MOVED = """\
import torch


def make(model, image, device):
    model.to(device)
    image = image[0].unsqueeze(0).to(device)
    out = model(image)
    return out
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("model.to(device)", "model.eval()", id="never moved"),
        pytest.param("model.to(device)", "model.to(torch.uint8)", id="moved to no device"),
        pytest.param("model.to(device)", "model = pipeline('draw').to(device)", id="a pipeline"),
        pytest.param("model(image)", "model.encode(image)", id="moves by itself"),
        pytest.param("model(image)", "model.generate(image, device=device)", id="told the device"),
        pytest.param(
            "def make",
            "class Net(torch.nn.Module):\n    def forward(self, x):\n        return x.to(self.device)\n\n\ndef make",
            id="a module that has a device",
        ),
    ],
)
def test_what_is_not_seen_to_be_a_module_that_is_moved_stays_on_its_device(tmp_path: Path, old: str, new: str) -> None:
    assert operator(proposed(tmp_path, MOVED, "out = model(image)")) == "on-cpu"
    at = "out = " + new if old == "model(image)" else "out = model(image)"
    assert operator(proposed(tmp_path, MOVED.replace(old, new), at)) != "on-cpu"


# -- errors that are told anew -----------------------------------------------------------------------------------------


class ResourceExhaustedError(Exception):
    """As TensorFlow makes it: of a node and an operation, too."""

    def __init__(self, node: object, operation: object, message: str) -> None:
        super().__init__(message)


@pytest.mark.parametrize(
    "call",
    ["model.fit(x, y, epochs=3, batch_size=32)", "model.train(x, y, image_size)", "model.predict(x, batch_size=1)"],
)
def test_an_error_that_is_not_made_of_words_alone_is_told_as_another(tmp_path: Path, call: str) -> None:
    source = f"import tensorflow as tf\n\n\ndef run(model, x, y, image_size):\n    found = {call}\n    return found\n"
    text = after(proposed(tmp_path, source, "found = ", TENSORFLOW))
    assert not any(line and not line.strip() for line in text.splitlines())
    names: dict[str, Any] = {}
    exec(text.replace("import tensorflow as tf\n", ""), names)

    def exhausted(*_args: object, **_more: object) -> object:
        raise ResourceExhaustedError(None, None, "OOM when allocating tensor")

    model = SimpleNamespace(fit=exhausted, train=exhausted, predict=exhausted)
    with pytest.raises(RuntimeError, match=r"out of memory.*OOM when allocating"):
        names["run"](model, 1, 2, 3)


@pytest.mark.parametrize("loop", ["", "for batch in loader:\n        "])
def test_what_is_written_for_torch_is_not_written_where_another_says_it(tmp_path: Path, loop: str) -> None:
    said = "RuntimeError: RESOURCE_EXHAUSTED: Out of memory on GPU allocating 5 bytes"
    source = f"import jax\n\n\ndef f(model, batch, loader, out):\n    {loop}out = model(batch)\n    return out\n"
    found = proposed(tmp_path, source, "out = model(", said)
    assert isinstance(found, Declined) or not re.search(r"\b(?:CLEAR|TORCH)\b", after(found))


# -- steps in halves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "is_halved"), [("meta['paths']", False), ("**meta", False), ("meta.items()", False), ("meta", True)]
)
def test_a_part_of_a_batch_that_is_a_dict_is_not_cut(tmp_path: Path, read: str, is_halved: bool) -> None:
    source = (
        "import torch\n\n\ndef train(model, loader, optimizer, crit):\n    for images, targets, meta in loader:\n"
        "        optimizer.zero_grad()\n        loss = crit(model(images.cuda()), targets.cuda())\n"
        f"        loss.backward()\n        optimizer.step()\n        log({read})\n"
    )
    assert (operator(proposed(tmp_path, source, "loss = crit(")) == "split-step") is is_halved


def calls_over(root: Path, lines: int) -> int:
    body = "".join(f"        x{one} = f(images, {one})\n" for one in range(lines))
    source = (
        f"import torch\n\n\ndef train(model, loader, optimizer, crit):\n    for images, targets in loader:\n{body}"
        "        optimizer.zero_grad()\n        loss = crit(model(images), targets)\n        loss.backward()\n"
        "        optimizer.step()\n"
    )
    profile = cProfile.Profile()
    profile.enable()
    found = proposed(root, source, "loss = crit(")
    profile.disable()
    assert operator(found) == "split-step"
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def test_a_loop_of_many_lines_is_read_line_by_line(tmp_path: Path) -> None:
    assert calls_over(tmp_path, 80) < 2.6 * calls_over(tmp_path, 40)
