"""Whether a project itself names a module's distribution in another place than the list that lacks it.

A name that no curated map knows is known all the same where the project installs one of that name: in other
requirements, an extra, a conda environment, `tox.ini`, what CI runs, a Dockerfile, or its README's `pip install`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.repair.patterns.imports import conda, declarations
from engine.repair.patterns.imports.declared import FOR_TESTS, MAIN, VARIANTS, Declared
from engine.repair.patterns.imports.distributions import normalised
from engine.repair.patterns.pattern import Project
from engine.repair.patterns.source.edit import NotEditable

_MORE = ("docs/requirements.txt", "doc/requirements.txt", "requirements/docs.txt", "requirements/optional.txt")
_REQUIREMENTS = (*MAIN, *FOR_TESTS, *_MORE, *(f"requirements{mark}{one}.txt" for one in VARIANTS for mark in "-_"))
_WORKFLOWS = "ci test tests testing main build python-package python-app pythonpackage lint publish release"
_COMMANDS = (
    *("README.md", "README.rst", "README.txt", "README", "INSTALL.md", "INSTALL.rst", "docs/install.md", "Makefile"),
    *(
        "Dockerfile",
        "docker/Dockerfile",
        "tox.ini",
        "noxfile.py",
        "install.sh",
        "setup.sh",
        "install.py",
        "install.bat",
    ),
    *(".travis.yml", ".circleci/config.yml", ".gitlab-ci.yml", "appveyor.yml", ".appveyor.yml", "azure-pipelines.yml"),
    *(f".github/workflows/{one}.{end}" for one in _WORKFLOWS.split() for end in ("yml", "yaml")),
)
_INSTALLS = re.compile(r"(?m)\bpip[0-9.]*[\"']?,?[ \t]+[\"']?install\b((?:\\\n|[^\n;&|#`])*)")
_DEPENDENCIES = re.compile(r"(?ms)^deps\s*=(.*?)(?=^\S|\Z)")


def named_elsewhere(project: Project, module: str) -> str | None:
    """The distribution of a module's own name, where the project names it anywhere; None where it does not."""
    wanted = normalised(module)
    return wanted if any(one == wanted for one in _names(project)) else None


def _names(project: Project) -> Iterator[str]:
    try:
        yield from (one for _path, one in Declared(project, "").names())
    except NotEditable:
        pass  # what cannot be read says nothing, and what is written to is read again by then
    for path in _REQUIREMENTS:
        source = project.read(path)
        if source is not None:
            yield from declarations.names_in_requirements(source)
    for path in conda.FILES:
        source = project.read(path)
        if source is not None:
            yield from conda.names_in(source)
    for path in _COMMANDS:
        source = project.read(path)
        if source is not None:
            yield from _installed(path, source.decode("utf-8", "replace"))


def _installed(path: str, text: str) -> Iterator[str]:
    """What `pip install` is given in a text, and what tox installs."""
    for found in _INSTALLS.finditer(text):
        for word in re.split(r"[\s,]+", found[1].replace("\\\n", " ")):
            if name := declarations.requirement_name(word.strip("\"'()[]`")):
                yield name
    if path == "tox.ini":
        for found in _DEPENDENCIES.finditer(text):
            for line in found[1].splitlines():
                if name := declarations.requirement_name(re.sub(r"^\s*[\w{},.-]+:\s*", "", line)):
                    yield name
