"""Outputs that are kept in a build: complete and undamaged, or not there."""

from __future__ import annotations

import json
from pathlib import Path

from turnkeyml.cache.atomic import open_replaced, sha256_of
from turnkeyml.worker.tensors import BYTES_FILE, TREE_FILE

RECORD_FILE = "reference.json"
_SCHEMA = 1


def keep(folder: Path, key: str, label: str) -> None:
    """Say what the tensors in a folder are; until then they count as not there.

    Args:
        folder: With the tensors, which are complete.
        key: Digest of all that decided them.
        label: What computed them.
    """
    files = {name: sha256_of(folder / name) for name in (TREE_FILE, BYTES_FILE)}
    with open_replaced(folder / RECORD_FILE) as file:
        json.dump({"schema": _SCHEMA, "key": key, "label": label, "files": files}, file)


def forget(folder: Path) -> None:
    """Let what is in a folder count as not there, before it is written anew."""
    (folder / RECORD_FILE).unlink(missing_ok=True)


def kept(folder: Path, key: str) -> str | None:
    """Give what computed the tensors in a folder, if they are those of this key and undamaged."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text("utf-8"))
        if record["schema"] != _SCHEMA or record["key"] != key:
            return None
        files = {name: sha256_of(folder / name) for name in (TREE_FILE, BYTES_FILE)}
        return str(record["label"]) if files == record["files"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
