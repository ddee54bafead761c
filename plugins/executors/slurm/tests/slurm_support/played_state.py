"""What the played Slurm knows, which its programs and the tests read and change at one time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_json(path: Path, content: Any) -> None:
    """Write a file that others read meanwhile: they see it as it was, or whole."""
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


@contextmanager
def locked(folder: Path) -> Iterator[dict[str, Any]]:
    """Give what is known of the jobs, to be changed by nobody else until the end."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "state.json"
        state = (
            json.loads(path.read_text()) if path.exists() else {"next": 1, "tries": {}, "jobs": []}
        )
        yield state
        write_json(path, state)
