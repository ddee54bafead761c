"""Put the page together: styles, script, data, and what is shown where scripts do not run."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from string import Template

from turnkeyml.console import plural
from turnkeyml.errors import TurnkeyError
from turnkeyml_plugin_report_html.overview import Overview
from turnkeyml_plugin_report_html.payload import Heading, Payload

MODULES = (
    "dom.js",
    "format.js",
    "dataset.js",
    "filters.js",
    "charts.js",
    "stages.js",
    "scatter.js",
    "runtimes.js",
    "quality.js",
    "grid.js",
    "picker.js",
    "bar.js",
    "samples.js",
    "detail.js",
    "main.js",
)
"""In an order in which each stands behind those that it imports from."""

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_ENDS_ELEMENT = re.compile(r"</(?:script|style)|<!--", re.IGNORECASE)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_SHOWN_CAUSES = 20


def page_from(payload: Payload, heading: Heading, overview: Overview) -> Iterator[str]:
    """Give the parts of the page, one after the other."""
    script, style = joined_modules(), _asset("style.css")
    content = Template(_asset("page.html")).substitute(
        policy=html.escape(_policy(script, style)),
        style=_within_element(style),
        made_at=escaped(heading.made_at),
        version=escaped(heading.turnkey_version),
        summary="\n".join(_summary(overview, heading)),
    )
    before, _, after = content.partition("<!-- data -->")
    middle, _, end = after.partition("<!-- script -->")
    yield before
    yield '<script type="application/json" id="data">'
    # Base64 in JSON: no name and no log can stand here as it is.
    yield _within_element(payload.to_json())
    yield f'</script>{middle}<script type="module">{script}</script>{end}'


def joined_modules() -> str:
    """Give the modules as one script; each is a function that gives what it exports."""
    parts = ['"use strict";\n']
    for name in MODULES:
        source = _asset(name)
        exported = ", ".join(found[2] for found in _EXPORT.finditer(source))
        body = _IMPORT.sub(r"const \1 = module_\2;", _EXPORT.sub(r"\1", source))
        stem = name.removesuffix(".js")
        parts.append(f"const module_{stem} = (() => {{\n{body}return {{ {exported} }};\n}})();\n")
    return _within_element("".join(parts))


def escaped(text: str) -> str:
    """Give text as HTML; characters that nobody sees, or that turn others around, as numbers."""
    return html.escape(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def _asset(name: str) -> str:
    return (resources.files(__package__) / "assets" / name).read_text("utf-8")


def _within_element(text: str) -> str:
    """Give text that stands in a script or style element as it is.

    Raises:
        TurnkeyError: It would end the element.
    """
    if _ENDS_ELEMENT.search(text):
        raise TurnkeyError("The page's own script or style would end its element.")
    return text


def _policy(script: str, style: str) -> str:
    """Give the policy of the page: its own script and style run, and nothing is fetched."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_digest(script)}'",
            f"style-src '{_digest(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _summary(overview: Overview, heading: Heading) -> Iterator[str]:
    counts = ((overview.builds, "build"), (overview.rows, "row"), (overview.results, "result"))
    yield f"<p>{', '.join(plural(count, what) for count, what in counts)}.</p>"
    caches = "; ".join(heading.caches)
    yield f"<p>From {escaped(caches)}.</p>"
    stages = (
        (stage.name.capitalize(), f"{stage.passed:,}", f"{stage.tried - stage.passed:,}")
        for stage in overview.stages
    )
    yield from _table("Builds by stage", ("Stage", "Passed", "Did not"), stages)
    shown = overview.causes[:_SHOWN_CAUSES]
    causes = ((f"{one.rows:,}", one.step, one.cause, one.example_name) for one in shown)
    if shown:
        yield from _table("Why not", ("Rows", "Step", "Cause", "For example"), causes)
    verdicts = ((name or "none", f"{count:,}") for name, count in overview.verdicts.items())
    if overview.verdicts:
        yield from _table("Verdicts on results", ("Verdict", "Results"), verdicts)


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"<table><caption>{escaped(caption)}</caption><thead><tr>"
    yield "".join(f'<th scope="col">{escaped(head)}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{''.join(f'<td><bdi>{escaped(cell)}</bdi></td>' for cell in row)}</tr>"
    yield "</tbody></table>"
