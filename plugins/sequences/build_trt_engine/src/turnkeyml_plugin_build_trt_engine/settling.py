"""Decide what an engine takes for each of its inputs; standard library only.

`task` loads this file by its path, in the process that builds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Range = list[list[int]]
"""Smallest, usual and largest shape."""
Captured = Mapping[str, Mapping[str, Any]]
"""Names of inputs to ``shape``, ``dtype`` and, of small integer ones, ``values``."""


@dataclass(frozen=True)
class Input:
    """An input of the network.

    Args:
        name: Its name.
        shape: Its dimensions; -1 for one that is open.
        dtype: As turnkey calls it, such as ``float32``.
        labels: Names that the ONNX file gives its dimensions, such as ``batch``; those of one name
            are equal. None or empty where there is none.
        is_values: Whether what it holds is itself a shape, which a profile must bound.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    labels: tuple[str | None, ...] = ()
    is_values: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a profile must say what the engine takes."""
        return self.is_values or -1 in self.shape


class MisfitError(Exception):
    """What was asked for, or captured, does not fit the model.

    Args:
        message: What does not fit, in one sentence.
        hint: What to do about it, in one sentence.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def settle_profiles(
    inputs: Sequence[Input], requested: Sequence[Mapping[str, Range]], captured: Captured
) -> tuple[list[dict[str, Range]], list[str]]:
    """Complete the profiles that the user gave with what was captured.

    Args:
        inputs: Of the network.
        requested: What the user gave, for each profile.
        captured: What the model was called with.

    Returns:
        The profiles, none if all inputs are fixed, and sentences for the user.

    Raises:
        MisfitError: An input is unknown, a range does not fit it, or nothing is known of it.
    """
    by_name = {each.name: each for each in inputs}
    for profile in requested:
        for name, found in profile.items():
            _check_range(name, found, by_name)
    for each in inputs:
        _check_captured(each, captured)
    profiles = [dict(profile) for profile in requested] or [{}]
    taken: dict[str, str] = {}
    for profile in profiles:
        labelled = _labelled_ranges(profile, by_name)
        for each in inputs:
            if each.is_open and each.name not in profile:
                profile[each.name], shown = _complete(each, labelled, captured)
                if shown:
                    taken[each.name] = f"{each.name} {shown}"
    profiles = [profile for profile in profiles if profile]
    notes = _note_on_captured(list(taken.values())) + _note_on_outside(inputs, profiles, captured)
    return profiles, notes + _notes_on_types(inputs, captured)


def _check_range(name: str, found: Range, by_name: Mapping[str, Input]) -> None:
    if name not in by_name:
        known = ", ".join(f"{i.name} ({_shown(i.shape)})" for i in by_name.values()) or "none"
        raise MisfitError(
            f"--profile names {name}, which is no input of the model.", f"Its inputs: {known}."
        )
    each = by_name[name]
    if each.is_values:
        fits = all(len(given) == (each.shape[0] if each.shape else 1) for given in found)
        what = "the values of a tensor of shape"
    else:
        fits = all(_agrees(given, each.shape) for given in found)
        what = "shapes of the form"
    if not fits:
        given = ",".join(_shown(shape) for shape in found)
        raise MisfitError(
            f"--profile {name}={given} does not fit the input {name} of the model.",
            f"It takes {what} {_shown(each.shape)}.",
        )


def _check_captured(each: Input, captured: Captured) -> None:
    found = captured.get(each.name)
    if found is not None and not _agrees(found["shape"], each.shape):
        raise MisfitError(
            f"TensorRT reads the input {each.name} of the ONNX file as {_shown(each.shape)}, but "
            f"it was captured as {_shown(found['shape'])}.",
            "Give this input its shape in the ONNX file.",
        )


def _agrees(given: Sequence[int], shape: Sequence[int]) -> bool:
    return len(given) == len(shape) and all(
        fixed in (-1, number) for number, fixed in zip(given, shape, strict=True)
    )


def _captured_numbers(each: Input, captured: Captured) -> list[int] | None:
    found = captured.get(each.name, {}).get("values" if each.is_values else "shape")
    return None if found is None else [int(number) for number in found]


def _labelled_ranges(
    profile: Mapping[str, Range], by_name: Mapping[str, Input]
) -> dict[str, tuple[int, int, int]]:
    """Give what a profile says of dimensions that have a name in the ONNX file."""
    found: dict[str, tuple[int, int, int]] = {}
    for name, (low, usual, high) in profile.items():
        if by_name[name].is_values:
            continue
        for label, *numbers in zip(by_name[name].labels, low, usual, high, strict=False):
            if label:
                found.setdefault(label, (numbers[0], numbers[1], numbers[2]))
    return found


def _complete(
    each: Input, labelled: Mapping[str, tuple[int, int, int]], captured: Captured
) -> tuple[Range, str]:
    """Decide on an input that the user did not name.

    Returns:
        Its range, and how it is shown if any of it was taken from what was captured.

    Raises:
        MisfitError: Nothing is known of one of its dimensions.
    """
    numbers = _captured_numbers(each, captured)
    if each.is_values:
        if numbers is None:
            raise _nothing_known(each)
        return [numbers] * 3, _shown(numbers)
    columns: list[tuple[int, int, int]] = []
    parts: list[str] = []
    is_captured = False
    labels = (*each.labels, *[None] * len(each.shape))
    for index, (fixed, label) in enumerate(zip(each.shape, labels, strict=False)):
        column = (fixed,) * 3 if fixed != -1 else labelled.get(label or "")
        if column is None:
            if numbers is None:
                raise _nothing_known(each)
            column, is_captured = (numbers[index],) * 3, True
        columns.append(column)
        parts.append(str(column[0]) if column[0] == column[2] else f"{column[0]}-{column[2]}")
    found = [list(shape) for shape in zip(*columns, strict=True)]
    return found, "x".join(parts) if is_captured else ""


def _nothing_known(each: Input) -> MisfitError:
    return MisfitError(
        f"The input {each.name} ({_shown(each.shape)}) is not fixed in the ONNX file, and neither "
        "--profile nor a captured input says what the engine is to take.",
        f"Give --profile {each.name}=MIN,OPT,MAX.",
    )


def _note_on_captured(taken: Sequence[str]) -> list[str]:
    if not taken:
        return []
    return [
        "The ONNX file leaves dimensions open that --profile says nothing of: the engine takes them"
        f" only as captured ({', '.join(taken)})."
    ]


def _note_on_outside(
    inputs: Sequence[Input], profiles: Sequence[Mapping[str, Range]], captured: Captured
) -> list[str]:
    """Say so if no profile takes what was captured, because a benchmark runs with that."""
    known = {each.name: _captured_numbers(each, captured) for each in inputs}
    outside = [
        [
            f"{name} {_shown(numbers)}"
            for name, (low, _, high) in profile.items()
            if (numbers := known[name]) is not None
            and not all(a <= b <= c for a, b, c in zip(low, numbers, high, strict=True))
        ]
        for profile in profiles
    ]
    if not outside or not all(outside):
        return []
    return [
        f"No profile takes what was captured ({', '.join(outside[0])}), so the engine cannot be "
        "benchmarked with it."
    ]


def _notes_on_types(inputs: Sequence[Input], captured: Captured) -> list[str]:
    return [
        f"The engine takes {each.name} as {each.dtype}; it was captured as {found['dtype']}."
        for each in inputs
        if (found := captured.get(each.name)) is not None and found["dtype"] != each.dtype
    ]


def _shown(shape: Sequence[int]) -> str:
    return "x".join("?" if number == -1 else str(number) for number in shape) or "scalar"
