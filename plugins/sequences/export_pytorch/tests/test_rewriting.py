"""The exporter's optimizer gives the same, and looks less often."""

from __future__ import annotations

import contextlib

import onnx_ir as ir
import pytest
import torch
from onnxscript.optimizer import optimize_ir
from onnxscript.rewriter import _DEFAULT_REWRITE_RULES as DEFAULT_RULES
from onnxscript.rewriter.rules.common import slice_split_rule

from turnkeyml_plugin_export_pytorch import exporters, rewriting
from turnkeyml_plugin_export_pytorch.flat import FlatCall
from turnkeyml_plugin_export_pytorch.rewriting import quick_rules
from turnkeyml_torch import LiveModel, make_signature

HALVES = """<ir_version: 10, opset_import: ["" : 20]>
g (float[2,8] x) => (float[2,4] z)
<int64[1] zero={0}, int64[1] four={4}, int64[1] eight={8}, int64[1] last={1}>
{ y = Relu(x) s = Sigmoid(x) part = Slice(s, zero, four, last)
  second = Slice(y, four, eight, last) first = Slice(y, zero, four, last)
  sum = Add(first, second) z = Mul(sum, part) }"""


def optimized():
    model = ir.from_onnx_text(HALVES)
    optimize_ir(model)
    return [(node.op_type, [value.name for value in node.inputs]) for node in model.graph]


@pytest.fixture
def matched(monkeypatch):
    """The nodes that are given to the rule's own search."""
    seen = []
    original = slice_split_rule.match

    def match(model, graph, node, **options):
        seen.append(node.op_type)
        return original(model, graph, node, **options)

    monkeypatch.setattr(slice_split_rule, "match", match)
    return seen


def test_a_model_becomes_the_same_and_only_slices_with_a_partner_are_looked_at(matched):
    plain = optimized()
    assert "Split" in [operator for operator, _ in plain]
    assert {"Relu", "Sigmoid", "Add"} < set(matched)
    matched.clear()
    with quick_rules():
        assert optimized() == plain
    assert matched == ["Slice", "Slice"], "both of y, none of s"


@pytest.mark.filterwarnings("ignore")
def test_the_exporter_is_quick(matched, tmp_path):
    module, inputs = torch.nn.Linear(2, 2), (torch.ones(1, 2),)
    call = FlatCall(LiveModel(module, inputs, {}, make_signature(module, inputs, {})))
    torch.onnx.export(module, inputs, dynamo=True, verbose=False)
    assert matched, "the rule is the exporter's"
    matched.clear()
    exporters.export_dynamo(exporters.Order(module, call, 20, {}, tmp_path))
    assert not matched


def test_the_rule_is_one_of_those_that_are_applied_and_the_only_one_of_its_kind():
    of_several = [r for r in DEFAULT_RULES if not r._target_pattern.has_single_output_node]
    assert of_several == [slice_split_rule]


def test_without_the_rule_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(rewriting, "_rule", lambda: None)
    with quick_rules():
        assert "try_rewrite" not in vars(slice_split_rule)


def test_the_rule_is_given_back_after_a_failure():
    with contextlib.suppress(ValueError), quick_rules():
        assert "try_rewrite" in vars(slice_split_rule)
        raise ValueError
    assert "try_rewrite" not in vars(slice_split_rule)
