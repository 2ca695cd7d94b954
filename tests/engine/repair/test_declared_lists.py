"""Where a distribution is declared: a setup.cfg without a list yet, and what libraries import for the project."""

from __future__ import annotations

from pathlib import Path

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord, Frame

CFG = "[metadata]\nname = app\n\n[options]\npackages = find:\n\n[flake8]\nmax-line-length = 99\n"


def proposed(root: Path, files: dict[str, str], code: str, module: str) -> Proposal | Declined:
    for name, text in {**files, "app.py": code + "\n"}.items():
        (root / name).write_text(text, encoding="utf-8")
    frame = Frame(str(root / "app.py"), 1, "<module>", code)
    record = ErrorRecord("ModuleNotFoundError", f"No module named '{module}'", (frame,))
    case = Case(Folder(root), "g", [record], "app.py", frame, 1, (code + "\n").encode())
    return built_in("missing-import").propose(case)


def test_a_setup_cfg_without_a_list_gets_one(tmp_path: Path) -> None:
    bare = "from setuptools import setup\n\nsetup()\n"
    found = proposed(tmp_path, {"setup.cfg": CFG, "setup.py": bare}, "import yaml", "yaml")
    assert isinstance(found, Proposal) and [one.path for one in found.edits] == ["setup.cfg"]
    text = found.edits[0].after.decode()
    assert "packages = find:\ninstall_requires =\n    PyYAML\n\n[flake8]\n" in text
    called = bare.replace("setup()", "setup(**options)")
    assert isinstance(proposed(tmp_path, {"setup.cfg": CFG, "setup.py": called}, "import yaml", "yaml"), Declined)
    tools = CFG.replace("[options]", "[options.extras_require]")
    assert isinstance(proposed(tmp_path, {"setup.cfg": tools, "setup.py": bare}, "import yaml", "yaml"), Declined)


def test_what_a_library_imports_by_itself_is_declared_where_it_is_known(tmp_path: Path) -> None:
    code = "from torch.utils.tensorboard import SummaryWriter"
    found = proposed(tmp_path, {"requirements.txt": "torch\n"}, code, "tensorboard")
    assert isinstance(found, Proposal) and found.edits[0].after == b"torch\ntensorboard\n"
    assert isinstance(proposed(tmp_path, {"requirements.txt": "torch\n"}, code, "attrs"), Declined)
