"""How a CLIP wants its pictures: size, resampling, cropping, colours, as its own configuration says. Pure over pictures.

Follows `open_clip.image_transform` for inference (resize modes shortest, longest and squash), pixel for pixel, with two
shortcuts that change nothing: only the part that the centre crop keeps is resampled, and the subtraction of the mean is
left to the device. Relies on Pillow.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import ProofsheetError

# The constants of OpenAI's CLIP, which open_clip takes where a model says nothing.
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
_MODES = ("shortest", "longest", "squash")
_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
_EIGHTHS = (1, 2, 4, 8)  # of the side, the scales at which a JPEG's blocks decode by fast transforms


@dataclass(frozen=True)
class Preprocessing:
    """One model's preprocessing. `mean` and `std` are for channels of 0-1; `fill` is the grey beside a fitted picture."""

    width: int
    height: int
    mean: tuple[float, float, float] = _MEAN
    std: tuple[float, float, float] = _STD
    interpolation: str = "bicubic"
    mode: str = "shortest"
    fill: int = 0

    @classmethod
    def of(cls, size: Any, config: Mapping[str, Any]) -> Preprocessing:
        """From a model's image size (pixels, or height and width) and open_clip's `preprocess_cfg`.

        Raises ProofsheetError for values that no picture can be prepared by.
        """
        try:
            height, width = (int(side) for side in (size if isinstance(size, list | tuple) else (size, size)))
            mean, std = (_three(config.get(key) or standard) for key, standard in (("mean", _MEAN), ("std", _STD)))
            found = cls(
                width,
                height,
                mean,
                std,
                str(config.get("interpolation") or "bicubic"),
                str(config.get("resize_mode") or "shortest"),
                int(config.get("fill_color") or 0),
            )
        except (TypeError, ValueError) as error:
            raise ProofsheetError(f"the model's preprocess_cfg makes no sense: {error}", remedy=_MEND) from error
        if found.mode not in _MODES or not all(found.std) or min(width, height) < 1:
            raise ProofsheetError(f"the model's preprocess_cfg makes no sense: {dict(config)}", remedy=_MEND)
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of everything that changes a vector, hexadecimal."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def least(self, width: int, height: int) -> tuple[int, int]:
        """The smallest size (width, height in pixels) of a picture of these proportions that need not be enlarged."""
        across, down = self.width / width, self.height / height
        scale = min(across, down) if self.mode == "longest" else max(across, down)
        return max(1, round(width * scale)), max(1, round(height * scale))

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """The box to decode a picture of that size in: the smallest whole fraction of it that is large enough."""
        least = self.least(width, height)
        for eighths in _EIGHTHS:
            box = -(-width * eighths // 8), -(-height * eighths // 8)
            if box[0] >= least[0] and box[1] >= least[1]:
                return box
        return width, height

    def prepare(self, picture: Image.Image) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 of an RGB picture of any size: resampled, and cropped or padded in the middle."""
        filter_ = _FILTERS.get(self.interpolation, Image.Resampling.BICUBIC)
        size = (self.width, self.height)
        if self.mode == "squash":
            return np.asarray(picture if picture.size == size else picture.resize(size, filter_))
        if self.mode == "longest":
            fitted = picture.resize(self._fitted(picture.size), filter_)
            canvas = Image.new("RGB", size, (self.fill,) * 3)
            canvas.paste(fitted, tuple(round((a - b) / 2) for a, b in zip(size, fitted.size, strict=True)))
            return np.asarray(canvas)
        covering = self._covering(picture.size)
        left, top = (round((a - b) / 2) for a, b in zip(covering, size, strict=True))
        across, down = picture.width / covering[0], picture.height / covering[1]
        box = (left * across, top * down, (left + self.width) * across, (top + self.height) * down)
        return np.asarray(picture.resize(size, filter_, box=_inside(box, picture.size)))

    def _covering(self, size: tuple[int, int]) -> tuple[int, int]:
        """The size of the whole picture when its middle is to be cut out; rounded as torchvision's Resize does."""
        width, height = size
        if self.width == self.height:
            side = self.width
            if width <= height:
                return side, max(side, int(side * height / width))
            return max(side, int(side * width / height)), side
        scale = max(self.width / width, self.height / height)
        return max(self.width, round(width * scale)), max(self.height, round(height * scale))

    def _fitted(self, size: tuple[int, int]) -> tuple[int, int]:
        scale = min(self.width / size[0], self.height / size[1])
        return tuple(  # type: ignore[return-value]
            min(most, max(1, round(side * scale))) for side, most in zip(size, (self.width, self.height), strict=True)
        )


_MEND = "Mend preprocess_cfg in the model's open_clip_config.json."


def _three(values: Any) -> tuple[float, float, float]:
    if isinstance(values, int | float):
        return float(values), float(values), float(values)
    first, second, third = (float(one) for one in values)
    return first, second, third


def _inside(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The box without what rounding added beyond the picture, which Pillow would refuse."""
    return max(0.0, box[0]), max(0.0, box[1]), min(float(size[0]), box[2]), min(float(size[1]), box[3])
