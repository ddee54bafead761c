"""The spelling of `--dynamic-axes`: which axes of which inputs are not fixed in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from turnkeyml.errors import BuildError, PlanError

if TYPE_CHECKING:
    from turnkeyml_plugin_export_pytorch.flat import FlatInput

BATCH = "batch"
"""Short for axis 0 of every input."""

_SPELLING = "INPUT=AXIS:NAME,AXIS:NAME, as in input_ids=0:batch,1:sequence; or batch"
_AXIS = re.compile(r"(?P<axis>-?\d+)(?::(?P<label>[A-Za-z_]\w*))?", re.ASCII)


@dataclass(frozen=True)
class AxesRequest:
    """One value of the option.

    Args:
        pattern: Name of an input; with ``*`` or ``?``, of all that it fits and that have such axes.
        axes: Axes, from 0 or back from -1, and what each is to be called, if that was said.
    """

    pattern: str
    axes: tuple[tuple[int, str | None], ...]

    @property
    def is_pattern(self) -> bool:
        """Whether it may stand for several inputs."""
        return any(sign in self.pattern for sign in "*?[")


def parse_axes(values: Iterable[str]) -> tuple[AxesRequest, ...]:
    """Read the values of the option.

    Raises:
        PlanError: One is not spelled as it should be.
    """
    return tuple(_parse_one(value) for value in values)


def match_axes(
    requests: Iterable[AxesRequest], inputs: Sequence[FlatInput]
) -> dict[str, dict[int, str]]:
    """Find out which axes of a model's inputs are meant.

    Returns:
        Input names to axes to what these are called.

    Raises:
        BuildError: An input or an axis does not exist; says which do.
    """
    found: dict[str, dict[int, str]] = {}
    for request in requests:
        chosen = [entry for entry in inputs if _fits(request, entry)]
        if not chosen:
            raise _unknown(request, inputs)
        for entry in chosen:
            for axis, label in request.axes:
                rank = entry.tensor.dim()
                place = axis + rank if axis < 0 else axis
                if 0 <= place < rank:
                    found.setdefault(entry.name, {})[place] = label or f"{entry.name}_dim_{place}"
                elif not request.is_pattern:
                    raise BuildError(
                        f"--dynamic-axes: the input {entry.name} has no axis {axis}, its shape is "
                        f"{tuple(entry.tensor.shape)}.",
                        hint=f"Its axes are 0 to {rank - 1}." if rank else "It is a single number.",
                    )
    return {name: dict(sorted(axes.items())) for name, axes in found.items()}


def still_fixed(
    wanted: Mapping[str, Mapping[int, str]], got: Mapping[str, Mapping[int, str]]
) -> list[str]:
    """Give the axes, in words, that an exporter fixed all the same."""
    return [
        f"axis {axis} ({label}) of {name}"
        for name, axes in wanted.items()
        for axis, label in axes.items()
        if axis not in got.get(name, {})
    ]


def _parse_one(value: str) -> AxesRequest:
    if value == BATCH:
        return AxesRequest("*", ((0, BATCH),))
    pattern, separator, rest = value.partition("=")
    axes = [_AXIS.fullmatch(word.strip()) for word in rest.split(",")]
    if not pattern or not separator or not all(axes):
        raise PlanError(
            f"--dynamic-axes {value!r} cannot be understood.", hint=f"It is spelled {_SPELLING}."
        )
    return AxesRequest(
        pattern.strip(),
        tuple((int(found["axis"]), found["label"]) for found in axes if found is not None),
    )


def _fits(request: AxesRequest, entry: FlatInput) -> bool:
    if request.is_pattern:
        return fnmatchcase(entry.name, request.pattern) or fnmatchcase(
            entry.captured, request.pattern
        )
    return request.pattern in (entry.name, entry.captured)


def _unknown(request: AxesRequest, inputs: Sequence[FlatInput]) -> BuildError:
    names = ", ".join(f"{entry.name} {tuple(entry.tensor.shape)}" for entry in inputs) or "none"
    return BuildError(
        f"--dynamic-axes: the model has no input {request.pattern}.", hint=f"It has: {names}."
    )
