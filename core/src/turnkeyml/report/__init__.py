"""Reports: rows from the builds of caches, and the formats in which they are written."""

from turnkeyml.report.format import ReportFormat
from turnkeyml.report.gathering import Report, Row, gather
from turnkeyml.report.tables import get_dict

__all__ = ["Report", "ReportFormat", "Row", "gather", "get_dict"]
