"""Makes the pictures of terminals in docs/images, from real runs: ``python docs/scripts/record_terminal.py``.

A run takes about a minute, and its numbers are those of the machine that it is made on.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ROOT / "docs/images"
WIDTH = 104
# Dark in both schemes of the page, with a contrast of 7 and more.
THEME = TerminalTheme(
    (30, 33, 41),
    (230, 234, 240),
    [(30, 33, 41), (255, 138, 138), (124, 201, 144), (224, 169, 92),
     (143, 168, 240), (214, 160, 230), (120, 200, 210), (230, 234, 240)],
)  # fmt: skip
# As rich's own, but without fonts from the network.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
  <title>TITLE</title>
  <style>
  .{unique_id}-matrix {{
    font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
    font-size: {char_height}px; line-height: {line_height}px;
  }}
  {styles}
  </style>
  <defs>
    <clipPath id="{unique_id}-clip-terminal">
      <rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
    </clipPath>
    {lines}
  </defs>
  {chrome}
  <g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
    {backgrounds}
    <g class="{unique_id}-matrix">{matrix}</g>
  </g>
</svg>
"""


@dataclass(frozen=True)
class Picture:
    """A picture: a title, and the commands whose output it shows.

    Args:
        name: Of the file, without its suffix.
        title: Said to those who cannot see it.
        shown: Commands that are shown with what they print.
        before: Commands that are run first and not shown.
    """

    name: str
    title: str
    shown: tuple[str, ...]
    before: tuple[str, ...] = ()


PICTURES = (
    Picture("first_run", "turnkey benchmarks a script", ("turnkey bert_tiny.py",)),
    Picture(
        "plan",
        "A plan is shown, and a wrong one is refused",
        (
            "turnkey bert_tiny.py --dry-run",
            "turnkey -i bert_tiny.py discover optimize-onnx",
            "turnkey -i bert_tiny.py discover benchmark --runtime ort --rt-args treads::1",
        ),
    ),
    Picture(
        "report",
        "A report of eight models, two of which fail",
        ("turnkey report",),
        ("turnkey -i cnn.py linear.py lstm.py no_model.py not_exportable.py several_outputs.py "
         "twolayer.py embedding.py --process-isolation discover export-pytorch benchmark",),
    ),
)  # fmt: skip


def record(picture: Picture) -> str:
    """Run the commands of a picture in a home of their own, and give the SVG."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for script in [
            *ROOT.glob("models/selftest/*.py"),
            ROOT / "models/popular_on_huggingface/bert_tiny.py",
        ]:
            (home / script.name).write_bytes(script.read_bytes())
        lines: list[tuple[str, bool]] = []
        for command in picture.before:
            run(command, home)
        for command in picture.shown:
            lines += [(f"$ {command}", True), *((line, False) for line in run(command, home))]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line, is_command in lines:
        shown = line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
        console.print(Text(shown, style="bold cyan" if is_command else ""), soft_wrap=True)
    # Else the lower parts of letters in the last line are cut off.
    console.print()
    return console.export_svg(
        title="",
        theme=THEME,
        code_format=FORMAT.replace("TITLE", picture.title),
        unique_id=f"turnkey-{picture.name}",
    )


def run(command: str, home: Path) -> list[str]:
    """Run a command; give its lines, without empty ones at both ends."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("TURNKEY_")},
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    text = done.stdout if done.returncode == 0 else done.stdout + done.stderr
    return text.replace(str(home), "/home/you").strip("\n").splitlines()


def main() -> None:
    """Make all pictures, or those that are named."""
    IMAGES.mkdir(exist_ok=True)
    for picture in PICTURES:
        if len(sys.argv) == 1 or picture.name in sys.argv[1:]:
            (IMAGES / f"{picture.name}.svg").write_text(record(picture), "utf-8")


if __name__ == "__main__":
    main()
