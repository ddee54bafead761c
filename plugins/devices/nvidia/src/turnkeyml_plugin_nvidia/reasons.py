"""Why a GPU runs slower than it could, in words."""

from __future__ import annotations

_IDLE = 0x1
REASONS = {
    0x2: "a setting of the application clocks",
    0x4: "the power limit",
    0x8: "a slowdown by the hardware, for heat or power",
    0x10: "another GPU of its sync boost group",
    0x20: "heat, by the driver",
    0x40: "heat, by the hardware",
    0x80: "a power brake from outside",
    0x100: "the clocks of a display",
    0x200: "a limit of the board",
    0x400: "a limit for reliability",
}
"""Bits of what NVML gives as the reasons of the clocks, in words."""

SETTINGS = frozenset({REASONS[0x2], REASONS[0x100]})
"""Those that somebody chose; they do not change while something is measured."""

PROTECTION = frozenset(REASONS[bit] for bit in (0x8, 0x20, 0x40, 0x80))
"""Those by which the GPU protects itself: what is measured meanwhile is not its usual speed."""


def reasons_from_bits(bits: int) -> tuple[str, ...]:
    """Say in words what limits the clocks; that nothing runs is no limit."""
    known = [words for bit, words in REASONS.items() if bits & bit]
    rest = bits & ~(_IDLE | sum(REASONS))
    return (*known, f"reasons {rest:#x}") if rest else tuple(known)
