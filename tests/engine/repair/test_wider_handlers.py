"""Handlers that shrink, skip or try again, and do not know how a GPU says that its memory ran out."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

CUBLAS = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"


def proposed(
    root: Path,
    body: str,
    message: str = CUBLAS,
    kind: str = "RuntimeError",
    more: str = "",
    code: str = "run(batch)",
    head: str = "",
) -> Proposal | Declined:
    source = f"import torch\n{head}\n\ndef go(run, batch):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    return told(root, "out-of-memory", source, code, f"{kind}: {message}", {"memory.py": more})


BY_WORDS = """\
try:
    return run(batch)
except RuntimeError as e:
    if {test}:
        torch.cuda.empty_cache()
        return go(run, batch[:1])
    raise
"""


@pytest.mark.parametrize(
    ("test", "after", "message"),
    [
        ("'out of memory' in str(e)", "'out of memory' in str(e) or 'CUBLAS_STATUS_ALLOC_FAILED' in str(e)", CUBLAS),
        (
            "'CUDA out of memory' in e.args[0] or 'alloc' in e.args[0]",
            "'CUDA out of memory' in e.args[0] or 'alloc' in e.args[0] or 'CUDA error: out of memory' in e.args[0]",
            "CUDA error: out of memory",
        ),
        (
            "len(batch) > 1 and 'cuda out of memory' in str(e).lower()",
            "len(batch) > 1 and ('cuda out of memory' in str(e).lower() or 'hip out of memory' in str(e).lower())",
            "HIP out of memory. Tried to allocate 86.00 MiB.",
        ),
        (
            "any(word in str(e) for word in ('out of memory', 'CUDNN_STATUS_ALLOC_FAILED'))",
            "any(word in str(e) for word in ('out of memory', 'CUDNN_STATUS_ALLOC_FAILED', "
            "'CUBLAS_STATUS_ALLOC_FAILED'))",
            CUBLAS,
        ),
    ],
)
def test_a_test_of_the_words_learns_one_more(tmp_path: Path, test: str, after: str, message: str) -> None:
    found = proposed(tmp_path, BY_WORDS.format(test=test), message)
    assert isinstance(found, Proposal) and (found.operator, found.applicability) == ("widen-handler", "review")
    assert f"if {after}:" in found.edits[0].after.decode()


def test_one_that_raises_what_it_does_not_know(tmp_path: Path) -> None:
    body = "try:\n    run(batch)\nexcept RuntimeError as e:\n    if 'out of memory' not in str(e):\n        raise\n"
    found = proposed(tmp_path, body)
    assert isinstance(found, Proposal)
    text = "if 'out of memory' not in str(e) and 'CUBLAS_STATUS_ALLOC_FAILED' not in str(e):"
    assert text in found.edits[0].after.decode()


def test_a_function_of_the_projects_own_learns_it_in_its_file(tmp_path: Path) -> None:
    more = (
        "def is_oom(e):\n    marks = (\n        'out of memory',\n        'oom',\n    )\n"
        "    return any(m in str(e) for m in marks)\n"
    )
    body = "try:\n    run(batch)\nexcept Exception as e:\n    if not is_oom(e):\n        raise\n    batch = batch[:1]\n"
    found = proposed(tmp_path, body, more=more)
    assert isinstance(found, Proposal) and [one.path for one in found.edits] == ["memory.py"]
    assert "        'oom',\n        'CUBLAS_STATUS_ALLOC_FAILED',\n    )" in found.edits[0].after.decode()


def test_another_type_is_caught_too_and_other_errors_pass(tmp_path: Path) -> None:
    body = "try:\n    return run(batch)\nexcept torch.cuda.OutOfMemoryError:\n    return go(run, batch[:1])\n"
    found = proposed(tmp_path, body)
    assert isinstance(found, Proposal)
    names: dict[str, object] = {}
    exec(found.edits[0].after.decode().replace("import torch", "torch = None"), names)  # our own text

    def run(batch: str) -> str:
        if len(batch) > 1:
            raise RuntimeError(CUBLAS)
        return batch

    def bad(batch: str) -> str:
        raise RuntimeError("bad input")

    go = names["go"]
    assert callable(go) and go(run, "abc") == "a"
    with pytest.raises(RuntimeError, match="bad input"):
        go(bad, "abc")


@pytest.mark.parametrize(
    "body",
    [
        BY_WORDS.format(test="'CUBLAS_STATUS_ALLOC_FAILED' in str(e)"),
        "try:\n    return run(batch)\nexcept RuntimeError as e:\n    if 'out of memory' in str(e):\n"
        "        print('too large')\n        raise\n    raise\n",
        "try:\n    return run(batch)\nexcept torch.cuda.OutOfMemoryError:\n    print('too large')\n    raise\n",
        "try:\n    return run(batch)\nexcept KeyError as e:\n    if 'memory' in str(e):\n        return 1\n    raise\n",
    ],
)
def test_one_that_knows_it_only_reports_it_or_is_for_others_is_left_alone(tmp_path: Path, body: str) -> None:
    found = proposed(tmp_path, body)
    assert not isinstance(found, Proposal) or found.operator != "widen-handler"


def test_a_batch_that_comes_second_is_not_halved_by_the_first(tmp_path: Path) -> None:
    first = "src, src_lengths = batch\nout = run(src, src_lengths)\nreturn out\n"
    found = proposed(tmp_path, first, code="run(src")
    assert isinstance(found, Declined) and "length" in found.reason
    found = proposed(tmp_path, f"# (batch x seq)\n{first}", code="run(src")
    assert isinstance(found, Proposal) and found.operator == "split-batch"


LOWERED = """\
try:
    return run(batch)
except RuntimeError as e:
    said = str(e).lower()
    if {test}:
        return go(run, batch[:1])
    raise
"""


@pytest.mark.parametrize(
    ("test", "after", "message"),
    [
        (
            "'cuda' in said and 'out of memory' in said",
            "('cuda' in said or 'mps' in said) and 'out of memory' in said",
            "MPS backend out of memory (MPS allocated: 8.00 GB)",
        ),
        (
            "'cuda out of memory' in said",
            "'cuda out of memory' in said or 'cuda error: out of memory' in said",
            "CUDA error: out of memory",
        ),
    ],
)
def test_words_in_small_letters_and_another_device(tmp_path: Path, test: str, after: str, message: str) -> None:
    found = proposed(tmp_path, LOWERED.format(test=test), message)
    assert isinstance(found, Proposal), found
    assert f"if {after}:" in found.edits[0].after.decode()


def test_a_name_that_stands_for_the_type_is_kept_beside_the_wider_one(tmp_path: Path) -> None:
    body = "try:\n    return run(batch)\nexcept OOM_EXCEPTION:\n    return go(run, batch[:1])\n"
    head = "from memory import OOM_EXCEPTION\n"
    found = proposed(tmp_path, body, "CUDA error: out of memory", more="OOM_EXCEPTION = Exception\n", head=head)
    assert isinstance(found, Proposal), found
    text = found.edits[0].after.decode()
    assert "except (OOM_EXCEPTION, RuntimeError) as error:" in text and "isinstance(error, OOM_EXCEPTION):" in text
    known = proposed(tmp_path, body, "CUDA out of memory.", "torch.cuda.OutOfMemoryError", head=head)
    assert not isinstance(known, Proposal) or known.operator != "widen-handler"
