"""The embedding pipeline against the bare model: what is lost between files on a disk and vectors, as ratios of one
run.

ViT-B-32 with random weights (speed does not depend on them), saved by this program as a local folder. The bare model is
fed ready tensors from memory, in the same precision and batch size; the two are measured in turns.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.table import Row

ROUNDS = 3
WARM_UP = 2


def embedding(folder: Path) -> list[Row]:
    """On this machine's device: a GPU where there is one, else the CPU."""
    from engine.runs.lanes import share_the_interpreter
    from engine.vision import device as devices
    from engine.vision.clip import OpenClipEncoder

    share_the_interpreter()  # as opening the engine does
    random_clip(folder / "vit-b-32", "ViT-B-32")
    encoder = OpenClipEncoder.load(f"open_clip:ViT-B-32/local-dir:{folder / 'vit-b-32'}", notes=folder / "devices.json")
    where = (
        f"ViT-B-32 (random weights, {str(encoder.precision).removeprefix('torch.')}) on {devices.name(encoder.device)}"
    )
    count = 4096 if encoder.is_elsewhere else 96
    rows = []
    for title, size, target in (("512-pixel JPEGs", (512, 384), 0.95), ("2-megapixel JPEGs", (1632, 1224), 0.85)):
        files = photographs(folder / f"{size[0]}", size, 48)
        rows.append(_row(encoder, title, target, [files[n % len(files)] for n in range(count)], where))
    return rows


def _row(encoder: Any, title: str, target: float, files: list[Path], where: str) -> Row:
    import os

    from engine.vision.embedding import Embedder
    from engine.vision.pipeline import Pipeline

    sources = [source_of(file) for file in files]
    embedder = Embedder(encoder, lambda _key: None, threads=os.cpu_count() or 1, max_pixels=400_000_000)  # type: ignore[arg-type, return-value]

    def pipeline(some: list[Any]) -> None:
        done = list(Pipeline(encoder, embedder._prepared, threads=os.cpu_count() or 1).run(some))
        assert all(one.vector is not None for one in done)

    for _turn in range(WARM_UP):
        pipeline(sources)  # the batch size grows and settles
    batch = encoder.batches().size
    bare = bare_model(encoder, batch)
    apart = None if encoder.is_elsewhere else bare_model_a_core(encoder, batch)
    decode = bare_decode(embedder, sources) if encoder.is_elsewhere else None
    ratios, speeds, of_cores = [], [], [0.0]
    for _turn in range(ROUNDS):
        alone = speed_of(lambda: bare(len(sources)), len(sources))
        if decode is not None:
            alone = min(alone, speed_of(decode, len(sources)))
        if apart is not None:
            of_cores.append(speed_of(lambda: apart(len(sources)), len(sources)))
        whole = speed_of(lambda: pipeline(sources), len(sources))
        ratios.append(whole / alone)
        speeds.append((whole, alone))
    ratio = statistics.median(ratios)
    whole, alone = (statistics.median(one[at] for one in speeds) for at in (0, 1))
    told = f"{ratio:.3f} ({whole:,.1f} of {alone:,.1f} images/s"
    if decode is not None:
        target, against = 0.9, "the slower of the bare model and the bare decoding"
    else:
        against = "the bare model fed from memory"
        told += f"; the bare model with a batch a core: {max(of_cores):,.1f}"
    what = f"embedding pipeline, {title}, against {against}; {where}, batches of {batch}"
    return Row(what, f"≥ {target:.2f}", f"{told})", ratio >= target)


def bare_model(encoder: Any, batch: int) -> Callable[[int], None]:
    """The model alone, on tensors that are already on its device in its precision."""
    import torch

    side = encoder.preprocessing
    ready = torch.randn(batch, 3, side.height, side.width, device=encoder.device, dtype=encoder.precision)
    ready = ready.contiguous(memory_format=torch.channels_last)

    def run(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count // batch):
                found = encoder._model.encode_image(ready)
            found.cpu()

    return run


def bare_model_a_core(encoder: Any, batch: int) -> Callable[[int], None]:
    """The model alone as the pipeline uses it on a CPU: each core computes batches of its own."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    cores = os.cpu_count() or 1
    bare = bare_model(encoder, batch)
    pool = ThreadPoolExecutor(cores, initializer=lambda: encoder.keep_to_cores(1))

    def run(count: int) -> None:
        list(pool.map(bare, [count // cores] * cores))

    return run


def bare_decode(embedder: Any, sources: list[Any]) -> Callable[[], None]:
    """Reading and preparing alone, in as many threads as the pipeline has."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    def run() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(embedder._prepared, sources):
                pass

    return run


def speed_of(work: Callable[[], None], count: int) -> float:
    """Images a second."""
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def random_clip(folder: Path, architecture: str) -> None:
    """A model with random weights as a folder for `local-dir:`."""
    import torch
    from safetensors.torch import save_file

    from engine.vision import weights

    torch.manual_seed(0)
    module = weights.open_clip()
    config = module.get_model_config(architecture)
    folder.mkdir(parents=True, exist_ok=True)
    model = module.CLIP(**config)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))


def photographs(folder: Path, size: tuple[int, int], count: int) -> list[Path]:
    """JPEGs of about 1.9 bits a pixel, the median of eighteen camera files."""
    import numpy as np
    from PIL import Image

    draw = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        coarse = Image.fromarray(draw.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize(size)
        fine = Image.effect_noise(size, 25).convert("RGB")
        file = folder / f"{number}.jpg"
        Image.blend(coarse, fine, 0.16).save(file, quality=90)
        files.append(file)
    return files


def source_of(file: Path) -> Any:
    """A file as the library knows it."""
    from PIL import Image

    from engine.vision.pixels import Source

    with Image.open(file) as opened:
        width, height = opened.size
    state = file.stat()
    return Source(file, file.name, width, height, state.st_size, state.st_mtime_ns, 1)
