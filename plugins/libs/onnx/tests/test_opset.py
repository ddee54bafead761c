"""Which opset is used."""

from __future__ import annotations

import pytest

from turnkeyml.errors import PlanError
from turnkeyml_onnx import DEFAULT_ONNX_OPSET, check_opset, default_opset


def test_default_is_the_constant(monkeypatch):
    monkeypatch.delenv("TURNKEY_ONNX_OPSET", raising=False)
    assert default_opset() == DEFAULT_ONNX_OPSET


def test_variable_changes_the_default(monkeypatch):
    monkeypatch.setenv("TURNKEY_ONNX_OPSET", "18")
    assert default_opset() == 18


@pytest.mark.parametrize("text", ["eighteen", "18.5", "6", "99"])
def test_variable_that_is_no_opset_is_refused_by_its_name(monkeypatch, text):
    monkeypatch.setenv("TURNKEY_ONNX_OPSET", text)
    with pytest.raises(PlanError, match=r"TURNKEY_ONNX_OPSET is '?" + text.replace(".", r"\.")):
        default_opset()


@pytest.mark.parametrize("opset", [7, 20, 26])
def test_opsets_within_the_limits_are_taken(opset):
    assert check_opset(opset, "The opset") == opset
