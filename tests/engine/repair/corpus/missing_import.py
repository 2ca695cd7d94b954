# ruff: noqa: E501 - a program is one line of this table
"""Programs that import what nothing declares. The modules are hidden for the run, whatever is installed here."""

from __future__ import annotations

from tests.engine.repair.corpus.program import Program, spared

PRELOAD = ("tomllib", "importlib", "re")
HIDE = """import sys, re, tomllib, pathlib
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == {top!r}:
            raise ModuleNotFoundError("No module named %r" % name, name=name)
sys.meta_path.insert(0, Hidden())
sys.modules.pop({top!r}, None)
"""


def program(
    name: str, code: str, top: str, files: dict[str, str | bytes], after: dict[str, str], **more: object
) -> Program:
    """`code` imports `top`; the files named in `after` must come out as they stand there."""
    place = str(more.pop("place", "app.py"))
    module = place.removesuffix(".py").replace("/", ".")
    check = "import pathlib\n" + "\n".join(
        f"assert pathlib.Path({path!r}).read_bytes() == {text.encode()!r}" for path, text in after.items()
    )
    run = HIDE.format(top=top) + f"import {module}"
    touches = tuple(after)
    return Program(name, {place: code, **files}, check, run=run, after=after, touches=touches, **more)  # type: ignore[arg-type]


def pyproject(lines: str) -> str:
    return f'[project]\nname = "x"  # the name\nversion = "1"\n{lines}\n[tool.ruff]\nline-length = 100\n'


PROGRAMS: list[Program] = [
    program("OpenCV in an ordered file", "import cv2\n", "cv2", {"requirements.txt": "numpy>=1.26\npillow\nrequests==2.31.0\n"}, {"requirements.txt": "numpy>=1.26\nopencv-python-headless\npillow\nrequests==2.31.0\n"}),
    program("Pillow at the end", "from PIL import Image\n", "PIL", {"requirements.txt": "# what it needs\nrequests\nnumpy\n"}, {"requirements.txt": "# what it needs\nrequests\nnumpy\npillow\n"}),
    program("YAML without a last newline", "import yaml\n", "yaml", {"requirements.txt": "requests\nclick"}, {"requirements.txt": "requests\nclick\nPyYAML"}),
    program("scikit-learn with CRLF and a mark", "from sklearn.cluster import KMeans\n", "sklearn", {"requirements.txt": b"\xef\xbb\xbfnumpy\r\npandas\r\n"}, {"requirements.txt": "\ufeffnumpy\r\npandas\r\nscikit-learn\r\n"}),
    program("a constraint requires nothing", "import yaml\n", "yaml", {"requirements.txt": "-c constraints.txt\nnumpy\n", "constraints.txt": "PyYAML==6.0\n"}, {"requirements.txt": "-c constraints.txt\nnumpy\nPyYAML\n"}),
    program("the last requirement goes on in the next line", "import yaml\n", "yaml", {"requirements.txt": "click\nnumpy \\\n  >=1.26\n\n# later\n"}, {"requirements.txt": "click\nnumpy \\\n  >=1.26\nPyYAML\n\n# later\n"}),
    program("tests' own group includes another", "import responses\n", "responses", {"pyproject.toml": pyproject('dependencies = ["click"]\n[dependency-groups]\ndev = ["pytest", {include-group = "lint"}]\nlint = ["ruff"]\n')}, {"pyproject.toml": pyproject('dependencies = ["click"]\n[dependency-groups]\ndev = ["pytest", "responses", {include-group = "lint"}]\nlint = ["ruff"]\n')}, place="test_web.py"),
    program("in one of two lists that say the same otherwise", "import six\n", "six", {"setup.py": "from setuptools import setup\n\nsetup(install_requires=['numpy', 'scipy', 'six'])\n", "requirements.txt": "numpy\nscipy\nmatplotlib\n"}, {"requirements.txt": "numpy\nscipy\nmatplotlib\nsix\n"}),
    program("a list with more behind it", "import yaml\n", "yaml", {"setup.py": "import sys\nfrom setuptools import setup\n\nsetup(install_requires=['click'] + (['colorama'] if sys.platform == 'win32' else []))\n"}, {"setup.py": "import sys\nfrom setuptools import setup\n\nsetup(install_requires=['click', 'PyYAML'] + (['colorama'] if sys.platform == 'win32' else []))\n"}),
    program("a list in what setup is given as a dict", "import yaml\n", "yaml", {"setup.py": "from setuptools import setup\n\nmore = {}\nmore['install_requires'] = ['click']\nsetup(name='x', **more)\n"}, {"setup.py": "from setuptools import setup\n\nmore = {}\nmore['install_requires'] = ['click', 'PyYAML']\nsetup(name='x', **more)\n"}),
    program("a setup that requires nothing yet", "import yaml\n", "yaml", {"setup.py": "from setuptools import setup\n\nsetup(name='x', packages=['x'])\n"}, {"setup.py": "from setuptools import setup\n\nsetup(name='x', packages=['x'], install_requires=['PyYAML'])\n"}),
    program("what setup.py says that its tests need", "import responses\n", "responses", {"setup.py": "from setuptools import setup\n\nsetup(install_requires=['click'], tests_require=['pytest'])\n"}, {"setup.py": "from setuptools import setup\n\nsetup(install_requires=['click'], tests_require=['pytest', 'responses'])\n"}, place="test_web.py"),
    program("a file that is read alone and would not come back byte for byte", "try:\n    x = 1\nexcept Exception :\n    pass\nimport yaml\n", "yaml", {"requirements.txt": "click\n"}, {"requirements.txt": "click\nPyYAML\n"}),
    program("the requirements for another machine", "import tqdm\n", "tqdm", {"requirements.txt": "numpy\nscipy\ntqdm\n", "requirements-gpu.txt": "numpy\nscipy\ntorch\n"}, {"requirements-gpu.txt": "numpy\nscipy\ntorch\ntqdm\n"}),
    program("an environment of conda with a list for pip", "import yaml\n", "yaml", {"environment.yml": "name: x  # here\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - click\n"}, {"environment.yml": "name: x  # here\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - click\n    - PyYAML\n"}),
    program("an environment of conda alone", "import httpx\n", "httpx", {"environment.yml": "dependencies:\n- numpy\n# more\nprefix: /x\n"}, {"environment.yml": "dependencies:\n- numpy\n- pip\n- pip:\n    - httpx\n# more\nprefix: /x\n"}),
    program("an empty file", "import requests\n", "requests", {"requirements.txt": ""}, {"requirements.txt": "requests\n"}),
    program("a list over lines", "import bs4\n", "bs4", {"pyproject.toml": pyproject('dependencies = [\n    "attrs>=23",  # classes\n    "click",\n]\n')}, {"pyproject.toml": pyproject('dependencies = [\n    "attrs>=23",  # classes\n    "beautifulsoup4",\n    "click",\n]\n')}),
    program("a list on one line", "import dateutil.parser as p\n", "dateutil", {"pyproject.toml": pyproject("dependencies = ['requests', 'click[x]>=8']\n")}, {"pyproject.toml": pyproject("dependencies = ['requests', 'click[x]>=8', 'python-dateutil']\n")}),
    program("a list without a last comma", "import dotenv\n", "dotenv", {"pyproject.toml": pyproject('dependencies = [\n  "zlib-ng",\n  "click"\n]\n')}, {"pyproject.toml": pyproject('dependencies = [\n  "zlib-ng",\n  "click",\n  "python-dotenv"\n]\n')}),
    program("an empty list", "import httpx\n", "httpx", {"pyproject.toml": pyproject("dependencies = []\n")}, {"pyproject.toml": pyproject('dependencies = ["httpx"]\n')}),
    program("no list yet", "import httpx\n", "httpx", {"pyproject.toml": pyproject("")}, {"pyproject.toml": '[project]\nname = "x"  # the name\nversion = "1"\ndependencies = ["httpx"]\n\n[tool.ruff]\nline-length = 100\n'}),
    program("Poetry", "import skimage.io\n", "skimage", {"pyproject.toml": '[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\nnumpy = "^1.26"\nrequests = "*"\n\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n'}, {"pyproject.toml": '[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\nnumpy = "^1.26"\nrequests = "*"\nscikit-image = "*"\n\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n'}),
    program("setup.cfg", "import jwt\n", "jwt", {"setup.cfg": "[metadata]\nname = x\n\n[options]\ninstall_requires =\n    requests\n    click>=8\npackages = find:\n"}, {"setup.cfg": "[metadata]\nname = x\n\n[options]\ninstall_requires =\n    requests\n    click>=8\n    PyJWT\npackages = find:\n"}),
    program("setup.py", "import serial\n", "serial", {"setup.py": "from setuptools import setup\n\nsetup(\n    name='x',\n    install_requires=['numpy', 'requests'],\n)\n"}, {"setup.py": "from setuptools import setup\n\nsetup(\n    name='x',\n    install_requires=['numpy', 'pyserial', 'requests'],\n)\n"}),
    program("setup.py with a list of its own", "import git\n", "git", {"setup.py": "from setuptools import setup\n\nREQUIRED = [\n    \"requests\",\n    \"click\",\n]\nsetup(name=\"x\", install_requires=REQUIRED)\n"}, {"setup.py": "from setuptools import setup\n\nREQUIRED = [\n    \"requests\",\n    \"click\",\n    \"GitPython\",\n]\nsetup(name=\"x\", install_requires=REQUIRED)\n"}),
    program("both of them", "import magic\n", "magic", {"pyproject.toml": pyproject('dependencies = ["click"]\n'), "requirements.txt": "click\n"}, {"pyproject.toml": pyproject('dependencies = ["click", "python-magic"]\n'), "requirements.txt": "click\npython-magic\n"}),
    program("dynamic ones", "import zmq\n", "zmq", {"pyproject.toml": pyproject('dynamic = ["dependencies"]\n'), "requirements.txt": "click\n"}, {"requirements.txt": "click\npyzmq\n"}),
    program("a source for pip-compile", "import fitz\n", "fitz", {"requirements.in": "click\n", "requirements.txt": "# This file is autogenerated by pip-compile\nclick==8.1.7\n"}, {"requirements.in": "click\nPyMuPDF\n"}),
    program("in a function", "def f():\n    import pandas as pd\n    return pd\nf()\n", "pandas", {"requirements.txt": "numpy\n"}, {"requirements.txt": "numpy\npandas\n"}),
    program("in a package", "from docx import Document\n", "docx", {"pkg/__init__.py": "", "requirements.txt": "numpy\n"}, {"requirements.txt": "numpy\npython-docx\n"}, place="pkg/read.py"),
    program("a tests' import", "import freezegun\n", "freezegun", {"tests/__init__.py": "", "requirements.txt": "numpy\n", "requirements-dev.txt": "pytest\n"}, {"requirements-dev.txt": "pytest\nfreezegun\n"}, place="tests/test_x.py"),
    program("a tests' extra", "import hypothesis\n", "hypothesis", {"pyproject.toml": pyproject('dependencies = []\n\n[project.optional-dependencies]\ntest = ["pytest"]\n')}, {"pyproject.toml": pyproject('dependencies = []\n\n[project.optional-dependencies]\ntest = ["pytest", "hypothesis"]\n')}, place="test_x.py"),
    program("Pipfile", "import psycopg2\n", "psycopg2", {"Pipfile": '[packages]\nflask = "*"\n\n[dev-packages]\n'}, {"Pipfile": '[packages]\nflask = "*"\npsycopg2-binary = "*"\n\n[dev-packages]\n'}),
    program("a requirements folder", "import imblearn\n", "imblearn", {"requirements/base.txt": "numpy\nscikit-learn\n"}, {"requirements/base.txt": "imbalanced-learn\nnumpy\nscikit-learn\n"}),
    program("by import_module", "import importlib\nm = importlib.import_module('Levenshtein')\n", "Levenshtein", {"requirements.txt": "numpy\n"}, {"requirements.txt": "numpy\nLevenshtein\n"}),
    program("a shared namespace", "from google.cloud import storage\n", "google", {"requirements.txt": "click\n"}, {"requirements.txt": "click\ngoogle-cloud-storage\n"}),
    program("nothing declared yet", "import cv2\n", "cv2", {}, {"requirements.txt": "opencv-python-headless\n"}),
    program("mypy_extensions by its dashes", "from mypy_extensions import TypedDict\n", "mypy_extensions", {"requirements.txt": "click\n"}, {"requirements.txt": "click\nmypy-extensions\n"}),
    program("cached_property in setup.cfg with CRLF", "from cached_property import cached_property\n", "cached_property", {"setup.cfg": b"[options]\r\ninstall_requires =\r\n    attrs\r\n    requests"}, {"setup.cfg": "[options]\r\ninstall_requires =\r\n    attrs\r\n    cached-property\r\n    requests"}),
    program("one requirement in a comment", "import yaml\n", "yaml", {"requirements.txt": "click\n# PyYAML is not needed any more\n"}, {"requirements.txt": "click\n# PyYAML is not needed any more\nPyYAML\n"}),
]  # fmt: skip

R = {"requirements.txt": "numpy\n"}


def log(code: str, module: str, line: int = 1, rest: str = "") -> str:
    return f"Traceback (most recent call last):\n  File \"{{root}}/app.py\", line {line}, in <module>\n    {code}\nModuleNotFoundError: No module named '{module}'{rest}\n"


def other(
    name: str, code: str, module: str, files: dict[str, str | bytes] | None = None, line: int | None = None
) -> Program:
    at = line or next(index for index, text in enumerate(code.splitlines(), 1) if "import" in text or "(" in text)
    return spared(name, code, files={**R, **(files or {})}, log=log(code.splitlines()[at - 1].strip(), module, at))


LOOKALIKES: list[Program] = [
    other("a module of its own, misspelt", "import utills\n", "utills", {"utils.py": ""}),
    other("a module of its own elsewhere", "import helpers\n", "helpers", {"tools/__init__.py": "", "tools/helpers.py": ""}),
    other("its own package under src", "from mypkg import x\n", "mypkg", {"src/mypkg/__init__.py": ""}),
    other("its own yaml", "import yaml\n", "yaml", {"lib/yaml.py": ""}),
    other("its own package with a known name", "import redis.client\n", "redis", {"services/redis/__init__.py": ""}),
    other("its own module's submodule", "import pkg.missing\n", "pkg.missing", {"pkg/__init__.py": ""}),
    other("removed from Python", "import distutils\n", "distutils"),
    other("removed from Python too", "from imp import reload\n", "imp"),
    other("of another system", "import winreg\n", "winreg"),
    other("Python's, on Windows", "import msvcrt\n", "msvcrt"),
    other("built without it", "import _tkinter\n", "_tkinter"),
    other("tkinter", "import tkinter as tk\n", "tkinter"),
    other("sqlite", "import sqlite3\n", "sqlite3"),
    other("Python 2's", "import ConfigParser\n", "ConfigParser"),
    other("Python 2's urllib2", "import urllib2\n", "urllib2"),
    other("unknown", "import zzyzx\n", "zzyzx"),
    other("unknown, close to a known one", "import nunpy as np\n", "nunpy"),
    other("unknown, close to requests", "import request\n", "request"),
    other("only within a program", "import bpy\n", "bpy"),
    other("a company's own", "from acme_core.db import Pool\n", "acme_core"),
    other("optional", "try:\n    import cv2\nexcept ImportError:\n    cv2 = None\n    raise\n", "cv2"),
    other("optional by ModuleNotFoundError", "try:\n    import cupy as xp\nexcept ModuleNotFoundError:\n    import numpy as xp\n", "cupy"),
    other("optional by Exception", "try:\n    import torch\nexcept Exception:\n    torch = None\n", "torch"),
    other("only where found", "from importlib.util import find_spec\nif find_spec('rich'):\n    import rich\n", "rich", line=3),
    other("only for older ones", "import sys\nif sys.version_info < (3, 11):\n    import tomli\n", "tomli", line=3),
    other("declared already", "import yaml\n", "yaml", {"requirements.txt": "pyyaml>=6\n"}),
    other("declared by another name", "import cv2\n", "cv2", {"requirements.txt": "opencv-contrib-python\n"}),
    other("declared in pyproject", "import PIL.Image\n", "PIL", {"requirements.txt": "-e .\n", "pyproject.toml": '[project]\nname = "x"\ndependencies = ["Pillow>=10"]\n'}),
    other("declared as an extra", "def plot():\n    import matplotlib\n", "matplotlib", {"pyproject.toml": '[project]\nname = "x"\ndependencies = []\n[project.optional-dependencies]\nplot = ["matplotlib"]\n'}, line=2),
    other("declared in an included file", "import requests\n", "requests", {"requirements.txt": "-r base.txt\n", "base.txt": "requests\n"}),
    other("declared in setup.cfg", "import attr\n", "attr", {"setup.cfg": "[options]\ninstall_requires =\n    attrs\n"}),
    other("declared by an address", "import httpx\n", "httpx", {"requirements.txt": "git+https://example.org/httpx#egg=httpx\n"}),
    other("declared in a file included in the other way", "import requests\n", "requests", {"requirements.txt": "--requirement=base.txt\n", "base.txt": "requests\n"}),
    other("in one of two lists that have little in common", "import six\n", "six", {"setup.py": "from setuptools import setup\nsetup(install_requires=['numpy', 'scipy', 'attrs', 'six'])\n", "requirements.txt": "numpy\npytest\n"}),
    spared("a test's own need, where nothing says what tests need", "", files={"test_app.py": "import responses\n", "pyproject.toml": pyproject('dependencies = ["click"]\n')}, log=log("import responses", "responses").replace("app.py", "test_app.py")),
    other("an old submodule", "from sklearn.externals import joblib\n", "sklearn.externals"),
    spared("hidden by a file", "import yaml.reader\n", log=log("import yaml.reader", "yaml.reader", 1, "; 'yaml' is not a package")),
    other("by a name only known at run time", "import importlib\nimportlib.import_module(NAME)\n", "numpy", line=2),
    other("checked by hashes", "import yaml\n", "yaml", {"requirements.txt": "click==8.1.7 --hash=sha256:00\n"}),
    other("not UTF-8", "import yaml\n", "yaml", {"requirements.txt": "click\n".encode("utf-16")}),
    spared("raised by hand", "raise ModuleNotFoundError(\"No module named 'yaml'\")\n"),
]  # fmt: skip
