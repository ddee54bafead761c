"""How long turnkey takes to say something, against `import torch`."""

from __future__ import annotations

import sys
from pathlib import Path

from timing import in_turn, rounds_from_command_line


def main() -> None:
    rounds = rounds_from_command_line(__doc__)
    turnkey = str(Path(sys.executable).with_name("turnkey"))
    commands = {
        "python -c 'import torch'": [sys.executable, "-c", "import torch"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "turnkey -h": [turnkey, "-h"],
        "turnkey version": [turnkey, "version"],
        "turnkey plugins": [turnkey, "plugins"],
        "turnkey benchmark -h": [turnkey, "benchmark", "-h"],
        "turnkey FILE -h": [turnkey, "x.py", "-h"],
    }
    medians = in_turn(commands, rounds)
    base = medians["python -c 'import torch'"]
    print(f"{'command':28} {'median s':>9} {'/ import torch':>15}")
    for name, value in medians.items():
        print(f"{name:28} {value:9.3f} {value / base:15.3f}")


if __name__ == "__main__":
    main()
