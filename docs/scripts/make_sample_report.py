"""Makes docs/samples/report.html from a real sweep: ``python docs/scripts/make_sample_report.py``.

It runs the scripts of ``models/selftest`` with two runtimes, which takes some minutes. The numbers are those of the
machine that it is made on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Its paths stand in the report.
FOLDER = Path("/tmp/sample")  # noqa: S108
SAMPLE = ROOT / "docs/samples/report.html"
CHAIN = ["discover", "export-pytorch", "optimize-onnx", "benchmark", "--runtime", "ort,torch-eager"]


def run(*words: str) -> int:
    """Run turnkey with a home of its own."""
    own = {"HOME": str(FOLDER), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TURNKEY_")}
    return subprocess.run(["turnkey", *words], cwd=FOLDER, env={**inherited, **own}).returncode


def _shorten_paths() -> None:
    """Take the places of this checkout and its environment out of the logs, whose ends are in the report."""
    shown = {str(ROOT): "/home/you/turnkey", sys.prefix: "/home/you/turnkey/.venv"}
    for log in FOLDER.rglob("log_*.txt"):
        text = log.read_text("utf-8")
        for place, name in shown.items():
            text = text.replace(place, name)
        log.write_text(text, "utf-8")


def main() -> None:
    """Run the sweep, and keep its report."""
    FOLDER.mkdir()
    try:
        names = []
        for script in sorted((ROOT / "models/selftest").glob("*.py")):
            shutil.copy(script, FOLDER)
            names.append(script.name)
        # Some of the scripts are meant to fail.
        run("-i", *names, "--process-isolation", *CHAIN)
        _shorten_paths()
        if run("report", "--format", "html") != 0:
            sys.exit("There is no report.")
        (made,) = FOLDER.glob("*.html")
        SAMPLE.parent.mkdir(exist_ok=True)
        shutil.copy(made, SAMPLE)
    finally:
        shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
