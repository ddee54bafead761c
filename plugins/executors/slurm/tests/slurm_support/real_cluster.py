"""The cluster that ``.ci/slurm.sh`` starts, as tests disturb it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path


class RealCluster:
    """A Slurm of two nodes on this machine, whose processes belong to the tests."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.configuration = str(folder / "slurm.conf")

    def ask(self, *words):
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def wait_until_idle(self, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(subprocess.CalledProcessError):
                nodes = self.ask("sinfo", "-h", "-N", "-p", "test", "-o", "%T").split()
                if nodes == ["idle", "idle"] and not self.ask("squeue", "-h"):
                    return
            time.sleep(0.3)
        raise AssertionError(self.ask("sinfo", "-N", "-l") + self.ask("squeue"))

    def stop_controller(self, how=signal.SIGTERM):
        pid = int((self.folder / "slurmctld.pid").read_text())
        os.kill(pid, how)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.05)

    def start_controller(self, first_number=None):
        """Start it.

        Args:
            first_number: Of the jobs to come. Nodes do not begin a job whose number they have seen.
        """
        if first_number is not None:
            path = Path(self.configuration)
            lines = path.read_text().splitlines()
            kept = [line for line in lines if not line.startswith("FirstJobId=")]
            path.write_text("\n".join([f"FirstJobId={first_number}", *kept]) + "\n")
        self._start("slurmctld", "-f", self.configuration)

    def _start(self, *words):
        # Daemons outlive a test, and must have nothing of its environment.
        subprocess.run(words, check=True, env={"PATH": os.environ["PATH"]})

    def kill_node(self, node):
        """Let a node vanish with all that runs on it, as if its power was cut."""
        for pid in self._processes_of(node):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _processes_of(self, node):
        """Find the node's daemon, its job supervisors, and what descends from these."""
        parents, roots = {}, set()
        for path in Path("/proc").iterdir():
            if not path.name.isdigit():
                continue
            with suppress(OSError, IndexError):
                parents[int(path.name)] = int(
                    (path / "stat").read_text().rpartition(")")[2].split()[1]
                )
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                name = (path / "comm").read_text().strip()
                if name == "slurmd" and f"-N {node}" in command and str(self.folder) in command:
                    roots.add(int(path.name))
                environ = (path / "environ").read_bytes()
                if f"SLURMD_NODENAME={node}\0".encode() in environ:
                    roots.add(int(path.name))
                if name == "slurmstepd" and f"slurm_{node}/" in (path / "cgroup").read_text():
                    roots.add(int(path.name))
        found = set(roots)
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    def start_node(self, node):
        self._start("slurmd", "-f", self.configuration, "-N", node)
        with suppress(subprocess.CalledProcessError):
            self.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")


def processes_marked(mark):
    """Give the command lines of all processes with a variable in their environment."""
    found = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != os.getpid():
            with suppress(OSError):
                if mark.encode() in (path / "environ").read_bytes():
                    found[path.name] = (path / "cmdline").read_bytes().replace(b"\0", b" ")
    return found
