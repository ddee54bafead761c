"""Reports as one HTML file that works offline."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.report import ReportFormat
from turnkeyml_plugin_report_html.collecting import collect
from turnkeyml_plugin_report_html.page import page_from
from turnkeyml_plugin_report_html.payload import Heading, payload_from

if TYPE_CHECKING:
    from turnkeyml.report import Report


class HtmlFormat(ReportFormat):
    """One page with a table of all results, what failed and why, and how fast and exact it is."""

    suffix = ".html"

    def write(self, report: Report, path: Path) -> None:
        """Write the page; it needs no other file and no network."""
        collected = collect(report)
        heading = Heading(
            caches=tuple(str(one.cache) for one in report.caches),
            made_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            turnkey_version=metadata.version("turnkeyml-core"),
        )
        payload = payload_from(collected, heading)
        with open_replaced(path) as file:
            file.writelines(page_from(payload, heading, collected.overview))
