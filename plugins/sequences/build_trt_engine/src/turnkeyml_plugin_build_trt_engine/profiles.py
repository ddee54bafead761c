"""Optimization profiles as they are written on the command line: `input_ids=1x8,1x128,4x512`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from turnkeyml.errors import PlanError

Shape = tuple[int, ...]
_MAX_DIGITS = 18
_FORM = "NAME=MIN,OPT,MAX, such as input_ids=1x8,1x128,4x512"


@dataclass(frozen=True)
class ShapeRange:
    """The shapes that an engine takes for one input.

    For an input whose values are a shape (such as the second one of Reshape) these are values.

    Args:
        minimum: The smallest of each dimension.
        optimum: What the engine is made fast for.
        maximum: The largest of each dimension.
    """

    minimum: Shape
    optimum: Shape
    maximum: Shape

    def __str__(self) -> str:
        shapes = (self.minimum, self.optimum, self.maximum)
        return ",".join("x".join(map(str, shape)) for shape in shapes)

    def to_json(self) -> list[list[int]]:
        """Give minimum, optimum and maximum as lists."""
        return [list(self.minimum), list(self.optimum), list(self.maximum)]


Profile = dict[str, ShapeRange]


def parse_profiles(words: Iterable[str]) -> tuple[Profile, ...]:
    """Read what ``--profile`` was given.

    The n-th range of an input goes into the n-th profile; an input with one range has it in all.

    Raises:
        PlanError: A word has another form, or the inputs do not have equally many ranges.
    """
    ranges: dict[str, list[ShapeRange]] = {}
    for word in words:
        name, found = _parse_word(word)
        ranges.setdefault(name, []).append(found)
    if not ranges:
        return ()
    count = max(len(found) for found in ranges.values())
    for name, given in ranges.items():
        if len(given) not in (1, count):
            raise PlanError(
                f"--profile gives {len(given)} ranges for {name}, but {count} for another input.",
                hint="Give one range for each profile, or one for all of them.",
            )
    return tuple(
        {name: given[n if len(given) > 1 else 0] for name, given in ranges.items()}
        for n in range(count)
    )


def words_of(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Write profiles in the one form that is recorded, whatever spelling was used."""
    return tuple(f"{name}={found}" for profile in profiles for name, found in profile.items())


def _parse_word(word: str) -> tuple[str, ShapeRange]:
    # A name may contain "=", a shape cannot.
    name, _, text = word.rpartition("=")
    shapes = [_parse_shape(part) for part in text.split(",")]
    if not name or None in shapes or len(shapes) not in (1, 3):
        raise PlanError(f"--profile takes {_FORM}, not {word!r}.")
    minimum, optimum, maximum = (s for s in (shapes if len(shapes) == 3 else shapes * 3) if s)
    if not len(minimum) == len(optimum) == len(maximum):
        raise PlanError(
            f"The shapes of --profile {word!r} have {len(minimum)}, {len(optimum)} and "
            f"{len(maximum)} dimensions.",
            hint="Give all three with the dimensions of the input.",
        )
    if not all(a <= b <= c for a, b, c in zip(minimum, optimum, maximum, strict=True)):
        raise PlanError(
            f"The shapes of --profile {word!r} are not in the order smallest, usual, largest.",
            hint=f"It takes {_FORM}.",
        )
    return name, ShapeRange(minimum, optimum, maximum)


def _parse_shape(text: str) -> Shape | None:
    parts = text.split("x")
    # isdecimal alone would let digits of other scripts pass, which int() takes too.
    if not all(p.isascii() and p.isdecimal() and len(p) <= _MAX_DIGITS for p in parts):
        return None
    return tuple(int(part) for part in parts)
