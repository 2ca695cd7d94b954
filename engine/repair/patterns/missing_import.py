"""A third-party module that is imported and nowhere declared: declare its distribution where the project does that.

Evidence: a ModuleNotFoundError at an import (or a library's 'Missing optional dependency'). The distribution comes from
a curated map (`distributions.py`): an unknown name is never guessed. The project's own modules, those of Python,
optional imports and what is declared already are left alone. Nothing is installed.

    before    requirements.txt: numpy
    after     requirements.txt: numpy, opencv-python-headless
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import libcst as cst

from engine.repair.patterns import declarations
from engine.repair.patterns.distributions import DISTRIBUTIONS, distribution_of, equivalents, normalised
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.expected import is_test_file
from engine.repair.patterns.pattern import Case, Declined, FileEdit, Project, Proposal
from engine.repair.patterns.sites import Trail
from engine.repair.patterns.syntax import dotted, last_name, text_of, walk
from engine.repair.record import ErrorRecord

MISSING = re.compile(r"No module named '?(?P<module>[\w.]+)'?(?P<rest>[^\n]*)")
OPTIONAL = re.compile(r"Missing optional dependency '(?P<module>[\w.-]+)'")
BY_LIBRARIES = frozenset(
    ("openpyxl", "xlrd", "lxml", "html5lib", "tables", "pyarrow", "xlsxwriter", "jinja2", "sqlalchemy")
)
ON_PURPOSE = ("ImportError", "ModuleNotFoundError")
REMOVED = (  # from Python 3.12 and 3.13, and earlier
    "asynchat asyncore distutils imp smtpd aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib "
    "ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib lib2to3 formatter parser symbol binhex macpath"
)
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
GROUPS = ("dev", "test", "tests", "testing")


class MissingImport:
    """Declare the distribution of a third-party module that is imported."""

    id = "missing-import"
    title = "declare third-party modules that are imported"

    def recognises(self, record: ErrorRecord) -> bool:
        """A ModuleNotFoundError, or a library's word for an optional one."""
        if record.type == "ModuleNotFoundError":
            return MISSING.search(record.message) is not None
        return record.type == "ImportError" and OPTIONAL.search(record.message) is not None

    def propose(self, case: Case) -> Proposal | Declined:
        """The declaration, or the reason why there is none."""
        try:
            name = self._distribution(case)
            return name if isinstance(name, Declined) else self._declared(case, name)
        except NotEditable as error:
            return self._declined(error.reason)

    # -- which distribution ---------------------------------------------------------------------------------------

    def _distribution(self, case: Case) -> str | Declined:
        record = case.records[0]
        optional = OPTIONAL.search(record.message)
        found = optional or MISSING.search(record.message)
        if found is None:
            return self._declined("the message does not name a module")
        module = found["module"].replace("-", "_") if optional else found["module"]
        top = module.partition(".")[0]
        if not optional and "is not a package" in found["rest"]:
            return self._declined(f"{top} is there but is no package: another file of that name hides it")
        own = _own(case.project, top)
        if own:
            return self._declined(f"{top} is the project's own ({own}): the import or the path is wrong")
        if top in sys.stdlib_module_names or top in REMOVED.split():
            return self._declined(f"{top} belongs to Python itself, in another version or on another system")
        trail = Trail(case)
        caught = trail.caught(ON_PURPOSE)
        if caught:
            return self._declined(f"it is caught on purpose by {caught}")
        here = trail.statement(trail.last)
        if here is None:
            return self._declined("the line that failed is no longer there")
        spelled = _imported(here[1], top)
        if not spelled and not optional and top not in BY_LIBRARIES:
            return self._declined(f"the line does not import {top} by name")
        if _is_optional(*here):
            return self._declined(f"{top} is optional here: the code goes on without it")
        if "." in module and not spelled_namespace(spelled):
            return self._declined(f"{top} is installed: it has no {module.partition('.')[2]} in this version")
        known = next((one for name in (*spelled, module) if (one := distribution_of(name))), None)
        if known is None:
            near = difflib.get_close_matches(top, [*DISTRIBUTIONS, *_modules(case.project)], 1, 0.8)
            return self._declined(f"{top} is not known" + (f": is {near[0]} meant?" if near else ""))
        return known

    # -- where it is declared -------------------------------------------------------------------------------------

    def _declared(self, case: Case, name: str) -> Proposal | Declined:
        folder = PurePosixPath(case.path).parent
        for base in (folder, *folder.parents):
            where = "" if str(base) == "." else f"{base}/"
            found = _Declarations(case.project, where)
            if not found.files:
                continue
            already = next((f"{path} as {one}" for path, one in found.names() if one in equivalents(name)), None)
            if already:
                return self._declined(f"it is declared already in {already}: it is not installed here")
            return self._added(
                found.add(name, for_tests=is_test_file(case.path) or "tests" in folder.parts), name, case
            )
        if case.project.read("environment.yml") is not None or case.project.read("environment.yaml") is not None:
            return self._declined("the project declares what it needs for conda")
        return self._added([FileEdit("requirements.txt", None, name.encode() + b"\n")], name, case)

    def _added(self, edits: list[FileEdit], name: str, case: Case) -> Proposal | Declined:
        if not edits:
            return self._declined("the project declares what it needs in a form that is not known")
        places = ", ".join(one.path for one in edits)
        why = f"{case.path} imports it and nothing declares it: {name} is added to {places}; nothing is installed"
        return Proposal(self.id, "declare", tuple(edits), first_changed_line(edits[0]), "review", why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


class _Declarations:
    """What a folder's files declare."""

    def __init__(self, project: Project, where: str) -> None:
        self.where = where
        self.files: dict[str, bytes] = {}
        for name in (*MAIN, *FOR_TESTS, "pyproject.toml", "Pipfile", "setup.cfg", "setup.py"):
            source = project.read(where + name)
            if source is not None:
                self.files[name] = source
        if "pyproject.toml" in self.files and not (set(self.files) - {"pyproject.toml"}):
            document = declarations.toml(where + "pyproject.toml", self.files["pyproject.toml"])
            if "project" not in document and "poetry" not in document.get("tool", {}):
                self.files.clear()  # settings of tools alone
        self._project = project

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
            for other in re.findall(rb"(?m)^\s*(?:-r|--requirement|-c)\s+(\S+)", source):
                path = str(PurePosixPath(name).parent / other.decode("utf-8", "replace"))
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
            found = declarations.setup_cfg_requires(text)
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
        steps = [self._for_tests] if for_tests else []
        for step in (*steps, self._metadata, self._requirements):
            try:
                made = step(name)
            except NotEditable as error:
                reasons.append(error.reason)
                continue
            if made is not None:
                edits.append(made)
                if step == self._for_tests:
                    break
        if not edits and reasons:
            raise NotEditable("; ".join(reasons))
        return edits

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
        if "Pipfile" in self.files:
            return self._edit(
                "Pipfile", declarations.add_to_table(self.where + "Pipfile", self.files["Pipfile"], "packages", name)
            )
        if "setup.cfg" in self.files and declarations.setup_cfg_requires(
            self.files["setup.cfg"].decode("utf-8", "replace")
        ):
            return self._edit(
                "setup.cfg", declarations.add_to_setup_cfg(self.where + "setup.cfg", self.files["setup.cfg"], name)
            )
        if "setup.py" in self.files:
            module = Module(self.where + "setup.py", self.files["setup.py"])
            if declarations.setup_py_requires(module) is not None:
                return self._edit("setup.py", declarations.add_to_setup_py(module.path, module.source, name))
        return None

    def _requirements(self, name: str) -> FileEdit | None:
        for file in MAIN:
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
        for file in FOR_TESTS:
            if file in self.files:
                return self._edit(file, declarations.add_to_requirements(self.where + file, self.files[file], name))
        return None


def spelled_namespace(spelled: tuple[str, ...]) -> bool:
    """Whether one of the names imported lies in a package that several distributions share."""
    return any(name.partition(".")[0] in ("google", "azure", "ruamel") for name in spelled)


def _imported(statement: cst.CSTNode, top: str) -> tuple[str, ...]:
    """The dotted names that a statement imports below a top-level module, the longest first."""
    names: list[str] = []
    for node in walk(statement):
        if isinstance(node, cst.Import):
            names += [dotted(one.name) for one in node.names]
        elif isinstance(node, cst.ImportFrom) and not node.relative and node.module is not None:
            base = dotted(node.module)
            if not isinstance(node.names, cst.ImportStar):
                names += [f"{base}.{dotted(one.name)}" for one in node.names]
            names.append(base)
        elif isinstance(node, cst.Call) and last_name(node.func) in ("import_module", "__import__") and node.args:
            names.append(text_of(node.args[0].value) or "")
    return tuple(name for name in names if name.partition(".")[0] == top)


def _is_optional(module: Module, statement: cst.CSTNode) -> bool:
    """Whether the code around an import goes on without it: any `except`, a `find_spec`, a version check."""
    inner = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return False
        if isinstance(around, cst.Try) and inner is around.body and around.handlers:
            return True
        if isinstance(around, cst.If) and re.search(
            r"find_spec|version_info|sys\.platform|os\.name|TYPE_CHECKING", module.code(around.test)
        ):
            return True
        inner = around
    return False


def _own(project: Project, top: str) -> str | None:
    """A file or folder of the project that the module's name means."""
    if project.is_first_party(top):
        return f"{top}.py or {top}/"
    for path in project.python_files():
        parts = PurePosixPath(path).with_suffix("").parts
        if top in parts and not is_test_file(path):
            return path
    return None


def _modules(project: Project) -> set[str]:
    return {PurePosixPath(path).with_suffix("").parts[-1] for path in project.python_files()}


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


PATTERN = MissingImport()
