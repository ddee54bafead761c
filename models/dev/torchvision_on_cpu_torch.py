"""Let the torchvision of PyPI be imported beside a CPU build of PyTorch; for development only.

The wheel of torchvision is built against PyTorch with CUDA. Beside a CPU build its operators do not
load, and then its import fails, because it registers fake kernels for operators that nobody
declared. Declaring their schemas before is enough for classification, segmentation, video, optical
flow and for the heads of detectors. What computes ``nms`` or ``roi_align`` still fails.

    python models/dev/torchvision_on_cpu_torch.py install     # into the environment that runs this
    python models/dev/torchvision_on_cpu_torch.py remove

The installed hook is one more entry in ``sys.meta_path``. It acts only when torchvision is
imported, and only if its operators do not load.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

HOOK = "_torchvision_on_cpu_torch"
SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
"""The operators that torchvision takes for granted when it is imported."""

_declared: list[Any] = []


class _BeforeTorchvision:
    """A finder that finds nothing: it only learns that torchvision is about to be imported."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Declare the operators once, then leave the search to the others."""
        if name == "torchvision" and not _declared:
            found = PathFinder.find_spec(name)
            if (
                found is not None
                and found.origin
                and not _operators_load(Path(found.origin).parent)
            ):
                _declare_operators()
        return None


def _operators_load(package: Path) -> bool:
    # Any, since PyTorch has no types for what is used here.
    torch: Any = import_module("torch")
    for library in package.glob("_C*.so"):
        try:
            torch.ops.load_library(str(library))
        except (OSError, RuntimeError):
            return False
        return True
    return False


def _declare_operators() -> None:
    torch: Any = import_module("torch")
    # A library that is collected takes its declarations with it.
    library = torch.library.Library("torchvision", "DEF")
    for name, schema in SCHEMAS.items():
        library.define(name + schema)
    _declared.append(library)


def watch_imports() -> None:
    """Put the finder before the others, once."""
    if not any(isinstance(finder, _BeforeTorchvision) for finder in sys.meta_path):
        sys.meta_path.insert(0, _BeforeTorchvision())


def main(words: list[str]) -> int:
    """Install or remove the hook in the environment that runs this file."""
    folder = Path(sysconfig.get_path("purelib"))
    module, starter = folder / f"{HOOK}.py", folder / f"{HOOK}.pth"
    if words == ["install"]:
        module.write_text(Path(__file__).read_text("utf-8"), "utf-8")
        starter.write_text(f"import {HOOK}; {HOOK}.watch_imports()\n", "utf-8")
        print(f"Installed {starter}")
    elif words == ["remove"]:
        for path in (starter, module):
            path.unlink(missing_ok=True)
        print(f"Removed {starter}")
    else:
        print("Usage: python torchvision_on_cpu_torch.py install|remove", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
