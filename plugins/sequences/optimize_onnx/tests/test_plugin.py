"""What is registered, and what its help page says."""

from __future__ import annotations

import subprocess
import sys

from turnkeyml.plugins.registry import load_registry


def test_tool_is_registered_under_both_names():
    registry = load_registry()
    tool = registry.tools["optimize-onnx"]
    assert tool.ref.load().name == "optimize-onnx"
    assert tool.aliases == ("optimize-ort",)


def test_help_page_teaches_the_levels_and_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from turnkeyml.cli.main import main\n"
        "sys.argv = ['turnkey', 'optimize-ort', '-h']\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "finally:\n"
        "    heavy = {'torch', 'onnx', 'onnx_ir', 'onnxruntime', 'numpy'} & set(sys.modules)\n"
        "    print('heavy:', sorted(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text = " ".join(done.stdout.split())
    assert "basic|extended|all" in text
    assert "ONNX Runtime alone knows" in text
    assert "[default: basic]" in text
    assert text.endswith("heavy: []")
