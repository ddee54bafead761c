"""Scripts of the corpora are no tests, although timm has models whose names begin with test_."""

from __future__ import annotations

from pathlib import Path

collect_ignore_glob = [
    f"{folder.name}/*"
    for folder in Path(__file__).parent.iterdir()
    if folder.is_dir() and folder.name != "tests"
]
