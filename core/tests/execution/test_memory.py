"""The memory that a step needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from turnkeyml.execution import memory


def test_a_peak_that_is_over_is_counted_and_forgotten() -> None:
    if memory.peak_bytes() is None:
        pytest.skip("this system does not tell a process its peak")
    memory.reset_peak()
    before = memory.peak_bytes()
    block = b"x" * (64 << 20)
    peak = memory.peak_bytes()
    assert before is not None and peak is not None
    assert peak - before > 50 << 20
    del block
    memory.reset_peak()
    after = memory.peak_bytes()
    assert after is not None
    assert after < peak - (50 << 20)


def test_where_the_system_does_not_tell_it_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_OWN", tmp_path / "missing")
    memory.reset_peak()
    assert memory.peak_bytes() is None
    monkeypatch.setattr(memory, "_OWN", tmp_path)
    (tmp_path / "status").write_text("Name:\tx\n")
    assert memory.peak_bytes() is None
    (tmp_path / "status").write_text("Name:\tx\nVmHWM:\t    12 kB\n")
    assert memory.peak_bytes() == 12288
