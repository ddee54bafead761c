"""Read a report once, column by column, with what the files of its builds say besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from turnkeyml.report import columns as c
from turnkeyml_plugin_report_html.cells import LONGEST_COMMAND, Cell, cell_from
from turnkeyml_plugin_report_html.evidence import EvidenceReader
from turnkeyml_plugin_report_html.identity import Numbering, configuration_of, models_key
from turnkeyml_plugin_report_html.overview import Overview, OverviewMaker
from turnkeyml_plugin_report_html.packing import ChunkPacker

if TYPE_CHECKING:
    from turnkeyml.report import Report, Row

DETAILS_LIMIT = 6_000_000
"""Bytes that samples and logs may take in the file; what comes later is left out, and told of."""


class Table:
    """All cells, by column; a column that comes late has nothing in the rows before it."""

    def __init__(self) -> None:
        self.row_count = 0
        self._columns: dict[str, list[Cell]] = {}
        self._texts: dict[str, Cell] = {}

    def add(self, values: Mapping[str, Any]) -> None:
        """Add a row."""
        count, texts = self.row_count, self._texts
        for name, value in values.items():
            cell: Cell
            if type(value) is str and name != c.COMMAND:
                # Most texts are in many rows: they are looked at once, and are one object.
                known = texts.get(value)
                cell = texts[value] = cell_from(value) if known is None else known
            else:
                cell = cell_from(value, LONGEST_COMMAND)
            if cell is None:
                continue
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = []
            if len(column) < count:
                column.extend([None] * (count - len(column)))
            column.append(cell)
        self.row_count += 1

    def names(self) -> list[str]:
        """Name the columns that have something, well-known ones first."""
        return [name for name in c.in_order(self._columns) if name in self._columns]

    def cells(self, name: str) -> list[Cell]:
        """Give the cells of a column, one for each row."""
        column = self._columns.get(name, [])
        return column + [None] * (self.row_count - len(column))


@dataclass(frozen=True)
class Collected:
    """What the page is made of.

    Args:
        table: The rows.
        models: Which model each row is of.
        configurations: On what each row was measured.
        overview: Counts over all rows.
        details: Samples and logs of the rows, packed.
    """

    overview: Overview
    details: ChunkPacker
    table: Table = field(default_factory=Table)
    models: Numbering = field(default_factory=Numbering)
    configurations: Numbering = field(default_factory=Numbering)


def collect(report: Report, details_limit: int = DETAILS_LIMIT) -> Collected:
    """Read a report.

    Args:
        report: Its rows are asked for once.
        details_limit: In bytes; what samples and logs may take in the file.
    """
    table, models, configurations = Table(), Numbering(), Numbering()
    maker, evidence, details = OverviewMaker(), EvidenceReader(), ChunkPacker(details_limit)
    for row in report.rows():
        table.add(row.values)
        models.add(*models_key(row.values))
        configurations.add(*configuration_of(row.values))
        maker.add(row)
        details.add(_evidence_of(row, evidence, details))
    return Collected(maker.overview(), details.close(), table, models, configurations)


def _evidence_of(row: Row, reader: EvidenceReader, details: ChunkPacker) -> dict[str, Any] | None:
    return None if details.is_full else reader.evidence_of(row)
