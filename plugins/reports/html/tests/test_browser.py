"""The page in a real browser; skipped where there is no Chromium."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from html_support import HOSTILE, failure, hostile_rows, result, write_page

from turnkeyml_plugin_report_html.cells import LONGEST

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright drives the browser: pip install playwright"
)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium"
)
UNSEEN = "[\x00-\x08\x0b-\x1f\u200b-\u200f\u2028-\u202e\u2060-\u206f]"
READY = "document.documentElement.dataset.ready === 'yes'"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of rows; what goes wrong in it fails the test."""
    wrong: list[str] = []
    contexts: list[Any] = []

    def open_page(
        rows: list[dict[str, Any]],
        address: str = "",
        cache: Path = tmp_path,
        before: str = "",
        is_ready: bool = True,
        **settings: Any,
    ) -> Any:
        path = write_page(tmp_path, rows, cache)
        settings = {"viewport": {"width": 1300, "height": 900}, **settings}
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        if before:
            page.add_init_script(before)
        own = path.as_uri()
        page.on(
            "dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss())
        )
        page.on("pageerror", lambda error: wrong.append(f"error {error}"))
        page.on("console", lambda said: wrong.append(f"console {said.type} {said.text}"))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.partition("#")[0] == own
                else wrong.append(f"request {request.url}")
            ),
        )
        page.goto(own + address)
        if is_ready:
            until(page, READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def until(page: Any, expression: str, seconds: float = 20) -> None:
    """Wait until something is so; the browser's own way of waiting is what the policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(30)


def many(count: int) -> list[dict[str, Any]]:
    return [
        result(
            f"model{n}",
            hash=f"{n:08}",
            parameters=(n * 7919) % count,
            mean_latency_ms=1.0 + n,
            runtime=("ort", "openvino")[n % 2],
            verdict=("valid", "noisy")[n % 3 == 0],
        )
        for n in range(count)
    ]


def names(page: Any) -> list[str]:
    """Give the models of the rows that exist as elements, from top to bottom."""
    return page.evaluate(
        """[...document.querySelectorAll('.body .row:not([hidden])')]
        .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
        .map((row) => row.firstElementChild.textContent)"""
    )


def heading(page: Any, text: str) -> Any:
    return page.locator("[role=columnheader]", has_text=text)


def count(page: Any) -> str:
    return page.locator("#row-count").inner_text()


def test_nothing_in_a_name_a_log_or_a_column_runs(opened: Open) -> None:
    page = opened(hostile_rows())
    page.locator("#causes details").first.locator("summary").click()
    page.get_by_role("button", name="Columns …").click()
    for box in page.locator("#picker input[type=checkbox]").all()[15:25]:
        box.click()
    page.keyboard.press("Escape")
    page.locator("#search").fill("<script>")
    until(page, "document.querySelector('#row-count').textContent !== '42'")
    page.locator("#bar").get_by_role("button", name="Clear filters").click()
    for select in page.locator("#bar select[id^=choice]").all():
        select.select_option(index=1)
    page.locator("#bar").get_by_role("button", name="Clear filters").click()
    page.locator("#scatter summary").click()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, a[href^=javascript], base').length")
        == 0
    )
    assert page.evaluate("document.querySelectorAll('script').length") == 2


def test_a_model_of_any_name_is_shown_as_it_is_called(opened: Open, tmp_path: Path) -> None:
    rows = []
    for n, text in enumerate(HOSTILE):
        logs = tmp_path / f"build{n}"
        logs.mkdir()
        (logs / "log_export-pytorch.txt").write_text(text, "utf-8", "replace")
        more = {"build_dir": str(logs), "log": str(logs / "log_export-pytorch.txt"), text: text}
        rows.append(failure(text, hash=f"{n:08}", error=text, command=text, **more))
    page = opened(rows)
    for n in range(len(HOSTILE)):
        page.keyboard.press("Control+Home") if n else page.locator(".body .name").first.focus()
        for _ in range(n):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector("#detail pre.command")
        title = page.locator("#detail-title").text_content()
        plain = re.sub(UNSEEN, lambda one: f"\\u{ord(one[0]):04x}", HOSTILE[n][:LONGEST])
        assert title.removesuffix("…").strip() in (plain, plain.replace("\ud83d", "\ufffd"))
        assert page.locator("#detail pre").count() == 2
        assert page.evaluate("document.querySelectorAll('img, iframe, script[src]').length") == 0
        page.keyboard.press("Escape")
        until(page, "location.hash === ''")


def test_a_click_on_a_heading_sorts_and_a_second_turns_it_around(opened: Open) -> None:
    page = opened([*many(50), failure("broken")])
    button = heading(page, "Mean latency").get_by_role("button")
    button.click()
    assert heading(page, "Mean latency").get_attribute("aria-sort") == "ascending"
    assert names(page)[:2] == ["model0", "model1"]
    button.click()
    assert heading(page, "Mean latency").get_attribute("aria-sort") == "descending"
    assert names(page)[:2] == ["model49", "model48"]
    page.evaluate("document.querySelector('.grid').scrollTop = 1e6")
    until(page, "document.querySelector('.body').textContent.includes('broken')")
    assert names(page)[-1] == "broken"
    heading(page, "Model").first.get_by_role("button").click()
    page.evaluate("document.querySelector('.grid').scrollTop = 0")
    until(page, "document.querySelector('.body').textContent.includes('broken')")
    assert names(page)[:3] == ["broken", "model0", "model1"]
    assert names(page)[11] == "model10"


def test_a_search_filters_and_says_so(opened: Open) -> None:
    page = opened(many(50))
    page.locator("#search").fill("MODEL4 openvino")
    until(page, "document.querySelector('#row-count').textContent === '5'")
    assert names(page) == ["model41", "model43", "model45", "model47", "model49"]
    until(page, "document.querySelector('#said').textContent === '5 rows of 50 shown'")
    assert "5 results" in page.locator("#scatter p").first.inner_text()
    page.get_by_role("button", name="Clear filters").click()
    assert count(page) == "50"
    assert page.locator("#search").input_value() == ""


def test_choices_and_rules_filter_together_and_are_removed_one_by_one(opened: Open) -> None:
    page = opened(many(60))
    page.get_by_label("Verdict").select_option(label="noisy (20)")
    assert count(page) == "20"
    page.get_by_text("Filter by any column").click()
    page.get_by_label("Column", exact=True).fill("mean_latency_ms")
    page.get_by_label("Rule").select_option("at least")
    page.get_by_label("Value").fill("x")
    page.get_by_role("button", name="Add").click()
    assert "has to be a number" in page.locator("form [role=alert]").inner_text()
    page.get_by_label("Value").fill("31")
    page.get_by_role("button", name="Add").click()
    until(page, "document.querySelector('#row-count').textContent === '10'")
    page.get_by_role("button", name="Remove the filter: Verdict is noisy").click()
    assert count(page) == "30"
    assert page.get_by_label("Verdict").input_value() == ""


def test_stages_causes_verdicts_and_parity_filter_the_table(opened: Open) -> None:
    checked = {"export-pytorch.parity.status": "ok", "export-pytorch.parity.max_rel": 3e-6}
    rows = [*(row | checked for row in many(9)), failure("a"), failure("b", cause="It ended.")]
    page = opened(rows)
    page.get_by_role("button", name="Show what did not pass: Exported, 2 builds").click()
    assert sorted(names(page)) == ["a", "b"]
    page.get_by_role("button", name="Show what passed: Run").click()
    assert count(page) == "9"
    page.get_by_role("button", name="Show 1 row: It ended.").click()
    assert names(page) == ["b"]
    page.get_by_role("button", name="Show 3 results: noisy").click()
    assert count(page) == "3"
    page.get_by_role("button", name="9 builds between 1.0e-6 and 3.2e-6").press("Enter")
    until(page, "document.querySelector('#row-count').textContent === '9'")
    page.locator("#causes summary").first.click()
    page.get_by_role("button", name="Open this model").first.click()
    assert page.locator("#detail").is_visible()


def test_only_rows_that_can_be_seen_exist(opened: Open) -> None:
    page = opened(many(3000))
    assert page.locator(".grid").get_attribute("aria-rowcount") == "3001"
    assert len(names(page)) < 60
    page.evaluate("document.querySelector('.grid').scrollTop = 1e9")
    until(page, "document.querySelector('.body').textContent.includes('model2999')")
    assert names(page)[-1] == "model2999"
    assert len(names(page)) < 60


def test_everything_can_be_done_with_keys(opened: Open) -> None:
    page = opened(many(100))
    focused = "document.activeElement.textContent"
    heading(page, "Model").first.get_by_role("button").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "model0"
    page.keyboard.press("PageDown")
    page.keyboard.press("Control+End")
    page.keyboard.press("Home")
    assert page.evaluate(focused) == "model99"
    assert page.evaluate(
        """(() => { const box = document.activeElement.getBoundingClientRect();
        const grid = document.querySelector('.grid').getBoundingClientRect();
        return box.top >= grid.top && box.bottom <= grid.bottom })()"""
    )
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "✓ successful"
    assert page.evaluate("document.querySelectorAll('.grid [tabindex=\"0\"]').length") == 1
    page.keyboard.press("Enter")
    assert page.locator("#detail-title").inner_text() == "model99"
    page.keyboard.press("Escape")
    until(page, "location.hash === ''")
    assert not page.locator("#detail").is_visible()
    assert page.evaluate(focused) == "✓ successful"
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert heading(page, "Model").first.get_attribute("aria-sort") == "ascending"
    page.evaluate("document.querySelector('.grid').scrollTop = 2000")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "model0"


def test_the_focus_stays_in_the_table_when_its_row_is_scrolled_away(opened: Open) -> None:
    page = opened(many(500))
    page.locator(".body [role=gridcell]").first.focus()
    page.evaluate("document.querySelector('.grid').scrollTop = 9000")
    until(page, "document.activeElement.classList.contains('grid')")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "model1"


def test_an_address_opens_a_model_with_all_that_is_known_of_it(
    opened: Open, tmp_path: Path
) -> None:
    build = tmp_path / "bert_abababab"
    (build / "benchmark").mkdir(parents=True)
    samples = [{"first_ns": 1, "warm_up_ns": [], "timed_ns": [2_000_000, 3_000_000]}]
    content = {"schema": 2, "unit": "ns", "runs": samples}
    (build / "benchmark" / "s.json").write_text(json.dumps(content))
    (build / "log_export-pytorch.txt").write_text("W: it warned\n")
    more = {"build_dir": str(build), "samples_file": "benchmark/s.json", "facts.threads": 2}
    rows = [result(**more), result(runtime="openvino"), *many(120)]
    page = opened(rows, "#model=bert_abababab")
    page.wait_for_selector("#detail pre.command")
    text = page.locator("#detail").inner_text()
    assert "2 rows of this model" in text
    assert "2 samples: lowest 2 ms, median 2.5 ms, 90% up to 3 ms, highest 3 ms." in text
    assert "version.torch" in text and "2.13.0" in text
    assert page.locator("#detail .drawing svg").count() == 2
    page.locator("#detail summary", has_text="log_export-pytorch.txt").click()
    assert "W: it warned" in page.locator("#detail").inner_text()
    page.locator("#detail summary", has_text="Everything else").click()
    assert "facts.threads" in page.locator("#detail").inner_text()
    page.get_by_role("button", name="Row 2").click()
    until(
        page, "document.querySelector('#detail').textContent.includes('None: there are no samples')"
    )
    page.get_by_role("button", name="Close").click()
    until(page, "location.hash === ''")
    page.evaluate("location.hash = '#model=no%20such'")
    page.evaluate("location.hash = '#model=%E0%A4'")
    page.evaluate("location.hash = '#model=model7_abababab'")
    until(page, "document.querySelector('#detail-title')?.textContent === 'model7'")
    page.go_back()


def test_the_command_is_copied(opened: Open) -> None:
    page = opened([result()], permissions=["clipboard-read", "clipboard-write"])
    page.locator(".body .row").first.click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == result()["command"]


def test_columns_are_chosen(opened: Open) -> None:
    page = opened([result(f"m{n}", **{"facts.odd_ms": n * 1000.5}) for n in range(20)])
    page.get_by_role("button", name="Columns …").click()
    page.get_by_label("Find a column").fill("facts odd")
    page.locator("#picker .choices input").click()
    page.get_by_label("Find a column").fill("The eight digits")
    page.locator("#picker .choices input").uncheck()
    page.get_by_role("button", name="Close").click()
    assert heading(page, "facts.odd (ms)").count() == 1
    assert heading(page, "Hash").count() == 0
    heading(page, "facts.odd").get_by_role("button").click()
    heading(page, "facts.odd").get_by_role("button").click()
    assert page.locator(".body .row").first.is_visible()
    assert names(page)[0] == "m19"
    assert "19,010" in page.locator(".body").inner_text()


def test_runtimes_are_compared_on_the_models_that_both_ran(opened: Open) -> None:
    rows = []
    for n in range(6):
        rows.append(result(f"m{n}", mean_latency_ms=2.0))
        rows.append(result(f"m{n}", mean_latency_ms=1.0, runtime="openvino"))
    rows.append(result("m0", mean_latency_ms=50.0, measured_at="2020-01-01T00:00:00+00:00"))
    rows.append(result("alone", mean_latency_ms=9.0, hash="cdcdcdcd"))
    page = opened(rows)
    line = page.locator("#runtimes tbody tr").inner_text()
    assert line.split() == ["openvino", "on", "x86,", "export-pytorch", "6", "0.50\u00d7", "100%"]
    page.get_by_label("Compared with").select_option(label="openvino on x86, export-pytorch")
    assert "2.00\u00d7" in page.locator("#runtimes tbody tr").inner_text()


@pytest.mark.parametrize("width", [390, 1024, 1600])
@pytest.mark.parametrize("rows", [0, 10, 1000])
def test_the_page_is_never_wider_than_the_screen(opened: Open, width: int, rows: int) -> None:
    long = "a_very_long_name_without_any_space_" * 8
    more = [failure(long, error=long, cause=long)] if rows else []
    page = opened([*many(rows), *more], viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    if rows:
        page.locator(".body .row").first.click()
        page.wait_for_selector("#detail pre.command")
        assert (
            page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('#detail'))")
            <= 0
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_control_has_a_name_and_every_id_is_there_once(opened: Open, scheme: str) -> None:
    page = opened([*many(30), failure()], color_scheme=scheme, reduced_motion="reduce")
    nameless = """[...document.querySelectorAll(
            'button, input, select, canvas, svg[role=img], [role=button]')]
        .filter((one) => !one.textContent.trim() && !one.labels?.length)
        .filter((one) => !one.getAttribute('aria-label')).map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []
    repeated = """[...document.querySelectorAll('[id]')].map((one) => one.id)
        .filter((id, n, all) => all.indexOf(id) !== n)"""
    assert page.evaluate(repeated) == []
    missing = """[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')]
        .map((one) => one.getAttribute('aria-labelledby') ?? one.getAttribute('aria-describedby'))
        .filter((id) => !document.getElementById(id) && !/^(detail|picker)-/.test(id))"""
    assert page.evaluate(missing) == []
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_without_scripts_the_summary_is_shown(opened: Open) -> None:
    page = opened([result(), failure()], is_ready=False, java_script_enabled=False)
    text = page.locator("body").inner_text()
    assert "need JavaScript" in text and "2 builds, 2 rows, 1 result" in text
    assert not page.locator("#app").is_visible()


def test_a_browser_that_is_too_old_is_told(opened: Open) -> None:
    page = opened([result()], before="delete window.DecompressionStream", is_ready=False)
    page.locator("#problem").wait_for()
    assert "too old" in page.locator("#problem").inner_text()


def test_what_is_printed_says_how_much_it_is(opened: Open) -> None:
    page = opened(many(400))
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.get_by_text("These are the first 300 of 400 rows.").is_visible()
    assert len(names(page)) == 300
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert len(names(page)) < 60
