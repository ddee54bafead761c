"""Columns that plugins add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.stats import plain
from turnkeyml.report.columns import WELL_KNOWN

if TYPE_CHECKING:
    import pluggy

    from turnkeyml.report.gathering import Row


class AddedColumns:
    """Asks plugins for columns, each by itself; one that goes wrong is told of once and left out.

    Args:
        hooks: Where they are registered.
        problems: Gets a sentence about each that goes wrong.
    """

    def __init__(self, hooks: pluggy.PluginManager, problems: list[str]) -> None:
        self._listeners = list(hooks.hook.turnkey_report_columns.get_hookimpls())
        self._problems = problems

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def for_row(self, row: Row) -> dict[str, Any]:
        """Give what plugins add to a row; nobody changes what is there."""
        added: dict[str, Any] = {}
        for listener in list(self._listeners):
            try:
                found = listener.function(*(row for _ in listener.argnames))
                if not isinstance(found, Mapping):
                    raise TypeError(f"it gave {type(found).__name__} instead of a mapping")
                added.update((str(name), plain(value)) for name, value in found.items())
            # Plugins are foreign code.
            except (Exception, SystemExit) as error:  # noqa: BLE001
                self._listeners.remove(listener)
                self._tell(listener.plugin_name, error)
        return {k: v for k, v in added.items() if k not in row.values and k not in WELL_KNOWN}

    def _tell(self, plugin: str, error: BaseException) -> None:
        sentence = f"The plugin {plugin} could not add columns to the report: {error!r}."
        if sentence not in self._problems:
            self._problems.append(sentence)
