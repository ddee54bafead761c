"""Scripts that misbehave in every way that a sweep has met, and how each must be called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GOOD = """\
import torch
torch.manual_seed({seed})
net = torch.nn.Linear(3, {seed} % 5 + 1)
net(torch.ones(1, 3))
"""


@dataclass(frozen=True)
class Kind:
    """A way of misbehaving.

    Args:
        text: The script.
        ending: What its input's failure must be called; None: it failed by itself, with a report.
        words: What the console must say of it.
    """

    text: str
    ending: str | None
    words: str


KINDS = {
    "raises": Kind("raise RuntimeError('no luck')", None, "no luck"),
    "exits": Kind("import sys\nsys.exit(3)", None, "exit"),
    "leaves": Kind("import os\nos._exit(7)", None, "7"),
    "segfaults": Kind("import ctypes\nctypes.string_at(0)", "crashed", "SIGSEGV"),
    "aborts": Kind("import os\nos.abort()", "crashed", "SIGABRT"),
    "allocates": Kind(
        "kept = []\nwhile True:\n    kept.append(bytearray(b'x' * (16 << 20)))",
        "out_of_memory",
        "memory",
    ),
    "hangs": Kind("import time\ntime.sleep(100_000)", "timeout", "longer than"),
    "hangs with children": Kind(
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(100_000)\n"
        "        time.sleep(100_000)\n"
        "time.sleep(100_000)",
        "timeout",
        "longer than",
    ),
    "prints": Kind(
        "import sys\nfor _ in range(1024):\n    sys.stdout.write('x' * (1 << 20))\n"
        "import time\ntime.sleep(100_000)",
        "output_limit",
        "printed more than",
    ),
    "kills its parent": Kind(
        "import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(100_000)",
        "lost",
        "",
    ),
    "deletes its folder": Kind(
        "import os, shutil, torch\nfolder = os.path.dirname(os.path.abspath(__file__))\n"
        "shutil.rmtree(folder)\nraise RuntimeError('my folder is gone')",
        None,
        "gone",
    ),
}


def write_good(folder: Path, count: int) -> list[Path]:
    """Write scripts with nothing wrong, each with a model of its own."""
    folder.mkdir(exist_ok=True)
    paths = [folder / f"good_{number}.py" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(GOOD.format(seed=number))
    return paths


def write_bad(folder: Path, copies: int) -> dict[Path, Kind]:
    """Write scripts of every kind, each in a folder of its own."""
    found = {}
    for name, kind in KINDS.items():
        for number in range(copies):
            own = folder / f"{name} {number}"
            own.mkdir(parents=True)
            path = own / f"{name} {number}.py"
            path.write_text(kind.text)
            found[path] = kind
    return found
