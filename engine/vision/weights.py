"""Where a CLIP's weights are, and how they are read: never in a way that could run what is in the file.

A spec `open_clip:ARCH/WEIGHTS` names a hub tag, a file, or `local-dir:FOLDER`; `open_clip:local-dir:FOLDER` and
`open_clip:hf-hub:ID` bring the architecture along. Files load from safetensors, or from .pt, .pth and .bin through
`torch.load(weights_only=True)`; every other kind is refused before it is opened. Relies on open_clip's table of tags
and huggingface_hub's cache; nothing is fetched unless asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import ProofsheetError, UsageError
from engine.settings import OPEN_CLIP, is_open_clip

READABLE = (".safetensors", ".pt", ".pth", ".bin")
CONFIG = "open_clip_config.json"
# What open_clip itself writes and looks for, the best first.
_PREFERRED = ("open_clip_model", "open_clip_pytorch_model", "model", "pytorch_model")
_RETRY_SECONDS = 3600.0
_HUB_SECONDS = 5.0
_TRUST = (
    "Convert it where you trust it: load it there and save its state_dict with safetensors.torch.save_file, "
    "then name that .safetensors file."
)


@dataclass(frozen=True)
class ClipSpec:
    """`open_clip:ARCH/WEIGHTS` taken apart.

    `architecture` is empty where the folder or the hub's repository says it.
    """

    spec: str
    architecture: str
    weights: str

    @classmethod
    def parse(cls, spec: str) -> ClipSpec:
        """Raises UsageError when it is not of that form."""
        if not is_open_clip(spec):
            raise UsageError(
                f"{spec!r} is no open_clip encoder",
                remedy="Write it as open_clip:ARCH/WEIGHTS or open_clip:local-dir:FOLDER.",
            )
        rest = spec.removeprefix(OPEN_CLIP)
        if rest.startswith(("local-dir:", "hf-hub:")):
            return cls(spec, "", rest)
        architecture, _, weights = rest.partition("/")
        return cls(spec, architecture, weights)

    @property
    def folder(self) -> Path | None:
        """The folder of `local-dir:FOLDER`."""
        kind, _, place = self.weights.partition(":")
        return Path(place).expanduser().absolute() if kind == "local-dir" else None

    @property
    def file(self) -> Path | None:
        """The weights file, where a file is named."""
        if self.folder is not None or self.weights.startswith("hf-hub:"):
            return None
        path = Path(self.weights).expanduser()
        looks_like_one = "/" in self.weights or self.weights.startswith("~") or bool(path.suffix)
        return path.absolute() if looks_like_one or path.is_file() else None


@dataclass(frozen=True)
class Found:
    """Where everything is: the weights file, the model's own configuration (or None: the architecture's), and what the
    weights' maker says about preprocessing."""

    architecture: str
    weights: Path
    model: Mapping[str, Any] | None = None
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False


def find(spec: str) -> Found:
    """Everything that `spec` names, fetched from the hub if it is a tag whose weights are not here.

    Raises UsageError for an architecture, tag, file or folder that there is not; ProofsheetError when a hub cannot be
    reached or a file is of a kind that is not read.
    """
    parsed = ClipSpec.parse(spec)
    if parsed.folder is not None:
        return _in_folder(parsed.folder, parsed.architecture)
    if parsed.weights.startswith("hf-hub:"):
        repository = parsed.weights.partition(":")[2]
        config = _from_hub(repository, [CONFIG])
        _from_hub(repository, [f"{name}{kind}" for name in _PREFERRED for kind in READABLE])
        return _in_folder(config.parent, repository.rpartition("/")[2])
    check_architecture(parsed.architecture)
    if parsed.file is not None:
        return Found(parsed.architecture, readable(parsed.file))
    tag = _tag(parsed)
    repository, name = os.path.split(tag["hf_hub"])
    file = _from_hub(repository, _names(name))
    return Found(parsed.architecture, file, None, tag, bool(tag.get("quick_gelu")))


def are_here(spec: str) -> bool:
    """Whether the weights of `spec` are on this machine. Raises as `find` does for what can never be."""
    parsed = ClipSpec.parse(spec)
    if parsed.folder is not None:
        return parsed.folder.is_dir()
    if parsed.file is not None:
        return parsed.file.is_file()
    cache = _hub_cache()
    if not any(cache.glob("models--*")):
        return False  # said without loading open_clip's table, which takes seconds
    if parsed.weights.startswith("hf-hub:"):
        return _cached(parsed.weights.partition(":")[2], [CONFIG]) is not None
    check_architecture(parsed.architecture)
    repository, name = os.path.split(_tag(parsed)["hf_hub"])
    return _cached(repository, _names(name)) is not None


def fetch(spec: str, memory: Path | None = None) -> None:
    """Bring the weights of `spec` here. Raises ProofsheetError when that cannot be done.

    A hub that could not be reached is not tried again for an hour, if `memory` is a file to remember it in.
    """
    if _is_offline():  # said without loading open_clip
        raise ProofsheetError(
            f"the weights of {spec} are not here, and HF_HUB_OFFLINE says not to fetch them", remedy=_elsewhere(spec)
        )
    told = _remembered(memory)
    if time.time() - float(told.get(spec, 0)) < _RETRY_SECONDS:
        raise ProofsheetError(
            f"the weights of {spec} are not here, and the hub could not be reached within the last hour",
            remedy=_elsewhere(spec),
        )
    try:
        parsed = ClipSpec.parse(spec)
        if parsed.folder is None and parsed.file is None:
            _check_the_hub(spec)  # before open_clip is loaded for its table of tags
        find(spec)
    except ProofsheetError:
        if memory is not None:
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps({**told, spec: time.time()}), encoding="utf-8")
        raise


def readable(file: Path) -> Path:
    """The file, if it is there and of a kind that is read. Raises UsageError or ProofsheetError."""
    if not file.is_file():
        raise UsageError(f"there is no weights file {file}", remedy="Name a .safetensors, .pt, .pth or .bin file.")
    if file.suffix.lower() not in READABLE:
        raise ProofsheetError(
            f"{file} is not read: weights come from {', '.join(READABLE)} files, "
            f"and a {file.suffix or 'nameless'} file may hold code",
            remedy=_TRUST,
        )
    return file


def read(file: Path) -> dict[str, Any]:
    """The tensors in a weights file by name, on the CPU. Nothing in the file is ever run.

    Raises ProofsheetError for anything but tensors, and for a damaged file.
    """
    readable(file)
    if file.suffix.lower() == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            tensors: dict[str, Any] = load_file(file)
        except (SafetensorError, OSError, ValueError) as error:
            raise _damaged(file, error) from error
        return tensors
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd files: they are refused here, in words for a person
            found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a hostile or damaged archive raises is anybody's guess
        # torch's own words advise to load it all the same, code and all: a person is not shown them
        raise ProofsheetError(
            f"{file} holds more than tensors, or is damaged, and was not loaded", remedy=_TRUST
        ) from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not found or not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise ProofsheetError(f"{file} holds no table of tensors", remedy=_TRUST)
    if next(iter(found)).startswith("module."):  # as saved by a model that was trained in parallel
        found = {name.removeprefix("module."): tensor for name, tensor in found.items()}
    return found


def sha256_of(file: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal, as `sha256sum` prints it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check_architecture(name: str) -> None:
    """Raises UsageError naming the nearest when open_clip knows no such architecture."""
    import difflib

    known = open_clip().list_models()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        raise UsageError(
            f"open_clip knows no architecture {name!r}",
            remedy=f"Did you mean {' or '.join(near)}?" if near else "For example ViT-B-32, ViT-L-14 or RN50.",
        )


def open_clip() -> Any:
    """The open_clip module. Raises ProofsheetError when it is not installed for this machine."""
    from engine.vision.torchvision_ops import declare_missing

    try:
        declare_missing()
        import open_clip as module
    except (ImportError, RuntimeError, OSError) as error:
        raise ProofsheetError(
            f"open_clip cannot be loaded: {error}",
            remedy="pip install open-clip-torch with a torchvision made for this torch; or use the encoder 'builtin'.",
        ) from error
    return module


def _in_folder(folder: Path, architecture: str) -> Found:
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", remedy=f"Name a folder with {CONFIG} and a weights file.")
    file = _weights_in(folder)
    place = folder / CONFIG
    if not place.is_file():
        if not architecture:
            raise UsageError(
                f"{folder} has no {CONFIG}",
                remedy=f"Add it, or name the architecture: open_clip:ARCH/local-dir:{folder}",
            )
        check_architecture(architecture)
        return Found(architecture, file)
    try:
        config = json.loads(place.read_text(encoding="utf-8"))
        model = dict(config["model_cfg"])
        if not {"embed_dim", "vision_cfg", "text_cfg"} <= model.keys():
            raise KeyError("embed_dim, vision_cfg, text_cfg")
        preprocessing = dict(config.get("preprocess_cfg") or {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProofsheetError(
            f"{place} is no open_clip configuration: {error}",
            remedy="It is a JSON object with model_cfg (embed_dim, vision_cfg, text_cfg) and preprocess_cfg.",
        ) from error
    return Found(architecture or folder.name, file, model, preprocessing)


def _weights_in(folder: Path) -> Path:
    files = sorted(one for one in folder.iterdir() if one.suffix.lower() in READABLE and one.is_file())
    preferred = [folder / f"{name}{kind}" for name in _PREFERRED for kind in READABLE]
    for file in preferred:
        if file in files:
            return file
    if len(files) != 1:
        what = ", ".join(one.name for one in files) or "none"
        raise UsageError(
            f"{folder} must hold one weights file ({', '.join(READABLE)}); there is {what}",
            remedy="Name the file itself: open_clip:ARCH/FILE.",
        )
    return files[0]


def _tag(parsed: ClipSpec) -> dict[str, Any]:
    module = open_clip()
    found = dict(module.get_pretrained_cfg(parsed.architecture, parsed.weights))
    if not found.get("hf_hub"):
        tags = module.list_pretrained_tags_by_model(parsed.architecture)
        raise UsageError(
            f"{parsed.weights!r} is neither a file nor a tag of {parsed.architecture}",
            remedy=f"Its tags are: {', '.join(tags) or 'none'}.",
        )
    return found


def _names(name: str) -> list[str]:
    if not name:
        return ["open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin"]
    if Path(name).suffix.lower() not in READABLE:
        return [f"{name}.safetensors"]
    return list(dict.fromkeys([f"{Path(name).stem}.safetensors", name]))


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _cached(repository: str, names: list[str]) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    for name in names:
        found = try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def _from_hub(repository: str, names: list[str]) -> Path:
    """The first of these files, from the cache or the hub."""
    here = _cached(repository, names)
    if here is not None:
        return here
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # stdout is data and the terminal is a screen
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    _check_the_hub(repository)
    for name in names:
        try:
            return Path(hf_hub_download(repository, name, etag_timeout=_HUB_SECONDS))
        except LocalEntryNotFoundError as error:  # the hub's word for a network that is gone
            raise _unfetched(repository, error) from error
        except EntryNotFoundError:
            continue
        except Exception as error:  # the hub's own family, the network's, the disk's
            raise _unfetched(repository, error) from error
    raise ProofsheetError(f"{repository} has none of {', '.join(names)}", remedy=_elsewhere(repository))


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _check_the_hub(repository: str) -> None:
    """Whether the hub answers at all, in seconds: its own client would try again and again for a minute."""
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or _is_offline():
        raise ProofsheetError(
            f"the weights of {repository} are not here, and HF_HUB_OFFLINE says not to fetch them",
            remedy=_elsewhere(repository),
        )
    asked = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310 - the person's own setting
    try:
        with urllib.request.urlopen(asked, timeout=_HUB_SECONDS):  # noqa: S310
            return
    except urllib.error.HTTPError:
        return  # it answers, if only to say no
    except (OSError, ValueError) as error:
        raise _unfetched(repository, error) from error


def _unfetched(repository: str, error: Exception) -> ProofsheetError:
    return ProofsheetError(
        f"the weights of {repository} are not here and could not be fetched: {_short(error)}",
        remedy=f"Check the network. {_elsewhere(repository)}",
    )


def _elsewhere(what: str) -> str:
    return (
        f"Bring the weights of {what} here by hand and name them: encoder = 'open_clip:ARCH/FILE' or "
        "'open_clip:ARCH/local-dir:FOLDER'; or use encoder = 'builtin'."
    )


def _short(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:160]}" if text else type(error).__name__


def _damaged(file: Path, error: Exception) -> ProofsheetError:
    return ProofsheetError(f"{file} is damaged: {_short(error)}", remedy="Fetch or copy it again.")


def _remembered(memory: Path | None) -> dict[str, float]:
    try:
        told = json.loads(memory.read_text(encoding="utf-8")) if memory is not None else {}
    except (OSError, ValueError):
        return {}
    return {str(spec): float(at) for spec, at in told.items()} if isinstance(told, dict) else {}
