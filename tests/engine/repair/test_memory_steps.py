"""Steps and pictures that run out of memory where no batch can be halved: left, tiled, or done once more."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

STEP = """\
class Agent:
    def train_step(self, batch):
        self.optimizer.zero_grad()
        scores = self.score(batch)
        loss = self.criterion(scores)
        loss.backward()
        self.optimizer.step()
        RETURN
"""


def proposed(root: Path, source: str, code: str) -> Proposal | Declined:
    error = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"
    return told(root, "out-of-memory", source, code, error)


def after(root: Path, source: str, code: str, operator: str) -> str:
    found = proposed(root, source, code)
    assert isinstance(found, Proposal), found
    assert (found.operator, found.applicability) == (operator, "review")
    return found.edits[0].after.decode()


@pytest.mark.parametrize(
    ("returned", "leaves"),
    [
        ("return", "return"),
        ("return loss.item()", "return 0.0"),
        ("return loss.item(), (a == b).mean(0).item()", "return 0.0, 0.0"),
        ("return Output()", "return Output()"),
    ],
)
def test_a_step_is_left_with_nothing(tmp_path: Path, returned: str, leaves: str) -> None:
    text = after(tmp_path, STEP.replace("RETURN", returned), "self.score(batch)", "leave-step")
    assert "        try:\n            scores = self.score(batch)\n" in text
    assert "            self.optimizer.zero_grad()\n" in text and f"            {leaves}\n        {returned}\n" in text


def test_a_step_whose_nothing_is_not_known_is_left_alone(tmp_path: Path) -> None:
    assert isinstance(proposed(tmp_path, STEP.replace("RETURN", "return scores"), "self.score(batch)"), Declined)
    one = STEP.replace("RETURN", "return")
    assert isinstance(proposed(tmp_path, "import deepspeed\n\n\n" + one, "self.score(batch)"), Declined)
    wrapped = one + "\n    def wrap(self):\n        self.model = DistributedDataParallel(self.model)\n"
    assert isinstance(proposed(tmp_path, wrapped, "self.score(batch)"), Declined)
    maybe = wrapped.replace("        self.model =", "        if self.many:\n            self.model =")
    assert isinstance(proposed(tmp_path, maybe, "self.score(batch)"), Declined)


def test_a_step_that_a_framework_calls_gives_no_loss(tmp_path: Path) -> None:
    source = (
        "import torch\nfrom lightning import LightningModule\n\n\nclass Net(LightningModule):\n"
        "    def training_step(self, batch, index):\n        x, y = batch\n        out = self(x)\n"
        "        return self.loss(out, y)\n"
    )
    text = after(tmp_path, source, "self(x)", "leave-step")
    assert "            return self.loss(out, y)\n        except" in text and text.endswith("            return None\n")


def test_a_batch_that_is_an_object_is_passed_over_whole(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, loader, optimizer):\n    for graph in loader:\n"
        "        graph = graph.to('cuda')\n"
        "        out = model(graph.x, graph.edges)\n        loss = out.mean()\n        optimizer.zero_grad()\n"
        "        loss.backward()\n        optimizer.step()\n"
    )
    text = after(tmp_path, source, "model(graph.x", "skip-batch")
    assert "        try:\n            graph = graph.to('cuda')\n" in text and text.count("optimizer.step()") == 1


def test_a_batch_by_places_is_halved_part_by_part(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, loader, optimizer):\n    for data in loader:\n        x, y = data[0], data[1]\n"
        "        optimizer.zero_grad()\n        loss = model(x, y)\n        loss.backward()\n        optimizer.step()\n"
    )
    assert "[part[:half] for part in data]" in after(tmp_path, source, "model(x, y)", "split-step")


TILES = (
    "import torch\n\n\ndef f(model, image, args):\n    tile = args.tile\n    stride = tile - args.overlap\n"
    "    rows = list(range(0, 64 - tile, stride))\n    total = torch.zeros(64, 64)\n    for y in rows:\n"
    "        for x in rows:\n            part = model(image[y : y + tile, x : x + tile])\n"
    "            total[y : y + tile, x : x + tile] += part\n    return total\n"
)


def test_tiles_are_done_again_from_what_depends_on_their_size(tmp_path: Path) -> None:
    text = after(tmp_path, TILES, "model(image", "smaller-tiles")
    assert "    tile = args.tile\n    while True:\n        try:\n            stride = tile - args.overlap\n" in text
    assert "            total = torch.zeros(64, 64)\n" in text and "if tile // 2 <= args.overlap:" in text


def test_tiles_that_are_added_to_what_was_there_before_are_not_done_twice(tmp_path: Path) -> None:
    source = TILES.replace("    total = torch.zeros(64, 64)\n", "").replace("image, args", "image, args, total")
    found = proposed(tmp_path, source, "model(image")
    assert isinstance(found, Declined) or found.operator != "smaller-tiles"


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("stride = tile - args.overlap", "stride = args.stride"),  # halves of the tiles would leave gaps
        ("list(range(0, 64 - tile, stride))", "range(0, 64, 32)"),
        (" += part\n", " += part\n            cv2.imwrite(f'{y}_{x}.png', part)\n"),  # large and small ones would mix
        (" += part\n", " += part\n            queue.put(part)\n"),
    ],
)
def test_tiles_that_do_not_step_by_their_size_or_are_written_out_are_left_alone(
    tmp_path: Path, was: str, instead: str
) -> None:
    found = proposed(tmp_path, TILES.replace(was, instead), "model(image")
    assert isinstance(found, Declined) or found.operator != "smaller-tiles"


def test_a_tiles_progress_may_be_told_twice(tmp_path: Path) -> None:
    source = TILES.replace(" += part\n", " += part\n            print(y, x)\n            torch.cuda.empty_cache()\n")
    assert "print(y, x)" in after(tmp_path, source, "model(image", "smaller-tiles")


@pytest.mark.parametrize(
    ("also", "then"),
    [
        ("from diffusers import AutoencoderKL\n", "    vae.enable_tiling()\n        image = vae.decode(latents)[0]\n"),
        ("\n\ndef g(vae, x):\n    return vae.decode_tiled(x)\n", "    image = vae.decode_tiled(latents)[0]\n"),
    ],
)
def test_a_picture_is_decoded_in_tiles(tmp_path: Path, also: str, then: str) -> None:
    source = f"import torch\n{also}\n\ndef f(vae, latents):\n    image = vae.decode(latents)[0]\n    return image\n"
    assert then in after(tmp_path, source, "vae.decode(latents)", "in-tiles")
    other = source.replace("vae.decode(", "self.first_stage_model.decode(").replace("f(vae", "f(self")
    found = proposed(tmp_path, other, "first_stage_model.decode(")
    assert isinstance(found, Declined) or b"first_stage_model.decode_tiled" not in found.edits[0].after
    alone = source.replace(also, "").replace("latents", "latent")
    assert isinstance(proposed(tmp_path, alone, "vae.decode(latent)"), Declined)


def test_a_validation_step_is_done_once_more_when_gradients_are_freed(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef valid_step(task, model, criterion, sample):\n    model.eval()\n"
        "    loss = task.get_loss(model, criterion, sample)\n    return loss\n"
    )
    text = after(tmp_path, source, "task.get_loss", "once-more")
    assert "parameter.grad = None" in text and text.count("task.get_loss(") == 2
    assert "            raise\n        ran_out = True\n    if ran_out:\n        for parameter in" in text
    leaves = source.replace("loss = task", "return task").replace("    return loss\n", "")
    text = after(tmp_path, leaves, "task.get_loss", "once-more")
    assert "            raise\n    for parameter in model.parameters():\n" in text and "ran_out" not in text
    assert isinstance(proposed(tmp_path, source.replace("valid_step", "step"), "task.get_loss"), Declined)


def test_generated_tokens_of_two_lengths_are_joined(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    source = "import torch\n\n\ndef f(model, batch):\n    return model.generate(batch)\n"
    names: dict[str, object] = {}
    exec(after(tmp_path, source, "model.generate", "split-batch"), names)
    joined = names["_joined"]
    assert callable(joined)
    assert joined(torch.tensor([[5, 6, 2]]), torch.tensor([[7, 2]])).tolist() == [[5, 6, 2], [7, 2, 2]]


def test_what_counts_the_rounds_is_not_split(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, xs):\n    for t in reversed(range(9)):\n        xs = model.step_at(xs, t)\n"
        "    return xs\n"
    )
    text = after(tmp_path, source, "model.step_at", "split-batch")
    assert "_in_smaller_batches(lambda part: model.step_at(part, t), xs)" in text


def test_a_loop_that_takes_its_batches_by_itself_goes_on(tmp_path: Path) -> None:
    source = (
        "import torch\n\n\ndef f(model, data, optimizer, steps):\n    for step in range(steps):\n"
        "        x, y = get_batch(data)\n        loss = model(x, y)\n        optimizer.zero_grad()\n"
        "        loss.backward()\n        optimizer.step()\n        if step > 9:\n            break\n"
    )
    assert "            continue\n        if step > 9:\n" in after(tmp_path, source, "model(x, y)", "skip-batch")


def test_another_try_is_made_when_nothing_holds_the_first_ones_tensors_any_more(tmp_path: Path) -> None:
    source = (
        "import torch\nfrom diffusers import AutoencoderKL\n\n\ndef f(vae, latents):\n"
        "    image = vae.decode(latents)[0]\n    return image\n"
    )
    names: dict[str, object] = {}
    text = after(tmp_path, source, "vae.decode(latents)", "in-tiles")
    exec(text.replace("import torch\nfrom diffusers import AutoencoderKL\n", "from unittest.mock import Mock\n"), names)
    names["torch"] = Mock()
    vae = Mock()
    under_way: list[bool] = []

    def decode(latents: list[int]) -> list[int]:
        under_way.append(sys.exc_info()[0] is not None)
        if len(under_way) == 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return latents

    vae.decode = decode
    f = names["f"]
    assert callable(f) and f(vae, [7]) == 7
    assert under_way == [False, False] and vae.enable_tiling.called


CALLED = (
    "import torch\n\n\ndef f(trainer, loader, args):\n    for batch in loader:\n        trainer.train(batch=GIVEN)\n"
)


@pytest.mark.parametrize("given", ["batch", "args.batch", "loader", "other"])
def test_a_batch_that_may_be_the_data_is_not_halved_as_a_number(tmp_path: Path, given: str) -> None:
    found = proposed(tmp_path, CALLED.replace("GIVEN", given), "trainer.train")
    assert isinstance(found, Declined) or found.operator != "shrink-argument"


@pytest.mark.parametrize(
    ("source", "given"),
    [
        (CALLED, "16"),
        (CALLED.replace("args)", "args, many=8)"), "many"),
        (CALLED.replace("import torch\n", "import torch\nMANY = 16\n"), "MANY"),
        (CALLED + "\n\ndef g(parser):\n    parser.add_argument('--batch', default=8, type=int)\n", "args.batch"),
    ],
)
def test_a_number_of_items_is_halved_and_it_is_said_that_training_goes_on(
    tmp_path: Path, source: str, given: str
) -> None:
    found = proposed(tmp_path, source.replace("GIVEN", given), "trainer.train")
    assert isinstance(found, Proposal) and found.operator == "shrink-argument"
    assert "//= 2" in found.edits[0].after.decode() and "trains on from the weights" in found.why
    found = proposed(
        tmp_path, source.replace("GIVEN", given).replace("trainer.train", "model.predict"), "model.predict"
    )
    assert isinstance(found, Proposal) and "trains on" not in found.why


@pytest.mark.parametrize(
    ("call", "halved"),
    [
        ("sliding_window_inference(image, (96, 96, 96), sw_batch_size=4, predictor=model)", True),
        ("model.transcribe(audio, batch_size=16)", True),
        ("pipe(video, decode_chunk_size=8)", True),
        ("make_loader(items, batch_size=16)", False),
        ("DataLoader(items, batch_size=16)", False),
        ("build_model(batch_size=16)", False),
    ],
)
def test_what_is_told_the_size_of_its_batches_is_told_a_smaller_one(tmp_path: Path, call: str, halved: bool) -> None:
    found = proposed(
        tmp_path, f"import torch\n\n\ndef f(model, items, image, audio, video):\n    out = {call}\n", "out ="
    )
    assert (isinstance(found, Proposal) and found.operator == "shrink-argument") is halved, found


CODER = """\
import torch


class Coder:
    def decode(self, samples, steps=3):
        \"\"\"Pictures.\"\"\"
        samples = samples.to(self.device)
        pixels = self.model.decode(1.0 / self.scale * samples)
        return pixels.cpu()

    def decode_tiled(self, samples, tile=64):
        return tiled(samples, self.model.decode, tile)
"""


def test_the_class_does_in_tiles_what_it_cannot_do_at_once(tmp_path: Path) -> None:
    found = proposed(tmp_path, CODER, "self.model.decode(1.0")
    assert isinstance(found, Proposal) and found.operator == "tiled-sibling"
    text = found.edits[0].after.decode()
    assert '        """Pictures."""\n        samples_given = samples\n' in text
    assert "            return self.decode_tiled(samples=samples_given)\n        return pixels.cpu()\n" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def decode_tiled(self, samples, tile=64)", "def decode_tiled(self, samples, tile)"),
        ("return tiled(samples, self.model.decode, tile)", "return self.decode(samples[:tile])"),
        ("return tiled(samples, self.model.decode, tile)", "self.done = tiled(samples, self.model.decode, tile)"),
    ],
)
def test_a_method_that_takes_or_gives_something_else_is_no_help(tmp_path: Path, old: str, new: str) -> None:
    found = proposed(tmp_path, CODER.replace(old, new), "self.model.decode(1.0")
    assert isinstance(found, Declined) or found.operator != "tiled-sibling"


TOLD_TILES = """\
import torch


def f(model, image):
    tile = 512
    overlap = 32
    bar = Bar(count(image, tile))
    out = scale(image, model, tile_x=tile, tile_y=tile, overlap=overlap, bar=bar)
    return out
"""


def test_what_is_told_the_size_of_its_tiles_is_told_a_smaller_one(tmp_path: Path) -> None:
    found = proposed(tmp_path, TOLD_TILES, "scale(image")
    assert isinstance(found, Proposal) and found.operator == "smaller-tiles", found
    text = found.edits[0].after.decode()
    assert "        try:\n            bar = Bar(count(image, tile))\n            out = scale(" in text
    assert (
        "if tile // 2 <= overlap:" in text and "tile //= 2" in text and text.index("tile = 512") < text.index("while")
    )
    unknown = TOLD_TILES.replace("tile = 512", "tile = best(image)")
    assert isinstance(proposed(tmp_path, unknown, "scale(image"), Declined)
    written = TOLD_TILES.replace("    bar = Bar(count(image, tile))\n", "    bar = None\n    note(tile)\n")
    assert isinstance(proposed(tmp_path, written, "scale(image"), Declined)
