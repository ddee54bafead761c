"""What is registered, and what its help page says."""

from __future__ import annotations

import subprocess
import sys

from turnkeyml.plugins.registry import load_registry


def test_tool_is_registered_under_both_names():
    tool = load_registry().tools["convert-fp16"]
    assert tool.ref.load().name == "convert-fp16"
    assert tool.aliases == ("fp16",)


def test_help_page_teaches_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from turnkeyml.cli.main import main\n"
        "sys.argv = ['turnkey', 'fp16', '-h']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "finally:\n"
        "    heavy = {'torch', 'onnx', 'onnx_ir', 'onnxruntime', 'numpy'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text = " ".join(done.stdout.split())
    for word in (
        "--keep-io-types",
        "±65504",
        "[default: ort]",
        "ScatterElements",
        "captured inputs",
    ):
        assert word in text
    assert text.endswith("heavy: []")
