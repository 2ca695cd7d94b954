"""An edit changes the lines it means and no byte beside them: marks, line endings, cookies, tabs, the last line."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable
from tests.engine.repair.test_corpus import case_of, corpus, lay_out, proposed, run

HEAD = "import os\nimport re\n\n# caf\u00e9: kept as it stands\n\n\n"
PROGRAMS = {
    "missing-file": HEAD + "def do(path='gone/x'):\n    name = os.fspath(path)\n    with open(name, 'w') as file:\n"
    "        file.write('a')\n",
    "zero-division": HEAD
    + "def do(rows=()):\n    total = sum(rows)\n    share = total / len(rows)\n    return share\n",
    "attribute": HEAD + "def do(text='x'):\n    found = re.match(r'(y)', text)\n    name = found.group(1)\n"
    "    return name\n",
    "type-mismatch": HEAD + "def do(row=None):\n    data = row or {}\n    tags = data['tags']\n    for tag in tags:\n"
    "        print(tag)\n",
}
VARIANTS: dict[str, Callable[[str], bytes]] = {
    "mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "carriage returns": lambda text: text.replace("\n", "\r\n").encode(),
    "mixed endings": lambda text: text.replace("\n", "\r\n", 5).encode(),
    "mixed the other way": lambda text: (
        b"\n".join(text.encode().split(b"\n", 6)[:6]) + b"\n" + text.split("\n", 6)[6].replace("\n", "\r\n").encode()
    ),
    "cookie": lambda text: ("# -*- coding: latin-1 -*-\n" + text).encode("latin-1"),
    "no last newline": lambda text: text.removesuffix("\n").encode(),
    "blanks behind the last line": lambda text: (text + "\n    \n  \n    ").encode(),
    "tabs": lambda text: text.replace("    ", "\t").encode(),
    "a page break": lambda text: text.replace("\n\n\ndef", "\n\n\x0c\ndef").encode(),
}


@pytest.mark.parametrize("pattern", PROGRAMS)
def test_no_byte_beside_the_lines_meant_changes(pattern: str, tmp_path: Path) -> None:
    roots = {name: tmp_path / name.replace(" ", "-") for name in VARIANTS}
    for name, root in roots.items():
        lay_out(root, {"app.py": VARIANTS[name](PROGRAMS[pattern])})
    outs = run(corpus(pattern), [(root, "import app\napp.do()") for root in roots.values()])
    problems = []
    for (name, root), (status, log) in zip(roots.items(), outs, strict=True):
        assert status, f"{name} does not fail"
        found = proposed(pattern, case_of(root, log))
        if not isinstance(found, Proposal):
            problems.append(f"{name}: {getattr(found, 'reason', found)}")
            continue
        (edit,) = found.edits
        assert edit.before is not None
        if why := changed_beside(edit.before, edit.after):
            problems.append(f"{name}: {why}")
        (root / "app.py").write_bytes(edit.after)
        if not isinstance(proposed(pattern, case_of(root, log)), Declined):
            problems.append(f"{name}: a second fix is proposed")
    assert not problems, "\n".join(problems)


def changed_beside(before: bytes, after: bytes) -> str:
    """What an edit changed that it should not have; '' for nothing."""
    compile(after, "app.py", "exec")
    old, new = before.splitlines(True), after.splitlines(True)
    removed, added = [], []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += old[a:b]
            added += new[c:d]
    if len(removed) > 2 or not added:
        return f"{len(removed)} lines are gone and {len(added)} are new"
    endings = {line[len(line.rstrip(b"\r\n")) :] for line in old[7:]} | {b""}
    if any(line[len(line.rstrip(b"\r\n")) :] not in endings for line in added):
        return f"new lines end otherwise than those around them: {added}"
    if before.startswith(b"\xef\xbb\xbf") != after.startswith(b"\xef\xbb\xbf"):
        return "the byte-order mark changed"
    if before.endswith(b"\n") != after.endswith(b"\n"):
        return "the end of the file changed"
    indents = {line[:1] for line in old if line[:1] in b" \t" and line.strip()}
    if any(line[:1] in b" \t" and line.strip() and line[:1] not in indents for line in added):
        return "new lines are indented otherwise"
    return ""


def test_a_file_that_is_nested_too_deeply_is_refused_in_words() -> None:
    chain = "".join(f"    elif n == {number}:\n        return {number}\n" for number in range(1, 600))
    source = f"def do(n, rows=()):\n    if n == 0:\n        return len(rows) / n\n{chain}".encode()
    with pytest.raises(NotEditable, match="nested too deeply"):
        Module("deep.py", source)
