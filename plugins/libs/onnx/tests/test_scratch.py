"""Unfinished model files never stay."""

from __future__ import annotations

import pytest

from turnkeyml_onnx import scratch_model


def test_file_and_what_was_written_beside_it_are_gone_after_a_failure(tmp_path):
    (tmp_path / "kept.data").touch()
    with pytest.raises(KeyError), scratch_model(tmp_path) as target:
        assert target.name.startswith(".tmp-")
        target.touch()
        target.with_suffix(".data").touch()
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["kept.data"]


def test_two_at_once_have_names_of_their_own(tmp_path):
    with scratch_model(tmp_path) as one, scratch_model(tmp_path) as two:
        one.touch()
        two.touch()
        assert one != two
    assert list(tmp_path.iterdir()) == []
