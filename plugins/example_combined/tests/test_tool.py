"""The tool `example-tool`, on the kit's own model."""

from __future__ import annotations

import hashlib
import json

import pytest

from turnkeyml.errors import BuildError, PlanError
from turnkeyml.testing import add_tiny_onnx, begin_tool, make_state, tiny_onnx
from turnkeyml_plugin_example_combined.tool import (
    EXAMPLE_SUMMARY,
    ExampleTool,
    ExampleToolOptions,
)


@pytest.fixture
def state(tmp_path):
    made = make_state(tmp_path)
    add_tiny_onnx(made)
    return made


def test_summary_has_size_digest_and_the_most_common_bytes(state):
    options = begin_tool(state, ExampleTool, ExampleToolOptions(top=2, title="mine"))
    ExampleTool().run(state, options)
    summary = json.loads(state.file_of(state.newest(EXAMPLE_SUMMARY)).read_text())
    content = tiny_onnx()
    assert summary["title"] == "mine"
    assert summary["bytes"] == len(content)
    assert summary["sha256"] == hashlib.sha256(content).hexdigest()
    assert summary["most_common"][0] == [0, content.count(0)]
    assert len(summary["most_common"]) == 2


def test_title_has_a_default_that_is_settled_when_the_chain_is_planned(state):
    assert begin_tool(state, ExampleTool) == ExampleToolOptions(5, "example")


def test_more_bytes_than_there_are_cannot_be_asked_for(state):
    with pytest.raises(PlanError, match="--top goes up to 256, not 300"):
        begin_tool(state, ExampleTool, ExampleToolOptions(top=300))


def test_file_that_is_no_model_is_refused(state):
    options = begin_tool(state, ExampleTool)
    state.input_file().write_bytes(b"no model")
    with pytest.raises(BuildError, match="is no ONNX file. Export the model again."):
        ExampleTool().run(state, options)
