"""The conformance kit: what a plugin's author runs to have the plugin proved."""

from turnkeyml.testing.conformance import PluginConformance, RuntimeConformance, ToolConformance
from turnkeyml.testing.feeding import begin_tool, make_state
from turnkeyml.testing.rules import NotApplicable, Violation
from turnkeyml.testing.tiny_model import add_onnx, add_tiny_onnx, float_tensor, tiny_onnx

__all__ = [
    "NotApplicable",
    "PluginConformance",
    "RuntimeConformance",
    "ToolConformance",
    "Violation",
    "add_onnx",
    "add_tiny_onnx",
    "begin_tool",
    "float_tensor",
    "make_state",
    "tiny_onnx",
]
