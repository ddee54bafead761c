"""Constants of builds, by the names that documents print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    DEFAULT_ONNX_OPSET: int

__all__ = ["DEFAULT_ONNX_OPSET"]

_get = lazily(__name__, {"DEFAULT_ONNX_OPSET": "turnkeyml_onnx.opset:DEFAULT_ONNX_OPSET"})


def __getattr__(name: str) -> Any:
    try:
        return _get(name)
    except ModuleNotFoundError as error:
        # The core makes no ONNX files; what does brings the constant.
        raise AttributeError(
            f"{__name__}.{name} comes with turnkeyml-onnx: pip install 'turnkeyml-core[ort]'"
        ) from error
