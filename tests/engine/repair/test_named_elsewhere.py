"""What a missing module's distribution is called, by the words of the error and by what the project says elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.imports.distributions import DISTRIBUTIONS, distribution_of
from engine.repair.patterns.imports.named_elsewhere import named_elsewhere
from engine.repair.patterns.imports.same_named import same_named
from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told_or_unknown


def proposed(root: Path, kind: str, message: str, code: str, files: dict[str, str]) -> Proposal | Declined | None:
    return told_or_unknown(root, "missing-import", f"{code}\n", 1, f"{kind}: {message}", files)


@pytest.mark.parametrize(
    ("kind", "message", "code", "added"),
    [
        ("ImportError", "No module named 'decorator'", "import decorator", "decorator"),
        ("ImportError", "No module named decorator", "import decorator", "decorator"),
        ("ImportError", "No module named skimage.io", "import skimage.io", "scikit-image"),
        ("ModuleNotFoundError", "No module named 'optax'", "import optax", "optax"),
        ("ModuleNotFoundError", "No module named 'ml_collections'", "import ml_collections", "ml-collections"),
        ("ModuleNotFoundError", "No module named 'haiku'", "import haiku as hk", "dm-haiku"),
        ("ModuleNotFoundError", "No module named 'roifile'", "from roifile import ImagejRoi", "roifile"),
        ("ModuleNotFoundError", "No module named 'sentry_sdk'", "import sentry_sdk", "sentry-sdk"),
    ],
)
def test_both_types_and_both_spellings_say_the_same(
    tmp_path: Path, kind: str, message: str, code: str, added: str
) -> None:
    found = proposed(tmp_path, kind, message, code, {"requirements.txt": "click\n"})
    assert isinstance(found, Proposal) and found.edits[0].after.decode().split() == ["click", added]
    assert found.applicability == "review"


@pytest.mark.parametrize(
    ("kind", "message", "code"),
    [
        ("ImportError", "No module named 'skimage.gone'", "import skimage.gone"),
        ("ImportError", "No module named ConfigParser", "import ConfigParser"),
        ("ImportError", "cannot import name 'x' from 'numpy'", "from numpy import x"),
        ("ImportError", "numpy failed: No module named numpy.core", "import numpy"),
        ("ImportError", "No module named zzyzx", "import zzyzx"),
    ],
)
def test_other_import_errors_are_left_alone(tmp_path: Path, kind: str, message: str, code: str) -> None:
    found = proposed(tmp_path, kind, message, code, {"requirements.txt": "configparser\n"})
    assert not isinstance(found, Proposal)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements-dev.in", "zzy-zx>=1\n"),
        ("docs/requirements.txt", "zzy_zx\n"),
        ("environment.yml", "dependencies:\n  - pip:\n    - zzy-zx==2\n"),
        ("tox.ini", "[testenv]\ndeps =\n    pytest\n    py38: zzy-zx\ncommands = pytest\n"),
        (".github/workflows/ci.yml", "steps:\n  - run: python -m pip install pytest zzy-zx==1.0\n"),
        ("README.md", "First `pip install -U zzy-zx` it.\n"),
        ("Dockerfile", "RUN pip3 install --no-cache-dir \\\n    numpy \\\n    'zzy-zx>=1'\n"),
        ("Pipfile", '[dev-packages]\nzzy_zx = "*"\n'),
        ("pyproject.toml", '[project]\nname = "x"\n[project.optional-dependencies]\nall = ["zzy_zx[fast]"]\n'),
    ],
)
def test_a_name_that_the_project_installs_elsewhere_is_known(tmp_path: Path, path: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert named_elsewhere(Folder(tmp_path), "zzy_zx") == "zzy-zx"
    assert named_elsewhere(Folder(tmp_path), "zzy") is None


def test_a_name_in_prose_alone_is_not(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("zzyzx is nice.\npip install numpy; python zzyzx\n", encoding="utf-8")
    assert named_elsewhere(Folder(tmp_path), "zzyzx") is None


def test_it_is_added_where_the_readme_names_it(tmp_path: Path) -> None:
    files = {"requirements.txt": "click\n", "README.md": "pip install zzyzx\n"}
    found = proposed(tmp_path, "ModuleNotFoundError", "No module named 'zzyzx'", "import zzyzx", files)
    assert isinstance(found, Proposal) and found.edits[0].after == b"click\nzzyzx\n"


def test_names_that_are_likely_a_projects_own_are_not_in_the_map() -> None:
    assert len(DISTRIBUTIONS) > 2000
    assert not {"dataset", "records", "utils", "config", "tree", "bpy", "maya"} & set(DISTRIBUTIONS)
    assert distribution_of("google.cloud.speech") == "google-cloud-speech"


def test_a_widely_used_name_is_told_to_be_known_by_its_name_alone(tmp_path: Path) -> None:
    fix = proposed(tmp_path, "ModuleNotFoundError", "No module named 'roifile'", "import roifile", {})
    assert isinstance(fix, Proposal)
    assert fix.applicability == "review" and "by its name alone" in fix.why


def test_a_widely_used_name_that_is_nearly_one_of_the_project_s_own_is_taken_for_a_slip(tmp_path: Path) -> None:
    fix = proposed(tmp_path, "ModuleNotFoundError", "No module named 'roifile'", "import roifile", {"roifiles.py": ""})
    assert isinstance(fix, Declined)
    assert "is roifiles meant?" in fix.reason


@pytest.mark.parametrize(
    "name", ["utils", "config", "models", "helpers", "trainer", "maya", "bpy", "dedupe", "visions"]
)
def test_what_projects_call_modules_of_their_own_is_not_known_by_its_name(name: str) -> None:
    assert same_named(name) is None


def test_nothing_is_known_twice() -> None:
    assert [name for name in DISTRIBUTIONS if same_named(name)] == []
