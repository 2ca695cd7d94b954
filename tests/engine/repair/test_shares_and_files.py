# ruff: noqa: E501
"""What is proposed for divisions and for missing files, told from text alone: what was right stays right, a file that
somebody named is not passed over, and another machine's files are not looked for here."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.record import ErrorRecord, Frame

NO_FILE = "FileNotFoundError: [Errno 2] No such file or directory: 'gone'"
SHARES = [  # the source, what it is asked with, what it gives; None where it failed
    ("def f(n, frames_per_ms):\n    return n / frames_per_ms\n", [((3, 0.03), 100.0), ((3, 0), 0.0)]),
    ("def f(n, updates_per_second):\n    wait = n / updates_per_second\n    return [wait]\n", [((1, 0.5), [2.0]), ((1, 0), [0.0])]),
    ("def f(n, chunk_size):\n    return [n / chunk_size]\n", [((1, 0.5), [2.0]), ((6, -2), [-3.0]), ((6, 0), [6.0])]),
    ("def f(n, steps_per_epoch):\n    return [n // steps_per_epoch]\n", [((7, 2), [3]), ((7, 0), [7])]),
    ("def f(a, b, n):\n    step = int(a / b)\n    return [n % step]\n", [((6, -2, 4), [-2]), ((1, 2, 4), [0])]),
    ("def f(a, b):\n    return [a / round(a / b)]\n", [((4, -2), [-2.0]), ((1, 8), [1.0])]),
    ("def f(a, b, n):\n    step = round(a / b, 2)\n    return [n / step]\n", [((1, 4, 1), [4.0]), ((1, 999, 1), [0.0])]),
]  # fmt: skip


def proposed(root: Path, pattern: str, source: str, code: str, error: str, above: str = "") -> object:
    (root / "app.py").write_text(source)
    kind, _, message = error.partition(": ")
    lines = source.splitlines()

    def frame(wanted: str) -> Frame:
        line = next(number for number, text in enumerate(lines, 1) if wanted in text)
        inside = [one.split("def ")[1].split("(")[0] for one in lines[:line] if one.lstrip().startswith("def ")]
        return Frame(str(root / "app.py"), line, inside[-1], lines[line - 1].strip())

    last = frame(code)
    frames = (frame(above), last) if above else (last,)
    record = ErrorRecord(kind, message, frames)
    return built_in(pattern).propose(Case(Folder(root), "g", (record,), "app.py", last, last.line, source.encode()))


def after(found: object) -> str:
    assert isinstance(found, Proposal), found
    return found.edits[0].after.decode()


@pytest.mark.parametrize(("source", "answers"), SHARES)
def test_a_size_of_none_is_one_and_any_other_divides_as_it_did(
    tmp_path: Path, source: str, answers: list[tuple[tuple[float, ...], object]]
) -> None:
    last = [one for one in source.splitlines() if "/ " in one or "% " in one][-1]
    found = proposed(tmp_path, "zero-division", source, last, "ZeroDivisionError: division by zero")
    made: dict[str, object] = {}
    exec(after(found), made)
    for given, wanted in answers:
        assert made["f"](*given) == pytest.approx(wanted), given  # type: ignore[operator]


def test_what_divides_by_one_does_not_say_that_the_formula_stays(tmp_path: Path) -> None:
    found = proposed(tmp_path, "zero-division", SHARES[3][0], "return", "ZeroDivisionError: division by zero")
    assert isinstance(found, Proposal)
    assert "any other number divides as it did" in found.why
    assert "stays as it is" not in found.why


TAKEN_UP = (
    "import json\n\n\ndef train(model, epochs):\n    with open('state.json') as file:\n        state = json.load(file)\n"
    "    first = state['first']\n    for epoch in range(epochs):\n        model.step(epoch, first)\n    return model\n"
)


@pytest.mark.parametrize("name", ["best_loss", "last_id", "last_step_name", "line", "page", "best_epoch", "epoch_loss"])
def test_only_what_the_loop_counts_on_from_begins_at_nothing(tmp_path: Path, name: str) -> None:
    found = proposed(tmp_path, "missing-file", TAKEN_UP.replace("first", name), "open(", NO_FILE)
    assert f"{name} = 0" not in after(found)


@pytest.mark.parametrize("name", ["start_epoch", "epoch", "step"])
def test_what_looks_like_a_place_and_only_is_read_has_no_beginning(tmp_path: Path, name: str) -> None:
    found = proposed(tmp_path, "missing-file", TAKEN_UP.replace("first", name).replace("for epoch", "for each"), "open(", NO_FILE)  # fmt: skip
    assert f"{name} = 0" not in after(found)


@pytest.mark.parametrize(
    ("counts", "first"),
    [
        ("range(first, epochs)", "0"),
        ("range(first + 1, epochs)", "-1"),
        ("range(first + 1, epochs + 1)", "0"),
        ("range(first, epochs + 1)", "1"),
    ],
)
def test_the_work_begins_with_its_first_round(tmp_path: Path, counts: str, first: str) -> None:
    source = TAKEN_UP.replace("range(epochs)", counts).replace("(epoch, first)", "(epoch)")
    found = proposed(tmp_path, "missing-file", source.replace("first", "start"), "open(", NO_FILE)
    assert f"    start = {first}\n    if os.path.exists('state.json'):" in after(found)


NAMED = (
    "import argparse\nimport json\n\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n\n\n"
    "def main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--NAME')\n    args = parser.parse_args()\n"
    "    table = dict(size=1)\n    if args.NAME:\n        table.update(load(args.NAME))\n    return table\n"
)


@pytest.mark.parametrize(
    "name", ["config", "settings", "registry", "index", "store", "database", "restored", "checkpoint", "manifest"]
)
def test_a_file_that_somebody_named_is_not_passed_over(tmp_path: Path, name: str) -> None:
    source = NAMED.replace("NAME", name)
    found = proposed(tmp_path, "missing-file", source, "open(path", NO_FILE, above=f"load(args.{name})")
    assert f"if args.{name}:\n        if not os.path.exists(args.{name}):\n            sys.exit(" in after(found)


@pytest.mark.parametrize("name", ["cache", "history_file", "cookies"])
def test_what_a_program_writes_itself_may_be_missing(tmp_path: Path, name: str) -> None:
    source = NAMED.replace("NAME", name)
    found = proposed(tmp_path, "missing-file", source, "open(path", NO_FILE, above=f"load(args.{name})")
    assert f"if args.{name} and os.path.exists(args.{name}):" in after(found)


def test_settings_that_a_class_is_given_are_not_passed_over(tmp_path: Path) -> None:
    source = (
        "import json\n\n\nclass App:\n    def __init__(self, config_path):\n        self.size = 1\n"
        "        with open(config_path) as file:\n            self.config = json.load(file)\n        self.ready = True\n"
    )
    found = proposed(tmp_path, "missing-file", source, "open(", NO_FILE)
    assert "raise FileNotFoundError" in after(found)


PAGE = (
    "import json\nfrom flask import Flask, abort, request\n\napp = Flask(__name__)\n\n\n@app.route('/a/<name>')\n"
    "def show(name):\n    path = PATH\n    with open(path) as file:\n        return json.load(file)\n"
)


@pytest.mark.parametrize("path", ["f'data/{name}'", "'data/' + request.args['file']"])
def test_a_page_that_was_asked_for_is_not_found(tmp_path: Path, path: str) -> None:
    found = proposed(tmp_path, "missing-file", PAGE.replace("PATH", path), "open(", NO_FILE)
    assert "abort(404)" in after(found)


@pytest.mark.parametrize("path", ["'settings.json'", "app.config['TABLE']"])
def test_a_file_of_the_servers_own_is_the_servers_fault(tmp_path: Path, path: str) -> None:
    found = proposed(tmp_path, "missing-file", PAGE.replace("PATH", path), "open(", NO_FILE)
    assert not isinstance(found, Proposal) or "abort" not in after(found).partition("def show")[2]


@pytest.mark.parametrize(
    ("head", "call"),
    [("", "storage.read_json(path)"), ("import pandas as pd\n", "pd.read_pickle(path)"), ("import spark as pd\n", "pd.read_csv(path)")],
)  # fmt: skip
def test_only_what_gives_a_table_stands_for_an_empty_one(tmp_path: Path, head: str, call: str) -> None:
    source = f"{head}\n\ndef cached(storage, path='cache.csv'):\n    table = {call}\n    return table\n"
    found = proposed(tmp_path, "missing-file", source, "table =", NO_FILE)
    assert not isinstance(found, Proposal) or "DataFrame" not in after(found)


def test_a_table_of_pandas_is_an_empty_one(tmp_path: Path) -> None:
    source = "import pandas as pd\n\n\ndef load_cache():\n    table = pd.read_csv('cache.csv')\n    return table\n"
    assert "return pd.DataFrame()" in after(proposed(tmp_path, "missing-file", source, "read_csv", NO_FILE))


@pytest.mark.parametrize(
    "line",
    [
        "return {'name': path, 'size': sftp.stat(path).st_size}",
        "sftp.unlink(path)",
        "return sftp.open(path).read()",
        "s3_client.download(path, 'here')",
    ],
)
def test_another_machines_files_are_not_looked_for_here(tmp_path: Path, line: str) -> None:
    source = f"def f(sftp, s3_client, path):\n    {line}\n"
    found = proposed(tmp_path, "missing-file", source, line, NO_FILE)
    assert not isinstance(found, Proposal) or "exists" not in after(found)


def test_a_size_that_is_given_to_something_else_is_not_none(tmp_path: Path) -> None:
    source = "import os\n\n\ndef f(p, bar):\n    with bar(total=os.path.getsize(p)) as one:\n        one.go()\n"
    found = proposed(tmp_path, "missing-file", source, "getsize", NO_FILE)
    assert not isinstance(found, Proposal) or "None" not in after(found)


def test_what_is_below_a_node_is_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "def f(a):\n    b = [lambda: a, a]\n    def g():\n        return b\n    class C:\n        c = a\n    return g\n"
    )
    module = Module("app.py", source.encode())
    function = module.nodes(intent.cst.FunctionDef)[0]
    names = [one.value for one in intent.own_nodes(function.body, intent.cst.Name)]
    assert names == ["b", "a", "g"]
    monkeypatch.setattr(intent.cst.CSTNode, "children", property(lambda _self: pytest.fail("walked anew")))
    assert [one.value for one in intent.own_nodes(function.body, intent.cst.Name)] == names
    assert len(intent.own_nodes(function.body, intent.cst.Return)) == 1
