"""The program of a process that helps to read builds; it is started by its path."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Read the order, and write what was read."""
    # In place of this folder, whose modules are not to be found by their bare names.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from turnkeyml.report.parallel import help_reading

    help_reading(json.load(sys.stdin), sys.stdout)


if __name__ == "__main__":
    main()
