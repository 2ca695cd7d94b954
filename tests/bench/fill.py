"""Libraries of any size without the pictures: rows that look like a real scan's, and folders of small real files."""

from __future__ import annotations

import io
import random
from pathlib import Path

import sqlalchemy as sa

from engine.clock import iso, utc_now
from engine.store import Store
from engine.store.schema import images, projects
from engine.workspace import Workspace

CHUNK = 20_000


def fill_store(workspace: Workspace, count: int, *, seed: int = 0) -> None:
    """Put `count` image rows (simulated, no files behind them) into a workspace's database."""
    draw = random.Random(seed)
    store = Store.open(workspace.database_file)
    now = iso(utc_now())
    with store.writing() as connection:
        for number in range(8):
            connection.execute(sa.insert(projects).values(key=f"project{number}", name=f"project{number}"))
    for start in range(0, count, CHUNK):
        rows = [
            {
                "path": f"/pictures/project{n % 8}/{n // 2000:04}/IMG_{n:07}.jpg",
                "folder": f"/pictures/project{n % 8}/{n // 2000:04}",
                "name": f"IMG_{n:07}.jpg",
                "project_id": n % 8 + 1,
                "format": draw.choice(["jpeg"] * 7 + ["heic", "png", "tiff"]),
                "width": 4000,
                "height": 3000,
                "size": draw.randrange(200_000, 9_000_000),
                "mtime_ns": 1_600_000_000_000_000_000 + n * 1_000_000_000,
                "content_hash": f"{draw.getrandbits(128):032x}",
                "orientation": 1,
                "taken_at": f"20{draw.randrange(10, 26)}-0{draw.randrange(1, 9)}-1{draw.randrange(9)}T10:00:00",
                "taken_at_source": "DateTimeOriginal",
                "added_at": now,
            }
            for n in range(start, min(start + CHUNK, count))
        ]
        with store.writing() as connection:
            connection.execute(sa.insert(images), rows)
    store.close()


def fill_folder(folder: Path, count: int, *, per_folder: int = 1000) -> None:
    """Write `count` small JPEG files (each with bytes of its own) below `folder`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(buffer, "JPEG", quality=80)
    body = buffer.getvalue()
    for start in range(0, count, per_folder):
        place = folder / f"{start // per_folder:04}"
        place.mkdir(parents=True, exist_ok=True)
        for number in range(start, min(start + per_folder, count)):
            # A comment segment after the start marker makes every file different and still valid.
            comment = f"{number:010}".encode()
            marked = body[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + body[2:]
            (place / f"picture_{number:07}.jpg").write_bytes(marked)
