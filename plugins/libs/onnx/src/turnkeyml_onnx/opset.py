"""Which ONNX opset is used."""

from __future__ import annotations

import os

from turnkeyml.errors import PlanError

DEFAULT_ONNX_OPSET = 20
OLDEST_ONNX_OPSET = 7
NEWEST_ONNX_OPSET = 26
"""ONNX Runtime 1.31 loads no newer one."""
OPSET_VARIABLE = "TURNKEY_ONNX_OPSET"


def default_opset() -> int:
    """Give ``TURNKEY_ONNX_OPSET`` where it is set, else `DEFAULT_ONNX_OPSET`.

    Raises:
        PlanError: The variable is no number, or outside what is supported.
    """
    text = os.environ.get(OPSET_VARIABLE, "")
    if not text:
        return DEFAULT_ONNX_OPSET
    try:
        opset = int(text)
    except ValueError as error:
        raise PlanError(
            f"{OPSET_VARIABLE} is {text!r}, which is no number.",
            hint="Set it to an opset, such as 18, or unset it.",
        ) from error
    return check_opset(opset, OPSET_VARIABLE)


def check_opset(opset: int, where: str) -> int:
    """Check that an opset is one that turnkey works with, and give it back.

    Args:
        opset: The opset.
        where: What set it, for the message.

    Raises:
        PlanError: It is outside what is supported.
    """
    if not OLDEST_ONNX_OPSET <= opset <= NEWEST_ONNX_OPSET:
        raise PlanError(
            f"{where} is {opset}; ONNX opsets from {OLDEST_ONNX_OPSET} to {NEWEST_ONNX_OPSET} work."
        )
    return opset
