"""The global options that plugins add: each is checked before any command shows it."""

from __future__ import annotations

from turnkeyml.options import OptionSpec, option_specs
from turnkeyml.plugins.records import Contribution, MappingError, SettingsRecord
from turnkeyml.request import GLOBAL_OPTIONS

_ALWAYS_THERE = ("-h", "--help", "--version")


class OptionNames:
    """Who has which name, and which spelling on the command line."""

    def __init__(self, core: str) -> None:
        self._owners = dict.fromkeys(_ALWAYS_THERE, core)
        for options_class in GLOBAL_OPTIONS:
            for spec in option_specs(options_class):
                self._owners |= dict.fromkeys(_spellings(spec), core)

    def claim(self, contribution: Contribution) -> None:
        """Take the names of a plugin's options.

        Raises:
            MappingError: What it gives is no dataclass of options, or a name is taken.
        """
        own: dict[str, str] = {}
        for record in contribution.settings:
            for name in (name for spec in _specs_of(record) for name in _spellings(spec)):
                owner = self._owners.get(name) or own.get(name)
                if owner is not None:
                    expected = f"names that {owner} does not use"
                    raise MappingError(record.provider, record.ref.place, expected, name)
                own[name] = str(record.provider)
        self._owners |= own


def _specs_of(record: SettingsRecord) -> tuple[OptionSpec, ...]:
    loaded = record.ref.load_class(object)
    try:
        specs = option_specs(loaded)
        # Every option has a default, or the command could not be run without it.
        loaded()
    except (TypeError, NameError) as error:
        expected = "a dataclass whose fields are made by option()"
        got = f"an error: {type(error).__name__}: {error}"
        raise MappingError(record.provider, record.ref.place, expected, got) from error
    return specs


def _spellings(spec: OptionSpec) -> list[str]:
    return [spec.name, *spec.flags, *([spec.off_flag] if spec.off_flag else [])]
