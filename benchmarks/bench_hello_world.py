"""What the whole chain costs on the tutorial's first script, cold, against the bare script."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from timing import rounds_from_command_line, seconds

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = str(ROOT / "examples/cli/scripts/hello_world.py")


def main() -> None:
    rounds = rounds_from_command_line(__doc__)
    turnkey = str(Path(sys.executable).with_name("turnkey"))
    chains = {
        "discover": ["discover"],
        "discover export-pytorch": ["discover", "export-pytorch"],
        "discover export-pytorch benchmark": ["discover", "export-pytorch", "benchmark"],
    }
    alone: list[float] = []
    torch: list[float] = []
    more: dict[str, list[float]] = {name: [] for name in chains}
    for number in range(rounds + 1):
        bare = seconds([sys.executable, SCRIPT])
        imported = seconds([sys.executable, "-c", "import torch"])
        for name, tools in chains.items():
            with tempfile.TemporaryDirectory() as cache:
                took = seconds([turnkey, "-i", SCRIPT, "-d", cache, *tools])
            if number > 0:
                more[name].append(took - bare)
        if number > 0:
            alone.append(bare)
            torch.append(imported)
    base, unit = statistics.median(alone), statistics.median(torch)
    print(f"the script alone: {base:.2f} s; import torch: {unit:.2f} s (medians of {rounds})")
    print(f"{'chain, cold':36} {'more s':>7} {'/ import torch':>15}")
    for name, values in more.items():
        value = statistics.median(values)
        print(f"{name:36} {value:7.2f} {value / unit:15.2f}")


if __name__ == "__main__":
    main()
