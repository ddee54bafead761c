"""Time commands in turn, so that a drift of the machine meets all of them."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Sequence

ROUNDS = 5


def rounds_from_command_line(description: str) -> int:
    """Read how often everything is run; ``-h`` says what is measured."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=at_least_one, default=ROUNDS, help=f"default: {ROUNDS}")
    return parser.parse_args().rounds


def at_least_one(text: str) -> int:
    """Read a number of a command line that counts something."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def seconds(command: Sequence[str], **options) -> float:
    """Give the wall time of a command in seconds; it must succeed."""
    start = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )
    return time.perf_counter() - start


def in_turn(commands: dict[str, Sequence[str]], rounds: int) -> dict[str, float]:
    """Run commands one after the other, several rounds, and give the median seconds of each.

    A first round is not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            took = seconds(command)
            if number > 0:
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}
