"""The exporters by name, and the opsets that each can give."""

from __future__ import annotations

AUTO = "auto"
DYNAMO = "dynamo"
TORCHSCRIPT = "torchscript"
EXPORTERS = (AUTO, DYNAMO, TORCHSCRIPT)

DYNAMO_OLDEST_OPSET = 18
"""Below this, the dynamo exporter converts afterwards, and may silently stay where it was."""

TORCHSCRIPT_NEWEST_OPSET = 23
