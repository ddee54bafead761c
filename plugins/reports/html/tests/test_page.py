"""The text of the page: what it holds, and that nothing in it can run but its own script."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from html_support import FakeReport, data_of, failure, hostile_rows, result, unpacked, write_page

from turnkeyml.plugins.registry import load_registry
from turnkeyml.report.format import format_named
from turnkeyml_plugin_report_html.collecting import collect
from turnkeyml_plugin_report_html.html_format import HtmlFormat
from turnkeyml_plugin_report_html.page import MODULES, joined_modules
from turnkeyml_plugin_report_html.payload import Heading, payload_from

ASSETS = Path(__file__).parents[1] / "src/turnkeyml_plugin_report_html/assets"
HEADING = Heading(("/cache",), "2026-11-21T10:00:00+00:00", "0.1.0")


class Elements(HTMLParser):
    """All elements of a page, with the text in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self._is_raw = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._is_raw = tag in ("script", "style")
        if self._is_raw:
            self.raw.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_raw = False

    def handle_data(self, data: str) -> None:
        if self._is_raw:
            self.raw[-1] += data


def test_the_format_is_registered() -> None:
    assert format_named("html", load_registry()) is HtmlFormat


def test_hostile_texts_add_no_element_and_no_attribute(tmp_path: Path) -> None:
    harmless = [failure(f"m{n}") | {"cause": f"c{n}"} for n in range(42)]
    plain = Elements(write_page(tmp_path, harmless).read_text("utf-8"))
    text = write_page(tmp_path, hostile_rows()).read_text("utf-8")
    hostile = Elements(text)
    assert {tag for tag, _ in hostile.found} <= {tag for tag, _ in plain.found}
    assert len([1 for tag, _ in hostile.found if tag in ("script", "style", "noscript")]) == 4
    names = {name for _, attributes in hostile.found for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "style")]
    assert "\x00" not in text and "\u202e" not in text and "\u2028" not in text
    assert "<script>alert" not in text and "<img" not in text and "<svg" not in text


def test_the_policy_lets_run_what_is_there_and_nothing_else(tmp_path: Path) -> None:
    page = Elements(write_page(tmp_path, [result()]).read_text("utf-8"))
    policy = next(a["content"] for t, a in page.found if a.get("http-equiv"))
    style, _, script = page.raw
    for kind, text in (("style", style), ("script", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none';")
    assert "unsafe" not in str(policy) and "http" not in str(policy)


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    text = write_page(tmp_path, [result()]).read_text("utf-8")
    assert set(re.findall(r"https?://[^\s\"']*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\(|<link|\bsrc=", text)


def test_the_script_never_makes_markup_of_text() -> None:
    words = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
    )
    assert not re.search(words, joined_modules())


def test_every_module_is_joined_and_stands_behind_those_that_it_imports_from() -> None:
    assert sorted(MODULES) == sorted(path.name for path in ASSETS.glob("*.js"))
    for place, name in enumerate(MODULES):
        source = (ASSETS / name).read_text("utf-8")
        imported = re.findall(r'from "\./([\w.]+)"', source)
        assert set(imported) <= set(MODULES[:place]), name
        assert len(source.splitlines()) <= 400
    assert not re.search(r"^(import|export) ", joined_modules(), re.MULTILINE)


def test_the_summary_is_there_without_scripts(tmp_path: Path) -> None:
    rows = [result("a"), failure("b<c")]
    text = write_page(tmp_path, rows).read_text("utf-8")
    summary = re.search(r"<noscript>(.*?)</noscript>", text, re.DOTALL)
    assert summary is not None
    assert "2 builds, 2 rows, 1 result" in summary[1]
    assert "need JavaScript" in summary[1] and "b&lt;c" in summary[1]


def test_all_cells_are_in_the_data(tmp_path: Path) -> None:
    data = data_of(write_page(tmp_path, [result("a"), failure("b")]).read_text("utf-8"))
    main = unpacked(data["main"])
    columns = {column["name"]: column for column in main["columns"]}
    assert columns["mean_latency_ms"]["words"] == [2.5]
    assert columns["mean_latency_ms"]["codes"] == [1, 0]
    assert columns["turnkey_version"]["all"] == "0.1.0"
    later = unpacked(data["columns"][columns["command"]["later"]])
    assert [word.split()[2] for word in later["words"]] == ["/home/me/a.py", "/home/me/b.py"]
    assert main["row_count"] == 2
    assert main["models"]["numbers"] == [0, 1]


def test_the_same_rows_give_the_same_page_but_for_the_time(tmp_path: Path) -> None:
    rows = [result("a"), failure("b")]
    report: Any = FakeReport(rows)
    assert payload_from(collect(report), HEADING) == payload_from(collect(report), HEADING)


def test_columns_for_which_there_is_no_room_are_named() -> None:
    rows = [result(**{f"stat_{n}": n + k / 7 for k in range(3)}) for n in range(50)]
    report: Any = FakeReport(rows)
    payload = payload_from(collect(report), HEADING, columns_limit=300)
    main = unpacked(payload.main)
    assert sum(map(len, payload.columns)) <= 300
    assert set(main["left_out"]) | {c["name"] for c in main["columns"]} >= {"stat_0", "stat_1"}
    assert main["left_out"]


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = write_page(tmp_path, [result()])
    before = path.read_bytes()

    class Broken(FakeReport):
        def rows(self) -> Any:
            yield from super().rows()
            raise OSError("gone")

    broken: Any = Broken([result()])
    with pytest.raises(OSError, match="gone"):
        HtmlFormat().write(broken, path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_report_without_results_can_be_written(tmp_path: Path) -> None:
    data = data_of(write_page(tmp_path, []).read_text("utf-8"))
    assert unpacked(data["main"])["row_count"] == 0


def _luminance(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(scheme: str) -> None:
    style = (ASSETS / "style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[scheme == "dark"]))
    assert len(colours) == 24
    for text in ("text", "quiet", "link", "good", "bad", "doubt"):
        for behind in ("back", "card", "odd", "over"):
            light, dark = sorted((_luminance(colours[text]), _luminance(colours[behind])))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, behind)
    for series in range(1, 9):
        pair = sorted((_luminance(colours[f"series-{series}"]), _luminance(colours["card"])))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3, series
