"""`proofsheet embed`, `import embeddings` and `export embeddings`, as a script meets them."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyarrow import parquet

from tests.engine.library.pictures import encoded, put
from tests.engine.vision.models import saved
from tui.cli import main


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(workspace: Path, *words: object) -> Done:
    """In this process, because loading torch anew for each command would take most of the time."""
    ended = CliRunner().invoke(main, ["--workspace", str(workspace), *map(str, words)])
    return Done(ended.exit_code, ended.stdout, ended.stderr)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    put(tmp_path / "pictures" / "trip" / "a.jpg")
    put(tmp_path / "pictures" / "trip" / "b.png", encoded("png", 1))
    return tmp_path / "pictures"


def test_a_folder_is_embedded_with_a_clip_from_a_folder_and_once_only(tmp_path: Path, pictures: Path) -> None:
    spec = f"open_clip:small/local-dir:{saved(tmp_path / 'clip')}"
    put(pictures / "trip" / "torn.jpg", b"\xff\xd8\xff\xe0 torn")
    first = run(tmp_path / "w", "embed", pictures, "--encoder", spec, "--device", "cpu", "--json")
    assert first.returncode == 3, first.stderr
    told = json.loads(first.stdout)
    assert list(told) == ["run", "encoder", "dim", "embedded", "cached", "refused", "images_per_second"]
    assert told["encoder"].startswith("open_clip-small-")
    assert (told["dim"], told["embedded"], told["cached"]) == (16, 2, 0)
    assert [Path(one["path"]).name for one in told["refused"]] == ["torn.jpg"]
    (pictures / "trip" / "torn.jpg").unlink()
    again = run(tmp_path / "w", "embed", pictures, "--encoder", spec, "--max-images", 1, "--force", "--json")
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert (told["embedded"], told["cached"]) == (1, 0)
    place = tmp_path / "w" / "ai_data" / "embeddings" / told["encoder"] / "trip.f16"
    assert place.stat().st_size == 3 * 16 * 2


def test_what_cannot_be_embedded_with_ends_before_anything_is_scanned(tmp_path: Path, pictures: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (tmp_path / "it-ran",)

    hostile = tmp_path / "model.pt"
    hostile.write_bytes(pickle.dumps({"state_dict": Bomb()}))
    for words, code, word in (
        (("--encoder", f"open_clip:ViT-B-32/{hostile}"), 1, "not loaded"),
        (("--encoder", "nobody"), 2, "nothing was imported"),
        (("--encoder", "open_clip:ViT-B-32"), 2, "open_clip:ARCH/WEIGHTS"),
    ):
        done = run(tmp_path / "w", "embed", pictures, *words, "--json")
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert word in done.stderr
        assert "Traceback" not in done.stderr
        assert "Re-running" not in done.stderr  # torch advises to load it with the code in it
    assert not (tmp_path / "it-ran").exists()


def test_embeddings_come_in_refused_by_row_and_leave_by_change_set(tmp_path: Path, pictures: Path) -> None:
    assert run(tmp_path / "w", "scan", pictures).returncode == 0
    names = [str(pictures / "trip" / name) for name in ("a.jpg", "b.png", "c.jpg")]
    given = np.random.default_rng(0).normal(size=(3, 4))
    parquet.write_table(pa.table({"image": names, "embedding": given.tolist()}), tmp_path / "e.parquet")
    done = run(tmp_path / "w", "import", "embeddings", tmp_path / "e.parquet", "--encoder", "mine", "--json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert (told["encoder"], told["dim"], told["imported"]) == ("mine", 4, 2)
    assert told["refused"] == [{"row": 3, "reason": f"the library has no image {names[2]}"}]
    refused = run(tmp_path / "w", "embed", pictures, "--encoder", "mine")
    assert refused.returncode == 2
    assert "cannot look at pictures" in refused.stderr
    out = tmp_path / "out.parquet"
    planned = run(tmp_path / "w", "export", "embeddings", out, "--encoder", "mine", "--json")
    assert (planned.returncode, json.loads(planned.stdout)["state"]) == (0, "planned"), planned.stderr
    assert not out.exists()
    npy = tmp_path / "npy"
    applied = run(tmp_path / "w", "export", "embeddings", out, "--npy", npy, "--encoder", "mine", "--yes", "--json")
    assert (applied.returncode, json.loads(applied.stdout)["state"]) == (0, "applied"), applied.stderr
    assert np.array(parquet.read_table(out)["embedding"].to_pylist()) == pytest.approx(given[:2], rel=2e-3, abs=2e-3)
    assert len(list(npy.glob("*.npy"))) == 2


def test_doctor_names_the_encoder_and_what_auto_would_take(tmp_path: Path) -> None:
    from engine.doctor import examine
    from engine.settings import Settings
    from engine.workspace import Workspace

    workspace = Workspace.init(tmp_path / "w")
    found = {one.name: one for one in examine(workspace, Settings())}
    assert "builtin-1" in found["encoder"].value and "not here" in found["encoder"].value
    assert "laion2b_s34b_b79k: not here" in found["weights"].value and found["weights"].is_right
    spec = f"open_clip:small/local-dir:{saved(tmp_path / 'clip')}"
    found = {one.name: one for one in examine(workspace, Settings(encoder="auto", clip=spec))}
    assert found["encoder"].value.startswith("open_clip-small-")
    absent = Settings(encoder="open_clip:ViT-B-32//no/such.safetensors")
    found = {one.name: one for one in examine(workspace, absent)}
    assert not found["encoder"].is_right and not found["weights"].is_right
    assert found["weights"].remedy
