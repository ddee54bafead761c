"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_convert_fp16.tool:ConvertFp16",
            "name": "convert-fp16",
            "summary": "Convert an ONNX file to float16.",
            "aliases": ["fp16"],
        }
    ],
}
