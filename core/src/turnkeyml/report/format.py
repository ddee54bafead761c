"""The contract of a report's format, and which formats are installed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from turnkeyml.errors import PlanError, PluginError
from turnkeyml.plugins.records import MappingError, ObjectRef, Provider
from turnkeyml.plugins.registry import CORE, Registry

if TYPE_CHECKING:
    from turnkeyml.report.gathering import Report


class ReportFormat(ABC):
    """A way to write a report. The smallest complete one::

        class NamesFormat(ReportFormat):
            '''The names of the models.'''

            suffix = ".names.txt"

            def write(self, report, path):
                with open_replaced(path) as file:
                    for row in report.rows():
                        file.write(row.text("model_name") + "\\n")

    Names, errors and logs in a report may be anybody's: a format sees to it that nothing in them is
    taken for markup, a formula or a command.
    """

    suffix: ClassVar[str]
    """Of the file, such as ``.csv``."""

    @abstractmethod
    def write(self, report: Report, path: Path) -> None:
        """Write a report.

        Args:
            report: The rows, which may be 100,000: ``report.rows()`` makes them one by one.
            path: The file, whose folder exists. It is to appear whole or not at all, as
                `turnkeyml.cache.atomic.open_replaced` does it.
        """


OWN = {
    "csv": "turnkeyml.report.csv_format:CsvFormat",
    "jsonl": "turnkeyml.report.jsonl_format:JsonLinesFormat",
}


@dataclass(frozen=True)
class FormatRecord:
    """A format that some package provides."""

    name: str
    ref: ObjectRef

    def load(self) -> type[ReportFormat]:
        """Import its class.

        Raises:
            PluginError: It cannot be imported, or is none.
        """
        return self.ref.load_class(ReportFormat)


def find_formats(registry: Registry) -> dict[str, FormatRecord]:
    """Give the formats that are installed, by name.

    Raises:
        PluginError: A plugin does not keep the contract, or two provide one name.
    """
    own = Provider(CORE, "", "report", __name__)
    found = {name: FormatRecord(name, ObjectRef(own, name, ref)) for name, ref in OWN.items()}
    for listener in registry.hooks.hook.turnkey_report_formats.get_hookimpls():
        provider = _provider_of(listener.plugin_name, registry)
        for name, ref in _given_by(listener, provider).items():
            if name in found:
                who = f"{found[name].ref.provider} and {provider}"
                raise PluginError(
                    f"The report format {name!r} comes from {who}.",
                    hint=f"Uninstall {provider.distribution}.",
                )
            found[name] = FormatRecord(name, ObjectRef(provider, f"report format {name!r}", ref))
    return found


def _given_by(listener: Any, provider: Provider) -> Mapping[str, Any]:
    place, expected = "turnkey_report_formats()", "a mapping of names to classes"
    try:
        given = listener.function()
    # Plugins are foreign code.
    except (Exception, SystemExit) as error:
        shown = f"an error: {type(error).__name__}: {error}"
        raise MappingError(provider, place, expected, shown) from error
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise MappingError(provider, place, expected, given)
    return given


def _provider_of(plugin: str, registry: Registry) -> Provider:
    for contribution in registry.contributions:
        own = contribution.provider
        if f"{own.distribution}:{own.entry_point}" == plugin:
            return own
    return Provider(plugin, "?", plugin, plugin)


def format_named(name: str, registry: Registry) -> type[ReportFormat]:
    """Give the class of a format.

    Raises:
        PlanError: There is none of that name.
        PluginError: Its plugin does not keep the contract.
    """
    formats = find_formats(registry)
    if name not in formats:
        error = registry.unknown("report format", name, formats)
        raise PlanError(error.message, hint=error.hint)
    return formats[name].load()


def file_name(format_class: type[ReportFormat], day: date | None = None) -> str:
    """Give the name of a report's file: the date, such as ``2026-11-21.csv``.

    Args:
        format_class: Its suffix follows.
        day: By default today, as the machine's clock shows it.
    """
    return f"{day or date.today():%Y-%m-%d}{format_class.suffix}"
