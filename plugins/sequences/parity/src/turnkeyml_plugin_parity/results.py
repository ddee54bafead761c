"""What a check found, and how it is kept in the statistics of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any

from turnkeyml_plugin_parity.comparing import OutputComparison

Entry = dict[str, Any]
"""What is kept of a check in the statistics of a step: ``status``, ``reason``, and the numbers."""

SHOWN_OUTPUTS = 10
"""Of so many outputs, the worst, the numbers are kept."""


class Unable(Exception):  # noqa: N818 - it is an answer, not an error
    """A check cannot be made; says why, as a sentence."""


class Parity(Enum):
    """What is known of an artifact."""

    OK = "ok"
    """It computes what the reference says, up to rounding."""
    MISMATCH = "mismatch"
    """It computes something else."""
    REFUSED = "refused"
    """The runtime could not run it."""
    NOT_CHECKED = "not checked"
    """Nobody could tell."""
    REFERENCE = "reference"
    """There is no model behind it: it is what later artifacts are compared with."""

    @property
    def is_finding(self) -> bool:
        """Whether the user must hear of it."""
        return self in (Parity.MISMATCH, Parity.REFUSED)


def entry_from_comparisons(comparisons: list[OutputComparison]) -> Entry:
    """Give what is kept of compared outputs: the extremes, and the worst outputs in detail.

    Raises:
        Unable: They have no value that could be compared.
    """
    worst_first = sorted(comparisons, key=lambda c: -c.badness)
    departing = [c for c in worst_first if c.problem]
    undecided = [c for c in worst_first if c.undecided]
    decided = [c for c in worst_first if c.values and not c.undecided]
    if not departing and not decided:
        if undecided:
            raise Unable(f"Output {undecided[0].name!r} {undecided[0].undecided}.")
        raise Unable("No output has a value that can be compared.")
    status = Parity.MISMATCH if departing else Parity.OK
    worst = departing[0] if departing else decided[0]
    cosines = [c.cosine for c in comparisons if c.cosine is not None]
    agreements = [c.class_agreement for c in comparisons if c.class_agreement is not None]
    return {
        "status": status.value,
        "reason": f"output {worst.name!r} {worst.problem}" if departing else "",
        "outputs": len(comparisons),
        "departing_outputs": len(departing),
        "undecided_outputs": len(undecided),
        "worst_output": worst.name,
        "max_abs": _short(max(c.max_abs for c in comparisons)),
        "max_rel": _short(max(c.max_rel for c in comparisons)),
        "tolerance": worst.tolerance.relative,
        "tolerance_dtype": worst.tolerance.dtype,
        "cosine": _near_one(min(cosines, default=None)),
        "class_agreement": _near_one(min(agreements, default=None)),
        "nan": sum(c.nan for c in comparisons),
        "inf": sum(c.inf for c in comparisons),
        "reference_nan": sum(c.reference_nan for c in comparisons),
        "reference_inf": sum(c.reference_inf for c in comparisons),
        "details": [_details(c) for c in worst_first[:SHOWN_OUTPUTS]],
    }


def status_of(entry: Mapping[str, Any]) -> Parity:
    """Read the status of an entry, which may come from a file."""
    try:
        return Parity(entry.get("status"))
    except ValueError:
        return Parity.NOT_CHECKED


def _details(comparison: OutputComparison) -> dict[str, Any]:
    return {
        "output": comparison.name,
        "dtype": comparison.dtype,
        "shape": list(comparison.shape),
        "problem": comparison.problem or comparison.undecided,
        "max_abs": _short(comparison.max_abs),
        "max_rel": _short(comparison.max_rel),
        "tolerance": comparison.tolerance.relative,
        "cosine": _near_one(comparison.cosine),
        "class_agreement": _near_one(comparison.class_agreement),
    }


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def _near_one(number: float | None) -> float | None:
    return None if number is None else round(number, 9)


def summary_of(entries: Mapping[str, Entry]) -> dict[str, Any]:
    """Sum up the checks of a chain.

    Args:
        entries: The entries of its steps, by the tool's name, in order.

    Returns:
        ``status`` (``ok``, ``mismatch``, ``refused``, ``partly checked``, ``not checked``),
        ``reference``, ``checked`` and ``not_checked`` (tools), ``departs_at`` (the first tool whose
        artifact is wrong or refused, or None), ``reason``, ``caveat`` (what such a check cannot
        see), and ``worst``: where the largest difference is in relation to its tolerance.
    """
    by_status = {name: status_of(entry) for name, entry in entries.items()}
    checked = [n for n, s in by_status.items() if s in (Parity.OK, Parity.MISMATCH)]
    missing = [n for n, s in by_status.items() if s is Parity.NOT_CHECKED]
    findings = [n for n, s in by_status.items() if s.is_finding]
    first = findings[0] if findings else None
    if first is not None:
        status = by_status[first].value
    elif missing or not checked:
        status = "partly checked" if checked else Parity.NOT_CHECKED.value
    else:
        status = Parity.OK.value
    told = first or (missing[0] if missing else None)
    references = [e["reference"] for e in entries.values() if e.get("reference")]
    caveats = [e["caveat"] for e in entries.values() if e.get("caveat")]
    return {
        "status": status,
        "reference": references[0] if references else None,
        "checked": checked,
        "not_checked": missing,
        "departs_at": first,
        "reason": entries[told].get("reason", "") if told is not None else "",
        "caveat": caveats[0] if caveats else "",
        "worst": _worst({name: entries[name] for name in checked}),
    }


def _worst(entries: Mapping[str, Entry]) -> dict[str, Any] | None:
    def used_up(entry: Entry) -> float:
        error, tolerance = entry.get("max_rel"), entry.get("tolerance")
        if status_of(entry) is Parity.MISMATCH:
            return math.inf
        both = isinstance(error, (int, float)) and isinstance(tolerance, (int, float))
        return error / tolerance if both and tolerance else 0.0

    if not entries:
        return None
    name = max(entries, key=lambda n: used_up(entries[n]))
    kept = ("worst_output", "max_abs", "max_rel", "tolerance", "cosine", "class_agreement")
    return {"step": name, **{key: entries[name].get(key) for key in kept}}
