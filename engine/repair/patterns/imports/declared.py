"""What a project declares that it needs, file by file, and where one more distribution belongs.

Relies on `declarations` for the text of each kind of file. Reads the project, writes nothing: it hands out edits.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from engine.repair.patterns.imports import declarations, setup_cfg, setup_reads
from engine.repair.patterns.imports.distributions import equivalents, normalised
from engine.repair.patterns.pattern import FileEdit, Project
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.syntax import text_of

MAIN = (
    "requirements.in",
    "requirements.txt",
    "requirements/base.in",
    "requirements/base.txt",
    "requirements/main.txt",
    "requirements/common.txt",
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/requirements.txt",
)
FOR_TESTS = (
    "requirements-dev.in",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "requirements/dev.txt",
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
)
BESIDE_TESTS = ("test/requirements.txt", "tests/requirements.txt", "tests/requirements-test.txt")
GROUPS = ("dev", "test", "tests", "testing")


VARIANTS = ("gpu", "cpu", "cuda", "rocm", "amd", "mac", "macos", "windows", "linux", "docker", "prod", "colab")
_BY_ITS_NAME = re.compile(r"install_requires\s*=\s*\w+\[[\"'](\w+)[\"']\]")
_REQUIREMENTS = re.compile(
    r"(?:\./)?((?:[\w./-]*[/_.-])?(?:requirements|reqs?|deps|dependencies)(?:[/_.-][\w./-]*)?\.(?:txt|in))"
)


class Declared:
    """What a folder's files declare."""

    def __init__(self, project: Project, where: str) -> None:
        self.where = where
        self.files: dict[str, bytes] = {}
        for name in (*MAIN, *FOR_TESTS, "pyproject.toml", "Pipfile", "setup.cfg", "setup.py"):
            source = project.read(where + name)
            if source is not None:
                self.files[name] = source
        self.main = (*MAIN, *self._named_in_setup(project))
        if "pyproject.toml" in self.files and not (set(self.files) - {"pyproject.toml"}):
            document = declarations.toml(where + "pyproject.toml", self.files["pyproject.toml"])
            if "project" not in document and "poetry" not in document.get("tool", {}):
                self.files.clear()  # settings of tools alone
        self._project = project

    def _named_in_setup(self, project: Project) -> list[str]:
        """The requirements files of other names that what is built reads, as `open("requirements/core.txt")`."""
        if any(name in self.files for name in MAIN):
            return []
        named = {one[1] for text in self._read_when_built() if (one := _REQUIREMENTS.fullmatch(text))} - set(FOR_TESTS)
        text = self.files["setup.py"].decode("utf-8", "replace") if "setup.py" in self.files else ""
        if not named and re.search(r"[\"']requirements[\"']", text):  # a folder, each list by its name
            named = {f"requirements/{one}.txt" for one in _BY_ITS_NAME.findall(text)}
        found = {one: source for one in sorted(named) if (source := project.read(self.where + one)) is not None}
        if len(found) != 1:
            return []
        self.files.update(found)
        return list(found)

    def _read_when_built(self) -> Iterator[str]:
        """What stands where the requirements of what is built are read from other files; nothing of a written list."""
        if "setup.py" in self.files:
            module = Module(f"{self.where}setup.py", self.files["setup.py"])
            if declarations.setup_py_requires(module) is None:
                yield from setup_reads.texts(module)
        if "pyproject.toml" in self.files:
            tools = declarations.toml(f"{self.where}pyproject.toml", self.files["pyproject.toml"]).get("tool", {})
            read = tools.get("setuptools", {}).get("dynamic", {}).get("dependencies", {})
            files = read.get("file", ()) if isinstance(read, dict) else ()
            yield from [files] if isinstance(files, str) else files
            hooks = tools.get("hatch", {}).get("metadata", {}).get("hooks", {})
            yield from hooks.get("requirements_txt", {}).get("files", ())
        if "setup.cfg" in self.files:
            found = setup_cfg.requires(self.files["setup.cfg"].decode("utf-8", "replace"))
            for line in found[2] if found is not None else ():
                if line.startswith("file:"):
                    yield from (one.strip() for one in line.removeprefix("file:").split(","))

    def names(self) -> Iterator[tuple[str, str]]:
        """Every declared distribution (normalised) with its file, extras and development's among them."""
        seen: set[str] = set()
        queue = [(name, source) for name, source in self.files.items() if name.endswith((".txt", ".in"))]
        while queue:
            name, source = queue.pop()
            if name in seen:
                continue
            seen.add(name)
            yield from ((self.where + name, one) for one in declarations.names_in_requirements(source))
            for other in declarations.included(source):  # constraints (-c) require nothing
                path = posixpath.normpath(f"{PurePosixPath(name).parent}/{other}")
                more = self._project.read(self.where + path)
                if more is not None:
                    queue.append((path, more))
        for name in ("pyproject.toml", "Pipfile"):
            if name in self.files:
                document = declarations.toml(self.where + name, self.files[name])
                yield from ((self.where + name, normalised(one)) for one in _toml_names(document))
        if "setup.cfg" in self.files:
            text = self.files["setup.cfg"].decode("utf-8", "replace")
            for line in text.splitlines():
                if line[:1] in " \t" and (one := declarations.requirement_name(line)):
                    yield f"{self.where}setup.cfg", one
            found = setup_cfg.requires(text)
            for piece in ";".join(found[2]).split(";") if found else ():
                if one := declarations.requirement_name(piece):
                    yield f"{self.where}setup.cfg", one
        if "setup.py" in self.files:
            module = Module(f"{self.where}setup.py", self.files["setup.py"])
            for literal in module.nodes(cst.SimpleString):
                if (value := text_of(literal)) and "\n" not in value and (one := declarations.requirement_name(value)):
                    yield f"{self.where}setup.py", one

    def add(self, name: str, for_tests: bool) -> list[FileEdit]:
        """The edits that declare a distribution: in what is built, and in the requirements beside it."""
        edits: list[FileEdit] = []
        reasons: list[str] = []
        for step in (self._for_tests, self._requirements) if for_tests else (self._metadata, self._requirements):
            try:
                made = step(name)
            except NotEditable as error:
                if step == self._for_tests:
                    raise  # there is a place for it, and it cannot be written to
                reasons.append(error.reason)
                continue
            if made is not None:
                edits.append(made)
                if step == self._for_tests:
                    break
        if not edits and (reasons or for_tests):
            raise NotEditable("; ".join(reasons) or "the project does not say what its tests need")
        return edits

    def only_in_the_other(self, name: str) -> FileEdit | None:
        """The declaration that lacks in one of two lists that say the same otherwise: what is built, and the
        requirements beside it. None where they are no such pair, or where neither lacks it."""
        built, beside = self._built(), set(self._of_requirements())
        for has, lacks, step in ((built, beside, self._requirements), (beside, built, self._metadata)):
            others = has - equivalents(name)
            shared = others & lacks
            if has & equivalents(name) and not lacks & equivalents(name) and 2 <= len(shared) >= len(others) / 2:
                try:
                    return step(name)
                except NotEditable:
                    return None
        return self._in_a_variant(name, beside)

    def _in_a_variant(self, name: str, beside: set[str]) -> FileEdit | None:
        """The requirements for another machine (`requirements-gpu.txt`) that are as the main ones but for this."""
        for kind in VARIANTS:
            for mark in "-_":
                path = f"{self.where}requirements{mark}{kind}.txt"
                source = self._project.read(path)
                names = declarations.names_in_requirements(source) if source is not None else set()
                shared = (beside - equivalents(name)) & names
                fits = 2 <= len(shared) >= (len(beside) - 1) / 2
                if source is not None and fits and beside & equivalents(name) and not names & equivalents(name):
                    return FileEdit(path, source, declarations.add_to_requirements(path, source, name))
        return None

    def _built(self) -> set[str]:
        """What the distribution that is built from here requires."""
        names: list[str] = []
        if "pyproject.toml" in self.files:
            document = declarations.toml(self.where + "pyproject.toml", self.files["pyproject.toml"])
            names += document.get("project", {}).get("dependencies", [])
            names += document.get("tool", {}).get("poetry", {}).get("dependencies", {})
        if "setup.cfg" in self.files:
            found = setup_cfg.requires(self.files["setup.cfg"].decode("utf-8", "replace"))
            names += found[2] if found else []
        if "setup.py" in self.files:
            items = declarations.setup_py_requires(Module(f"{self.where}setup.py", self.files["setup.py"]))
            return {*filter(None, map(declarations.requirement_name, names))} | (
                declarations.names_in_list(items) if items is not None else set()
            )
        return {*filter(None, map(declarations.requirement_name, names))}

    def _of_requirements(self) -> Iterator[str]:
        """What the main requirements file names, with what it includes."""
        first = next((name for name in MAIN if name in self.files), None)
        seen: set[str] = set()
        queue = [first] if first else []
        while queue:
            name = queue.pop()
            source = self._project.read(self.where + name)
            if name not in seen and source is not None:
                seen.add(name)
                yield from declarations.names_in_requirements(source)
                queue += [
                    posixpath.normpath(f"{PurePosixPath(name).parent}/{o}") for o in declarations.included(source)
                ]

    def _edit(self, file: str, after: bytes) -> FileEdit:
        return FileEdit(self.where + file, self.files[file], after)

    def _metadata(self, name: str) -> FileEdit | None:
        source = self.files.get("pyproject.toml")
        others = set(self.files) - {"pyproject.toml"}
        if source is not None:
            path = self.where + "pyproject.toml"
            document = declarations.toml(path, source)
            project = document.get("project", {})
            poetry = document.get("tool", {}).get("poetry", {})
            elsewhere = others & {*MAIN, "setup.cfg", "setup.py"} or "dependencies" in poetry
            dynamic = "dependencies" in project.get("dynamic", ())
            if "dependencies" in project or (project and not dynamic and not elsewhere):
                return self._edit(
                    "pyproject.toml", declarations.add_to_array(path, source, "project", "dependencies", name)
                )
            if "dependencies" in poetry:
                return self._edit(
                    "pyproject.toml", declarations.add_to_table(path, source, "tool.poetry.dependencies", name)
                )
        if "Pipfile" in self.files and not self._is_for_work_on_itself():
            return self._edit(
                "Pipfile", declarations.add_to_table(self.where + "Pipfile", self.files["Pipfile"], "packages", name)
            )
        if "setup.cfg" in self.files and setup_cfg.requires(self.files["setup.cfg"].decode("utf-8", "replace")):
            return self._edit("setup.cfg", setup_cfg.add(self.where + "setup.cfg", self.files["setup.cfg"], name))
        if self._is_in_setup_cfg():
            after = setup_cfg.add(self.where + "setup.cfg", self.files["setup.cfg"], name)
            return self._edit("setup.cfg", after)
        if "setup.py" in self.files:
            module = Module(self.where + "setup.py", self.files["setup.py"])
            bare = set(self.files) == {"setup.py"} and declarations.is_bare_setup(module)
            if bare or declarations.setup_py_requires(module) is not None:
                return self._edit("setup.py", declarations.add_to_setup_py(module.path, module.source, name))
        return None

    def _is_for_work_on_itself(self) -> bool:
        """Whether a Pipfile installs the project itself, as it stands: what that needs is declared elsewhere."""
        document = declarations.toml(self.where + "Pipfile", self.files["Pipfile"])
        paths = [one.get("path") for one in document.get("packages", {}).values() if isinstance(one, dict)]
        return "." in paths and bool({"setup.cfg", "setup.py"} & set(self.files))

    def _is_in_setup_cfg(self) -> bool:
        """Whether setup.cfg alone says what is built, with no list of what that requires yet."""
        text = self.files.get("setup.cfg", b"").decode("utf-8", "replace")
        if not re.search(r"(?m)^\[options\]", text) or not set(self.files) <= {"setup.cfg", "setup.py"}:
            return False
        script = self.files.get("setup.py")
        return script is None or declarations.is_bare_setup(Module(self.where + "setup.py", script), empty=True)

    def _requirements(self, name: str) -> FileEdit | None:
        for file in self.main:
            source = self.files.get(file)
            if source is not None and not re.fullmatch(rb"\s*(?:-e\s+)?\.(?:\[[\w,]+\])?\s*", source):
                return self._edit(file, declarations.add_to_requirements(self.where + file, source, name))
        return None

    def _for_tests(self, name: str) -> FileEdit | None:
        source = self.files.get("pyproject.toml")
        if source is not None:
            path = self.where + "pyproject.toml"
            document = declarations.toml(path, source)
            for table in ("dependency-groups", "project.optional-dependencies"):
                here: Any = document
                for part in table.split("."):
                    here = here.get(part, {})
                for group in GROUPS:
                    if group in here:
                        return self._edit("pyproject.toml", declarations.add_to_array(path, source, table, group, name))
            groups = document.get("tool", {}).get("poetry", {}).get("group", {})
            for group in GROUPS:
                if "dependencies" in groups.get(group, {}):
                    after = declarations.add_to_table(path, source, f"tool.poetry.group.{group}.dependencies", name)
                    return self._edit("pyproject.toml", after)
            tools = document.get("tool", {})
            if "dev-dependencies" in tools.get("poetry", {}):
                after = declarations.add_to_table(path, source, "tool.poetry.dev-dependencies", name)
                return self._edit("pyproject.toml", after)
            if "dev-dependencies" in tools.get("uv", {}):
                after = declarations.add_to_array(path, source, "tool.uv", "dev-dependencies", name)
                return self._edit("pyproject.toml", after)
            group = next((one for one in GROUPS if one in tools.get("pdm", {}).get("dev-dependencies", {})), "")
            if group:
                after = declarations.add_to_array(path, source, "tool.pdm.dev-dependencies", group, name)
                return self._edit("pyproject.toml", after)
        for file in FOR_TESTS:
            if file in self.files:
                return self._edit(file, declarations.add_to_requirements(self.where + file, self.files[file], name))
        for file in BESIDE_TESTS:
            listed = self._project.read(self.where + file)
            if listed is not None:
                path = self.where + file
                return FileEdit(path, listed, declarations.add_to_requirements(path, listed, name))
        if "setup.py" in self.files:
            module = Module(self.where + "setup.py", self.files["setup.py"])
            for group in GROUPS:
                if declarations.is_extra(module, group):
                    after = declarations.add_to_setup_py(module.path, module.source, name, group)
                    return self._edit("setup.py", after)
            alone = not {*MAIN, "setup.cfg", "pyproject.toml", "Pipfile"} & set(self.files)
            if declarations.setup_py_requires(module, "tests_require") is not None or (
                alone and declarations.is_bare_setup(module, key="tests_require")
            ):
                after = declarations.add_to_setup_py(module.path, module.source, name, "tests_require")
                return self._edit("setup.py", after)
        return None


def _toml_names(document: dict[str, Any]) -> Iterator[str]:
    """Every distribution that a pyproject.toml or Pipfile declares, for whatever use."""
    project = document.get("project", {})
    lists = [project.get("dependencies", []), *project.get("optional-dependencies", {}).values()]
    lists += document.get("dependency-groups", {}).values()
    for listed in lists:
        for one in listed:
            if isinstance(one, str) and (name := declarations.requirement_name(one)):
                yield name
    poetry = document.get("tool", {}).get("poetry", {})
    yield from poetry.get("dependencies", {})
    yield from poetry.get("dev-dependencies", {})
    for group in poetry.get("group", {}).values():
        yield from group.get("dependencies", {})
    yield from document.get("packages", {})
    yield from document.get("dev-packages", {})
