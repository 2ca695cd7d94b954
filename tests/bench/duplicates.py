"""Figures of the search for duplicates: all pairs of half a million hashes, and what is found among variants.

The peer is faiss's exact binary index, in an environment of its own: `$BENCH_PEERS/peers-faiss/bin/python`; without it
only ours is measured. One set of hashes is uniform, the other lies as photographs' do: they are those of random windows
of the shared photographs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from tests.bench.table import Row

PHOTOS = Path(os.environ.get("PROOFSHEET_TEST_PHOTOS", "../shared/data/photos"))
COUNT = int(os.environ.get("BENCH_HASHES", "500000"))

_FAISS = """
import sys, time, numpy as np, faiss
hashes = np.load(sys.argv[1]); radius = int(sys.argv[2]); asked = int(sys.argv[3])
codes = np.ascontiguousarray(hashes.astype('>u8').view(np.uint8).reshape(-1, 8))
index = faiss.IndexBinaryFlat(64); index.add(codes)
begun = time.perf_counter()
limits, _, found = index.range_search(codes[:asked], radius + 1)  # faiss: strictly below
seconds = time.perf_counter() - begun
rows = np.repeat(np.arange(asked), np.diff(limits.astype(np.int64)))
print(seconds, int(((found > rows)).sum()))
"""

_OURS = """
import resource, sys, numpy as np
from engine.library.hamming import near
near(np.load(sys.argv[1]), 10)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def uniform(count: int) -> NDArray[np.uint64]:
    """Hashes as a random generator deals them."""
    return np.random.default_rng(0).integers(0, 2**64, count, dtype=np.uint64)


def of_photographs(count: int) -> NDArray[np.uint64]:
    """Hashes of random windows of photographs: crowded and skewed as real ones are."""
    from engine.library import prints
    from engine.library.decode import decode
    from engine.library.source import UnreadableImage

    draw = np.random.default_rng(0)
    pictures = []
    for file in sorted(PHOTOS.rglob("*.jp*g")):
        try:
            pictures.append(decode(file, (384, 384)).convert("L"))
        except UnreadableImage:
            continue
    hashes = np.empty(count, dtype=np.uint64)
    windows = np.empty((2000, 32, 32), dtype=np.uint8)
    for at in range(0, count, len(windows)):
        size = min(len(windows), count - at)
        for place in range(size):
            picture = pictures[draw.integers(len(pictures))]
            share = draw.uniform(0.15, 0.7)
            w, h = picture.width * share, picture.height * share
            x, y = draw.uniform(0, picture.width - w), draw.uniform(0, picture.height - h)
            windows[place] = np.asarray(picture.resize((32, 32), Image.Resampling.BOX, box=(x, y, x + w, y + h)))
        hashes[at : at + size] = prints.hash_of(prints.frequencies(windows[:size]))
    return hashes


def all_pairs(folder: Path) -> list[Row]:
    """All pairs within 4 and within 10 bits, against faiss on the same hashes in the same run."""
    from engine.library.hamming import near

    rows: list[Row] = []
    sets = {"uniform": uniform(COUNT), **({"photograph-window": of_photographs(COUNT)} if PHOTOS.is_dir() else {})}
    for name, hashes in sets.items():
        file = folder / "hashes.npy"
        np.save(file, hashes)
        for radius, most in ((4, 5.0), (10, 90.0)):
            begun = time.perf_counter()
            found = near(hashes, radius)
            seconds = time.perf_counter() - begun
            peer = _faiss(file, radius, hashes, found.pairs_within)
            rows.append(
                Row(
                    f"all pairs of {COUNT:,} {name} hashes within {radius} bits ({found.pairs_within:,} pairs)",
                    f"≤ {most:.0f} s",
                    f"{seconds:.2f} s{peer}",
                    seconds <= most,
                )
            )
    done = subprocess.run([sys.executable, "-c", _OURS, str(file)], capture_output=True, text=True, check=True)
    peak = int(done.stdout) / 1024
    rows.append(Row("memory of the last of these, in a process of its own", "≤ 500 MB", f"{peak:.0f} MB", peak <= 500))
    return rows


def _faiss(file: Path, radius: int, hashes: NDArray[np.uint64], pairs: int) -> str:
    """What faiss takes, from a tenth of the queries where all would take minutes, and whether the pairs agree."""
    python = Path(os.environ.get("BENCH_PEERS", ".peers")) / "peers-faiss/bin/python"
    if not python.exists():
        return "; faiss is not here"
    asked = len(hashes) if os.environ.get("BENCH_FAISS_WHOLE") else len(hashes) // 10
    done = subprocess.run(
        [str(python), "-c", _FAISS, str(file), str(radius), str(asked)], capture_output=True, text=True, check=True
    )
    seconds, count = float(done.stdout.split()[0]), int(done.stdout.split()[1])
    agrees = count == (pairs if asked == len(hashes) else _pairs_of_first(hashes, asked, radius))
    verdict = "the same pairs" if agrees else "OTHER PAIRS"
    return f"; faiss IndexBinaryFlat {seconds * len(hashes) / asked:.0f} s ({verdict} for {asked:,} of them)"


def _pairs_of_first(hashes: NDArray[np.uint64], asked: int, radius: int) -> int:
    """How many of our pairs begin at one of the first hashes."""
    from engine.library.hamming import near

    found = near(hashes, radius)
    earlier = np.bincount(found.of[:asked], minlength=len(found.values))
    total = 0
    for ours, theirs in ((found.pairs.first, found.pairs.second), (found.pairs.second, found.pairs.first)):
        total += int((earlier[ours] * (found.count[theirs] - earlier[theirs])).sum())
    total += int((earlier[found.pairs.first] * earlier[found.pairs.second]).sum())
    return total + int((earlier * (earlier - 1) // 2 + earlier * (found.count - earlier)).sum())


# -- what is found ----------------------------------------------------------------------------------------------------


def variants(picture: Image.Image) -> dict[str, tuple[Image.Image, int]]:
    """Copies of a picture as people make them: (picture, JPEG quality) by kind."""
    w, h = picture.size
    cut = 0.025

    def cropped(left: float, top: float, right: float, bottom: float) -> Image.Image:
        return picture.crop((round(w * left), round(h * top), w - round(w * right), h - round(h * bottom)))

    return {
        "resized": (picture.resize((max(1, w // 2), max(1, h // 2)), Image.Resampling.LANCZOS), 88),
        "recompressed": (picture, 40),
        "rotated 90": (picture.transpose(Image.Transpose.ROTATE_90), 88),
        "rotated 180": (picture.transpose(Image.Transpose.ROTATE_180), 88),
        "rotated 270": (picture.transpose(Image.Transpose.ROTATE_270), 88),
        "mirrored": (ImageOps.mirror(picture), 88),
        "cropped 5 %": (cropped(cut, cut, cut, cut), 88),
        "brighter": (ImageEnhance.Brightness(picture).enhance(1.15), 88),
    }


def write_variants(photos: Sequence[Path], folder: Path, side: int = 1200) -> dict[str, str]:
    """Each photograph and its variants under `folder`; file name -> which photograph it shows. Blank and cut-off
    photographs are left out: nobody could tell what they show."""
    from engine.library.decode import decode
    from engine.library.neighbours import LEAST_CONTRAST
    from engine.library.prints import prints
    from engine.library.source import UnreadableImage

    folder.mkdir(parents=True, exist_ok=True)
    shows: dict[str, str] = {}
    for number, photo in enumerate(photos):
        try:
            picture = decode(photo, (side, side))
        except UnreadableImage:
            continue
        if prints(np.asarray(picture.convert("L"))).contrast <= LEAST_CONTRAST + 1 or photo.name == "corrupted.jpg":
            continue
        subject = _subject(photo)
        original = f"{number:03d}_original{photo.suffix}"
        shutil.copy2(photo, folder / original)
        shows[original] = subject
        for kind, (each, quality) in variants(picture).items():
            name = f"{number:03d}_{kind.replace(' ', '_').replace('%', 'percent')}.jpg"
            each.save(folder / name, quality=quality)
            shows[name] = subject
    return shows


def warped(picture: Image.Image, share: float, seed: int = 1) -> Image.Image:
    """A simulated second exposure: what stood near or moved lies elsewhere, displaced by about `share` of the side."""
    rng = np.random.default_rng(seed)
    w, h = picture.size
    across, down = (
        np.asarray(
            Image.fromarray(rng.normal(0, share, (8, 8)).astype(np.float32)).resize((w, h), Image.Resampling.BICUBIC)
        )
        for _ in range(2)
    )
    y, x = np.mgrid[0:h, 0:w]
    column, row = np.clip(x + across * w, 0, w - 1.001), np.clip(y + down * h, 0, h - 1.001)
    left, top = column.astype(int), row.astype(int)
    right, below = (column - left)[..., None], (row - top)[..., None]
    a = np.asarray(picture, dtype=np.float32)
    upper = a[top, left] * (1 - right) + a[top, left + 1] * right
    lower = a[top + 1, left] * (1 - right) + a[top + 1, left + 1] * right
    return Image.fromarray(np.rint(upper * (1 - below) + lower * below).astype(np.uint8))


def write_lookalikes(photos: Sequence[Path], folder: Path, side: int = 1200) -> dict[str, str]:
    """Pictures that look alike and are not one, without EXIF: file name -> which picture it is.

    The shared HDR pairs, each exposure with a smaller copy; and, made from the photographs, windows panned by 11.5 % of
    their width, and simulated second exposures as bright and a stop brighter.
    """
    from engine.library.decode import decode
    from engine.library.source import UnreadableImage

    folder.mkdir(parents=True, exist_ok=True)
    shows: dict[str, str] = {}

    def save(picture: Image.Image, name: str, subject: str, quality: int = 88) -> None:
        picture.save(folder / name, quality=quality)
        shows[name] = subject

    for number, photo in enumerate(photos):
        try:
            picture = decode(photo, (side, side)).convert("RGB")
        except UnreadableImage:
            continue
        if photo.parent.name == "hdr":
            save(picture, f"{number:03d}_exposure.jpg", photo.name)
            small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
            save(small, f"{number:03d}_small.jpg", photo.name, 60)
            continue
        # A drawing has no second exposure; a numbered copy of a photograph already here says nothing new.
        is_numbered = photo.parent.name == "orientation" and not photo.stem.endswith("_1")
        if max(picture.size) < 400 or photo.suffix == ".tiff" or photo.stem in DRAWN or is_numbered:
            continue
        w, h = picture.size
        window, step = int(w * 0.8), int(w * 0.8 * 0.115)
        for place in range(2):
            pan = picture.crop((place * step, 0, place * step + window, h))
            save(pan, f"{number:03d}_pan{place}.jpg", f"{photo.name} pan {place}")
        save(warped(picture, 0.002), f"{number:03d}_second.jpg", f"{photo.name} second")
        brighter = warped(picture, 0.002, seed=2).point([min(255, round(v * 2 ** (1 / 2.2))) for v in range(256)] * 3)
        save(brighter, f"{number:03d}_brighter.jpg", f"{photo.name} brighter")
    return shows


DRAWN = {"BlueSquare", "no_exif", "67-0_length_string", "image01088"}


def _subject(photo: Path) -> str:
    """The shared set holds one landscape and one portrait eight times, once for each EXIF orientation."""
    return photo.stem.rpartition("_")[0] if photo.parent.name == "orientation" else photo.name


def judge(groups: Sequence[Sequence[str]], shows: dict[str, str]) -> tuple[float, float, list[list[str]]]:
    """Precision over all pairs grouped; recall over (original, variant) pairs; and the groups that mix subjects."""
    pairs = {frozenset(pair) for group in groups for pair in combinations(group, 2)}
    right = sum(len({shows[name] for name in pair}) == 1 for pair in pairs)
    originals = {name[:3]: name for name in shows if "_original." in name}
    wanted = [(name, originals[name[:3]]) for name in shows if "_original." not in name]
    found = sum(frozenset(pair) in pairs for pair in wanted)
    mixed = [list(group) for group in groups if len({shows[name] for name in group}) > 1]
    return right / max(len(pairs), 1), found / max(len(wanted), 1), mixed


def found_among_variants(folder: Path) -> list[Row]:
    """Precision and recall at the default distance on variants of every shared photograph."""
    import asyncio

    from engine.engine import Engine
    from engine.workspace import Workspace

    if not PHOTOS.is_dir():
        return [Row("duplicates among variants of photographs", "precision ≥ .99, recall ≥ .95", "no photographs here")]
    photos = sorted(path for path in PHOTOS.rglob("*") if path.is_file())
    shows = write_variants(photos, folder / "variants" / "p")
    others = write_lookalikes(photos, folder / "lookalikes" / "p")

    async def look(name: str) -> tuple[list[list[str]], float]:
        async with Engine.open(Workspace.init(folder / f"looked-{name}")) as engine:
            await engine.runs.finished((await engine.library.scan([folder / name])).id)
            begun = time.perf_counter()
            await engine.runs.finished((await engine.duplicates.search()).id)
            found = await engine.duplicates.groups()
            seconds = time.perf_counter() - begun
            kept = [group for group in found.groups if group.kind != "burst"]
            return [[member.image.name for member in group.members] for group in kept], seconds

    groups, seconds = asyncio.run(look("variants"))
    precision, recall, mixed = judge(groups, shows)
    apart, apart_seconds = asyncio.run(look("lookalikes"))
    mistaken = [group for group in apart if len({others[name] for name in group}) > 1]
    return [
        Row(
            f"duplicates among {len(shows):,} variants of {len(set(shows.values()))} photographs ({seconds:.0f} s)",
            "precision ≥ .99, recall ≥ .95, no group mixed",
            f"precision {precision:.3f}, recall {recall:.3f}, {len(mixed)} mixed",
            precision >= 0.99 and recall >= 0.95 and not mixed,
        ),
        Row(
            f"pans, second exposures (simulated) and HDR pairs without EXIF, {len(others):,} files "
            f"({apart_seconds:.0f} s)",
            "no group mixed",
            f"{len(mistaken)} mixed, {len(apart)} groups of copies",
            not mistaken,
        ),
    ]
