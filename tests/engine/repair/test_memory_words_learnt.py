"""Handlers whose test of an error's words stands elsewhere, or in a list: where the new words are put."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.test_wider_handlers import proposed

PLAIN = "CUDA error: out of memory"
HIP = "HIP out of memory. Tried to allocate 2.00 GiB."
ASKED = """\
try:
    return run(batch)
except Exception as e:
    if {test}:
        return go(run, batch[:1])
    else:
        raise
"""
LISTED = """\
def should_shrink(exception):
    words = [
        "CUDA out of memory.",  # CUDA
        "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED.",  # cuDNN
    ]
    return isinstance(exception, RuntimeError) and any(word in exception.args[0] for word in words)
"""
NESTED = """\
def is_oom_error(exception):
    return is_cudnn_snafu(exception) or is_cuda_out_of_memory(exception) or is_out_of_cpu_memory(exception)


def is_cudnn_snafu(exception):
    return "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED." in exception.args[0]


def is_cuda_out_of_memory(exception):
    return isinstance(exception, RuntimeError) and "CUDA out of memory." in exception.args[0]


def is_out_of_cpu_memory(exception):
    return "DefaultCPUAllocator: can't allocate memory" in exception.args[0]
"""
TWO = """\
def _is_cuda_oom(e):
    if "CUDA out of memory" in str(e):
        return True
    if "CUDNN_STATUS_NOT_SUPPORTED" in str(e):
        print("the input is not contiguous")
        return True
    return False
"""


def text(found: Proposal | Declined) -> str:
    assert isinstance(found, Proposal), found
    (edit,) = found.edits
    return edit.after.decode()


def test_a_list_of_words_learns_one_more_beside_its_like(tmp_path: Path) -> None:
    after = text(proposed(tmp_path, ASKED.format(test="should_shrink(e)"), HIP, "torch.OutOfMemoryError", more=LISTED))
    assert '    words = [\n        "HIP out of memory",\n        "CUDA out of memory.",  # CUDA\n' in after


def test_the_function_that_is_asked_asks_others_and_the_right_one_learns(tmp_path: Path) -> None:
    after = text(proposed(tmp_path, ASKED.format(test="is_oom_error(e)"), PLAIN, more=NESTED))
    assert after.count(PLAIN) == 1
    line = next(line for line in after.splitlines() if PLAIN in line)
    assert '("CUDA out of memory." in exception.args[0] or "CUDA error: out of memory" in exception.args[0])' in line


def test_new_words_do_not_come_into_a_branch_for_another_cause(tmp_path: Path) -> None:
    after = text(proposed(tmp_path, ASKED.format(test="_is_cuda_oom(e)"), PLAIN, more=TWO))
    assert 'if "CUDA out of memory" in str(e) or "CUDA error: out of memory" in str(e):\n        return True' in after


@pytest.mark.parametrize(
    ("test", "after"),
    [
        ("any(one in str(e) for one in WORDS)", 'WORDS = ("HIP out of memory", "CUDA out of memory", "CUBLAS_STATUS")'),
        ("is_oom", 'is_oom = "CUDA out of memory" in str(e) or "HIP out of memory" in str(e)'),
        (
            'str(e).startswith("CUDA out of memory")',
            'if str(e).startswith("CUDA out of memory") or "HIP out of memory" in str(e):',
        ),
        ('re.search("CUDA out of memory", str(e))', 'if re.search("CUDA out of memory|HIP out of memory", str(e)):'),
    ],
)
def test_words_by_name_at_the_start_and_in_expressions(tmp_path: Path, test: str, after: str) -> None:
    body = ASKED.format(test=test)
    if test == "is_oom":
        body = body.replace("    if is", '    is_oom = "CUDA out of memory" in str(e)\n    if is')
    head = 'import re\n\nWORDS = ("CUDA out of memory", "CUBLAS_STATUS")\n'
    assert after in text(proposed(tmp_path, body, HIP, "torch.OutOfMemoryError", head=head))


def test_what_knows_it_by_way_of_another_is_left_alone(tmp_path: Path) -> None:
    body = ASKED.format(test="is_oom_error(e)")
    found = proposed(tmp_path, body, "CUDA out of memory. Tried to allocate 2.00 GiB.", more=NESTED)
    assert not isinstance(found, Proposal) or found.operator != "widen-handler"
