"""What runs a stage's own file in a process of its own; see `turnkeyml.worker.process.run_task`.

Started as ``python task.py REQUEST.json``; it uses the standard library and the files beside it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def _load_main() -> Any:
    spec = importlib.util.spec_from_file_location(
        "turnkey_worker_main", Path(__file__).with_name("main.py")
    )
    assert spec is not None and spec.loader is not None, "the file is beside this one"
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    # The script's own folder is no place to import from.
    del sys.path[0]
    worker = _load_main()
    worker.leave_interrupts_to_parent()

    def serve(order: dict[str, Any]) -> dict[str, Any]:
        """Run the stage's file."""
        module = worker.load_module("turnkey_task", Path(order["script"]))
        given = module.run(order["arguments"])
        return {**given, "peak_memory_bytes": worker.peak_memory_bytes()}

    sys.exit(worker.main(sys.argv[1], serve))
