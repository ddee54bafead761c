"""The runtime `example-rt`, in the second of the three forms: an outside program is measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from turnkeyml.errors import BuildError
from turnkeyml.runtime import BaseRT
from turnkeyml_plugin_example_combined.device import passes_of

PROGRAM = Path(__file__).with_name("program.py")
_TIMEOUT_S = 10


def check_program() -> None:
    """Check that the program can be started; called before each benchmark.

    Raises:
        BuildError: It cannot, and the benchmark is not begun.
    """
    _program_version()


def _program_version() -> str:
    command = [sys.executable, str(PROGRAM), "--version"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(
            f"The program of example-rt cannot be started: {error}.",
            hint="Install turnkeyml-plugin-example-combined again.",
        ) from error
    return done.stdout.strip()


class ExampleRT(BaseRT):
    """Reads a model's bytes with a program of its own: a stand-in for running it."""

    def __init__(
        self,
        delay_before_benchmarking: float = 0.0,
        tags: list[str] | None = None,
        verbose: bool = False,
    ) -> None:
        # What stands here is what --rt-args accepts, converted by the annotations:
        #     --rt-args delay_before_benchmarking::0.5 tags::[first,second] verbose
        # Only keep it: the model is loaded in _setup or later.
        self.delay_before_benchmarking = delay_before_benchmarking
        self.tags = tags or []
        self.verbose = verbose

    def _setup(self) -> None:
        """Prepare: called once, before the benchmark. Here a real runtime would load the model."""
        self.report: dict[str, Any] = {}

    def _execute(self, output_dir: str, onnx_file: str, outputs_file: str, iterations: int) -> None:
        """Let the program measure the model; its results are in ``outputs_file`` afterwards."""
        if self.verbose:
            # What is printed goes into the log of this step.
            print(f"Waiting for {self.delay_before_benchmarking} s")  # noqa: T201
        time.sleep(self.delay_before_benchmarking)
        passes = passes_of(self.context.device)
        command = [sys.executable, str(PROGRAM), onnx_file, outputs_file]
        command += [str(iterations), str(passes)]
        # A list of words, never a line for a shell: names of files come from users.
        done = subprocess.run(command, cwd=output_dir, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise BuildError(f"The program of example-rt failed: {last}.")
        self.report = json.loads(Path(outputs_file).read_text("utf-8"))
        # The keys that status_stats names are shown in the status.
        self.stats.save_model_eval_stat("custom_stat_1", f"{self.report['model_bytes']} bytes")
        self.stats.save_model_eval_stat("custom_stat_2", " ".join(self.tags) or "no tags")

    def mean_latency(self) -> float:
        """Give the mean latency in milliseconds."""
        return 1000 * float(self.report["total_seconds"]) / int(self.report["iterations"])

    def throughput(self) -> float:
        """Give the throughput in inferences per second."""
        return int(self.report["iterations"]) / float(self.report["total_seconds"])

    def device_name(self) -> str:
        """Give the full name of the device, or what the user called it where nobody knows more."""
        info = self.context.device_info
        return info.full_name() if info is not None else self.device_type

    def version(self) -> str:
        """Give the version of the program."""
        return _program_version()
