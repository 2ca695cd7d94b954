"""Where a distribution is declared: a setup.cfg without a list yet, and what libraries import for the project."""

from __future__ import annotations

from pathlib import Path

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

CFG = "[metadata]\nname = app\n\n[options]\npackages = find:\n\n[flake8]\nmax-line-length = 99\n"


def proposed(root: Path, files: dict[str, str], code: str, module: str) -> Proposal | Declined:
    return told(root, "missing-import", f"{code}\n", 1, f"ModuleNotFoundError: No module named '{module}'", files)


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
