"""What is done where memory runs out and no batch is there to make smaller: the next item, an error, or the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import after, is_left, told

OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
JAX = "RuntimeError: Resource exhausted: Out of memory while trying to allocate 5368709120 bytes."
PAGES = """\
import torch


def read(paths, model):
    done = {}
    for path in paths:
        page = load(path)
        found = model.read(page)
        done[path] = found
    return done
"""


def proposed(root: Path, source: str, code: str, error: str = OOM) -> Proposal | Declined:
    return told(root, "out-of-memory", source, code, error)


def operator(found: Proposal | Declined) -> str:
    return found.operator if isinstance(found, Proposal) else found.reason


def test_a_loop_goes_on_with_its_next_item(tmp_path: Path) -> None:
    found = proposed(tmp_path, PAGES, "model.read(")
    text = after(found)
    assert operator(found) == "skip-item" and "torch.cuda.empty_cache()" in text
    names: dict[str, object] = {}
    exec(text.replace("import torch\n", "from unittest.mock import Mock\ntorch = Mock()\nload = str\n"), names)

    class Model:
        def read(self, page: str) -> str:
            if page == "large":
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            if page == "bad":
                raise RuntimeError("bad input")
            return page.upper()

    read = names["read"]
    assert callable(read) and read(["a", "large", "b"], Model()) == {"a": "A", "b": "B"}
    with pytest.raises(RuntimeError, match="bad input"):
        read(["bad"], Model())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        done[path] = found\n", "        kept.append({'path': path, 'text': found})\n"),
        ("        done[path] = found\n", "        print(path, found)\n"),
        ("        done[path] = found\n", "        save(found, path)\n"),
        ("for path in paths:", "for number, path in enumerate(tqdm(paths)):"),
        ("for path in paths:", "for number in range(len(paths)):\n        path = paths[number]"),
    ],
)
def test_an_item_left_out_leaves_the_others_as_they_are(tmp_path: Path, old: str, new: str) -> None:
    pages = PAGES.replace("    done = {}\n", "    done = {}\n    kept = []\n")
    found = proposed(tmp_path, pages.replace(old, new), "model.read(")
    assert operator(found) == "skip-item"
    after(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    done = {}\n", "    done = [None] * len(paths)\n"),
        ("        done[path] = found\n", "        yield found\n"),
        ("    return done\n", "    return found\n"),
        ("        done[path] = found\n", "        future.set_result(found)\n        done[path] = found\n"),
        ("path in paths", "epoch in paths"),
    ],
)
def test_an_item_is_not_left_out_where_a_result_would_be_missed(tmp_path: Path, old: str, new: str) -> None:
    assert is_left(proposed(tmp_path, PAGES.replace(old, new), "model.read("))


def test_a_job_that_is_passed_over_counts_as_done(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef work(jobs, model):\n    while True:\n        job = jobs.get()\n"
        "        out = model(job.picture)\n        save(job, out)\n        jobs.task_done()\n"
    )
    assert "            jobs.task_done()\n            continue\n" in after(proposed(tmp_path, source, "out = model("))


def test_results_that_go_by_their_place_are_not_left_out(tmp_path: Path) -> None:
    source = PAGES.replace("done = {}", "done = []").replace("done[path] = found", "done.append(found)")
    assert is_left(proposed(tmp_path, source, "model.read("))
    meaned = source.replace("return done", "print(sum(done) / len(done))")
    assert is_left(proposed(tmp_path, meaned, "model.read("))


def test_what_jax_says_is_known_and_no_cache_of_torch_is_cleared(tmp_path: Path) -> None:
    source = PAGES.replace("import torch\n", "import jax\n")
    text = after(proposed(tmp_path, source, "model.read(", JAX))
    assert "torch" not in text and '"RESOURCE_EXHAUSTED", "Resource exhausted"' in text
    other = "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."
    assert operator(proposed(tmp_path, source, "model.read(", other)) == "skip-item"


# -- answers ------

WORKER = """\
import json

import torch

SORRY = "too much"


class Worker:
    def complete(self, asked):
        try:
            return json.dumps({"text": self.model.generate(asked)})
        except torch.cuda.OutOfMemoryError:
            answer = {
                "text": SORRY,
                "code": 1,
            }
            return json.dumps(answer)

    def embed(self, asked):
        ids = self.tokenizer.encode(asked["input"], return_tensors="pt").to(self.device)
        found = self.model(ids, output_hidden_states=True)
        return json.dumps({"text": found.tolist()})
"""


def test_a_request_is_answered_as_the_method_beside_it_answers(tmp_path: Path) -> None:
    found = proposed(tmp_path, WORKER, "found = self")
    text = after(found)
    assert operator(found) == "answer-error" and "`complete`" in (found.why if isinstance(found, Proposal) else "")
    assert text.count("except torch.cuda.OutOfMemoryError:") == 2 and text.count('"text": SORRY') == 2
    assert "        try:\n            ids = self.tokenizer" in text


def test_an_answer_that_has_room_for_an_error_says_it(tmp_path: Path) -> None:
    source = (
        "import json\n\nimport torch\n\n\ndef stream(model, tokenizer, asked):\n"
        "    ids = tokenizer(asked).input_ids\n    for at in range(100):\n        if at == 0:\n"
        "            out = model(torch.as_tensor([ids]).cuda())\n        text = tokenizer.decode(out)\n"
        '        ret = {"text": text, "error": 0}\n        yield json.dumps(ret).encode()\n'
    )
    found = proposed(tmp_path, source, "out = model(")
    text = after(found)
    assert operator(found) == "answer-error"
    assert '"error": 1}\n                yield json.dumps(ret).encode()\n                return\n' in text


@pytest.mark.parametrize(
    ("head", "route", "answer"),
    [
        ("from fastapi import FastAPI, HTTPException\n", "@app.post('/draw')\n", "raise HTTPException(status_code=503"),
        ("from flask import Flask, jsonify\n", "@app.route('/draw')\n", "return jsonify({'error'"),
        ("import gradio as gr\ngr.Interface(fn=draw)\n", "", "raise gr.Error("),
    ],
)
def test_a_route_tells_who_asked(tmp_path: Path, head: str, route: str, answer: str) -> None:
    source = f"import torch\n{head}\n\n{route}def draw(prompt):\n    return pipe(prompt).images[0]\n"
    assert answer in after(proposed(tmp_path, source, "pipe(prompt)"))


# -- the CPU ------

PAINTER = """\
import torch


class Painter:
    def __init__(self, model, device):
        self.device = device
        self.model = model.to(device)

    def paint(self, picture):
        x = torch.from_numpy(picture).unsqueeze(0).to(self.device)
        out = self.model(x)
        return out.cpu().numpy()
"""


def test_one_item_is_done_on_the_cpu_where_the_code_has_a_device_of_its_own(tmp_path: Path) -> None:
    found = proposed(tmp_path, PAINTER, "self.model(")
    assert operator(found) == "on-cpu" and "out = _on_cpu(self.model, self.model, x)\n" in after(found)
    reported = PAINTER.replace(
        "        out = self.model(x)\n",
        "        try:\n            out = self.model(x)\n        except torch.cuda.OutOfMemoryError:\n"
        "            print('too large')\n            raise\n",
    )
    assert operator(proposed(tmp_path, reported, "self.model(")) == "on-cpu"
    again = reported.replace("            raise\n", "            out = self.model(x.half())\n")
    assert is_left(proposed(tmp_path, again, "self.model("))


def test_without_a_device_of_its_own_nothing_is_moved(tmp_path: Path) -> None:
    kept = PAINTER.replace(".to(self.device)", "").replace("        self.device = device\n", "")
    assert is_left(proposed(tmp_path, kept.replace("model.to(device)", "model"), "self.model("))


def test_half_numbers_are_whole_on_the_cpu(tmp_path: Path) -> None:
    text = after(proposed(tmp_path, PAINTER.replace(".to(self.device)", ".half().to(self.device)"), "self.model("))
    assert 'model.to("cpu", whole)' in text


def test_the_model_is_moved_and_moved_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    names: dict[str, object] = {}
    exec(after(proposed(tmp_path, PAINTER, "self.model(")), names)
    painter = names["Painter"]
    assert callable(painter)

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(1), requires_grad=False)
            self.moved: list[str] = []

        def to(self, device: object) -> Model:
            self.moved.append(str(device))
            return self

        def forward(self, x: object) -> object:
            if not self.moved:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return x * self.weight  # type: ignore[operator]

    model = Model()
    one = painter(model, "cpu")
    model.moved.clear()
    assert one.paint(torch.ones(2, 2).numpy()).sum() == 4 and model.moved == ["cpu", "cpu"]


# -- what to lower ------


def test_training_that_another_does_says_what_to_lower(tmp_path: Path) -> None:
    source = "import torch\n\n\ndef main(cfg):\n    trainer = make(cfg)\n    return trainer.train()\n"
    found = proposed(tmp_path, source, "trainer.train()")
    assert operator(found) == "clear-error" and "a smaller batch or smaller inputs need less" in after(found)
    sized = source.replace("import torch\n", "import torch\n\nparser.add_argument('--batch-size')\n")
    assert "a smaller --batch-size needs less" in after(proposed(tmp_path, sized, "trainer.train()"))


@pytest.mark.parametrize(
    "source",
    [
        "def f(model, prompt):\n    ids = tokenizer(prompt, return_tensors='pt').input_ids\n    return model(ids)\n",
        "def f(model, ids):\n    return model(torch.as_tensor([ids]))\n",
        "def f(model, a, b):\n    ids = tokenizer(a, b, return_tensors='pt')\n    return model(**ids)\n",
        "def f(model, graph):\n    return k2.intersect(graph, lats, b_to_a_map)\n",
        "def f(self, batch_list):\n    return self.hook(batch_list)\n",
    ],
)
def test_what_is_one_item_is_not_split(tmp_path: Path, source: str) -> None:
    assert is_left(proposed(tmp_path, "import torch\nimport k2\n\n\n" + source, "    return "))


def test_a_step_that_is_called_is_passed_over_where_it_is_the_only_process(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\nclass Job:\n    def run(self, loader, optimizer):\n        for batch in loader:\n"
        "            with self.accelerator.accumulate(self.model):\n                loss = self.train_step(batch)\n"
        "            optimizer.zero_grad()\n            self.log(loss)\n"
    )
    found = proposed(tmp_path, source, "self.train_step(")
    assert operator(found) == "skip-batch"
    assert "or self.accelerator.num_processes > 1:\n                    raise\n" in after(found)
