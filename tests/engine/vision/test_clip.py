"""CLIPs from files and folders: what is loaded, what is refused, who is who, and how pictures are prepared."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import ProofsheetError, UsageError
from engine.store import Store
from engine.vision import device as devices
from engine.vision import encoders, weights
from engine.vision.batching import Batches
from engine.vision.clip import OpenClipEncoder
from engine.vision.encoders import OutOfMemory
from engine.vision.preprocessing import Preprocessing
from engine.vision.vectors import Entry, Shelf
from engine.workspace import Workspace
from tests.engine.vision.models import saved, state_of
from tests.engine.vision.test_vectors import project


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("clip") / "small")


@pytest.fixture(autouse=True)
def _full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which precision is faster is no matter of these tests, except of one."""
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda *_: False)


def spec_of(folder: Path) -> str:
    return f"open_clip:local-dir:{folder}"


def picture(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 4, width // 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)


def test_a_folder_is_a_clip_with_normalised_vectors(clip: Path) -> None:
    encoder = encoders.load(spec_of(clip), device="cpu")
    vectors = encoder.encode([picture(n) for n in range(3)])
    assert vectors.shape == (3, 16) == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert encoder.encode([]).shape == (0, 16)
    assert encoder.spec == spec_of(clip)
    again = encoders.load(f"open_clip:small/local-dir:{clip}", device="cpu")
    assert (again.id, again.card) == (encoder.id, encoder.card)
    assert encoder.id == f"open_clip-small-{encoder.card.identity[:6]}"


def test_it_says_what_open_clip_itself_says(clip: Path) -> None:
    from open_clip import create_model
    from open_clip.transform import PreprocessCfg, image_transform_v2

    theirs = create_model(f"local-dir:{clip}").eval()
    prepare = image_transform_v2(PreprocessCfg(**theirs.visual.preprocess_cfg), is_train=False)
    pictures = [picture(1), picture(2, 40, 60), picture(3, 32, 32), picture(4, 20, 90)]
    with torch.inference_mode():
        wanted = theirs.encode_image(torch.stack([prepare(one) for one in pictures]), normalize=True).numpy()
    ours = encoders.load(spec_of(clip), device="cpu").encode(pictures)
    assert (ours * wanted).sum(1) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(60, 40), (41, 97), (32, 32), (20, 24)])
def test_pictures_are_prepared_as_open_clip_prepares_them(mode: str, interpolation: str, size: tuple[int, int]) -> None:
    weights.open_clip()
    from open_clip.transform import PreprocessCfg, image_transform_v2

    config = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "interpolation": interpolation, "resize_mode": mode}
    theirs = image_transform_v2(PreprocessCfg(size=32, **config), is_train=False)
    ours = Preprocessing.of(32, config)
    given = picture(7, *size)
    wanted = theirs(given).numpy().transpose(1, 2, 0) * config["std"] + config["mean"]
    assert np.abs(ours.prepare(given) - wanted * 255).max() <= 2.01


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_pictures_are_decoded_large_enough_and_no_larger(mode: str) -> None:
    wish = Preprocessing.of(224, {"resize_mode": mode})
    for size in ((1632, 1224), (512, 384), (300, 900), (100, 80)):
        box, least = wish.box_for(*size), wish.least(*size)
        assert all(a >= min(b, c) for a, b, c in zip(box, least, size, strict=True))
        assert all(a <= b for a, b in zip(box, size, strict=True))
    assert Preprocessing.of(224, {}).box_for(1632, 1224) == (408, 306)


def test_two_weights_or_two_ways_of_preparing_are_two_encoders(clip: Path, tmp_path: Path) -> None:
    first = encoders.load(spec_of(clip), device="cpu")
    others = [
        encoders.load(spec_of(saved(tmp_path / "a" / "small", seed=1)), device="cpu"),
        encoders.load(spec_of(saved(tmp_path / "b" / "small", preprocessing={"resize_mode": "squash"})), device="cpu"),
        encoders.load(spec_of(saved(tmp_path / "c" / "small", head_width=8)), device="cpu"),
    ]
    ids = {first.id, *(one.id for one in others)}
    assert len(ids) == 4
    assert len({first.card.identity, *(one.card.identity for one in others)}) == 4


def test_vectors_of_two_weights_of_one_architecture_never_meet(
    clip: Path, tmp_path: Path, workspace: Workspace, store: Store
) -> None:
    harbour = project(store, "harbour")
    one = encoders.load(spec_of(clip), device="cpu")
    two = encoders.load(spec_of(saved(tmp_path / "other" / "small", seed=5)), device="cpu")
    shelves = [Shelf(workspace.embeddings, store, each, harbour, "harbour") for each in (one, two, encoders.load())]
    shelves[0].add({"a": Entry(one.encode([picture(1)])[0])})
    assert [shelf.rows(["a"]) for shelf in shelves[1:]] == [{}, {}]
    shelves[1].add({"a": Entry(two.encode([picture(1)])[0])})
    assert shelves[0].vectors.path.parent != shelves[1].vectors.path.parent
    assert not np.allclose(shelves[0].read([0]), shelves[1].read([0]))
    two.id = one.id  # even under the other's name
    with pytest.raises(ProofsheetError, match="another encoder"):
        Shelf(workspace.embeddings, store, two, harbour, "harbour").add({"b": Entry(two.encode([picture(1)])[0])})


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".safetensors"])
def test_weights_load_from_every_kind_of_file_that_holds_only_tensors(clip: Path, tmp_path: Path, ending: str) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text((clip / "open_clip_config.json").read_text())
    if ending == ".safetensors":
        (folder / "mine.safetensors").write_bytes((clip / "open_clip_model.safetensors").read_bytes())
    else:
        torch.save({"state_dict": {f"module.{k}": v for k, v in state_of(0).items()}}, folder / f"mine{ending}")
    found = encoders.load(spec_of(folder), device="cpu").encode([picture(1)])
    assert np.allclose(found, encoders.load(spec_of(clip), device="cpu").encode([picture(1)]), atol=1e-5)


class Bomb:
    """What a hostile file does when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".npz", ""])
@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_file_with_code_in_it_is_refused_and_never_run(tmp_path: Path, ending: str, writer: str) -> None:
    mark, file = tmp_path / "it-ran", tmp_path / f"weights{ending}"
    content = {"state_dict": {"visual.proj": torch.zeros(2)}, "more": Bomb(mark)}
    if writer == "torch":
        torch.save(content, file)
    else:
        file.write_bytes(pickle.dumps(content))
    with pytest.raises(ProofsheetError) as refused:
        encoders.load(f"open_clip:ViT-B-32/{file}", device="cpu")
    assert str(file) in refused.value.message
    assert "safetensors" in refused.value.remedy
    assert not mark.exists()


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("open_clip:ViT-B-23/openai", "ViT-B-32"),
        ("open_clip:ViT-B-32/opnai", "openai"),
        ("open_clip:ViT-B-32//no/such/file.safetensors", "/no/such/file.safetensors"),
        ("open_clip:local-dir:/no/such/folder", "/no/such/folder"),
        ("open_clip:ViT-B-32", "open_clip:ARCH/WEIGHTS"),
    ],
)
def test_what_there_is_not_is_refused_with_the_remedy(spec: str, word: str) -> None:
    with pytest.raises(UsageError) as refused:
        encoders.load(spec, device="cpu")
    assert word in str(refused.value)
    assert refused.value.remedy


def test_a_tag_that_cannot_be_fetched_says_how_to_bring_it() -> None:
    with pytest.raises(ProofsheetError, match="HF_HUB_OFFLINE") as refused:
        encoders.load("open_clip:ViT-B-32/openai", device="cpu")
    assert "local-dir:" in refused.value.remedy


def test_weights_of_another_architecture_and_broken_files_are_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ProofsheetError, match="does not fit the architecture RN50"):
        encoders.load(f"open_clip:RN50/{clip / 'open_clip_model.safetensors'}", device="cpu")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes((clip / "open_clip_model.safetensors").read_bytes()[:2000])
    with pytest.raises(ProofsheetError, match="damaged"):
        encoders.load(f"open_clip:ViT-B-32/{cut}", device="cpu")
    folder = saved(tmp_path / "bad")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"embed_dim": 3}}))
    with pytest.raises(ProofsheetError, match=r"open_clip_config\.json"):
        encoders.load(spec_of(folder), device="cpu")


def test_auto_takes_the_clip_that_is_here_and_else_the_built_in_one(clip: Path, tmp_path: Path) -> None:
    here = encoders.choose(spec_of(clip))
    assert here.spec == spec_of(clip)
    away = encoders.choose("open_clip:ViT-B-32/laion2b_s34b_b79k", fetch=True, memory=tmp_path / "hub.json")
    assert away.spec == "builtin"
    assert "HF_HUB_OFFLINE" in away.reason
    assert encoders.choose(f"open_clip:ViT-B-32/{tmp_path / 'absent.safetensors'}").spec == "builtin"
    assert encoders.load("auto", clip=spec_of(clip), device="cpu").spec == spec_of(clip)


def test_a_hub_that_is_out_of_reach_is_not_asked_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def unreachable(spec: str) -> None:
        asked.append(spec)
        raise ProofsheetError("no network")

    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(weights, "_check_the_hub", unreachable)
    for _ in range(3):
        with pytest.raises(ProofsheetError):
            weights.fetch("open_clip:ViT-B-32/openai", tmp_path / "hub.json")
    assert len(asked) == 1


def test_a_device_that_is_not_there_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for wanted in ("cuda", "mps"):
        with pytest.raises(ProofsheetError) as refused:
            devices.choose(wanted)
        assert "--device cpu" in refused.value.remedy
    assert devices.choose().type == "cpu"


def test_a_gpu_is_chosen_where_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices.choose().type == "mps"
    assert devices.half_precision(devices.choose()) is torch.float16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.choose().type == "cuda"
    for supported, precision in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda supported=supported: supported)
        assert devices.half_precision(devices.choose()) is precision
    flags = tmp_path / "cpuinfo"
    for text, has in (("flags : fpu avx512f avx512_bf16", True), ("flags : amx_bf16", True), ("flags : avx2", False)):
        flags.write_text(text)
        assert devices.cpu_has_bfloat16(flags) is has
    assert not devices.cpu_has_bfloat16(tmp_path / "none")


@pytest.mark.parametrize(("half_is_faster", "precision"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_is_used_on_a_cpu_only_where_it_is_measured_to_be_faster(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half_is_faster: bool, precision: torch.dtype
) -> None:
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: True)
    times = iter([1.0, 2.0] if half_is_faster else [2.0, 1.0])
    monkeypatch.setattr(devices, "seconds_of", lambda work: work() is None or next(times))
    notes = tmp_path / "devices.json"
    encoder = OpenClipEncoder.load(spec_of(clip), "cpu", notes)
    assert encoder.precision is precision
    assert OpenClipEncoder.load(spec_of(clip), "cpu", notes).precision is precision  # remembered: measured once


def test_running_out_of_memory_is_told_apart_from_other_faults(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OpenClipEncoder.load(spec_of(clip), "cpu")
    for error in (torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("MPS backend out of memory")):
        monkeypatch.setattr(encoder, "_forward", lambda *_, error=error: (_ for _ in ()).throw(error))
        with pytest.raises(OutOfMemory):
            encoder.encode([picture(1)])
    monkeypatch.setattr(encoder, "_forward", lambda *_: (_ for _ in ()).throw(RuntimeError("shapes do not match")))
    with pytest.raises(RuntimeError, match="shapes"):
        encoder.encode([picture(1)])


def test_the_batch_size_is_remembered_for_the_device(clip: Path, tmp_path: Path) -> None:
    notes = tmp_path / "devices.json"
    first = OpenClipEncoder.load(spec_of(clip), "cpu", notes).batches()
    assert not first.settled
    first.halve(8)
    again: Batches = OpenClipEncoder.load(spec_of(clip), "cpu", notes).batches()
    assert (again.size, again.settled) == (4, True)
    notes.write_text("{ damaged")
    assert not OpenClipEncoder.load(spec_of(clip), "cpu", notes).batches().settled
