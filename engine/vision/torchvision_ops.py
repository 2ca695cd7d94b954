"""Two operators that torchvision's Python half expects, declared where its compiled half does not load.

CPU builds of torch are often paired with a torchvision whose compiled operators were linked against another torch. The
import of torchvision then stops at `operator torchvision::nms does not exist`, and open_clip with it, although neither
operator is used by an image encoder. Declaring their schemas is enough for the import; calling them still fails, which
is right: there is no code behind them. Does nothing where the compiled half loads.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
OPERATORS = {"torchvision::nms": _SCHEMA, "torchvision::qnms": _SCHEMA}
_lock = threading.Lock()
_is_done = False


def declare_missing() -> None:
    """Make `import torchvision` possible; call it before anything that imports torchvision."""
    global _is_done
    with _lock:
        if _is_done:
            return
        import torch

        if not _compiled_half_loads():
            for name, schema in OPERATORS.items():
                if not hasattr(torch.ops.torchvision, name.partition("::")[2]):
                    torch.library.define(name, schema)
        _is_done = True


def _compiled_half_loads() -> bool:
    import torch

    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        return False
    for library in sorted(Path(found.origin).parent.glob("_C*")):
        if library.suffix in (".so", ".pyd", ".dylib"):
            try:
                torch.ops.load_library(library)
            except OSError:
                return False  # built for another torch
            return True
    return False
