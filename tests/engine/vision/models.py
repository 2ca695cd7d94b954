"""Small CLIPs with random weights, made here: they know nothing, but everything about them is real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 32, "width": 16, "heads": 1, "layers": 1},
}


def state_of(seed: int, config: dict[str, Any] = SMALL) -> dict[str, Any]:
    """The tensors of a random model, drawn from a seed."""
    import torch

    from engine.vision import weights

    torch.manual_seed(seed)
    model = weights.open_clip().CLIP(**config)
    return {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}


def saved(folder: Path, seed: int = 0, *, preprocessing: dict[str, Any] | None = None, **vision: Any) -> Path:
    """A folder for `local-dir:`: configuration and weights."""
    from safetensors.torch import save_file

    config = {**SMALL, "vision_cfg": {**SMALL["vision_cfg"], **vision}}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(state_of(seed, config), folder / "open_clip_model.safetensors")
    told = {"model_cfg": config, "preprocess_cfg": preprocessing or {}}
    (folder / "open_clip_config.json").write_text(json.dumps(told))
    return folder
