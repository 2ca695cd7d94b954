"""What part of an image is shown: the geometry of zooming, panning and comparing, as pure functions.

Regions are (left, top, right, bottom) in fractions of the image's sides, as the previews take them, so that the same
region means the same place in two images of different size. Relies on Pillow and numpy, imported when first needed;
touches no screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

    from tui.imaging.geometry import Region

STEP = 1.5  # one press of + or -
LARGEST = STEP**9  # about 38 times the whole image
COMPARED_AT = 192  # longest side, pixels, at which two images are compared


@dataclass(frozen=True, slots=True)
class Viewport:
    """A zoom: `scale` 1 shows the whole image; `x`, `y` are the centre in fractions of the sides."""

    scale: float = 1.0
    x: float = 0.5
    y: float = 0.5

    def zoomed(self, steps: int) -> Viewport:
        """Closer (positive) or wider, between the whole image and LARGEST."""
        return replace(self, scale=min(LARGEST, max(1.0, self.scale * STEP**steps)))

    def panned(self, across: int, down: int, image: tuple[int, int], area: tuple[int, int]) -> Viewport:
        """A quarter of what is visible to the side; stops at the edges."""
        left, top, right, bottom = self.region(image, area)
        x, y = self.x + across * (right - left) / 4, self.y + down * (bottom - top) / 4
        return replace(self, x=x, y=y).kept(image, area)

    def kept(self, image: tuple[int, int], area: tuple[int, int]) -> Viewport:
        """The same with its centre where the region touches the image's edges at most."""
        x, y = centre(self.region(image, area))
        return replace(self, x=x, y=y)

    def region(self, image: tuple[int, int], area: tuple[int, int]) -> Region:
        """The visible part of an image of (w, h) pixels in an area of (w, h) square-pixel units.

        At scale 1 the whole image fits; closer, the region takes the area's shape as far as the image reaches.
        """
        fit = min(area[0] / image[0], area[1] / image[1])
        width = min(1.0, area[0] / (image[0] * fit * self.scale))
        height = min(1.0, area[1] / (image[1] * fit * self.scale))
        left = min(max(self.x - width / 2, 0.0), 1.0 - width)
        top = min(max(self.y - height / 2, 0.0), 1.0 - height)
        return (left, top, left + width, top + height)


def centre(region: Region) -> tuple[float, float]:
    """The middle of a region, in fractions."""
    left, top, right, bottom = region
    return (left + right) / 2, (top + bottom) / 2


def differs_most(first: Image, second: Image, share: float = 0.33) -> Region:
    """The window of `share` of each side in which two pictures differ most, as a region.

    Both are brought to one small size; the difference of their brightness and colour is taken after subtracting
    its own mean, so that a picture that is lighter all over does not drown a face that moved. The window's sum comes
    from a summed-area table (Crow 1984).
    """
    import numpy as np
    from PIL import Image as pillow

    width, height = first.size
    scale = COMPARED_AT / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    one, two = (
        np.asarray(picture.convert("RGB").resize(size, pillow.Resampling.BOX), dtype=np.float32)
        for picture in (first, second)
    )
    difference = one - two
    difference = np.abs(difference - difference.mean(axis=(0, 1))).sum(axis=2)
    rows, columns = difference.shape
    tall, wide = max(1, round(rows * share)), max(1, round(columns * share))
    table = np.zeros((rows + 1, columns + 1))
    table[1:, 1:] = difference.cumsum(axis=0).cumsum(axis=1)
    sums = table[tall:, wide:] - table[:-tall, wide:] - table[tall:, :-wide] + table[:-tall, :-wide]
    if sums.max() <= 1e-3 * tall * wide:
        return ((1 - share) / 2, (1 - share) / 2, (1 + share) / 2, (1 + share) / 2)
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return (float(left) / columns, float(top) / rows, float(left + wide) / columns, float(top + tall) / rows)
