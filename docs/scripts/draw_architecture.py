"""Draws docs/images/architecture.svg: ``python docs/scripts/draw_architecture.py``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

FILE = Path(__file__).resolve().parent.parent / "images/architecture.svg"
WIDTH, HEIGHT = 920, 500
TITLE = "turnkey: the core, plugins, and what is kept"
# Colours for both schemes: text on its background has a contrast of 4.5 or more.
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1b2330; }
  .head { font-weight: 600; }
  .small { font-size: 12px; fill: #48525f; }
  .page { fill: #ffffff; }
  .core { fill: #e3eafd; stroke: #3b5bb5; }
  .plugin { fill: #fdf0dc; stroke: #a8661a; }
  .kept { fill: #e2f3e6; stroke: #2f7d43; }
  .group { fill: none; stroke: #8892a0; stroke-dasharray: 5 4; }
  .line { stroke: #48525f; stroke-width: 1.6; fill: none; marker-end: url(#tip); }
  #tip path { fill: #48525f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6eaf0; }
    .small { fill: #b5bfcc; }
    .page { fill: #1e2129; }
    .core { fill: #26335c; stroke: #8fa8f0; }
    .plugin { fill: #4a3413; stroke: #e0a95c; }
    .kept { fill: #1d4028; stroke: #7cc990; }
    .line { stroke: #b5bfcc; }
    #tip path { fill: #b5bfcc; }
  }
"""


@dataclass(frozen=True)
class Box:
    """A box with a heading and small lines below it; sizes in pixels."""

    kind: str
    left: int
    top: int
    width: int
    height: int
    head: str
    lines: tuple[str, ...] = ()

    def draw(self) -> str:
        """Give its SVG."""
        middle = self.left + self.width // 2
        total = 18 + 17 * len(self.lines)
        first = self.top + (self.height - total) // 2 + 15
        parts = [
            f'<rect class="{self.kind}" x="{self.left}" y="{self.top}" width="{self.width}" '
            f'height="{self.height}" rx="8"/>',
            f'<text class="head" x="{middle}" y="{first}" text-anchor="middle">{escape(self.head)}</text>',
        ]
        for number, line in enumerate(self.lines, 1):
            parts.append(
                f'<text class="small" x="{middle}" y="{first + 18 * number}" text-anchor="middle">{escape(line)}</text>'
            )
        return "\n  ".join(parts)


BOXES = (
    Box("page", 20, 40, 170, 62, "your script or file", ("bert.py, model.onnx",)),
    Box("core", 230, 40, 210, 62, "plan", ("checked whole, before it runs",)),
    Box("core", 480, 40, 200, 62, "executor", ("here, isolated, or Slurm",)),
    Box("core", 720, 40, 180, 62, "report, compare", ("CSV, HTML, a gate in CI",)),
    Box("plugin", 40, 190, 150, 66, "discover", ("finds the models", "and their inputs")),
    Box("plugin", 220, 190, 150, 66, "export-pytorch", ("makes an ONNX file",)),
    Box("plugin", 400, 190, 150, 66, "optimize, convert", ("better files",)),
    Box("plugin", 580, 190, 150, 66, "build-trt-engine", ("an engine",)),
    Box("plugin", 760, 190, 124, 66, "benchmark", ("measures",)),
    Box("plugin", 580, 310, 150, 60, "parity", ("listens after each step",)),
    Box("plugin", 756, 310, 132, 60, "runtime, device", ("in its own process",)),
    Box("kept", 40, 410, 840, 66, "build directory", (
        "state with keys · inputs · ONNX files and weights · engines · logs · statistics · raw samples",
    )),
)  # fmt: skip
ARROWS = (
    "M190 71 H226", "M440 71 H476", "M190 223 H216", "M370 223 H396", "M550 223 H576",
    "M730 223 H756", "M580 102 V150", "M820 256 V306", "M655 256 V306",
    "M115 256 V406", "M295 256 V406", "M475 256 V406", "M820 370 V406", "M880 440 H908 V140 H810 V106",
)  # fmt: skip


def draw() -> str:
    """Give the whole picture."""
    shapes = [
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        '<rect class="group" x="20" y="154" width="880" height="232" rx="10"/>',
        '<text class="small" x="34" y="174">a chain: one model, step by step; artifacts are handed on by their kind</text>',
        *(f'<path class="line" d="{path}"/>' for path in ARROWS),
        *(box.draw() for box in BOXES),
        '<text class="small" x="20" y="26">the core (blue) plans, runs and keeps; '
        "plugins (amber) do the work; what is kept (green) is files</text>",
    ]
    body = "\n  ".join(shapes)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" \
aria-label="{escape(TITLE)}">
  <title>{escape(TITLE)}</title>
  <style>{STYLE}</style>
  <defs><marker id="tip" markerWidth="9" markerHeight="9" refX="7" refY="4" orient="auto">\
<path d="M0 0 L8 4 L0 8 z"/></marker></defs>
  {body}
</svg>
"""


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(draw(), "utf-8")
