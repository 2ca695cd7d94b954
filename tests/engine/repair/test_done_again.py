"""What is done again with less gives what it gave at once, and is left alone where it would not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import after, told

ERROR = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
CALL = "import torch\n\n\ndef run(image, tile=512):\n    BEFORE\n    out = upscale(image, tile=tile)\n    return out\n"
WRITTEN_OUT = """\
import torch


def attend(x, q, k, v, mask, proj):
    b, c, n = k.shape
    w = torch.bmm(q, k)
    w = w * (int(c) ** -0.5)
    w = torch.softmax(w, dim=2)
    w = w.permute(0, 2, 1)
    h = torch.bmm(v, w)
    return h, k
"""
CODEC = """\
import torch


class Codec:
    def decode(self, samples, mask):
        pixels = self.model.decode(samples)
        return pixels.cpu()

    def decode_tiled(self, mask, samples):
        return samples, mask
"""


def proposed(root: Path, source: str, at: str) -> Proposal | Declined:
    return told(root, "out-of-memory", source, at, ERROR)


def is_left_by(found: Proposal | Declined, operator: str) -> bool:
    return isinstance(found, Declined) or found.operator != operator


def names_of(text: str, monkeypatch: pytest.MonkeyPatch, **more: object) -> dict[str, Any]:
    stand_in: Any = SimpleNamespace(cuda=SimpleNamespace(empty_cache=lambda: None))
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    names: dict[str, Any] = dict(more)
    exec(text, names)
    return names


def fails(*_args: object, **_more: object) -> object:
    raise RuntimeError("CUDA out of memory.")


# -- the names of a handler --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", ["error", "error, out_of_memory"])
@pytest.mark.parametrize(
    "work",
    [
        "out = upscale(image, tile=tile)",
        "out = model.predict(image, batch_size=8)",
        "out = [0]\n    for y in range(0, 4, tile):\n        for x in range(0, 4, tile):\n"
        "            out = net(image[y : y + tile, x : x + tile])",
        "out = []\n    for at in range(0, 4, tile):\n        part = net(image[at : at + tile])\n"
        "        out.append(part)",
        "out = vae.decode(image)",
        "out = []\n    for batch in loader(image):\n        loss = net(batch)\n        loss.backward()\n"
        "        optimizer.step()",
    ],
)
def test_a_handler_takes_no_name_that_the_file_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str, work: str
) -> None:
    source = (
        f"import torch\nfrom log import {taken}\n\n\ndef run(image, tile=512):\n    if image is None:\n"
        f"        return error('no image')\n    {work}\n    return out\n\n\n# vae.enable_tiling()\n"
    )
    at = next(one for one in ("= upscale(", "= model.", "= net(", "= vae.") if one in work)
    said: Any = SimpleNamespace(error=lambda text: text, out_of_memory=None)
    monkeypatch.setitem(sys.modules, "log", said)
    names = names_of(after(proposed(tmp_path, source, at)), monkeypatch)
    assert names["run"](None) == "no image"


# -- tiles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("image = pad(image, tile)", id="padded again"),
        pytest.param("steps = count(tile)\n    tile = best(image)", id="the first size each time"),
        pytest.param("rest = cut(image, tile)\n    image = rest + 1", id="from what is bound behind"),
    ],
)
def test_what_would_begin_from_itself_is_not_done_again(tmp_path: Path, before: str) -> None:
    assert is_left_by(proposed(tmp_path, CALL.replace("BEFORE", before), "= upscale("), "smaller-tiles")


def test_what_begins_anew_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = CALL.replace("BEFORE", "padded = image + [tile]").replace("upscale(image", "upscale(padded")

    def upscale(padded: list[int], tile: int) -> list[int]:
        return padded if tile <= 128 else fails()  # type: ignore[return-value]

    found = proposed(tmp_path, source, "= upscale(")
    assert names_of(after(found), monkeypatch, upscale=upscale)["run"]([]) == [128]


def test_tiles_in_loops_of_a_picture_that_is_padded_by_them_are_left_alone(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, image, tile=8):\n    image = pad(image, tile)\n    out = torch.zeros(64, 64)\n"
        "    for y in range(0, 64, tile):\n        for x in range(0, 64, tile):\n"
        "            out[y : y + tile, x : x + tile] = model(image[y : y + tile, x : x + tile])\n    return out\n"
    )
    assert is_left_by(proposed(tmp_path, source, "= model("), "smaller-tiles")
    plain = source.replace("    image = pad(image, tile)\n", "")
    assert not is_left_by(proposed(tmp_path, plain, "= model("), "smaller-tiles")


@pytest.mark.parametrize(
    "call",
    [
        "VisionTransformer(patch_size=tile, depth=12)",
        "extract_patches(image, patch_size=tile)",
        "Tiler(image, tile_size=tile)",
        "extract_tiles(image, tile_size=tile)",
        "make_grid(image, tile=tile)",
        "upscale(image, tile=tile, overlap=image.shape[0] // 8)",
    ],
)
def test_a_size_that_is_not_that_of_the_work_alone_stays(tmp_path: Path, call: str) -> None:
    source = CALL.replace("    BEFORE\n", "").replace("upscale(image, tile=tile)", call)
    found = proposed(tmp_path, source, f"= {call.partition('(')[0]}(")
    assert is_left_by(found, "smaller-tiles") and is_left_by(found, "shrink-argument")
    tiles = source.replace("out", "tiles")
    assert is_left_by(proposed(tmp_path, tiles, f"= {call.partition('(')[0]}("), "smaller-tiles")


@pytest.mark.parametrize(
    ("overlap", "least"),
    [
        ("96", "tile // 2 <= 96"),
        ("8", "tile // 2 < 64"),
        ("lap", "tile // 2 <= lap"),
        ("args.lap", "tile // 2 <= args.lap"),
        ("tile // 4", "tile // 2 < 64"),
    ],
)
def test_tiles_stay_larger_than_their_overlap(tmp_path: Path, overlap: str, least: str) -> None:
    source = CALL.replace("    BEFORE\n", "").replace("tile=tile", f"tile=tile, tile_overlap={overlap}")
    assert f"            if {least}:\n" in after(proposed(tmp_path, source, "= upscale("))


# -- a batch's lines ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "is_done"),
    [
        ("images = images.to(device)", True),
        ("images = scaled(images)", False),
        ("count = count + 1", False),
        ("mixed = scaled(images)", True),
    ],
)
def test_a_batch_that_is_changed_before_it_is_halved_is_left_alone(tmp_path: Path, line: str, is_done: bool) -> None:
    source = (
        f"import torch\n\n\ndef f(model, loader, device, count):\n    for images in loader:\n        {line}\n"
        "        loss = model(images)\n        loss.backward()\n        optimizer.step()\n"
    )
    assert is_left_by(proposed(tmp_path, source, "= model("), "split-step") is not is_done


# -- how many are made -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "diffusion.sample(batch_size=size)",
        "flow.sample_prior(shape, batch_size=size)",
        "gan.generate(noise, batch_size=size)",
        "net.run(batch_size=size)",
        "benchmark(net, batch_size=size)",
    ],
)
def test_how_many_are_made_is_not_halved(tmp_path: Path, call: str) -> None:
    source = f"import torch\n\n\ndef f(size=16):\n    out = {call}\n    return out\n"
    assert is_left_by(proposed(tmp_path, source, "out = "), "shrink-argument")


# -- attention ---------------------------------------------------------------------------------------------------------


OWN = "def scaled_dot_product_attention(q, k, v):\n    return q, k\n"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(OWN, id="the file's own"),
        pytest.param("from models import scaled_dot_product_attention\n", id="the project's"),
        pytest.param(
            "try:\n    from torch.nn.functional import scaled_dot_product_attention\nexcept ImportError:\n    "
            + OWN.replace("\n    ", "\n        "),
            id="where torch has none",
        ),
    ],
)
def test_attention_that_is_not_torchs_is_left_alone(tmp_path: Path, head: str) -> None:
    source = (
        f"import torch\n{head}\n\ndef f(q, k, v):\n    out = scaled_dot_product_attention(q, k, v)\n    return out\n"
    )
    assert is_left_by(proposed(tmp_path, source, "out = "), "query-slices")
    own = source.replace(head, "from torch.nn.functional import scaled_dot_product_attention\n")
    assert not is_left_by(proposed(tmp_path, own, "out = "), "query-slices")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("    w = w.permute", "    k = proj(x)\n    w = w.permute", id="the key bound anew"),
        pytest.param("    w = w.permute", "    c = c + 1\n    w = w.permute", id="the scale bound anew"),
        pytest.param("    w = w.permute", "    x = k.mul_(2)\n    w = w.permute", id="the key changed in place"),
        pytest.param("    w = torch.softmax", "    w = w * mask\n    w = torch.softmax", id="masked"),
        pytest.param("    w = torch.softmax", "    w = mask * w\n    w = torch.softmax", id="masked from the left"),
        pytest.param("w * (int(c) ** -0.5)", "proj(x) * w", id="scaled by what is computed"),
        pytest.param("w * (int(c) ** -0.5)", "8 / w", id="a number by scores"),
    ],
)
def test_attention_that_parts_would_change_is_left_alone(tmp_path: Path, old: str, new: str) -> None:
    assert old in WRITTEN_OUT
    assert is_left_by(proposed(tmp_path, WRITTEN_OUT.replace(old, new), "torch.bmm(q"), "query-slices")


@pytest.mark.parametrize(
    "by", ["w * (int(c) ** -0.5)", "w / math.sqrt(c)", "w * self.scale", "0.5 * w", "w.mul_(c ** -0.5)"]
)
def test_attention_scaled_by_a_number_is_done_in_parts(tmp_path: Path, by: str) -> None:
    source = WRITTEN_OUT.replace("w * (int(c) ** -0.5)", by).replace("h = torch", "returned = torch")
    assert not is_left_by(proposed(tmp_path, source, "torch.bmm(v"), "query-slices")


# -- the method beside it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "other"),
    [
        pytest.param("self, samples, mask", "self, mask, samples", id="another order"),
        pytest.param("self, samples, steps=4, *, mask", "self, samples, mask, steps=4", id="by keyword alone"),
        pytest.param("self, samples, mask", "self, samples, *, mask", id="by keyword alone in tiles"),
        pytest.param("this, samples, mask", "this, samples, mask", id="another name for self"),
    ],
)
def test_the_method_in_tiles_gets_each_argument_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, other: str
) -> None:
    source = CODEC.replace("self, samples, mask", own).replace("self, mask, samples", other)
    source = source.replace("self.model", own.partition(",")[0] + ".model")
    codec = names_of(after(proposed(tmp_path, source, "model.decode")), monkeypatch)["Codec"]()
    codec.model = SimpleNamespace(decode=fails)
    assert codec.decode("samples", mask="mask") == ("samples", "mask")


def test_what_is_waited_for_is_waited_for_in_tiles(tmp_path: Path) -> None:
    both = CODEC.replace("def ", "async def ")
    assert "return await self.decode_tiled(" in after(proposed(tmp_path, both, "model.decode"))
    one = CODEC.replace("def decode_tiled", "async def decode_tiled")
    assert is_left_by(proposed(tmp_path, one, "model.decode"), "tiled-sibling")
    needs = CODEC.replace("self, mask, samples", "self, samples, *, seed")
    assert is_left_by(proposed(tmp_path, needs, "model.decode"), "tiled-sibling")
