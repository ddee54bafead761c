"""Kept outputs are whole, those of their key, or not there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from parity_support import damage, raw

from turnkeyml.worker.tensors import write_tensors
from turnkeyml_plugin_parity.keeping import forget, keep, kept


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "reference"
    write_tensors(made, {"y": raw(np.float32([1, 2]))})
    keep(made, "key", "eager (torch 1)")
    return made


def test_what_was_kept_is_found_under_its_key_only(folder):
    assert kept(folder, "key") == "eager (torch 1)"
    assert kept(folder, "other") is None


def test_nothing_is_found_where_nothing_was_kept(tmp_path):
    assert kept(tmp_path, "key") is None
    assert kept(tmp_path / "missing", "key") is None


@pytest.mark.parametrize("name", ["inputs.json", "inputs.bin", "reference.json"])
def test_a_file_that_is_damaged_or_missing_means_not_there(folder, name):
    damage(folder / name)
    assert kept(folder, "key") is None
    (folder / name).unlink()
    assert kept(folder, "key") is None


@pytest.mark.parametrize("content", ["[]", "3", "{", '{"schema": 2}', '{"schema": 1}'])
def test_a_record_of_another_form_means_not_there(folder, content):
    (folder / "reference.json").write_text(content)
    assert kept(folder, "key") is None


def test_a_newer_form_means_not_there(folder):
    record = json.loads((folder / "reference.json").read_text())
    (folder / "reference.json").write_text(json.dumps({**record, "schema": 2}))
    assert kept(folder, "key") is None


def test_what_is_forgotten_is_not_there_until_it_is_kept_again(folder):
    forget(folder)
    assert kept(folder, "key") is None
    forget(folder)
    keep(folder, "key", "again")
    assert kept(folder, "key") == "again"
