"""Vision: what a picture looks like, as numbers: encoders, vectors on disk, plain readings."""

from engine.vision.builtin import Readings
from engine.vision.encoders import Encoder, EncoderCard, load
from engine.vision.vision import Vision

__all__ = ["Encoder", "EncoderCard", "Readings", "Vision", "load"]
