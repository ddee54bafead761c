"""Cells: values of any kind as the page keeps them, and what columns are called there."""

from __future__ import annotations

import math
import re
from typing import Any

from turnkeyml.report import columns as c
from turnkeyml.report.csv_format import text_from

Cell = None | int | float | str
"""What a cell has: nothing, a number, or text."""

LONGEST = 2_000
"""In characters. The CSV and JSON lines formats keep the whole."""
LONGEST_COMMAND = 20_000
_LARGEST = 2**53
"""Of whole numbers that a browser computes with exactly."""
_DIGITS = 6
_DIGEST = re.compile(r"[0-9a-f]{32,128}\Z")
_UNITS = {
    "ms": "ms",
    "ns": "ns",
    "us": "µs",
    "s": "s",
    "ips": "inferences/s",
    "bytes": "bytes",
    "percent": "%",
    "mhz": "MHz",
    "watts": "W",
    "celsius": "°C",
}
_TITLES = {
    c.MODEL_NAME: "Model",
    c.BUILD_NAME: "Build",
    c.MODEL_CLASS: "Class",
    c.PARAMETER_BYTES: "Size of parameters",
    c.THROUGHPUT: "Throughput",
    c.RT_ARGS: "Runtime arguments",
    c.TURNKEY_VERSION: "turnkey version",
    c.BUILD_DIR: "Build directory",
}


def cell_from(value: Any, longest: int = LONGEST) -> Cell:
    """Give what the page keeps of a value.

    Numbers have six digits, which is more than a measurement has; digests are cut to 16 digits.

    Args:
        value: A JSON value, as rows have them.
        longest: Text is cut after so many characters.
    """
    if type(value) is float:
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else str(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST else str(value)
    text = text_from(value)
    if _DIGEST.match(text):
        return f"{text[:16]}…"
    return text if len(text) <= longest else f"{text[:longest]}…"


def title_of(name: str) -> tuple[str, str]:
    """Give what stands at the head of a column, and the unit of its numbers."""
    stem, _, end = name.rpartition("_")
    unit = _UNITS.get(end, "") if stem else ""
    if name in _TITLES:
        return _TITLES[name], unit
    words = (stem if unit else name).replace("_", " ")
    if name in c.WELL_KNOWN:
        words = words[:1].upper() + words[1:]
    return words, unit
