"""Whether a project says that it runs on Python 2 as well, and what patterns write, in words that Python 2 knows."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from string import Formatter
from typing import cast

import libcst as cst

from engine.repair.patterns.pattern import Applicability, Case, Declined, FileEdit, Project, Proposal
from engine.repair.patterns.source.syntax import dotted
from engine.repair.record import ErrorRecord

_SAYS = {
    "setup.py": r"Programming Language :: Python :: 2\b|python_requires\s*=\s*['\"]\s*(?:>=|~=|==)\s*2\b",
    "setup.cfg": r"Programming Language :: Python :: 2\b|python_requires\s*=\s*(?:>=|~=|==)\s*2\b",
    "pyproject.toml": r"Programming Language :: Python :: 2\b|requires-python\s*=\s*['\"]\s*(?:>=|~=|==)\s*2\b",
    "tox.ini": r"\bpy2[67]\b|\bpy\{(?:[\d,\s-]*\b)?2[67]\b",
    ".travis.yml": r"(?m)^\s*(?:-\s*|python:\s*)['\"]?2\.[67]\b",
    ".circleci/config.yml": r"python:2\.7",
}
_SHIMS = re.compile(
    r"\bunicode_literals\b|\bPY2\b|\bPY3\b|^\s*(?:import|from) six\b|"
    r"version_info(?:\[0\]|\.major)? *(?:[<>]=?|[!=]=) *\(?[23]\b(?!, *[1-9])"
    r"(?![^\n:]*:\s*(?:sys\.exit|exit|raise)\b)",
    re.M,
)
_GONE = frozenset(("basestring", "raw_input", "unichr", "xrange"))  # names that Python 2 alone has
_FLOOR = re.compile(
    r"(?:python_requires|requires-python)\s*=\s*['\"]?[^'\"\n]*?(?:>=|~=|==)\s*(\d+)(?:\.(\d+))?|"
    r"^python\s*=\s*['\"](?:\^|>=|~=?)\s*(\d+)(?:\.(\d+))?",
    re.M,
)
_REWRITTEN: tuple[tuple[str, str], ...] = (
    (
        r"^(?P<indent>\s*)os\.makedirs\((?P<path>.+), exist_ok=True\)(?P<end>\s*)$",
        r"\g<indent>if not os.path.isdir(\g<path>):\g<end>\g<indent>    os.makedirs(\g<path>)\g<end>",
    ),
    (r"except OSError:", "except (IOError, OSError):"),
    (r"except FileNotFoundError\b", "except (IOError, OSError)"),  # what opens, and what deletes
    (r"raise FileNotFoundError\(", "raise IOError("),
    (r"\bprint\((?P<said>.+), file=sys\.stderr\)$", r"sys.stderr.write(\g<said> + '\\n')"),
    (r"(raise type\(error\)\(.*\)) from error\b", r"\1"),
)
_FORMATTED = re.compile(r"(?<!\w)f(?P<quote>['\"])(?P<text>(?:(?!(?P=quote))[^\\\n])*)(?P=quote)")
_UNKNOWN = re.compile(
    r"(?<!\w)[fF][rR]?['\"]|:=|\braise .* from |\bprint\(.*file=|\bnonlocal\b|\byield from\b|\bcontextlib\.suppress\b|"
    r"\b(?:from|import) pathlib\b"
)
_ONLY_IF_MISSING = (
    "try:\n    pass\nexcept (IOError, OSError) as error:\n    if error.errno != errno.ENOENT:\n        raise\n"
)
_MADE_BY_PATH = re.compile(
    r"(?m)^(?P<indent>[ \t]*)(?:pathlib\.)?Path\((?P<path>.+)\)(?P<parent>\.parent)?"
    r"\.mkdir\(parents=True, exist_ok=True\)$"
)


def is_for_python_two(project: Project) -> bool:
    """Whether its metadata, tox or CI name Python 2."""
    return any(
        re.search(pattern, source.decode("utf-8", "replace"))
        for path, pattern in _SAYS.items()
        if (source := project.read(path)) is not None
    )


def oldest(project: Project) -> tuple[int, int] | None:
    """The oldest Python that its metadata allow, such as (3, 9); None where they do not say."""
    said = (project.read(path) for path in ("pyproject.toml", "setup.cfg", "setup.py"))
    found = [one for source in said if source and (one := _FLOOR.search(source.decode("utf-8", "replace")))]
    versions = [(int(one[1] or one[3]), int(one[2] or one[4] or 0)) for one in found]
    return min(versions, default=None)


def runs_on_both(project: Project, text: str) -> bool:
    """Whether a file is run by Python 2 as well: the project says so, or its code does and no metadata deny it."""
    if is_for_python_two(project):
        return True
    floor = oldest(project)
    return (floor is None or floor < (3, 0)) and has_shims(text)


def has_shims(text: str) -> bool:
    """Whether a file's own code (not its comments and texts) makes up for what Python 2 and 3 call differently."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    names = [one for one in ast.walk(tree) if isinstance(one, ast.Name) and one.id in _GONE]
    arguments = {one.arg for one in ast.walk(tree) if isinstance(one, ast.arg)}
    bound = {one.id for one in names if isinstance(one.ctx, ast.Store)} | arguments
    if any(isinstance(one.ctx, ast.Load) and one.id not in bound for one in names):
        return True
    for one in ast.walk(tree):
        caught = [each.type for each in one.handlers] if isinstance(one, ast.Try) else []
        if any(isinstance(each, ast.Name) and each.id == "NameError" for each in caught):
            tried = [each for line in cast(ast.Try, one).body for each in ast.walk(line)]
            if any(isinstance(each, ast.Name) and each.id in _GONE for each in tried):
                return True  # `raw_input` may be a name like any other, but not here
    return _SHIMS.search(ast.unparse(_Wordless().visit(tree))) is not None


class _Wordless(ast.NodeTransformer):
    """Code without what its texts say."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def is_of_it(record: ErrorRecord) -> bool:
    """Whether a record is of a file that is missing, as Python 2 alone words it: Python 3 has a type for that."""
    return record.type in ("IOError", "OSError") and record.message.startswith("[Errno 2] ")


def fitting(case: Case, made: Proposal | Declined) -> Proposal | Declined:
    """A proposal as the project's Pythons can run it; declined where it cannot be put so."""
    ran_on_it = any(is_of_it(one) for one in case.records)
    if isinstance(made, Declined) or not (ran_on_it or is_for_python_two(case.project)):
        return made
    edits = tuple(_rewritten(one) for one in made.edits)
    if any(_UNKNOWN.search(line) for one in edits for line in _added(one)):
        return Declined(made.pattern, "the project runs on Python 2, which cannot read what would be written")
    is_broad = any("except (IOError, OSError):" in line for one in edits for line in _added(one))
    how: Applicability = "review" if is_broad and made.applicability == "safe" else made.applicability
    return replace(made, edits=edits, applicability=how)


def _added(edit: FileEdit) -> list[str]:
    before = {one.strip() for one in (edit.before or b"").decode("utf-8", "replace").splitlines()}
    lines = edit.after.decode("utf-8", "replace").splitlines(keepends=True)
    return [one for one in lines if one.strip() not in before]  # what only stands further in is a person's own


def _rewritten(edit: FileEdit) -> FileEdit:
    text = _without_newer_modules(edit)
    fresh = set(_added(replace(edit, after=text.encode())))
    lines = [in_old_words(line) if line in fresh else line for line in text.splitlines(keepends=True)]
    return replace(edit, after="".join(lines).encode())


class _Unsuppressed(cst.CSTTransformer):
    """`with contextlib.suppress(FileNotFoundError):` as Python 2 has it: the error of a file that is missing, alone."""

    def leave_With(self, _original_node: cst.With, updated_node: cst.With) -> cst.BaseStatement:
        call = updated_node.items[0].item
        if len(updated_node.items) != 1 or not isinstance(call, cst.Call) or dotted(call.func) != "contextlib.suppress":
            return updated_node
        made = cst.ensure_type(cst.parse_statement(_ONLY_IF_MISSING), cst.Try)
        return made.with_changes(body=updated_node.body, leading_lines=updated_node.leading_lines)


def _without_newer_modules(edit: FileEdit) -> str:
    """The text of an edit with what `pathlib` and `contextlib.suppress` do in it said without them, where the edit
    brought them in."""
    text, before = edit.after.decode("utf-8"), (edit.before or b"").decode("utf-8", "replace")
    if "pathlib" not in before and _MADE_BY_PATH.search(text):
        text = _MADE_BY_PATH.sub(_made_by_os, text)
        line = "" if re.search(r"(?m)^import os\b", text) else "import os\n"
        text = re.sub(r"(?m)^(?:from pathlib import Path|import pathlib)\n", line, text)
    if "contextlib" not in before and "contextlib.suppress(FileNotFoundError)" in text:
        tree = cst.parse_module(text).visit(_Unsuppressed())
        text = re.sub(
            r"(?m)^import contextlib\n", "" if re.search(r"(?m)^import errno\b", text) else "import errno\n", tree.code
        )
    return text


def _made_by_os(one: re.Match[str]) -> str:
    folder = f"os.path.dirname({one['path']})" if one["parent"] else one["path"]
    asked = f"{folder} and not" if one["parent"] else "not"
    return f"{one['indent']}if {asked} os.path.isdir({folder}):\n{one['indent']}    os.makedirs({folder})"


def in_old_words(line: str) -> str:
    """A line as Python 2 can read it, as far as it can be said in its words."""
    line = _FORMATTED.sub(_by_percent, line)
    for pattern, instead in _REWRITTEN:
        line = re.sub(pattern, instead, line)
    return line


def _by_percent(found: re.Match[str]) -> str:
    """An f-string as text and a tuple of its values; as it is where it says how a value is to be set out."""
    text, values = "", []
    try:
        for literal, value, form, conversion in Formatter().parse(found["text"]):
            if form or conversion not in (None, "s", "r"):
                return found[0]
            text += literal.replace("%", "%%") + ("" if value is None else f"%{conversion or 's'}")
            values += [] if value is None else [value]
    except ValueError:  # braces in a value
        return found[0]
    if not values:
        return f"{found['quote']}{found['text']}{found['quote']}"
    return f"{found['quote']}{text}{found['quote']} % ({', '.join(values)}{',' if len(values) == 1 else ''})"
