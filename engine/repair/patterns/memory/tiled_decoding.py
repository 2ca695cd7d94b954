"""A picture's latents that are decoded (or encoded) at once are done in tiles where memory runs out.

Autoencoders of diffusers do so once `enable_tiling` was called (its documentation of `AutoencoderKL`); others,
ComfyUI's among them, have `decode_tiled` beside `decode`, as the project shows where it uses it.
"""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_twice, with_helpers
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source.syntax import last_name, walk

_CODER = re.compile(r"(?i)vae|autoencoder|first_stage_model")
MOST_FILES = 200


def in_tiles(case: Case, site: Site, statement: cst.CSTNode) -> Proposal | None:
    """The call once more in tiles; None where nothing shows how tiles are had."""
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    calls = [
        one
        for one in walk(statement)
        if isinstance(one, cst.Call)
        and isinstance(one.func, cst.Attribute)
        and one.func.attr.value in ("decode", "encode")
        and _CODER.search(last_name(one.func.value))
    ]
    if len(calls) != 1 or not isinstance(module.parent(statement), cst.IndentedBlock):
        return None
    func = cst.ensure_type(calls[0].func, cst.Attribute)
    coder = module.code(func.value)
    plain = statement.with_changes(leading_lines=())
    again = module.code(plain).strip()
    name = re.escape(last_name(func.value))  # another object's `decode_tiled` says nothing of this one's
    if _shows(case, site, rf"\b{name}\.{func.attr.value}_tiled\(") or (
        name == "vae" and _shows(case, site, r"^\s*(?:from|import) +comfy\b")
    ):
        called = calls[0].with_changes(func=func.with_changes(attr=cst.Name(f"{func.attr.value}_tiled")))
        again, first = module.code(cast(cst.CSTNode, plain.deep_replace(calls[0], called))).strip(), ""
    elif _shows(case, site, r"^\s*(?:from|import) +diffusers\b|\benable_(?:vae_)?tiling\("):
        first = f"{coder}.enable_tiling()"
    else:
        return None
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    flag = guards.fresh(module, "ran_out", "out_of_memory")
    module.replace(statement, tried_twice(module, statement, [clear, first], again, flag))
    return finished(site, "in-tiles", f"Where memory runs out, {coder} does the picture in tiles.")


def _shows(case: Case, site: Site, text: str) -> bool:
    """Whether the file, or another of the project, has a text."""
    pattern = re.compile(text, re.M)
    if pattern.search(site.module.text):
        return True
    for path in case.project.python_files()[:MOST_FILES]:
        source = case.project.read(path)
        if source is not None and pattern.search(source.decode("utf-8", "replace")):
            return True
    return False
