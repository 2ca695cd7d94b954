"""`make bench`: every figure of the foundation, measured on this machine, peers and ours in one run.

`python -m tests.bench` runs all; `python -m tests.bench help encoder` runs those. Prints the README's table.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import closer, duplicates
from tests.bench.embedding import embedding
from tests.bench.experiments import experiments
from tests.bench.fill import fill_folder, fill_store
from tests.bench.http import http
from tests.bench.library import library
from tests.bench.realbugs import realbugs
from tests.bench.repair import repair
from tests.bench.table import Row, markdown, percentile
from tests.bench.taste import taste
from tests.bench.terminal import Watched

PYTHON = sys.executable
CLI = [PYTHON, "-m", "tui.cli"]
ROOT = Path(__file__).resolve().parent.parent.parent

_EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("an empty app")
Empty().run()
"""


def help_page(_: Path) -> list[Row]:
    """`proofsheet --help` against a bare interpreter, in turns."""

    def once(command: list[str]) -> float:
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
        return time.perf_counter() - begun

    script = Path(PYTHON).with_name("proofsheet")
    ours_command = [str(script), "--help"] if script.exists() else [*CLI, "--help"]
    bare, ours = [], []
    for _turn in range(15):
        bare.append(once([PYTHON, "-c", "pass"]))
        ours.append(once(ours_command))
    ratio = statistics.median(ours) / statistics.median(bare)
    code = "import sys, tui.cli; tui.cli.main(['--help'], standalone_mode=False); "
    code += "print([m for m in ('torch', 'pandas', 'textual', 'sqlalchemy') if m in sys.modules], file=sys.stderr)"
    heavy = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, cwd=ROOT).stderr.strip()
    return [
        Row(
            "`proofsheet --help` against `python -c pass`",
            "≤ 8×, no torch, pandas, textual, sqlalchemy",
            f"{ratio:.1f}× ({statistics.median(ours) * 1000:.0f} ms), imports {heavy}",
            ratio <= 8 and heavy == "[]",
        )
    ]


def start(folder: Path) -> list[Row]:
    """First painted screen with 500,000 images in the store, against an empty Textual app, in turns."""
    from engine.workspace import Workspace

    workspace = Workspace.init(folder / "half-a-million")
    fill_store(workspace, 500_000)
    empty, frame, ours = [], [], []
    for _turn in range(7):
        with Watched([PYTHON, "-c", _EMPTY_APP]) as app:
            empty.append(app.until(b"an empty app"))
        with Watched([*CLI, "-w", str(workspace.root), "--images", "half", "open", "--screen", "inventory"]) as app:
            frame.append(app.until(b"inventory"))
            ours.append(app.until(b"IMG_0000"))
    bare = statistics.median(empty)
    painted, filled = statistics.median(frame) - bare, statistics.median(ours) - bare
    return [
        Row(
            "start to the first painted screen (inventory, 500,000 images), more than an empty Textual app",
            "≤ 0.7 s",
            f"{painted:.2f} s ({statistics.median(frame):.2f} against {bare:.2f})",
            painted <= 0.7,
        ),
        Row("the same, until its first page of images is in it", "≤ 0.7 s", f"{filled:.2f} s", filled <= 0.7),
    ]


def keys(folder: Path) -> list[Row]:
    """Key press to painted verdict on the ranking screen of the demo, half-block previews, idle and in training."""
    from engine.demo.demo import prepare

    workspace = asyncio.run(prepare(folder / "demo"))
    rows = []
    for title, target, command in (
        ("idle", 20, []),
        ("while a training run uses both cores", 50, ["--busy"]),
    ):
        load = subprocess.Popen([PYTHON, "-m", "tests.bench.training_load", str(workspace.root)]) if command else None
        try:
            firsts: list[float] = []
            with Watched([*CLI, "-w", str(workspace.root), "--images", "half", "open", "--screen", "ranking"]) as app:
                app.settle(1.0)
                for turn in range(40):
                    first, _last, _count = app.press(b"1" if turn % 2 == 0 else b"u", quiet=0.25)
                    firsts.append(first)
        finally:
            if load:
                load.kill()
                load.wait()
        p95 = percentile(firsts, 0.95)
        rows.append(
            Row(
                f"key press to painted verdict on the ranking screen, half-block, p95, {title}",
                f"≤ {target} ms",
                f"{p95:.1f} ms (median {statistics.median(firsts):.1f})",
                p95 <= target,
            )
        )
    return rows


def rescan(folder: Path) -> list[Row]:
    """Scan 100,000 small files in a process of its own (its peak memory), then rescan them unchanged in process."""
    from engine.engine import Engine
    from engine.workspace import Workspace

    count = int(os.environ.get("BENCH_FILES", "100000"))
    pictures = folder / "pictures"
    fill_folder(pictures, count)
    workspace = Workspace.init(folder / "scanned")
    command = ["/usr/bin/time", "-f", "%M", *CLI, "-w", str(workspace.root), "scan", str(pictures), "--json"]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    seconds = time.perf_counter() - begun
    peak = int(done.stderr.strip().splitlines()[-1]) / 1024

    def walk(place: str) -> int:
        seen = 0
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    seen += walk(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    seen += 1
        return seen

    async def rescans() -> list[float]:
        found = []
        async with Engine.open(workspace) as engine:
            for _turn in range(4):
                bare = time.perf_counter()
                walk(str(pictures))
                bare = time.perf_counter() - bare
                run = await engine.runs.wait((await engine.library.scan([pictures])).id)
                assert run.result is not None
                assert run.result["unchanged"] == count, run.result
                found.append(bare / run.result["seconds"])
        return found

    shares = asyncio.run(rescans())
    share = statistics.median(shares[1:])
    return [
        Row(
            f"rescan of {count:,} unchanged files, against a bare os.scandir walk with stat",
            "≥ 0.5 of its speed",
            f"{share:.2f}",
            share >= 0.5,
        ),
        Row(
            f"memory, scanning {count:,} files ({count / seconds:,.0f} files/s)",
            "≤ 300 MB peak",
            f"{peak:.0f} MB",
            peak <= 300,
        ),
    ]


def encoder(folder: Path) -> list[Row]:
    """The built-in encoder on 2-megapixel JPEGs, decoding included (in processes of its own, as in the product), in as
    many threads as cores.

    Most of the time goes into entropy decoding, so the files' size decides: once with about 1.9 bits a pixel, the
    median of eighteen camera JPEGs between 1.4 and 12 megapixels, and once with 2.6, noisier than four in five.
    """
    return [_encoder(folder / "median", 0.16), _encoder(folder / "noisy", 0.25)]


def _encoder(folder: Path, grain: float) -> Row:
    """One row; `grain` is the share of noise in the pictures, 0 to 1."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np
    from PIL import Image

    from engine.runs.lanes import share_the_interpreter
    from engine.vision import pixels
    from engine.vision.encoders import load
    from tests.bench.embedding import source_of

    draw = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(24):
        coarse = Image.fromarray(draw.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize((1632, 1224))
        fine = Image.effect_noise((1632, 1224), 25).convert("RGB")
        file = folder / f"two_megapixels_{number}.jpg"
        Image.blend(coarse, fine, grain).save(file, quality=90)
        files.append(file)
    built_in = load("builtin")
    sources = {file: source_of(file) for file in files}

    def one(file: Path) -> None:
        made = pixels.prepared(sources[file], built_in, 400_000_000)
        assert not isinstance(made, pixels.Unread), made
        built_in.finish([made])()

    share_the_interpreter()  # as opening the engine does
    speeds = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, files))
        for _turn in range(5):
            begun = time.perf_counter()
            list(pool.map(one, files * 6))
            speeds.append(len(files) * 6 / (time.perf_counter() - begun))
    speed = statistics.median(speeds)
    what = f"built-in encoder, 2 MP JPEGs of {files[0].stat().st_size / 1000:.0f} kB, decoding included"
    return Row(what, "≥ 150 images/s", f"{speed:.0f}", speed >= 150)


def ranking(folder: Path) -> list[Row]:
    """Score and sort 1,000 encoded images with a linear model."""
    import numpy as np

    from engine.ranking.measures import Calibration
    from engine.ranking.ranker import LinearRanker
    from engine.vision.encoders import load

    draw = np.random.default_rng(0)
    wide = load("builtin").dimension
    vectors = draw.normal(size=(1000, wide)).astype(np.float32)
    weight = draw.normal(size=wide)
    ranker = LinearRanker("ranker", 1, "builtin-1", weight, weight, Calibration(1.0, 0.0))
    times = []
    for _turn in range(50):
        begun = time.perf_counter()
        probabilities = ranker.probabilities(ranker.scores(vectors))
        np.argsort(-probabilities)
        times.append((time.perf_counter() - begun) * 1000)
    middle = statistics.median(times)
    return [Row("ranking 1,000 encoded images", "≤ 5 ms", f"{middle:.2f} ms", middle <= 5)]


FIGURES: dict[str, Callable[[Path], list[Row]]] = {
    "help": help_page,
    "start": start,
    "keys": keys,
    "rescan": rescan,
    "encoder": encoder,
    "embedding": embedding,
    "ranking": ranking,
    "experiments": experiments,
    "http": http,
    "pairs": duplicates.all_pairs,
    "variants": duplicates.found_among_variants,
    "closer": closer.held_out,
    "library": library,
    "taste": taste,
    "repair": repair,
    "realbugs": realbugs,
}


def main(names: list[str]) -> int:
    """Measure, print the table; 1 when a figure was not reached."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"no such figure: {', '.join(unknown)}; there are {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or FIGURES:
        print(f"measuring {name} ...", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="proofsheet-bench-") as folder:
            rows += FIGURES[name](Path(folder))
    print(markdown(rows))
    return 0 if all(row.is_reached is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
