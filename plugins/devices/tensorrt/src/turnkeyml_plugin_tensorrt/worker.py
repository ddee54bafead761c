"""What runs in the worker process of `trt`: run an engine with all inputs and outputs.

Loaded by path, in any environment that has TensorRT and CUDA's bindings; nothing of turnkey is
imported. The folder ``session`` beside it is loaded as a package of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

_PACKAGE = "turnkey_trt_session"


def open_session(request: Any) -> Any:
    """Load the engine."""
    if _PACKAGE not in sys.modules:
        folder = Path(__file__).parent / "session"
        spec = importlib.util.spec_from_file_location(
            _PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder} cannot be imported")
        package = importlib.util.module_from_spec(spec)
        sys.modules[_PACKAGE] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.inference").Session(request)
