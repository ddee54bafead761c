"""What `discover` costs a script: its own running time, the whole command, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from timing import rounds_from_command_line

TURNKEY = str(Path(sys.executable).with_name("turnkey"))

# Each script notes how long it took from its first line to its last.
FRAME = """
import os, time
_start = time.perf_counter()
{body}
with open(os.environ["BENCH_OUT"], "w") as file:
    file.write(str(time.perf_counter() - _start))
"""
SCRIPTS = {
    "plain Python, 10 million calls": """
def step(x):
    return x + 1
value = 0
for _ in range(10_000_000):
    value = step(value)
""",
    "10,000 calls of a small model": """
import torch
model = torch.nn.Sequential(torch.nn.Linear(10, 20), torch.nn.ReLU(), torch.nn.Linear(20, 5))
x = torch.rand(1, 10)
_start = time.perf_counter()
for _ in range(10_000):
    model(x)
""",
    "BERT base, 3 calls": """
import torch, transformers
model = transformers.BertModel(transformers.BertConfig()).eval()
x = torch.ones(1, 128, dtype=torch.long)
_start = time.perf_counter()
with torch.no_grad():
    for _ in range(3):
        model(input_ids=x)
""",
    "import torch and one layer": """
import torch
torch.nn.Linear(10, 5)(torch.rand(10))
""",
}


@dataclass(frozen=True)
class Run:
    """One run: seconds by the script's own clock, wall seconds, peak memory in MB."""

    inside: float
    wall: float
    peak: float


def run(command: list[str], out: Path) -> Run:
    out.unlink(missing_ok=True)
    environment = {**os.environ, "BENCH_OUT": str(out)}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(process.pid, 0)
    return Run(float(out.read_text()), time.perf_counter() - start, usage.ru_maxrss / 1024)


def main() -> None:
    rounds = rounds_from_command_line(__doc__)
    print(f"{'script':32} {'inside':>7} {'peak':>6} {'wall more s':>12}   (medians of {rounds})")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "seconds")
        for name, body in SCRIPTS.items():
            script = Path(folder, "script.py")
            script.write_text(FRAME.format(body=body))
            pairs = []
            for number in range(rounds + 1):
                bare = run([sys.executable, str(script)], out)
                cache = str(Path(folder, "cache"))
                ours = run([TURNKEY, "-i", str(script), "-d", cache, "discover"], out)
                if number > 0:
                    pairs.append((bare, ours))
            inside = statistics.median(b.inside / a.inside for a, b in pairs)
            peak = statistics.median(b.peak / a.peak for a, b in pairs)
            more = statistics.median(b.wall - a.wall for a, b in pairs)
            print(f"{name:32} {inside:7.3f} {peak:6.3f} {more:12.2f}")


if __name__ == "__main__":
    main()
