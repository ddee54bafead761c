"""The options that name a configuration, without what reads one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.options import click_options, option

if TYPE_CHECKING:
    import click

CONFIG = "--config"
WRITE_CONFIG = "--write-config"


@dataclass(frozen=True)
class ConfigOptions:
    """The options that name a configuration."""

    config: Path | None = option(
        None,
        metavar="FILE",
        help="Take the command from this YAML file; what is said here, too, wins over it.",
        shorthand="--config",
    )
    write_config: Path | None = option(
        None,
        metavar="FILE",
        help="Write this command into a YAML file for --config, show its plan, and run nothing.",
        shorthand="--write-config",
    )


def config_options() -> list[click.Option]:
    """Make the click options, which are only for the help: their words are taken out before."""
    made = click_options(ConfigOptions)
    for one in made:
        one.expose_value = False
    return made


def names_config(words: Sequence[str]) -> bool:
    """Tell whether a command line may name a configuration."""
    return any(word.partition("=")[0] in (CONFIG, WRITE_CONFIG) for word in words)
