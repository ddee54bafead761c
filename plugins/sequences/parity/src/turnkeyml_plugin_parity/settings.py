"""The global options that this package adds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from turnkeyml.options import option, options_from_values

if TYPE_CHECKING:
    from turnkeyml.state import State

WARN, FAIL = "warn", "fail"
FP32, FP64 = "fp32", "fp64"


@dataclass(frozen=True)
class ParityOptions:
    """How the check of every stage is done, and what follows from it."""

    parity: bool = option(
        True,
        help="Run what each stage made once, and compare its outputs with what the model itself "
        "returns.",
    )
    on_mismatch: str = option(
        WARN,
        choices=(WARN, FAIL),
        help="What follows when a stage departs from the model: a warning, or the stage fails.",
    )
    parity_reference: str = option(
        FP32,
        choices=(FP32, FP64),
        help="Precision in which the model itself is computed for the comparison: as the script "
        "has it, or in float64 on a copy, which takes more memory.",
    )


def settings_of(state: State) -> ParityOptions:
    """Give what the user decided for the command that a state belongs to."""
    given = getattr(state.context, "settings", {})
    names = {field.name for field in fields(ParityOptions)}
    return options_from_values(ParityOptions, {k: v for k, v in given.items() if k in names})
