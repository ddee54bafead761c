"""What this package registers: the format `html`."""

from __future__ import annotations

from collections.abc import Mapping

from turnkeyml.plugins import hookimpl


@hookimpl
def turnkey_report_formats() -> Mapping[str, str]:
    """Give the format, which is imported when a report is asked for."""
    return {"html": "turnkeyml_plugin_report_html.html_format:HtmlFormat"}
