"""Other processes that take part in each training step: they wait for ever for one that this process leaves or repeats.

The model may be wrapped for them in another file, so that what is written asks when memory has run out. What drives
them is known by torch's own account of its processes, and by libraries that have ones of another kind.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.memory.backoff_code import Site
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import dotted

OTHERS_WAIT = '''def _others_wait():
    """Whether other processes take part in each step, and would wait for one that this process does otherwise."""
    distributed = SYS.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size() > 1
    return "torch_xla" in SYS.modules or "horovod" in SYS.modules
'''
ALONE = " Where other processes wait for the step, the error is raised as before."
WAITED_FOR = "other processes wait for each step: one that does it otherwise would never meet them again"
_OPTIONS = re.compile(r"(?i)(?:is_|use_|init_)?distributed\w*|ddp|(?:torch_)?ddp|Distributed(?:DataParallel|Sampler)")
_OTHERS = frozenset(  # whose processes torch does not know of
    (
        *("torch_xla", "horovod", "colossalai", "paddle", "dask", "distributed", "jax", "ray", "oneflow", "mxnet"),
        *("tensorflow", "mindspore", "megengine", "byteps", "mpi4py", "chainermn"),
    )
)


def unless_waited_for(site: Site) -> str:
    """What a handler's `if not _is_out_of_memory(error)` has behind it, so that it raises where others wait."""
    site.module.add_helper(OTHERS_WAIT.replace("SYS", site.module.name_of_import("sys")))
    return " or _others_wait()"


def is_of_torch(module: Module, name: cst.Name) -> bool:
    """Whether a name that tells of processes is torch's, the project's own word for them, or that of an option."""
    if not _OPTIONS.fullmatch(name.value):
        return False
    plain, other = module.nearest(name, cst.Import), module.nearest(name, cst.ImportFrom)
    if other is not None:
        return bool(other.relative) or not _is_others(dotted(other.module))
    if plain is not None:
        alias = module.nearest(name, cst.ImportAlias)
        return alias is not None and not _is_others(dotted(alias.name))
    whole: cst.BaseExpression = name
    while isinstance(around := module.parent(whole), cst.Attribute):
        whole = around
    return dotted(whole).partition(".")[0] not in module.imported or not _is_others(module.qualified(whole))


def _is_others(name: str) -> bool:
    return name.partition(".")[0] in _OTHERS
