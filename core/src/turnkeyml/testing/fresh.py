"""Ask a fresh Python what a plugin does there."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.testing.rules import Violation

HEAVY = frozenset(
    {
        "cv2", "cuda", "cupy", "diffusers", "filelock", "jax", "keras", "matplotlib", "numpy",
        "onnx", "onnx_ir", "onnxconverter_common", "onnxruntime", "onnxscript", "openvino",
        "pandas", "PIL", "requests", "rich", "scipy", "sklearn", "tensorflow", "tensorrt",
        "tensorrt_rtx", "timm", "torch", "torchvision", "transformers", "yaml",
    }
)  # fmt: skip
"""Packages that nothing but running may import."""

_PROGRAM = Path(__file__).with_name("probe.py")
_TIMEOUT_S = 120


@dataclass(frozen=True)
class Answer:
    """What a fresh Python found.

    Args:
        report: As `turnkeyml.testing.probe` gives it.
        printed: What it printed on both streams.
    """

    report: Mapping[str, Any]
    printed: str

    @property
    def heavy(self) -> list[str]:
        """The heavy packages that were imported."""
        return sorted(HEAVY & set(self.report["modules"]))


def ask(
    action: str, scratch: Path, *, variables: Mapping[str, str] | None = None, **order: Any
) -> Answer:
    """Let a fresh Python do one of the things that `turnkeyml.testing.probe` can do.

    It finds the same packages as this one, and has an empty home and working directory.

    Args:
        action: Which.
        scratch: A folder for its files.
        variables: Environment variables that differ from those of this process.
        order: What the action needs to know; JSON values.

    Raises:
        Violation: It raised, crashed or did not end.
    """
    folder = scratch / f"fresh-{secrets.token_hex(4)}"
    home = folder / "home"
    home.mkdir(parents=True)
    request, answer = folder / "request.json", folder / "answer.json"
    request.write_text(json.dumps({"action": action, **order}), "utf-8")
    own = {
        "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(home),
    }
    command = [sys.executable, str(_PROGRAM), str(request), str(answer)]
    try:
        done = subprocess.run(
            command,
            cwd=home,
            env={**os.environ, **own, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Violation(f"A fresh Python did not end within {_TIMEOUT_S} s.") from error
    printed = (done.stdout + done.stderr).decode("utf-8", "replace")
    if not answer.exists():
        last = (printed.strip().splitlines() or ["nothing"])[-1]
        raise Violation(f"A fresh Python ended with exit code {done.returncode} and said: {last}")
    report = json.loads(answer.read_text("utf-8"))
    if "error" in report:
        raise Violation(f"In a fresh Python it raised {report['error']}")
    return Answer(report, printed)
