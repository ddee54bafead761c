"""Delete what a build no longer needs."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.step_records import referenced_files
from turnkeyml.state import State

_STEP_FILE = re.compile(r"(?P<tool>[a-z0-9-]+)-[0-9a-f]{8}\.[A-Za-z0-9.]+\Z")
"""Names that `State.file_name` gives."""

_DATA_FILE = re.compile(r"[0-9a-f]{32}\.data\Z")
"""Names that the writers of data files give."""

ABANDONED_S = 3600.0
"""An unfinished file that nobody has written to for so long belongs to a process that died."""


def clean_orphans(state: State) -> None:
    """Delete files that steps made and that nothing refers to any more; the lock is held.

    Files with other names than steps give are left alone, and so is what cannot be deleted.
    """
    artifacts = [*state.kept_files(), *(a for r in state.records.values() for a in r.artifacts)]
    wanted = referenced_files(artifacts)
    root = state.build.path.resolve()
    for folder in {root, *((root / path).parent for path in wanted)}:
        with suppress(OSError):
            # A link would lead out of the build.
            if folder.resolve() != folder:
                continue
            for path in folder.iterdir():
                unwanted = folder != root and path.relative_to(root).as_posix() not in wanted
                if _is_scratch(path):
                    shutil.rmtree(path, ignore_errors=True)
                elif (unwanted and _is_ours(path, state)) or _is_abandoned(path):
                    path.unlink()


def _is_ours(path: Path, state: State) -> bool:
    found = _STEP_FILE.match(path.name)
    if found:
        return found["tool"] in state.context.registry.tools
    return _DATA_FILE.match(path.name) is not None


def _is_scratch(path: Path) -> bool:
    """Tell whether it is the folder of a step that was cut off: those that run have the lock."""
    return path.name.startswith(TEMPORARY) and path.is_dir() and not path.is_symlink()


def _is_abandoned(path: Path) -> bool:
    try:
        age = time.time() - path.lstat().st_mtime
    except OSError:
        return False
    return path.name.startswith(TEMPORARY) and age > ABANDONED_S


def delete_artifacts(state: State) -> None:
    """Leave only logs, state and statistics of a build; the lock is held."""
    for path in state.build.path.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
    state.artifacts.clear()
    state.earlier.clear()
    state.records.clear()
