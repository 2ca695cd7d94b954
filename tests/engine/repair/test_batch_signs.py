"""What shows that a call is given many items: shapes, counts, docstrings; and what is no batch at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told


def proposed(root: Path, source: str, code: str) -> Proposal | Declined:
    error = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    return told(root, "out-of-memory", "import torch\n\n\n" + source, code, error)


@pytest.mark.parametrize(
    ("source", "code", "after"),
    [
        (
            "def run(acq, near):\n    with torch.no_grad():\n        return acq(near.unsqueeze(1))\n",
            "acq(near.",
            "_in_smaller_batches(lambda part: acq(part.unsqueeze(1)), near)",
        ),
        (
            'def run(net, v):\n    """v: (B, 3, H, W)"""\n    return net(v).cpu()\n',
            "net(v)",
            "_in_smaller_batches(lambda part: net(part).cpu(), v)",
        ),
        (
            "def run(net, pic):\n    b, c, h, w = pic.shape\n    out = net(pic)\n    return out.view(b, -1)\n",
            "net(pic)",
            "out = _in_smaller_batches(net, pic)",
        ),
        (
            "def run(model, image):\n    return model.get_first_stage_encoding(model.encode_first_stage(image))\n",
            "encode_first",
            "_in_smaller_batches(lambda part: model.get_first_stage_encoding(model.encode_first_stage(part)), image)",
        ),
        (
            "def run(p, samples_d):\n    return decode_first_stage(p.model, samples_d)\n",
            "decode_first",
            "_in_smaller_batches(lambda part: decode_first_stage(p.model, part), samples_d)",
        ),
        (
            "def run(net, n):\n    z = torch.randn(n, 64)\n    return net(z)\n",
            "net(z)",
            "_in_smaller_batches(net, z)",
        ),
        (
            "class Filter:\n    def __call__(self, img):\n        f0 = torch.tensor(rows(img)).to(self.device)\n"
            "        return self.net(f0)\n",
            "self.net(f0)",
            "_in_smaller_batches(self.net, f0)",
        ),
        (
            "def run(table_imgs, cells, a, b):\n    rec_models = [a, a.processor, b]\n"
            "    return recognize(table_imgs, cells, rec_models)\n",
            "recognize(table",
            "recognize(part1, part2, rec_models), table_imgs, cells)",
        ),
        (
            "def run(images, model, processor):\n    both = [model, processor]\n    return detect(images, both)\n",
            "detect(images",
            "_in_smaller_batches(lambda part: detect(part, both), images)",
        ),
    ],
)
def test_a_batch_is_known_by_more_than_its_name(tmp_path: Path, source: str, code: str, after: str) -> None:
    found = proposed(tmp_path, source, code)
    assert isinstance(found, Proposal), found
    assert after in found.edits[0].after.decode()


@pytest.mark.parametrize(
    ("source", "code", "reason"),
    [
        (
            "def run(net, image):\n    c, h, w = image.shape\n    return net(image)\n",
            "net(image)",
            "nothing shows that net is given a batch",
        ),
        ("def run(net, text):\n    n = len(text)\n    return net(text)\n", "net(text)", "nothing shows"),
        (
            "def run(ig, inputs, base):\n    return ig.attribute(tuple(inputs), baselines=tuple(base))\n",
            "ig.attribute",
            "halves would lack inputs",
        ),
        (
            "def run(path, devices):\n    return torch.load(path, map_location=mapping(devices[0]))\n",
            "torch.load",
            "what does not fit is no batch",
        ),
    ],
)
def test_one_item_a_models_inputs_and_what_is_loaded_are_no_batch(
    tmp_path: Path, source: str, code: str, reason: str
) -> None:
    found = proposed(tmp_path, source, code)
    assert isinstance(found, Declined) and reason in found.reason, found


@pytest.mark.parametrize(
    ("body", "split"),
    [
        ("    enc = tok(prompts, padding=True).to('cuda')\n    ids = model.generate(**enc)\n", True),
        ("    enc = tok(one)\n    ids = model.generate(**enc)\n", False),
        ("    out = model(**batch)\n    return out.loss\n", False),
        ("    out = model(batch, labels=batch)\n", False),
        ("    out = model(**batch)\n    return out.logits\n", True),
    ],
)
def test_many_texts_are_a_batch_and_a_mean_over_it_is_not_joined(tmp_path: Path, body: str, split: bool) -> None:
    found = proposed(tmp_path, f"def run(model, tok, prompts, one, batch):\n{body}", "= model")
    assert (isinstance(found, Proposal) and found.operator == "split-batch") is split, found
