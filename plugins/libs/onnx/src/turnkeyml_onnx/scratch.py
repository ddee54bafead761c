"""A place for a model file that is not finished, and that never stays."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turnkeyml.cache.atomic import TEMPORARY


@contextmanager
def scratch_model(folder: Path) -> Iterator[Path]:
    """Give the path of an ONNX file in a folder, for a library that writes files itself.

    It stands beside the data files, so that it can refer to the weights in them. After the block
    it is gone, however the block ended, and so are all files whose names begin with its stem.

    Args:
        folder: The folder with the data files, inside the build directory.
    """
    stem = f"{TEMPORARY}{secrets.token_hex(6)}"
    try:
        yield folder / f"{stem}.onnx"
    finally:
        for path in folder.glob(f"{stem}*"):
            path.unlink(missing_ok=True)
