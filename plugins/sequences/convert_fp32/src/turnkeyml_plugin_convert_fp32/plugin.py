"""What this package registers."""

from __future__ import annotations

implements = {
    "api_version": 1,
    "tools": [
        {
            "class": "turnkeyml_plugin_convert_fp32.tool:ConvertFp32",
            "name": "convert-fp32",
            "summary": "Convert an ONNX file of bfloat16 or float16 to float32.",
            "aliases": ["fp32"],
        }
    ],
}
