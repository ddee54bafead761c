"""What the tests of this package share."""

from __future__ import annotations

import pytest


@pytest.fixture
def tree(tmp_path):
    """Writes a fake of ``/proc`` and ``/sys``: paths to contents."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return tmp_path

    return write
