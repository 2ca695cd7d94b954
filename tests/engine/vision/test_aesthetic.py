"""The aesthetic head that a person brings: read as data, for the encoder that it was made for."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import ProofsheetError, UsageError
from engine.vision.aesthetic import judges, read_head
from engine.vision.encoders import BuiltinEncoder


class Clip(BuiltinEncoder):
    """The identity of a ViT-B-32."""

    dimension = 512
    card = replace(BuiltinEncoder.card, architecture="ViT-B-32", dimension=512)


@pytest.mark.parametrize("name", ["head.safetensors", "head.pth"])
def test_a_head_scores_the_direction_of_a_vector(tmp_path: Path, name: str) -> None:
    layer = torch.nn.Linear(512, 1)
    tensors = {key: value.detach().clone() for key, value in layer.state_dict().items()}
    (save_file if name.endswith("safetensors") else torch.save)(tensors, tmp_path / name)
    vectors = np.random.default_rng(0).normal(size=(5, 512)).astype(np.float32)
    expected = layer(torch.nn.functional.normalize(torch.from_numpy(vectors), dim=1)).detach().numpy()[:, 0]
    head = read_head(tmp_path / name)
    assert head(vectors) == pytest.approx(expected, abs=1e-5)
    assert head(vectors * 7) == pytest.approx(expected, abs=1e-5)


def test_what_is_no_head_is_refused_and_says_what_is(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1, 768), "bias": torch.zeros(1)}, tmp_path / "large.safetensors")
    with pytest.raises(ProofsheetError, match=r"weight \(1, 768\)|bias \(1,\)") as error:
        read_head(tmp_path / "large.safetensors")
    assert "sa_0_4_vit_b_32_linear" in str(error.value.remedy)
    save_file({"weight": torch.full((1, 512), torch.nan)}, tmp_path / "nan.safetensors")
    with pytest.raises(ProofsheetError, match="numbers that are none"):
        read_head(tmp_path / "nan.safetensors")
    with pytest.raises(UsageError, match="no weights file"):
        read_head(tmp_path / "nothing.pth")


def test_a_head_with_code_in_it_is_refused_and_not_run(tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (tmp_path / "it ran",)

    (tmp_path / "head.pth").write_bytes(pickle.dumps({"weight": Code()}))
    with pytest.raises(ProofsheetError, match="more than tensors"):
        read_head(tmp_path / "head.pth")
    assert not (tmp_path / "it ran").exists()


def test_it_judges_its_own_encoder_alone() -> None:
    assert judges(Clip())
    assert not judges(BuiltinEncoder())
