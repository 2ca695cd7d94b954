"""Simulated errors for grouping: causes with noise in messages, moved lines and renamed folders."""

from __future__ import annotations

import random

from engine.repair.record import ErrorRecord, Frame

WORDS = ("captions", "thumbs", "export", "faces", "upload", "resize", "labels", "index", "queue", "albums")
MAKERS = (
    (
        "UnicodeDecodeError",
        "'{codec}' codec can't decode byte 0x{hex2} in position {number}: invalid start byte",
        "text = handle.read()",
    ),
    (
        "FileNotFoundError",
        "[Errno 2] No such file or directory: '/data/{word}/{number}/img_{number}.jpg'",
        "with open(path) as handle:",
    ),
    ("KeyError", "'{key}'", "return row[name]"),
    ("AttributeError", "'NoneType' object has no attribute '{key}'", "size = image.{key}"),
    ("TypeError", "unsupported operand type(s) for +: 'int' and '{key}'", "total = total + value"),
    ("ZeroDivisionError", "division by zero", "mean = total / count"),
    ("ValueError", "could not convert string to float: '{text}'", "value = float(cell)"),
    (
        "RuntimeError",
        "CUDA out of memory. Tried to allocate {number}.00 MiB (GPU {digit}; 23.69 GiB total)",
        "out = model(batch)",
    ),
    ("ModuleNotFoundError", "No module named '{key}'", "import {key}"),
    (
        "ValueError",
        "image {number} of {word}-{number}.png is {number}x{number}, at {time}",
        "raise ValueError(message)",
    ),
)
FOLDERS = ("/home/ann/work/shop", "/srv/app/releases/{number}", "C:\\\\Users\\\\bo\\\\shop", "/tmp/build-{number}", ".")


def records(count: int, causes: int, seed: int = 0) -> tuple[list[ErrorRecord], list[int]]:
    """`count` simulated records of `causes` faults, and the fault of each."""
    draw = random.Random(seed)
    made: list[ErrorRecord] = []
    truth: list[int] = []
    for number in range(count):
        cause = number % causes
        made.append(_one(cause, draw))
        truth.append(cause)
    return made, truth


def _one(cause: int, draw: random.Random) -> ErrorRecord:
    name, message, code = MAKERS[cause % len(MAKERS)]
    fixed = {
        "key": f"field_{WORDS[cause // len(MAKERS)]}",
        "codec": ("utf-8", "ascii", "cp1252", "utf-16", "gbk")[cause // 10 % 5],
    }

    def fill(text: str) -> str:
        while "{" in text:
            text = text.replace("{number}", str(draw.randrange(100_000)), 1)
            text = text.replace("{digit}", str(draw.randrange(8)), 1).replace("{word}", draw.choice(WORDS), 1)
            text = text.replace("{hex2}", f"{draw.randrange(256):02x}", 1).replace(
                "{text}", draw.choice(("n/a", "", "1,5 kg")), 1
            )
            text = text.replace("{time}", f"2026-11-{draw.randrange(1, 28):02d} 12:{draw.randrange(60):02d}:07", 1)
            text = text.replace("{key}", fixed["key"], 1).replace("{codec}", fixed["codec"], 1)
        return text

    folder = fill(draw.choice(FOLDERS)).replace("\\\\", "\\")
    separator = "\\" if "\\" in folder else "/"
    moved = draw.randrange(60)
    module = WORDS[cause // len(MAKERS)]
    outer = Frame(f"{folder}{separator}run.py", 10 + moved, "main", "work(job)")
    frame = Frame(f"{folder}{separator}{module}.py", 20 + moved, f"step_{module}", fill(code))
    frames = [outer, *[frame] * draw.choice((1, 1, 1, 3))]
    if draw.random() < 0.3 and not code.startswith("raise"):
        frames.append(
            Frame("/usr/lib/python3.11/json/decoder.py", draw.randrange(400), "decode", "obj, end = self.raw_decode(s)")
        )
    return ErrorRecord(name, fill(message), tuple(frames))
