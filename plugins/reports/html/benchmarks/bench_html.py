"""How long an HTML report takes to write, how large it is, and how quickly it answers in Chromium.

python plugins/reports/html/benchmarks/bench_html.py [ROWS]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from make_results import make_results

from turnkeyml.cache.layout import Cache
from turnkeyml.plugins.registry import load_registry
from turnkeyml.report import gather
from turnkeyml_plugin_report_html.html_format import HtmlFormat

ROWS = 10_000
ROUNDS = 5
SEEN = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));"
SORT = f"""async (name) => {{
  const head = [...document.querySelectorAll('[role=columnheader]')]
    .find((one) => one.textContent.startsWith(name));
  const start = performance.now();
  head.querySelector('button').click();
  {SEEN}
  return performance.now() - start;
}}"""
FILTER = f"""async (text) => {{
  const search = document.querySelector('#search');
  const before = document.querySelector('#row-count').textContent;
  search.value = text;
  search.dispatchEvent(new Event('input'));
  const start = performance.now();
  const isBefore = () => document.querySelector('#row-count').textContent === before;
  while (performance.now() - start < 20000 && isBefore()) {{ {SEEN} }}
  {SEEN}
  return performance.now() - start;
}}"""
SCROLL = f"""async () => {{
  const grid = document.querySelector('.grid');
  let slowest = 0;
  for (let n = 0; n < 60; n += 1) {{
    const start = performance.now();
    grid.scrollTop += 4000;
    {SEEN}
    slowest = Math.max(slowest, performance.now() - start);
  }}
  return slowest;
}}"""
DETAIL = f"""async () => {{
  const start = performance.now();
  document.querySelector('.body .row').click();
  const isThere = () => document.querySelector('#detail pre.command') !== null;
  while (performance.now() - start < 20000 && !isThere()) {{ {SEEN} }}
  return performance.now() - start;
}}"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rows", nargs="?", type=int, default=ROWS, metavar="ROWS")
    count = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        cache, page = Path(folder) / "cache", Path(folder) / "report.html"
        make_results(cache, count)
        # What was changed less than two seconds ago is read again each time.
        time.sleep(2.1)
        write(cache, page, count)
        browse(page)


def write(cache: Path, page: Path, count: int) -> None:
    """Write the page, and print what it takes beside reading the builds."""
    registry = load_registry()
    for what in ("reading the builds, the first time", "reading the builds, after that"):
        start = time.perf_counter()
        report = gather([Cache(cache)], registry)
        print(f"{what:38} {time.perf_counter() - start:8.2f} s")
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        HtmlFormat().write(report, page)
        took, computed = time.perf_counter() - start, time.process_time() - cpu
        print(f"{f'writing {count} rows':38} {took:8.2f} s, {computed:.2f} s of processor time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'largest memory of the process':38} {peak:8.0f} MB")
    print(f"{'size of the file':38} {page.stat().st_size / 1e6:8.1f} MB")


def browse(page: Path) -> None:
    """Open the page, sort, filter and scroll, and print medians."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        print("no Chromium is installed: apt-get install chromium")
        return
    from playwright.sync_api import sync_playwright

    times: dict[str, list[float]] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(ROUNDS):
            for what, took in measured(browser, page).items():
                times.setdefault(what, []).append(took)
        browser.close()
    for what, found in times.items():
        spread = f"(from {min(found):.0f} to {max(found):.0f})"
        print(f"{what:38} {statistics.median(found):8.0f} ms {spread}")


def measured(browser: Any, path: Path) -> dict[str, float]:
    """Give times in ms of one visit."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    page.goto(path.as_uri())
    ready = "performance.getEntriesByName('ready')[0]?.startTime ?? 0"
    while not (opened := page.evaluate(ready)):
        page.wait_for_timeout(20)
    page.wait_for_timeout(500)
    found = {
        "opening until the table is there": opened,
        "sorting numbers, the first time": page.evaluate(SORT, "Mean latency"),
        "sorting numbers, after that": page.evaluate(SORT, "Mean latency"),
        "sorting texts that are all different": page.evaluate(SORT, "Hash"),
        "scrolling, the slowest frame": page.evaluate(SCROLL),
        "searching, 120 ms of waiting included": page.evaluate(FILTER, "resnet"),
        "opening the first model": page.evaluate(DETAIL),
        "searching what is not there": page.evaluate(FILTER, "no such model"),
    }
    context.close()
    return found


if __name__ == "__main__":
    main()
