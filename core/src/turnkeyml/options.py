"""One frozen dataclass of options per tool, to and from click, command-line words and JSON."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from turnkeyml.errors import UsageError

if TYPE_CHECKING:
    import click

PAIRS = "KEY::VALUE"
"""The metavar of options whose values are such words."""

_METADATA = "turnkeyml"
T = TypeVar("T")


@dataclass(frozen=True)
class NoOptions:
    """The options of a tool that has none."""


@dataclass(frozen=True)
class OptionInfo:
    """What a field says about itself besides name, type and default."""

    help: str
    flags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    minimum: float | None = None
    shorthand: str | None = None


@dataclass(frozen=True)
class OptionSpec:
    """One option of a tool, read from its dataclass.

    Args:
        name: The field's name.
        type: ``bool``, ``int``, ``float``, ``str`` or ``pathlib.Path``.
        many: It takes any number of values, up to the next option or tool name.
        optional: ``None`` is a value, and means "default".
        default: As declared.
        info: Help, flags, choices, limits.
    """

    name: str
    type: type
    many: bool
    optional: bool
    default: Any
    info: OptionInfo

    @property
    def flags(self) -> tuple[str, ...]:
        """All spellings on the command line; the long one made from the name comes first."""
        return (f"--{self.name.replace('_', '-')}", *self.info.flags)

    @property
    def off_flag(self) -> str | None:
        """The spelling that switches a flag off, where it is on by default."""
        return f"--no-{self.flags[0][2:]}" if self.type is bool and self.default is True else None

    @property
    def takes_pairs(self) -> bool:
        """Whether its values are ``key::value`` words."""
        return self.info.metavar == PAIRS

    @property
    def takes_value(self) -> bool:
        """Whether a word follows it on the command line."""
        return self.type is not bool


def option(
    default: Any,
    *,
    help: str,  # noqa: A002
    flags: Sequence[str] = (),
    choices: Sequence[str] = (),
    metavar: str | None = None,
    minimum: float | None = None,
    shorthand: str | None = None,
) -> Any:
    """Declare one field of a tool's options.

    Args:
        default: The only place where the default stands; ``None`` means that the tool decides.
        help: One sentence for ``-h``.
        flags: More spellings besides the one made from the field's name.
        choices: The values allowed.
        metavar: How the value is called in ``-h``.
        minimum: The smallest number allowed.
        shorthand: The spelling under which ``turnkey FILE...`` offers this option, if it does.
    """
    info = OptionInfo(help, tuple(flags), tuple(choices), metavar, minimum, shorthand)
    return dataclasses.field(default=default, metadata={_METADATA: info})


def option_specs(options_class: type) -> tuple[OptionSpec, ...]:
    """Read the options of a tool from its dataclass.

    Raises:
        TypeError: A field has no help or a type that a command line cannot give.
    """
    hints = typing.get_type_hints(options_class)
    specs = []
    for field in dataclasses.fields(options_class):
        info = field.metadata.get(_METADATA)
        if info is None:
            raise TypeError(f"{options_class.__qualname__}.{field.name} is not made by option().")
        kind, many, optional = _read_type(hints[field.name], options_class, field.name)
        specs.append(OptionSpec(field.name, kind, many, optional, field.default, info))
    return tuple(specs)


def _read_type(hint: Any, owner: type, name: str) -> tuple[type, bool, bool]:
    optional = many = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        optional = len(rest) < len(typing.get_args(hint))
        hint = rest[0] if len(rest) == 1 else hint
    if typing.get_origin(hint) is tuple:
        many, hint = True, typing.get_args(hint)[0]
    if hint not in (bool, int, float, str, Path):
        raise TypeError(
            f"{owner.__qualname__}.{name} has type {hint!r}; use bool, int, float, str, Path, "
            "a tuple of one of them, or one of them or None."
        )
    return hint, many, optional


def click_options(options_class: type, *, shorthand: bool = False) -> list[click.Option]:
    """Make the click options of a tool.

    Args:
        options_class: The tool's dataclass.
        shorthand: Only those that ``turnkey FILE...`` offers, under that spelling.
    """
    made = []
    for spec in option_specs(options_class):
        if not shorthand:
            made.append(_click_option(spec, spec.flags))
        elif spec.info.shorthand is not None:
            made.append(_click_option(spec, (spec.info.shorthand, *spec.info.flags)))
    return made


def _click_option(spec: OptionSpec, flags: Sequence[str]) -> click.Option:
    import click

    info = spec.info
    words = list(flags)
    kind: Any = _path_type() if spec.type is Path else spec.type
    if info.choices:
        kind = click.Choice(info.choices)
    elif info.minimum is not None:
        whole = spec.type is int
        kind = click.IntRange(int(info.minimum)) if whole else click.FloatRange(info.minimum)
    if spec.off_flag:
        words[0] = f"{words[0]}/{spec.off_flag}"
    shown = info.help
    if spec.many:
        shown += "  Takes several values."
    # The default is left to the dataclass, so that "not given" stays distinguishable.
    if not spec.optional and spec.takes_value and not spec.many:
        shown += f"  [default: {spec.default}]"
    return click.Option(
        [spec.name, *words],
        type=None if spec.type is bool else kind,
        is_flag=spec.type is bool,
        multiple=spec.many,
        metavar=info.metavar,
        default=None,
        help=shown,
    )


def _path_type() -> click.Path:
    import click

    class GivenPath(click.Path):
        """A path that somebody has given: an unset variable of a shell is none."""

        def convert(self, value: Any, *more: Any) -> Any:
            if value == "":
                self.fail("it is empty, and names nothing.", *more)
            return super().convert(value, *more)

    return GivenPath(path_type=Path)


def options_from_values(options_class: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Make options from values by field name; what is missing or ``None`` keeps its default.

    Args:
        options_class: The tool's dataclass.
        values: Field names to values; numbers may come as text.
        where: Whose options these are, for messages.

    Raises:
        UsageError: An unknown name, or a value of the wrong type or outside the choices.
    """
    specs = {spec.name: spec for spec in option_specs(options_class)}
    place = f"{where}: " if where else ""
    given = {}
    for name, value in values.items():
        key = name.replace("-", "_")
        if key not in specs:
            known = ", ".join(sorted(specs)) or "none"
            raise UsageError(f"{place}there is no option {name!r}.", hint=f"It has: {known}.")
        if value is None or value == ():
            continue
        given[key] = _convert(specs[key], value, place)
    return options_class(**given)


def _convert(spec: OptionSpec, value: Any, place: str) -> Any:
    if spec.many:
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_convert_one(spec, item, place) for item in items)
    return _convert_one(spec, value, place)


def _convert_one(spec: OptionSpec, value: Any, place: str) -> Any:
    wanted = spec.type
    wrong = UsageError(
        f"{place}{spec.flags[0]} takes a value of type {wanted.__name__}, not {value!r}."
    )
    if wanted is bool:
        if not isinstance(value, bool):
            raise wrong
        return value
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Path)):
        raise wrong
    if wanted is Path and isinstance(value, (str, Path)):
        return path_from(value, f"{place}{spec.flags[0]}")
    try:
        result = wanted(value)
    except (ValueError, OverflowError, TypeError) as error:
        raise wrong from error
    if wanted is int and isinstance(value, float) and value != result:
        raise wrong
    if spec.info.choices and result not in spec.info.choices:
        allowed = ", ".join(spec.info.choices)
        raise UsageError(f"{place}{spec.flags[0]} takes one of {allowed}, not {value!r}.")
    if spec.info.minimum is not None and not result >= spec.info.minimum:
        raise UsageError(
            f"{place}{spec.flags[0]} takes at least {spec.info.minimum:g}, not {value!r}."
        )
    return result


def path_from(given: Any, name: str) -> Path | None:
    """Make a path of what somebody has given.

    Args:
        given: A path, text or None.
        name: How messages call it.

    Raises:
        UsageError: It is empty, which would mean the working directory, or something else.
    """
    if not isinstance(given, (str, os.PathLike, type(None))):
        raise UsageError(f"{name} is a path, not {given!r}.")
    if given == "":
        raise UsageError(f"{name} is empty, and names nothing.")
    return None if given is None else Path(given)


def value_from_text(spec: OptionSpec, text: str, where: str = "") -> Any:
    """Read one value of an option as the command line has it.

    Args:
        spec: The option.
        text: What follows it.
        where: Where that stands, for messages.

    Raises:
        UsageError: It is of the wrong type or outside the choices.
    """
    return _convert_one(spec, text, f"{where}: " if where else "")


def json_from_options(options: Any) -> dict[str, Any]:
    """Give options as JSON values, all of them, defaults too."""
    result = {}
    for spec in option_specs(type(options)):
        value = getattr(options, spec.name)
        if spec.many and value is not None:
            value = [str(v) if isinstance(v, Path) else v for v in value]
        result[spec.name] = str(value) if isinstance(value, Path) else value
    return result


def options_from_json(options_class: type[T], data: Mapping[str, Any]) -> T:
    """Read back what `json_from_options` gave.

    Raises:
        UsageError: As `options_from_values`.
    """
    return options_from_values(options_class, data)


def argv_from_options(options: Any) -> list[str]:
    """Give the command-line words that would make these options again; defaults are left out."""
    words: list[str] = []
    for spec in option_specs(type(options)):
        value = getattr(options, spec.name)
        if value == spec.default:
            continue
        if spec.type is bool:
            words.append(spec.flags[0] if value else str(spec.off_flag))
        else:
            words.append(spec.flags[0])
            words.extend(str(v) for v in (value if spec.many else [value]))
    return words
