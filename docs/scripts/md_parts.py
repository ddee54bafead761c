"""Small pieces of Markdown that the generated pages are made of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made by docs/scripts/generate_reference.py; change the code, and run it. -->"


def page(title: str, *parts: str) -> str:
    """Put a page together, with empty lines between its parts."""
    return "\n\n".join([f"# {title}", GENERATED, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table; there is none without rows."""
    lines = [" | ".join(cell(item) for item in row) for row in rows]
    if not lines:
        return ""
    top = [" | ".join(heads), "|".join("---" for _ in heads)]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in [*top, *lines])


def cell(text: str) -> str:
    """Make a text fit into a cell: one line, and no bar that would end the cell."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def code(text: str) -> str:
    """Give text as code."""
    return f"`{text}`" if text else ""


def codes(items: Iterable[object]) -> str:
    """Give names as code, with commas."""
    return ", ".join(code(str(item)) for item in items)


def prose(text: str) -> str:
    """Turn a docstring into Markdown: references in double backticks, sections of Google's style."""
    text = inspect.cleandoc(text.replace("\b", "")).replace("``", "`")
    text = re.sub(r"<(?=[A-Za-z_])", "&lt;", text)
    lines: list[str] = []
    for line in text.splitlines():
        section = re.fullmatch(r"(Args|Returns|Raises):", line)
        item = re.match(r"    ([\w*.]+): (.*)", line)
        if section:
            lines.append(f"**{section.group(1)}**\n")
        elif item:
            lines.append(f"- `{item.group(1)}`: {item.group(2)}")
        elif lines and lines[-1].startswith(("- `", "  ")) and line.startswith("        "):
            lines.append("  " + line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def help_text(text: str) -> str:
    """Turn the help of a command into Markdown; commands in it become a block."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines = [line for line in paragraph.splitlines() if line.strip("\b ")]
        if lines and all(line.startswith("    ") for line in lines):
            found.append("\n".join(["```text", *(line[4:] for line in lines), "```"]))
        else:
            found.append("\n".join(lines).replace("``", "`").replace("<", "&lt;"))
    return "\n\n".join(found)
