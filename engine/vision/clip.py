"""A CLIP of open_clip as an encoder: its image tower on a GPU or the CPU, fed with whole batches.

Relies on `weights` for files that can be trusted, on `preprocessing` for how pictures are prepared, on `device` for
where and in which precision it computes. Only the image tower is kept. Vectors are L2-normalised; a batch that the
device has no room for raises OutOfMemory and leaves the encoder as it was.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import ProofsheetError
from engine.vision import builtin, weights
from engine.vision import device as devices
from engine.vision.batching import Batches
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import EncoderCard, OutOfMemory
from engine.vision.preprocessing import Preprocessing

if TYPE_CHECKING:
    import torch

_NOT_OF_THE_IMAGE = (
    *("transformer", "token_embedding", "positional_embedding", "ln_final", "text_projection", "text", "text_decoder"),
    *("attn_mask", "logit_scale", "logit_bias"),
)
_TRIAL = 8  # pictures by which two precisions are compared
_ENOUGH = 1.1  # how much faster half precision must be on a CPU to be worth its rounding


class OpenClipEncoder:
    """One architecture with one set of weights, on one device."""

    can_embed = True

    def __init__(
        self,
        spec: str,
        card: EncoderCard,
        model: Any,
        preprocessing: Preprocessing,
        device: torch.device,
        notes: devices.Notes,
    ) -> None:
        import torch

        self.spec = spec
        self.card = card
        self.dimension = card.dimension
        self.preprocessing = preprocessing
        self.device = device
        self.notes = notes
        self.id = f"open_clip-{slug(card.architecture.partition(' ')[0])}-{card.identity[:6]}"
        self.key = f"{self.id} on {devices.name(device)}"
        self.is_elsewhere = device.type != "cpu"
        self._lock = threading.Lock()
        self._model = model.eval().requires_grad_(False).to(device=device, memory_format=torch.channels_last)
        # Channels as the model's three numbers of 0-255, so that bytes go to the device and arithmetic happens there.
        self._shift = torch.tensor(preprocessing.mean, device=device).mul_(255)
        self._scale = torch.tensor(preprocessing.std, device=device).mul_(255).reciprocal_()
        self.precision = self._settle_precision()

    @classmethod
    def load(cls, spec: str, device: str = "auto", notes: Path | None = None) -> OpenClipEncoder:
        """Find, read and check the weights, and put the image tower on the device.

        Raises UsageError or ProofsheetError (see `weights.find` and `weights.read`), also when the weights do not fit
        the architecture.
        """
        place = devices.choose(device)
        found = weights.find(spec)
        model, config = _filled(found)
        preprocessing = Preprocessing.of(model.visual.image_size, found.preprocessing)
        card = EncoderCard(
            name="open_clip",
            architecture=f"{found.architecture} (configuration {_digest(config)[:12]})",
            weights_sha256=weights.sha256_of(found.weights),
            preprocessing=preprocessing.digest,
            dimension=_dimension(model, preprocessing),
        )
        return cls(spec, card, model, preprocessing, place, devices.Notes(notes))

    def batches(self) -> Batches:
        """As remembered for this encoder on this device; else small, and growing."""
        least, most = (32, 1024) if self.is_elsewhere else (8, 64)
        known = self.notes.get(self.key).get("batch")
        known = known if isinstance(known, int) and 1 <= known <= most else None
        return Batches(
            known or least,
            most,
            settled=known is not None,
            remember=lambda size: self.notes.put(self.key, batch=size),
        )

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """Large enough for the model, and decoded at a whole fraction of the size."""
        return self.preprocessing.box_for(width, height)

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        """(height, width, 3) uint8, as the model's own configuration says."""
        return self.preprocessing.prepare(picture)

    @property
    def request(self) -> Mapping[str, Any]:
        """How the process that decodes a picture (engine.vision.decoder) prepares it as `prepare` does."""
        return {"do": "prepare", "how": {"preprocessing": asdict(self.preprocessing)}}

    def received(self, found: Mapping[str, Any], data: bytearray) -> NDArray[np.uint8]:
        """What that process answered, as `prepare` gives it."""
        return np.frombuffer(data, np.uint8).reshape(found["shape"])

    def finish(self, prepared: Sequence[NDArray[np.uint8]]) -> Callable[[], Floats]:
        """Send a batch on its way;
        the answer waits for its L2-normalised vectors. Raises OutOfMemory, then or later.
        """
        import torch

        if not prepared:
            return lambda: np.empty((0, self.dimension), np.float32)
        one_at_a_time = self._lock if self.is_elsewhere else contextlib.nullcontext()
        with one_at_a_time, self._watching_memory(), torch.inference_mode():
            found = self._forward(self._model, self._sent(prepared), self.precision)
            if self.device.type != "cuda":
                vectors: Floats = found.cpu().numpy()
                return lambda: vectors
            answer = torch.empty(found.shape, dtype=found.dtype, pin_memory=True)
            answer.copy_(found, non_blocking=True)
            arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
            arrived.record()

        def wait() -> Floats:
            with self._watching_memory():
                arrived.synchronize()
            received: Floats = answer.numpy()
            return received

        return wait

    def keep_to_cores(self, count: int) -> None:
        """Have torch compute what this thread asks for on so many cores of a CPU."""
        devices.keep_to_cores(count)

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """(n, dimension) float32, each row L2-normalised."""
        return self.finish([self.prepare(picture) for picture in pictures])()

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:
        """Vectors, and the built-in's readings of the same pictures."""
        return self.encode(pictures), [builtin.examine(picture)[1] for picture in pictures]

    def _sent(self, prepared: Sequence[NDArray[np.uint8]]) -> torch.Tensor:
        """(n, 3, h, w) on the device, channels last: the bytes of n pictures as they lie in memory."""
        import torch

        shape = (len(prepared), self.preprocessing.height, self.preprocessing.width, 3)
        held = torch.empty(shape, dtype=torch.uint8, pin_memory=self.device.type == "cuda")
        np.stack(prepared, out=held.numpy())
        return held.to(self.device, non_blocking=True).permute(0, 3, 1, 2)

    def _forward(self, model: Any, pixels: torch.Tensor, precision: torch.dtype) -> torch.Tensor:
        import torch

        shape = (1, 3, 1, 1)
        centred = pixels.float().sub_(self._shift.view(shape)).mul_(self._scale.view(shape)).to(precision)
        found = model.encode_image(centred)
        return torch.nn.functional.normalize(found.float(), dim=-1)

    def _settle_precision(self) -> torch.dtype:
        """Half precision on a GPU, and on a CPU that computes in it when it is measured to be faster."""
        import torch

        half = devices.half_precision(self.device)
        if half is None:
            return torch.float32
        if self.device.type != "cpu":
            self._model.to(half)
            return half
        known = self.notes.get(self.key).get("precision")
        if known is None:
            rounded = copy.deepcopy(self._model).to(half)
            is_faster = self._trial(rounded, half) * _ENOUGH < self._trial(self._model, torch.float32)
            known = "bfloat16" if is_faster else "float32"
            self.notes.put(self.key, precision=known)
        if known != "bfloat16":
            return torch.float32
        self._model.to(half)
        return half

    def _trial(self, model: Any, precision: torch.dtype) -> float:
        import torch

        size = (_TRIAL, 3, self.preprocessing.height, self.preprocessing.width)
        pixels = torch.zeros(size, dtype=torch.uint8).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            return devices.seconds_of(lambda: self._forward(model, pixels, precision))

    @contextlib.contextmanager
    def _watching_memory(self) -> Iterator[None]:
        import torch

        try:
            yield
        except (RuntimeError, MemoryError) as error:
            if not devices.is_out_of_memory(error):
                raise
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            raise OutOfMemory(str(error)) from error


def slug(text: str) -> str:
    """A name as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).strip(".-")[:64] or "model"


def _filled(found: weights.Found) -> tuple[Any, dict[str, Any]]:
    """The model with the found weights in its image tower, and the configuration that it was built by.

    First without giving it random weights, which takes seconds; where a model keeps numbers that no file brings (as
    some timm towers do), once more with them. Raises ProofsheetError when the two do not fit.
    """
    import torch

    tensors = weights.read(found.weights)
    for place in ("meta", "cpu"):
        with torch.device(place):
            model, config = _built(found)
        try:
            _fill(model, dict(tensors), assign=place == "meta")
        except RuntimeError as error:  # torch's word for tensors that are missing, too many or of another shape
            raise ProofsheetError(
                f"{found.weights} does not fit the architecture {found.architecture}: {_gist(error)}",
                remedy="Name the architecture that the weights were trained for: open_clip:ARCH/FILE.",
            ) from error
        if not any(one.is_meta for one in (*model.visual.parameters(), *model.visual.buffers())):
            break
    return model.float(), config


def _built(found: weights.Found) -> tuple[Any, dict[str, Any]]:
    """The model with no weights of its own yet, and the configuration that it was built by."""
    module = weights.open_clip()
    config = copy.deepcopy(dict(found.model or module.get_model_config(found.architecture)))
    if found.quick_gelu:
        config["quick_gelu"] = True
    try:
        if "hf_model_name" in config["text_cfg"]:
            config["text_cfg"]["hf_model_pretrained"] = False  # it would be fetched, and it is not needed
        with _quietly():
            model = _class_of(module, config)(**{key: value for key, value in config.items() if key != "custom_text"})
    except Exception as error:  # a configuration from a file can break anything in there
        raise ProofsheetError(
            f"the configuration of {found.architecture} builds no model: {_gist(error)}",
            remedy="Mend model_cfg in the model's open_clip_config.json, or name another architecture.",
        ) from error
    return model, config


def _class_of(module: Any, config: dict[str, Any]) -> Any:
    """As open_clip's own factory chooses."""
    if config.get("custom_text") or "hf_model_name" in config.get("text_cfg", {}):
        return module.CoCa if "multimodal_cfg" in config else module.CustomTextCLIP
    return module.CLIP


def _fill(model: Any, tensors: dict[str, Any], *, assign: bool) -> None:
    """Put the weights into the image tower, converted from the forms that open_clip knows. Raises RuntimeError."""
    from open_clip.convert import convert_state_dict
    from open_clip.model import resize_pos_embed

    tensors = convert_state_dict(model, tensors)
    resize_pos_embed(tensors, model)
    tower = {name.removeprefix("visual."): tensor for name, tensor in tensors.items() if name.startswith("visual.")}
    model.visual.load_state_dict(tower, strict=True, assign=assign)
    for part in _NOT_OF_THE_IMAGE:
        if hasattr(model, part):
            setattr(model, part, None)


def _dimension(model: Any, preprocessing: Preprocessing) -> int:
    import torch

    with torch.inference_mode():
        probe = torch.zeros(1, 3, preprocessing.height, preprocessing.width)
        return int(model.eval().encode_image(probe).shape[-1])


def _digest(config: dict[str, Any]) -> str:
    """SHA-256 of what shapes the image tower: two configurations of one name are two architectures."""
    told = {key: config.get(key) for key in ("embed_dim", "vision_cfg", "quick_gelu")}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """open_clip logs to the root logger, which would otherwise print on the terminal that is the screen."""
    root = logging.getLogger()
    handler = logging.NullHandler()
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeHandler(handler)


def _gist(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:200] if lines else type(error).__name__
