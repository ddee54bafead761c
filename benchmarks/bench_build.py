"""What all build stages of BERT cost: memory of each process, disk, and the same command again."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from timing import in_turn, rounds_from_command_line

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "models/transformers/bert.py"
TURNKEY = str(Path(sys.executable).with_name("turnkey"))
STAGES = ("discover", "export-pytorch", "optimize-onnx", "convert-fp16")


def status_of(path: Path) -> dict[str, str]:
    """Read a process's status; empty if it has ended."""
    with suppress(OSError):
        lines = path.read_text("ascii", "replace").splitlines()
        return {name: value for name, _, value in (line.partition(":") for line in lines)}
    return {}


def peaks_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Watch a process and those that it starts; give the peak memory of each in MB."""
    family, peaks = {str(process.pid)}, dict[str, int]()
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*/status"):
            status = status_of(path)
            if status.get("Pid", "").strip() in family or status.get("PPid", "").strip() in family:
                pid = status["Pid"].strip()
                family.add(pid)
                if "VmHWM" in status:
                    peaks[pid] = max(peaks.get(pid, 0), int(status["VmHWM"].split()[0]))
        time.sleep(0.02)
    return sorted((kilobytes * 1024 // 10**6 for kilobytes in peaks.values()), reverse=True)


def main() -> None:
    rounds = rounds_from_command_line(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        command = [TURNKEY, "-i", str(SCRIPT), "-d", folder, *STAGES]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peaks = peaks_of(process)
        took = time.perf_counter() - start
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e9
        print(f"BERT base, {' '.join(STAGES)}: {took:.1f} s, exit code {process.returncode}")
        print(f"peak memory of its processes in MB: {peaks}   (limit 1,600)")
        print(f"disk: {size:.3f} GB   (limit 0.75)")
        bare = [sys.executable, str(SCRIPT)]
        found = in_turn({"alone": bare, "ours": command}, rounds)
        ratio = found["ours"] / found["alone"]
        print(
            f"the same again / the bare script ({found['alone']:.1f} s): {ratio:.2f}   (limit 1.25)"
        )


if __name__ == "__main__":
    main()
