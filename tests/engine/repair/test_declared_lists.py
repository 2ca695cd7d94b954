"""Where a distribution is declared: a setup.cfg without a list yet, and what libraries import for the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord, Frame
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


def after(root: Path, files: dict[str, str], code: str = "import tqdm", module: str = "tqdm") -> dict[str, str]:
    found = proposed(root, files, code, module)
    assert isinstance(found, Proposal), found
    return {one.path: one.after.decode() for one in found.edits}


def setup(listed: str, more: str = "") -> str:
    return f"from setuptools import setup\n\nsetup(\n    name='app',\n    install_requires={listed},\n{more})\n"


@pytest.mark.parametrize(
    ("listed", "made"),
    [
        (
            "[\n        'numpy',  # arrays\n        'scipy',\n    ]",
            "[\n        'numpy',  # arrays\n        'scipy',\n        'tqdm',\n    ]",
        ),
        (
            "[\n        'torch',  # nets\n        'scipy',  # maths\n    ]",
            "[\n        'torch',  # nets\n        'scipy',  # maths\n        'tqdm',\n    ]",
        ),
        (
            "[\n        'torch',\n        'scipy'  # maths\n    ]",
            "[\n        'torch',\n        'scipy',  # maths\n        'tqdm'\n    ]",
        ),
        (
            "[\n        'scipy',  # maths\n        'zarr',\n    ]",
            "[\n        'scipy',  # maths\n        'tqdm',\n        'zarr',\n    ]",
        ),
        (
            "[\n        'torch',\n        'scipy',\n        # 'jax'\n    ]",
            "[\n        'torch',\n        'scipy',\n        'tqdm',\n        # 'jax'\n    ]",
        ),
        ("['torch', 'scipy']", "['torch', 'scipy', 'tqdm']"),
    ],
)
def test_comments_stay_with_what_they_stand_beside(tmp_path: Path, listed: str, made: str) -> None:
    assert after(tmp_path, {"setup.py": setup(listed)}) == {"setup.py": setup(made)}


def test_a_pipfile_that_installs_the_project_itself_says_nothing_of_what_that_needs(tmp_path: Path) -> None:
    pipfile = '[packages]\napp = {editable = true, path = "."}\n\n[dev-packages]\npytest = "*"\n'
    cfg = CFG.replace("packages = find:\n", "packages = find:\ninstall_requires =\n    numpy\n")
    changed = after(tmp_path, {"Pipfile": pipfile, "setup.cfg": cfg})
    assert list(changed) == ["setup.cfg"] and "    numpy\n    tqdm\n" in changed["setup.cfg"]
    alone = after(tmp_path / "b", {"Pipfile": pipfile.replace(', path = "."', ', path = "lib"')})
    assert list(alone) == ["Pipfile"]


def test_a_list_on_one_line_gets_a_line_for_each(tmp_path: Path) -> None:
    cfg = CFG.replace("packages = find:\n", "packages = find:\ninstall_requires = numpy>=1\n")
    assert "install_requires =\n    numpy>=1\n    tqdm\n\n" in after(tmp_path, {"setup.cfg": cfg})["setup.cfg"]


POETRY = '[tool.poetry]\nname = "app"\n\n[tool.poetry.dependencies]\npython = "^3.8"\n\n'


@pytest.mark.parametrize(
    ("files", "path", "made"),
    [
        ({"test/requirements.txt": "nose\n", "setup.py": setup("['a']")}, "test/requirements.txt", "nose\nresponses\n"),
        (
            {"setup.py": setup("['a']", "    extras_require={'test': ['b']},\n")},
            "setup.py",
            "'test': ['b', 'responses']",
        ),
        ({"setup.py": setup("['a']")}, "setup.py", "tests_require=['responses']"),
        (
            {"pyproject.toml": POETRY + '[tool.poetry.dev-dependencies]\npytest = "*"\n'},
            "pyproject.toml",
            'pytest = "*"\nresponses = "*"\n',
        ),
        (
            {"pyproject.toml": '[project]\nname = "app"\n\n[tool.uv]\ndev-dependencies = ["pytest"]\n'},
            "pyproject.toml",
            '["pytest", "responses"]',
        ),
        (
            {"pyproject.toml": '[project]\nname = "app"\n\n[tool.pdm.dev-dependencies]\ntest = ["pytest"]\n'},
            "pyproject.toml",
            'test = ["pytest", "responses"]',
        ),
    ],
)
def test_what_tests_import_is_declared_for_tests(tmp_path: Path, files: dict[str, str], path: str, made: str) -> None:
    for name, text in {**files, "tests/test_web.py": "import responses\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    frame = Frame(str(tmp_path / "tests/test_web.py"), 1, "<module>", "import responses")
    record = ErrorRecord("ModuleNotFoundError", "No module named 'responses'", (frame,))
    case = Case(Folder(tmp_path), "g", [record], "tests/test_web.py", frame, 1, b"import responses\n")
    found = built_in("missing-import").propose(case)
    assert isinstance(found, Proposal), found
    assert [one.path for one in found.edits] == [path] and made in found.edits[0].after.decode()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("webdataset", "webdataset"),
        ("punctuators", "punctuators"),
        ("turbojpeg", "PyTurboJPEG"),
        ("ot", "POT"),
        ("nrrd", "pynrrd"),
        ("torch_pruning", "torch-pruning"),
    ],
)
def test_well_known_modules_of_images_sound_and_models_are_known(tmp_path: Path, module: str, name: str) -> None:
    changed = after(tmp_path, {"requirements.txt": "zarr\n"}, f"import {module}", module)
    assert changed == {"requirements.txt": f"zarr\n{name}\n"}


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": setup("open('./requirements/core.txt').read().split()"), "requirements/core.txt": "numpy\n"},
        {
            "pyproject.toml": '[project]\nname = "app"\ndynamic = ["dependencies"]\n\n[tool.setuptools.dynamic]\n'
            'dependencies = {file = ["deps.txt"]}\n',
            "deps.txt": "numpy\n",
        },
        {
            "setup.py": "from setuptools import setup\n\n\ndef needs():\n    with open('reqs.txt') as file:\n"
            "        return file.read().split()\n\n\nsetup(name='app', install_requires=needs())\n",
            "reqs.txt": "numpy\n",
        },
        {
            "setup.py": "from setuptools import setup\n\nwith open('requirements_core.txt') as file:\n"
            "    needs = file.read().split()\n\nsetup(name='app', install_requires=needs)\n",
            "requirements_core.txt": "numpy\n",
        },
        {
            "setup.cfg": "[metadata]\nname = app\n\n[options]\ninstall_requires = file: requirements/core.txt\n",
            "requirements/core.txt": "numpy\n",
        },
    ],
)
def test_a_list_of_another_name_is_found_where_what_is_built_reads_it(tmp_path: Path, files: dict[str, str]) -> None:
    path = list(files)[1]
    assert after(tmp_path, files) == {path: "numpy\ntqdm\n"}
    (tmp_path / path).unlink()
    found = proposed(tmp_path, {**files, path: "numpy\ntqdm\n"}, "import tqdm", "tqdm")
    assert isinstance(found, Declined) and "declared already" in found.reason


@pytest.mark.parametrize(
    ("more", "other"),
    [
        pytest.param(
            "    package_data={'': ['data/word_frequency.txt']},\n", "data/word_frequency.txt", id="frequency"
        ),
        pytest.param("    data_files=['depth_units.txt'],\n", "depth_units.txt", id="depth"),
        pytest.param(
            "    extras_require={'docs': open('docs/requirements.txt').read().split()},\n",
            "docs/requirements.txt",
            id="the docs' own",
        ),
    ],
)
@pytest.mark.parametrize("listed", ["[]", "['numpy']"])
def test_no_other_file_that_setup_names_is_written_to(tmp_path: Path, more: str, other: str, listed: str) -> None:
    before = setup(listed, more)
    changed = after(tmp_path, {"setup.py": before, other: "of 50\n"})
    assert changed == {"setup.py": before.replace(listed, f"[{listed[1:-1]}{', ' * (listed != '[]')}'tqdm']", 1)}
    bare = before.replace(f"    install_requires={listed},\n", "")
    assert list(after(tmp_path, {"setup.py": bare, other: "of 50\n"})) == ["setup.py"]


def test_a_list_that_is_written_out_is_the_one_place_for_it(tmp_path: Path) -> None:
    files = {"setup.py": setup("['numpy'] + open('reqs.txt').read().split()"), "reqs.txt": "scipy\n"}
    assert list(after(tmp_path, files)) == ["setup.py"]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("from serpapi import GoogleSearch", "google-search-results"),
        ("from serpapi import Client", "serpapi"),
        ("import serpapi", None),
    ],
)
def test_of_two_distributions_of_one_module_what_is_imported_tells(tmp_path: Path, code: str, name: str | None) -> None:
    found = proposed(tmp_path, {"requirements.txt": "zarr\n"}, code, "serpapi")
    made = found.edits[0].after.decode() if isinstance(found, Proposal) else None
    assert made == (f"zarr\n{name}\n" if name else None)


def test_a_folder_of_lists_has_the_one_that_what_is_built_reads_by_its_name(tmp_path: Path) -> None:
    script = (
        "import os\nfrom setuptools import setup\n\nrequirements = {}\nfor file in os.listdir('requirements'):\n"
        "    requirements[file[:-4]] = open('requirements/' + file).read().split()\n"
        "install_requires = requirements['install']\nsetup(name='app', install_requires=install_requires)\n"
    )
    files = {"setup.py": script, "requirements/install.txt": "torch\n", "requirements/all.txt": "numpy\n"}
    assert after(tmp_path, files) == {"requirements/install.txt": "torch\ntqdm\n"}
