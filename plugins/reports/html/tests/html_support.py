"""Reports without builds, and pages taken apart again."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.report import Row
from turnkeyml_plugin_report_html.html_format import HtmlFormat

CACHE = Path("/caches/one")

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "--><img src=x onerror=alert(2)>",
    "\"'><svg onload=alert(3)>",
    "javascript:alert(4)",
    "${alert(5)}`${alert(6)}`",
    "{{constructor.constructor('alert(7)')()}}",
    "__proto__",
    "constructor",
    "</style><style>*{display:none}",
    "</noscript><script>alert(8)</script>",
    "right-to-left \u202eexe.py\u2066",
    "nul \x00 escape \x1b[31m",
    "line\u2028separator\u2029\r\nend",
    "half \ud83d of a pair",
    "emoji 🤖👩‍👩‍👧",
    "long " + "x" * 5000,
    "a&amp;b &lt;b&gt;",
    "../../etc/passwd",
    "$version ${data} <!-- data --> <!-- script -->",
    "%E0%A4%A",
)


@dataclass(frozen=True)
class FakeCache:
    """Where rows are from."""

    cache: Path


@dataclass(frozen=True)
class FakeReport:
    """A report of given rows."""

    values: list[Mapping[str, Any]]
    cache: Path = CACHE

    @property
    def caches(self) -> tuple[FakeCache, ...]:
        """The one cache."""
        return (FakeCache(self.cache),)

    def rows(self) -> Iterator[Row]:
        """Give the rows."""
        return (Row(self.cache, values) for values in self.values)


def result(name: str = "bert", **more: Any) -> dict[str, Any]:
    """Make the values of a row with a result."""
    return {
        "model_name": name,
        "build_name": f"{name}_abababab",
        "hash": "abababab",
        "script": f"/home/me/{name}.py",
        "model_class": "Bert",
        "parameters": 110,
        "status": "successful",
        "found": "successful",
        "exported": "successful",
        "run": "successful",
        "device": "x86",
        "runtime": "ort",
        "mean_latency_ms": 2.5,
        "throughput_ips": 400.0,
        "verdict": "valid",
        "chain": "discover export-pytorch benchmark",
        "artifact_step": "export-pytorch-0000000b",
        "measured_at": "2026-11-21T10:00:00+00:00",
        "version.torch": "2.13.0",
        "turnkey_version": "0.1.0",
        "command": f"turnkey -i /home/me/{name}.py discover export-pytorch benchmark",
        "cache": str(CACHE),
        "build_dir": f"{CACHE}/{name}_abababab",
        **more,
    }


def failure(name: str = "gpt", **more: Any) -> dict[str, Any]:
    """Make the values of a row without a result."""
    row = result(
        name, **{"status": "failed", "exported": "failed", "failed_step": "export-pytorch"}
    )
    for key in ("run", "mean_latency_ms", "throughput_ips", "verdict", "runtime", "device"):
        del row[key]
    error = {"error": f"No operator 'x' in {name}.", "cause": "No operator ... in ...."}
    return {**row, "chain": "discover export-pytorch", **error, **more}


def hostile_rows() -> list[dict[str, Any]]:
    """Make rows in which every text, and names of columns, want to be more than text."""
    rows = []
    for n, text in enumerate(HOSTILE):
        shown = {
            "model_class": text, "author": text, "labels.task": text, f"labels.{text}": text,
            f"parameter.{text}": text, f"{text}.parity.status": text, "device": text,
            f"{text[:20]}.parity.max_rel": 0.1, "script": text, "command": text,
            "more": {text: [text]},
            "version.torch": text, "turnkey_version": text,
            "input_shapes": {text: [1]}, "chain": text,
        }  # fmt: skip
        rows.append(result(text, hash=f"{n:08}", runtime=text, verdict=text, status=text, **shown))
        rows.append(
            failure(text, hash=f"{n:08}", error=text, cause=text, failed_step=text, **shown)
        )
    return rows


def write_page(folder: Path, rows: list[dict[str, Any]], cache: Path = CACHE) -> Path:
    """Write the page of rows."""
    path = folder / "report.html"
    HtmlFormat().write(FakeReport(rows, cache), path)  # type: ignore[arg-type]
    return path


def data_of(page: str) -> dict[str, Any]:
    """Read the data out of a page's text."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def unpacked(text: str) -> Any:
    """Undo the packing."""
    return json.loads(gzip.decompress(base64.b64decode(text)))
