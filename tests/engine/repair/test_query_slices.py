"""Attention that runs out of memory is computed for a part of its queries at a time, and comes out the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

ERROR = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
ONE_CALL = """\
import torch
from torch.nn import functional as F


class Block(torch.nn.Module):
    def forward(self, q, k, v):
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False)
        return out.transpose(1, 2)
"""
WRITTEN_OUT = """\
import torch


class Block(torch.nn.Module):
    def forward(self, q, k, v):
        b, c, h = v.shape
        w_ = torch.bmm(q, k)  # scores
        w_ = w_ * (int(c) ** (-0.5))
        w_ = torch.nn.functional.softmax(w_, dim=2)
        # to the values
        v = v.reshape(b, c, h)
        w_ = w_.permute(0, 2, 1)
        h_ = torch.bmm(v, w_)
        return h_ + 1
"""


def proposed(root: Path, source: str, code: str) -> Proposal | Declined:
    return told(root, "out-of-memory", source, code, ERROR)


@pytest.mark.parametrize(
    ("source", "code", "shapes"),
    [
        (ONE_CALL, "scaled_dot", [(2, 3, 5, 4)] * 3),
        (WRITTEN_OUT, "torch.bmm(q", [(2, 7, 4), (2, 4, 7), (2, 4, 7)]),
        (WRITTEN_OUT, "softmax(", [(2, 7, 4), (2, 4, 7), (2, 4, 7)]),
    ],
)
def test_the_parts_give_what_the_whole_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, code: str, shapes: list[tuple[int, ...]]
) -> None:
    torch = pytest.importorskip("torch")
    found = proposed(tmp_path, source, code)
    assert isinstance(found, Proposal) and found.operator == "query-slices", found
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    exec(source, before)
    exec(found.edits[0].after.decode(), after)
    given = [torch.randn(*shape) for shape in shapes]
    whole = before["Block"]()(*given)
    assert torch.equal(after["Block"]()(*given), whole)
    softmax = torch.nn.functional.softmax
    attend = torch.nn.functional.scaled_dot_product_attention
    sizes: list[int] = []

    def scarce(run: Any) -> Any:
        def limited(one: Any, *more: Any, **how: Any) -> Any:
            sizes.append(one.shape[-2])
            if one.shape[-2] > 2:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return run(one, *more, **how)

        return limited

    monkeypatch.setattr(torch.nn.functional, "softmax", scarce(softmax))
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", scarce(attend))
    assert torch.allclose(after["Block"]()(*given), whole, atol=1e-6)
    assert min(sizes) <= 2 < max(sizes)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (ONE_CALL.replace("is_causal=False", "is_causal=True"), "scaled_dot"),
        (ONE_CALL.replace("attn_mask=None", "attn_mask=mask"), "scaled_dot"),
        (WRITTEN_OUT.replace("softmax(w_, dim=2)", "softmax(w_, dim=1)"), "torch.bmm(q"),
        (WRITTEN_OUT.replace("w_.permute(0, 2, 1)", "w_ + self.mask"), "torch.bmm(q"),
        (WRITTEN_OUT.replace("h_ + 1", "h_, w_"), "torch.bmm(q"),
    ],
)
def test_what_parts_would_change_is_left_alone(tmp_path: Path, source: str, code: str) -> None:
    assert isinstance(proposed(tmp_path, source, code), Declined)
