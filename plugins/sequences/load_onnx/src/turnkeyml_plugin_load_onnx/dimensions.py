"""Settle dimensions that a file leaves open: from the user, from names, from their place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from turnkeyml.errors import BuildError, PlanError
from turnkeyml_plugin_load_onnx.reading import shown
from turnkeyml_plugin_load_onnx.signature import Dimension, InputSpec

BATCH, CHANNELS, SEQUENCE, PIXELS, FRAMES, UNKNOWN = 1, 3, 128, 224, 16, 1

_BY_NAME = (
    (re.compile(r"batch|(^|_)(bs|b|n)$", re.IGNORECASE), BATCH),
    (re.compile(r"height|width|pixel|image_size|resolution|(^|_)[hw]$", re.IGNORECASE), PIXELS),
    (re.compile(r"chan|(^|_)c$", re.IGNORECASE), CHANNELS),
    (
        re.compile(r"seq|len|tok|time|frame|ctx|context|past|word|(^|_)[lst]$", re.IGNORECASE),
        SEQUENCE,
    ),
)
_MACHINE_MADE = re.compile(r"(s|u|d|dim_?|unk_*|\?)?\d*|\?", re.IGNORECASE)
"""Names of dimensions that mean nothing to a reader, such as ``s72``."""
_CHANNEL_COUNTS = (1, 3, 4)
_LONGEST_EXPRESSION = 200
_LARGEST_DIMENSION = 1 << 31

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Settled:
    """The shapes that the inputs have.

    Args:
        shapes: By the input's name.
        symbols: Names of dimensions to their values.
        chosen: Those that turnkey chose, as they are shown (``batch``, ``x[2]``), to their values.
    """

    shapes: Mapping[str, Shape]
    symbols: Mapping[str, int]
    chosen: Mapping[str, int]


def parse_shapes(words: tuple[str, ...]) -> dict[str, Shape]:
    """Read ``name=1,3,224,224``; nothing after the equals sign is the shape of a single number.

    Raises:
        PlanError: A word has another form, or names an input a second time.
    """
    shapes: dict[str, Shape] = {}
    for word in words:
        # An input's name may have an equals sign in it.
        name, equals, text = word.rpartition("=")
        try:
            shape = tuple(int(part) for part in text.split(",")) if text.strip() else ()
        except ValueError:
            shape = (-1,)
        if not equals or not name or any(not 0 <= n < _LARGEST_DIMENSION for n in shape):
            raise PlanError(
                f"--shape {word!r} is no name with whole numbers.",
                hint="Give the input's name and its dimensions: --shape x=1,3,224,224",
            )
        if name in shapes:
            raise PlanError(f"--shape gives the input {name!r} twice.")
        shapes[name] = shape
    return shapes


@dataclass(frozen=True)
class GivenShape:
    """A shape that the user gave.

    Args:
        name: The input's.
        shape: Its dimensions.
        where: Where the user gave it, such as ``--shape``.
    """

    name: str
    shape: Shape
    where: str


def settle_shapes(inputs: Mapping[str, InputSpec], given: Iterable[GivenShape]) -> Settled:
    """Give every input a shape: as the user says, else by sensible rules.

    Args:
        inputs: What the file declares.
        given: The shapes that the user gave.

    Raises:
        BuildError: They name no input, contradict the file or each other, or are needed.
    """
    settler = _Settler(inputs)
    for item in given:
        settler.take(item)
    return settler.settle()


class _Settler:
    """The dimensions settled so far."""

    def __init__(self, inputs: Mapping[str, InputSpec]) -> None:
        self._inputs = inputs
        self._given: dict[str, Shape] = {}
        self._symbols: dict[str, int] = {}
        self._origin: dict[str, str] = {}
        self._chosen: dict[str, int] = {}

    def take(self, given: GivenShape) -> None:
        """Take the shape of one input, and the dimensions that it has in common with others."""
        name, shape, where = given.name, given.shape, given.where
        if name not in self._inputs:
            known = ", ".join(spec.describe() for spec in self._inputs.values()) or "none"
            raise BuildError(
                f"{where} names the input {shown(name)!r}, which the model does not have.",
                hint=f"Its inputs are: {known}.",
            )
        spec = self._inputs[name]
        dims = shape if spec.dims is None else spec.dims
        fits = len(dims) == len(shape) and all(
            not isinstance(d, int) or d == n for d, n in zip(dims, shape, strict=True)
        )
        if not fits:
            raise BuildError(
                f"{where} gives {shown(name)} the shape {_text(shape)}, but the model takes "
                f"{spec.describe()}."
            )
        if self._given.setdefault(name, shape) != shape:
            raise BuildError(
                f"{where} gives {shown(name)} the shape {_text(shape)}, but it was given "
                f"{_text(self._given[name])} before."
            )
        for dim, n in zip(dims, shape, strict=True):
            if isinstance(dim, str):
                self._bind(dim, n, f"{where} for {shown(name)}")

    def _bind(self, symbol: str, value: int, origin: str) -> None:
        known = self._symbols.setdefault(symbol, value)
        first = self._origin.setdefault(symbol, origin)
        if known != value:
            raise BuildError(
                f"The dimension {shown(symbol)!r} is {known} by {first}, but {value} by {origin}.",
                hint="A dimension of one name has one size in the whole model.",
            )

    def settle(self) -> Settled:
        """Settle what is left."""
        for spec in self._inputs.values():
            if spec.dims is None and spec.name not in self._given:
                raise BuildError(
                    f"The model does not say how many dimensions its input {shown(spec.name)} has.",
                    hint=f"Give them with --shape {shown(spec.name)}=1,3,224,224, for example.",
                )
        used = [(spec, i, d) for spec in self._inputs.values() for i, d in _open_dims(spec)]
        symbols = {dim for _, _, dim in used if dim is not None}
        sums = {s: names for s in symbols if (names := _names_in(s)) and names <= symbols - {s}}
        self._choose_symbols([u for u in used if u[2] not in sums])
        self._compute(sums)
        shapes = {spec.name: self._shape(spec) for spec in self._inputs.values()}
        return Settled(shapes, self._symbols, self._chosen)

    def _choose_symbols(self, used: list[tuple[InputSpec, int, str | None]]) -> None:
        for first, index, dim in used:
            if dim is None or dim in self._symbols:
                continue
            label = _place(first, index) if _MACHINE_MADE.fullmatch(dim) else shown(dim, 40)
            value = _by_name(dim)
            if value is None:
                guesses = [_by_place(spec, i) for spec, i, other in used if other == dim]
                value = next((g for g in guesses if g is not None), UNKNOWN)
            self._symbols[dim] = self._chosen[label] = value

    def _compute(self, sums: Mapping[str, set[str]]) -> None:
        """Give dimensions such as ``past + 1`` their values."""
        for text in sums:
            value = _evaluate(ast.parse(text, mode="eval").body, self._symbols)
            if value is None or not 0 <= value < _LARGEST_DIMENSION:
                known = ", ".join(f"{n}={self._symbols[n]}" for n in sorted(sums[text]))
                raise BuildError(
                    f"The dimension {shown(text)!r} cannot be computed from {known}.",
                    hint="Give the inputs that have it with --shape.",
                )
            self._bind(
                text, value, ", ".join(f"{n}={self._symbols[n]}" for n in sorted(sums[text]))
            )

    def _shape(self, spec: InputSpec) -> Shape:
        if spec.name in self._given:
            return self._given[spec.name]
        shape = []
        for i, dim in enumerate(spec.dims or ()):
            if isinstance(dim, int):
                shape.append(dim)
            elif dim is not None:
                shape.append(self._symbols[dim])
            else:
                guess = _by_place(spec, i)
                shape.append(UNKNOWN if guess is None else guess)
                self._chosen[_place(spec, i)] = shape[-1]
        return tuple(shape)


def _place(spec: InputSpec, index: int) -> str:
    return f"{shown(spec.name)}[{index}]"


def _open_dims(spec: InputSpec) -> list[tuple[int, str | None]]:
    return [(i, d) for i, d in enumerate(spec.dims or ()) if not isinstance(d, int)]


def _text(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _by_name(symbol: str) -> int | None:
    return next((value for pattern, value in _BY_NAME if pattern.search(symbol)), None)


def _by_place(spec: InputSpec, index: int) -> int | None:
    """Guess a dimension from where it stands: the first is a batch, the last of four a width."""
    dims = spec.dims or ()
    if index == 0:
        return BATCH
    if len(dims) == 2 and spec.is_integer:
        return SEQUENCE
    if len(dims) == 3 and spec.is_float:
        return SEQUENCE if index == 1 or isinstance(dims[1], int) else None
    if len(dims) in (4, 5):
        return _image_dimension(dims, index)
    return None


def _image_dimension(dims: tuple[Dimension, ...], index: int) -> int | None:
    """Guess a dimension of a picture or a film, or of what attention keeps of the past."""
    last = len(dims) - 1
    channels_last = dims[last] in _CHANNEL_COUNTS and dims[1] not in _CHANNEL_COUNTS
    spatial = {last - 2, last - 1} if channels_last else {last - 1, last}
    if index in spatial:
        neighbours = [d for i, d in enumerate(dims) if i in spatial and i != index]
        # Heads, positions and a fixed width: not a picture.
        is_past = not channels_last and isinstance(dims[1], int) and isinstance(dims[last], int)
        is_past = is_past and dims[1] not in _CHANNEL_COUNTS and neighbours == [dims[last]]
        return SEQUENCE if is_past else PIXELS
    if len(dims) == 5 and index != 1:
        return FRAMES
    if index == 1:
        return FRAMES if channels_last else CHANNELS
    return None


def _names_in(text: str) -> set[str] | None:
    """Give the names in an expression; None if it is no sum, product or quotient of names."""
    if len(text) > _LONGEST_EXPRESSION:
        return None
    try:
        body = ast.parse(text, mode="eval").body
    # Any text may stand here.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    nodes = list(ast.walk(body))
    allowed = (ast.BinOp, ast.Name, ast.Constant, ast.operator, ast.Load)
    if not isinstance(body, ast.BinOp) or not all(isinstance(node, allowed) for node in nodes):
        return None
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def _evaluate(node: ast.expr, values: Mapping[str, int]) -> int | None:
    """Compute an expression of whole numbers; None if it has another form or result."""
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if not isinstance(node, ast.BinOp):
        return None
    left, right = _evaluate(node.left, values), _evaluate(node.right, values)
    if left is None or right is None:
        return None
    if isinstance(node.op, ast.Add):
        return left + right
    if isinstance(node.op, ast.Sub):
        return left - right
    if isinstance(node.op, ast.Mult):
        return left * right
    if isinstance(node.op, (ast.Div, ast.FloorDiv)) and right != 0:
        exact = isinstance(node.op, ast.FloorDiv) or left % right == 0
        return left // right if exact else None
    return None
