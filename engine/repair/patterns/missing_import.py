"""A third-party module that is imported and nowhere declared: declare its distribution where the project does that.

Evidence: a ModuleNotFoundError at an import, an ImportError that says the same (as Python up to 3.5 does), or a
library's 'Missing optional dependency'. The distribution comes from a curated map (`distributions.py`), from the
project, where it names one in another place (`named_elsewhere.py`), or from a list of widely used ones that are called
as their module (`same_named.py`): an unknown name, or one that is nearly a module of the project's, is never guessed.
The project's own modules, those of Python, optional imports and what is declared already are left alone. Nothing is
installed.

    before    requirements.txt: numpy
    after     requirements.txt: numpy, opencv-python-headless
"""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.imports import conda
from engine.repair.patterns.imports.declared import Declared
from engine.repair.patterns.imports.distributions import DISTRIBUTIONS, distribution_of, equivalents
from engine.repair.patterns.imports.named_elsewhere import named_elsewhere
from engine.repair.patterns.imports.same_named import same_named
from engine.repair.patterns.pattern import Case, Declined, FileEdit, Project, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.expected import is_test_file
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import dotted, last_name, text_of, walk
from engine.repair.record import ErrorRecord

MISSING = re.compile(r"No module named '?(?P<module>[\w.]+)'?(?P<rest>[^\n]*)")
OPTIONAL = re.compile(r"Missing optional dependency '(?P<module>[\w.-]+)'")
BY_LIBRARIES = frozenset(
    (
        *("openpyxl", "xlrd", "lxml", "html5lib", "tables", "pyarrow", "xlsxwriter", "jinja2", "sqlalchemy"),
        *("tensorboard", "tensorboardX", "sentencepiece", "scipy", "matplotlib", "tabulate", "h5py", "pycocotools"),
        *("psycopg2", "MySQLdb", "pymysql", "asyncpg", "aiosqlite", "redis", "multipart", "socks"),
    )
)
ON_PURPOSE = ("ImportError", "ModuleNotFoundError")
NAMESPACE_TOPS = ("google", "azure", "ruamel", "snowflake")
REMOVED = (  # from Python 3.12 and 3.13, and earlier
    "asynchat asyncore distutils imp smtpd aifc audioop cgi cgitb chunk crypt imghdr mailcap msilib nis nntplib "
    "ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib lib2to3 formatter parser symbol binhex macpath"
)


class MissingImport:
    """Declare the distribution of a third-party module that is imported."""

    id = "missing-import"
    title = "declare third-party modules that are imported"

    def recognises(self, record: ErrorRecord) -> bool:
        """A module that is not there, by either type, or a library's word for an optional one."""
        if record.type not in ON_PURPOSE:
            return False
        if record.type == "ImportError" and OPTIONAL.search(record.message):
            return True
        found = MISSING.search(record.message)
        return found is not None and (record.type == "ModuleNotFoundError" or found.start() == 0)

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
        trail = Trail(case, to_read=True)  # what is edited is where the project declares things
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
        whole = record.type == "ImportError" and "'" not in record.message  # Python 2 names all of what is not there
        if "." in module and not whole and not spelled_namespace(spelled):
            return self._declined(f"{top} is installed: it has no {module.partition('.')[2]} in this version")
        known = next((one for name in (*spelled, module) if (one := distribution_of(name))), None)
        if known is None and top not in NAMESPACE_TOPS and top.lower() not in sys.stdlib_module_names:
            known = named_elsewhere(case.project, top)
        if known is not None:
            return known
        modules = _modules(case.project)
        if not difflib.get_close_matches(top, modules, 1, 0.8) and (known := same_named(top)):
            return known
        near = difflib.get_close_matches(top, [*DISTRIBUTIONS, *modules], 1, 0.8)
        return self._declined(f"{top} is not known" + (f": is {near[0]} meant?" if near else ""))

    # -- where it is declared -------------------------------------------------------------------------------------

    def _declared(self, case: Case, name: str) -> Proposal | Declined:
        folder = PurePosixPath(case.path).parent
        for base in (folder, *folder.parents):
            where = "" if str(base) == "." else f"{base}/"
            found = Declared(case.project, where)
            if not found.files:
                continue
            already = next((f"{path} as {one}" for path, one in found.names() if one in equivalents(name)), None)
            if already:
                edit = found.only_in_the_other(name)
                if edit is not None:
                    there = already.partition(" as ")[0]
                    said = f"{case.path} imports it, {there} declares it and {edit.path} does not"
                    return self._added([edit], name, said)
                return self._declined(f"it is declared already in {already}: it is not installed here")
            edits = found.add(name, for_tests=is_test_file(case.path) or "tests" in folder.parts)
            return self._added(edits, name, f"{case.path} imports it and nothing declares it")
        environment = next((one for one in conda.FILES if case.project.read(one) is not None), None)
        source = case.project.read(environment) if environment is not None else None
        if environment is not None and source is not None:
            if conda.names_in(source) & equivalents(name):
                return self._declined(f"it is declared already in {environment}: it is not installed here")
            edits = [FileEdit(environment, source, conda.add_for_pip(environment, source, name))]
            return self._added(edits, name, f"{case.path} imports it and nothing declares it")
        edits = [FileEdit("requirements.txt", None, name.encode() + b"\n")]
        return self._added(edits, name, f"{case.path} imports it and nothing declares it")

    def _added(self, edits: list[FileEdit], name: str, found: str) -> Proposal | Declined:
        if not edits:
            return self._declined("the project declares what it needs in a form that is not known")
        places = ", ".join(one.path for one in edits)
        why = f"{found}: {name} is added to {places}; nothing is installed"
        if name not in DISTRIBUTIONS.values() and same_named(name.replace("-", "_")):
            why += ". It is known by its name alone: look whether it is the one that is meant"
        return Proposal(self.id, "declare", tuple(edits), first_changed_line(edits[0]), "review", why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


def spelled_namespace(spelled: tuple[str, ...]) -> bool:
    """Whether one of the names imported lies in a package that several distributions share."""
    return any(name.partition(".")[0] in NAMESPACE_TOPS for name in spelled)


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


PATTERN = MissingImport()
