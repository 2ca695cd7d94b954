"""The library's figures, each beside its peer on the same files in the same run: metadata, hashes, one pass, memory.

Images per CPU-second of one core (user and system time, children included), which other work on the machine
disturbs less than the clock. The files are 2 and 12 megapixel JPEGs made from the shared photographs, EXIF kept.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.peers import peer
from tests.bench.table import Row

PHOTOS = Path(
    os.environ.get("PROOFSHEET_TEST_PHOTOS", Path(__file__).resolve().parents[3] / "shared" / "data" / "photos")
)
MAX_PIXELS = 400_000_000
MEGABYTE = 1024 * 1024

_IMAGEDEDUP = """
import importlib.abc, importlib.machinery, sys, time, types
BODY = {"__init__": lambda self, *a, **k: None, "__call__": lambda self, *a, **k: self,
        "__getattr__": lambda self, name: Any(name, (), BODY)()}
class Any(type):
    def __getattr__(cls, name):
        if name.startswith("__"): raise AttributeError(name)
        return Any(name, (), BODY)
class Torch(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Any(name, (), BODY)
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] in ("torch", "torchvision") else None
    def create_module(self, spec): return Torch(spec.name)
    def exec_module(self, module): pass
sys.meta_path.insert(0, Finder())  # its hashes need no torch
from imagededup.methods import PHash
hasher = PHash(verbose=False)
files = sys.argv[1:]
hasher.encode_image(files[0])
begun = time.process_time()
for file in files:
    hasher.encode_image(file)
print(len(files) / (time.process_time() - begun))
"""
_CLEANVISION = """
import sys, time, resource
from cleanvision import Imagelab
lab = Imagelab(filepaths=sys.argv[1:])
begun = time.process_time()
lab.find_issues(n_jobs=1, verbose=False)
print(len(sys.argv[1:]) / (time.process_time() - begun))
"""


def corpus(folder: Path, megapixels: float, count: int = 16) -> list[str]:
    """JPEGs of that size made from the larger of the shared photographs, with their EXIF."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    files: list[str] = []
    for path in sorted(PHOTOS.rglob("*.jpg")):
        try:
            with Image.open(path) as image:
                width, height = image.size
                if width * height < 700_000 or image.convert("L").getextrema()[0] == image.convert("L").getextrema()[1]:
                    continue
                scale = (megapixels * 1e6 / (width * height)) ** 0.5
                exif = image.info.get("exif", b"")
                larger = image.convert("RGB").resize(
                    (round(width * scale), round(height * scale)), Image.Resampling.BICUBIC
                )
        except OSError:
            continue
        file = folder / f"{len(files):02}.jpg"
        larger.save(file, quality=90, exif=exif)
        files.append(str(file))
        if len(files) == count:
            break
    return files


def rate(work: Callable[[str], object], files: Sequence[str], turns: int = 5, again: int = 1) -> float:
    """Files per CPU-second of this process, the best of a few turns."""
    best = 0.0
    for file in files:
        work(file)
    for _turn in range(turns):
        begun = time.process_time()
        for _ in range(again):
            for file in files:
                work(file)
        best = max(best, len(files) * again / (time.process_time() - begun))
    return best


def _of_peer(name: str, script: str, files: Sequence[str]) -> float | None:
    python = peer(name)
    if python is None:
        return None
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([python, "-c", script, *files], capture_output=True, text=True, env=environment)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def _exiftool(files: Sequence[str]) -> float | None:
    """Files per CPU-second of one exiftool that stays open, as PyExifTool keeps it."""
    if shutil.which("exiftool") is None:
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tool = subprocess.Popen(
        ["exiftool", "-stay_open", "True", "-@", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert tool.stdin is not None and tool.stdout is not None
    count = 0
    for _turn in range(8):
        for file in files:
            tool.stdin.write(f"-j\n-n\n{file}\n-execute\n")
            tool.stdin.flush()
            while "{ready}" not in tool.stdout.readline():
                pass
            count += 1
    tool.stdin.write("-stay_open\nFalse\n")
    tool.stdin.close()
    tool.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return count / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _row(
    what: str, size: str, bound: float, ours: float, name: str, times: float, theirs: float | None, bare: float = 0.0
) -> Row:
    """`bare`: what the decoder alone reaches on these files and this machine, the most that a pass could, files /s."""
    told = f"{ours:,.0f} /s" + (f" (the decoder alone {bare:,.0f} /s)" if bare else "")
    if theirs is None:
        return Row(f"{what}, {size}", f"≥ {bound:,} /s", f"{told}; {name} is not installed", ours >= bound)
    ratio = ours / theirs
    return Row(
        f"{what}, {size}",
        f"≥ {bound:,} /s; {name} × {times:g}",
        f"{told}; {name} {theirs:,.1f} /s, {ratio:,.1f}×",
        ours >= bound and ratio >= times,
    )


def _decoder_alone(file: str, colourspace: str, factor: int) -> object:
    """A JPEG decoded at a fraction of its size by the decoder that the one pass uses, and nothing else."""
    import simplejpeg

    data = Path(file).read_bytes()
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    return simplejpeg.decode_jpeg(
        data, colorspace=colourspace, fastdct=True, fastupsample=True, min_factor=1,
        min_height=-(-height // factor), min_width=-(-width // factor),
    )  # fmt: skip


def speeds(folder: Path) -> list[Row]:
    """Metadata, perceptual hash and one pass, per CPU-second, beside exiftool, imagededup and cleanvision."""
    from engine.library.metadata import document, read_metadata
    from engine.library.onepass import perceptual_hashes, study_file

    def described(file: str) -> object:
        kind, found = read_metadata(file)
        return document(file, kind, found)

    rows = []
    for size, megapixels, hash_bound, pass_bound in (("2 MP", 2, 250, 110), ("12 MP", 12, 33, 15)):
        files = corpus(folder / size.replace(" ", ""), megapixels)
        if not files:
            return [Row("metadata, hash, one pass", "", f"no photographs at {PHOTOS}")]
        ours = rate(described, files, again=20)
        rows.append(_row("metadata only", size, 1800, ours, "exiftool -stay_open", 15, _exiftool(files)))
        ours = rate(lambda file: perceptual_hashes(file, MAX_PIXELS), files)
        theirs = _of_peer("imagededup", _IMAGEDEDUP, files)
        bare = rate(lambda file: _decoder_alone(file, "GRAY", 8), files)
        rows.append(_row("perceptual hash", size, hash_bound, ours, "imagededup 0.3.3", 4, theirs, bare))
        ours = rate(lambda file: study_file(file, MAX_PIXELS), files)
        theirs = _of_peer("cleanvision", _CLEANVISION, files)
        bare = rate(lambda file: _decoder_alone(file, "RGBX", 2), files)
        rows.append(_row("one pass", size, pass_bound, ours, "cleanvision 0.3.7", 10, theirs, bare))
    return rows


def likeness(folder: Path) -> list[Row]:
    """The hash of the scaled decode against that of the full one, on real photographs and larger copies of them."""
    import imagehash
    from PIL import Image

    from engine.library.onepass import perceptual_hashes
    from engine.library.source import UnreadableImage

    near = total = 0
    for file in [*map(str, sorted(PHOTOS.rglob("*.jpg"))), *corpus(folder, 2), *corpus(folder / "12", 12)]:
        with Image.open(file) as image:
            try:
                full = int(str(imagehash.phash(image)), 16)
                low, high = image.convert("L").getextrema()
                if low == high:
                    continue  # a picture of one colour: its hash is rounding
                scaled = perceptual_hashes(file)[0]
            except (OSError, UnreadableImage):
                continue
        total += 1
        near += (scaled ^ full).bit_count() <= 2
    share = near / max(1, total)
    what = "pHash at up to 1/8 against a full decode, within 2 bits"
    return [Row(what, "≥ 99 %", f"{share:.1%} of {total} photographs", share >= 0.99)]


def blur(folder: Path) -> list[Row]:
    """Area under the curve of `sharpness`, photographs against their blurred and moved variants (simulated).

    The measure's two constants only stretch its scale, which this area does not depend on; what it looks at was chosen
    with the same photographs in view. So the better of `sharpness` and its competitor (the variance of a Laplacian) is
    chosen anew on each half of the photographs, and held to the other half.
    """
    import numpy as np
    from PIL import Image, ImageFilter

    from engine.library.onepass import study_file

    def measured(file: str) -> tuple[float, float]:
        with Image.open(file) as image:
            grey = image.convert("L").reduce(2)
        edges = np.asarray(grey.filter(ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), 1, 128)), float)
        return study_file(file, MAX_PIXELS).facts.sharpness, float(edges[1:-1, 1:-1].var())

    sharp: list[list[tuple[float, float]]] = []
    soft: list[list[tuple[float, float]]] = []
    for file in corpus(folder, 2, 40):
        sharp.append([measured(file)])
        soft.append([])
        with Image.open(file) as image:
            picture = image.convert("RGB")
        for filter_ in (ImageFilter.GaussianBlur(2), ImageFilter.GaussianBlur(4), ImageFilter.BoxBlur((5, 0)),
                        ImageFilter.BoxBlur((0, 8))):  # fmt: skip
            buffer = io.BytesIO()
            picture.filter(filter_).save(buffer, "JPEG", quality=90)
            variant = folder / "variant.jpg"
            variant.write_bytes(buffer.getvalue())
            soft[-1].append(measured(str(variant)))

    def area(of: slice, measure: int) -> float:
        low = np.array([one[measure] for each in soft[of] for one in each])[:, None]
        high = np.array([one[measure] for each in sharp[of] for one in each])[None, :]
        return float(((low < high) + (low == high) / 2).mean())

    halves = (slice(0, None, 2), slice(1, None, 2))
    held_out = [
        area(other, max((0, 1), key=lambda measure: area(half, measure))) for half, other in (halves, halves[::-1])
    ]
    worst, whole, peer_area = min(held_out), area(slice(None), 0), area(slice(None), 1)
    told = f"{worst:.3f} (the worse held-out half; all: {whole:.3f}, variance of the Laplacian {peer_area:.3f})"
    return [Row("blur at 1/2 (simulated blur and motion), AUC, held out", "≥ 0.93", told, worst >= 0.93)]


def two(folder: Path) -> list[Row]:
    """Two decoder processes against one, by the clock, their start not counted; and what the machine itself allows:
    two programs that know nothing of each other, each with one process, at once."""
    from engine.library.workers import Decoders

    files = corpus(folder, 2) * 12

    def speed(count: int) -> float:
        with Decoders[int](count, MAX_PIXELS, threads=1) as decoders:
            list(decoders.study((at, file) for at, file in enumerate(files[: 4 * count])))
            begun = time.perf_counter()
            list(decoders.study((at, file) for at, file in enumerate(files)))
            return len(files) / (time.perf_counter() - begun)

    def strangers() -> float:
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(lambda _: speed(1), range(2)))

    one, both, control = zip(*((speed(1), speed(2), strangers()) for _turn in range(3)), strict=True)
    ratio, most = max(both) / max(one), max(control) / max(one)
    told = f"{ratio:.2f}× ({max(both):.0f} /s); two that share nothing but the machine: {most:.2f}×"
    return [Row("two decoder processes against one", "≥ 1.8×", told, ratio >= 1.8)]


def apart(folder: Path) -> list[Row]:
    """What a preview costs more for being decoded by another process, and a HEIC less for its embedded thumbnail."""
    from engine.library import heif_thumbnail
    from engine.library.apart import Apart
    from engine.library.decode import decode
    from engine.library.onepass import perceptual_hashes

    pool, box = Apart(MAX_PIXELS), (640, 480)
    there, here = [], []
    for file in corpus(folder, 2) * 3:
        for taken, work in ((there, pool.decode), (here, decode)):
            begun = time.perf_counter()
            work(file, box)
            taken.append((time.perf_counter() - begun) * 1000)
    middle, bare = statistics.median(there), statistics.median(here)
    told = f"{middle:.1f} ms, in this process {bare:.1f} ms"
    rows = [Row("preview of a 2 MP JPEG at 640x480, decoded apart, median", "", told)]
    with_one = [one for one in sorted((PHOTOS / "heic").rglob("*")) if one.is_file()]
    with_one = [one for one in with_one if heif_thumbnail.thumbnail(one.read_bytes()) is not None]
    for file in with_one:
        quick = rate(perceptual_hashes, [str(file)])
        data = file.read_bytes()
        honest, heif_thumbnail.thumbnail = heif_thumbnail.thumbnail, lambda _data: None
        try:
            whole = rate(perceptual_hashes, [str(file)], turns=2)
        finally:
            heif_thumbnail.thumbnail = honest
        told = f"{quick:.0f} /s, {quick / whole:.0f}× of decoding it whole ({whole:.1f} /s)"
        rows.append(Row(f"perceptual hash of a HEIC with a thumbnail ({len(data) / 1e6:.1f} MB)", "", told))
    return rows


def growth(folder: Path) -> list[Row]:
    """Scan and study of the same new images beside 1,000 and beside 500,000 rows (simulated), in turns; memory too."""
    from engine.engine import Engine
    from engine.workspace import Workspace
    from tests.bench.fill import fill_store

    pictures = folder / "pictures"
    for number, file in enumerate(corpus(folder / "made", 2)):
        for copy in range(20):
            target = pictures / f"p{number}" / f"{copy}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            data = Path(file).read_bytes()
            comment = f"{number}-{copy}".encode()
            target.write_bytes(data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:])
    speeds: dict[int, list[float]] = {1_000: [], 500_000: []}
    most = 0.0

    async def once(workspace: Workspace) -> float:
        async with Engine.open(workspace) as engine:
            await engine.runs.finished((await engine.library.scan([pictures])).id)
            run = await engine.runs.finished((await engine.library.study([pictures])).id)
            assert run.result is not None
            return float(run.result["images_per_second"])

    for turn in range(3):
        for rows in speeds:
            workspace = Workspace.init(folder / f"rows-{rows}-{turn}")
            fill_store(workspace, rows)
            _fill_facts(workspace)
            with _Memory() as memory:
                speeds[rows].append(asyncio.run(once(workspace)))
            most = max(most, memory.most / MEGABYTE)
            shutil.rmtree(workspace.root)
    ratio = max(speeds[500_000]) / max(speeds[1_000])
    return [
        Row(
            "study beside 500,000 rows against 1,000 (simulated rows)",
            "≥ 0.9",
            f"{ratio:.2f} ({max(speeds[500_000]):.0f} against {max(speeds[1_000]):.0f} images/s)",
            ratio >= 0.9,
        ),
        Row("memory of a scan and a study, all processes", "≤ 500 MB", f"{most:.0f} MB", most <= 500),
    ]


def unchanged(folder: Path) -> list[Row]:
    """A rescan of 500,000 files (simulated: a byte each, rows as a scan would have left them) against a bare walk."""
    import sqlalchemy as sa

    from engine.clock import iso, utc_now
    from engine.engine import Engine
    from engine.store import Store
    from engine.store.schema import images, projects
    from engine.workspace import Workspace

    count, each = 500_000, 1_000
    workspace = Workspace.init(folder / "workspace")
    store = Store.open(workspace.database_file)
    now = iso(utc_now())
    pictures = Path(os.path.realpath(folder)) / "pictures"
    with store.writing() as connection:
        connection.execute(sa.insert(projects).values(key="p", name="p"))
    for start in range(0, count, each):
        place = pictures / "p" / f"{start // each:04}"
        place.mkdir(parents=True)
        rows = []
        for number in range(start, start + each):
            file = place / f"{number:07}.jpg"
            file.write_bytes(b"x")
            rows.append(
                {
                    "path": str(file), "folder": str(place), "name": file.name, "project_id": 1, "format": "jpeg",
                    "width": 4000, "height": 3000, "size": 1, "mtime_ns": file.stat().st_mtime_ns,
                    "content_hash": f"{number:032x}", "orientation": 1, "taken_at": now, "taken_at_source": "mtime",
                    "added_at": now,
                }
            )  # fmt: skip
        with store.writing() as connection:
            connection.execute(sa.insert(images), rows)
    store.close()

    def walk() -> float:
        begun = time.perf_counter()
        waiting, seen = [str(pictures)], 0
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        seen += entry.stat(follow_symlinks=False).st_size
        assert seen == count
        return time.perf_counter() - begun

    async def scans() -> list[float]:
        taken = []
        async with Engine.open(workspace) as engine:
            for _turn in range(4):  # the first takes the folders' fingerprints
                begun = time.perf_counter()
                run = await engine.runs.finished((await engine.library.scan([pictures])).id)
                taken.append(time.perf_counter() - begun)
                assert run.result is not None
                assert (run.result["unchanged"], run.result["changed"]) == (count, 0)
        return taken[1:]

    walks, rescans = [walk() for _turn in range(3)], asyncio.run(scans())
    beyond = min(rescans) - min(walks)
    told = f"{min(rescans):.1f} s, of which {beyond:.1f} s beyond the walk"
    return [Row(f"rescan of {count:,} unchanged files (simulated)", "walk + ≤ 3 s", told, beyond <= 3)]


def _fill_facts(workspace: object) -> None:
    """Facts (simulated) for every row that `fill_store` made."""
    import sqlalchemy as sa

    from engine.library.facts import VERSION
    from engine.store import Store
    from engine.store.schema import images
    from engine.store.schema.facts import image_facts, image_metadata

    zero = sa.literal(0.5)
    store = Store.open(workspace.database_file)  # type: ignore[attr-defined]
    numbers = ("sharpness", "subject_sharpness", "brightness", "exposure", "clipped_low", "clipped_high", "contrast",
               "noise", "colourfulness", "information")  # fmt: skip
    chosen = [
        images.c.id, images.c.content_hash, sa.literal(VERSION), images.c.mtime_ns, images.c.size,
        *(zero for _ in numbers), sa.literal("[]"), sa.literal("[]"), sa.literal("good"), sa.literal("simulated"),
        sa.literal("natural"), sa.literal("phone"),
    ]  # fmt: skip
    into = ["image_id", "content_hash", "version", "phash", "dhash", *numbers, "colours", "flags", "quality",
            "quality_reason", "lighting", "source"]  # fmt: skip
    with store.writing() as connection:
        connection.execute(sa.insert(image_facts).from_select(into, sa.select(*chosen)))
        described = sa.select(images.c.id, sa.literal("[]"), sa.literal("[]"))
        connection.execute(sa.insert(image_metadata).from_select(["image_id", "keywords", "people"], described))
    store.close()


class _Memory:
    """The most memory that this process and its children use together, private and shared once each (PSS), bytes."""

    def __init__(self) -> None:
        self.most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        me = psutil.Process()
        while not self._over.wait(0.2):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.most = max(self.most, total)


def library(folder: Path) -> list[Row]:
    """All of the library's figures but the duplicates'."""
    rows = []
    for part in (speeds, likeness, blur, two, apart, growth, unchanged):
        rows += part(folder / part.__name__)
    return rows


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        for wanted in sys.argv[1:] or ["library"]:
            for row in globals()[wanted](Path(place) / wanted):
                print(json.dumps(row.__dict__, ensure_ascii=False))
