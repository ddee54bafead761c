"""The outside program of `example-rt`: it reads a model's bytes, and says how long that takes.

    python program.py MODEL RESULTS ITERATIONS PASSES

It stands for whatever measures a real device: a vendor's tool, a container, a board on the network.
Nothing of turnkey is imported.
"""

from __future__ import annotations

import json
import sys
import time
import zlib
from pathlib import Path

FIRST_BYTE = b"\x08"
"""Of every ONNX file: its first field is the version of the format."""

LIMIT = 1 << 16
"""So many bytes of the model are read, or an inference of a large one would take minutes."""


def main(model: str, results: str, iterations: str, passes: str) -> None:
    """Measure a model and write the results, as JSON."""
    with Path(model).open("rb") as file:
        content = file.read(LIMIT)
    if not content.startswith(FIRST_BYTE):
        sys.exit(f"{Path(model).name} is no ONNX file")
    checksum = 0
    start = time.perf_counter()
    for _ in range(int(iterations)):
        for _ in range(int(passes)):
            checksum = zlib.adler32(content)
    seconds = time.perf_counter() - start
    report = {
        "iterations": int(iterations),
        "total_seconds": seconds,
        "model_bytes": Path(model).stat().st_size,
        "checksum": checksum,
    }
    Path(results).write_text(json.dumps(report), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write("1.0\n")
    else:
        main(*sys.argv[1:])
