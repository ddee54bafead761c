"""Links lead somewhere, pictures are up to date, and the site is built without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt

from turnkeyml_plugin_report_html.page import joined_modules

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *ROOT.glob("examples/**/*.md"),
        *ROOT.glob("core/*.md"),
        *ROOT.glob("models/*.md"),
        *ROOT.glob("plugins/**/README.md"),
    ]
    if not {".pytest_cache", ".nox", ".venv"} & set(path.parts)
)


def slug(heading: str) -> str:
    """Give a heading's anchor, as GitHub and mkdocs make it for plain words."""
    words = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", words))


def read(path: Path) -> tuple[list[str], set[str]]:
    """Give the links and the anchors of a page."""
    links: list[str] = []
    anchors: set[str] = set()
    tokens = MarkdownIt().enable("table").parse(path.read_text("utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type == "heading_open":
            anchors.add(slug(token.content))
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                links.append(str(target))
    return links, anchors


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page):
    broken = []
    for link in read(page)[0]:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in read(target)[1]):
            broken.append(link)
    assert broken == []


def test_links_to_the_web_are_few_and_encrypted():
    found = {link for page in PAGES for link in read(page)[0] if re.match(r"[a-z]+:", link)}
    assert {link for link in found if not link.startswith("https://")} == set()


def test_a_missing_anchor_would_be_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One heading\n\n[there](#one-heading) [not](#two) ![p](a.svg)\n")
    assert read(page) == (["#one-heading", "#two", "a.svg"], {"one-heading"})


def test_picture_of_the_architecture_is_what_its_script_draws():
    code = "import draw_architecture as d; print(d.draw(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=DOCS / "scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (DOCS / "images/architecture.svg").read_text("utf-8")


def test_pictures_are_small_and_run_nothing():
    for path in DOCS.glob("images/*.svg"):
        text = path.read_text("utf-8")
        assert len(text) < 100_000
        assert not re.search(r"<script|\son\w+=|https?://(?!www\.w3\.org)", text), path.name


def nav_pages(node: object) -> list[str]:
    if isinstance(node, str):
        return [node]
    parts = node.values() if isinstance(node, dict) else node
    return [page for part in parts for page in nav_pages(part)]


def test_sample_report_has_the_script_and_style_of_today():
    page = (DOCS / "samples/report.html").read_text("utf-8")
    style = resources.files("turnkeyml_plugin_report_html") / "assets/style.css"
    for part in (joined_modules(), style.read_text("utf-8")):
        assert part in page, "python docs/scripts/make_sample_report.py makes it again"


def test_every_page_has_a_place_in_the_site():
    listed = nav_pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert len(listed) == len(set(listed))
    assert set(listed) == there


@pytest.mark.slow
def test_site_is_built_without_a_warning_and_needs_no_network(tmp_path):
    pytest.importorskip("mkdocs", reason="pip install -r docs/requirements.txt")
    words = ["-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert (done.returncode, said) == (0, []), done.stderr
    fetched = set()
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text("utf-8")
        fetched |= set(
            re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"?(https?:[^\" >]+)", text)
        )
    assert fetched == set()
