"""Reads the code blocks of documentation pages, with the marks that say how each is tested."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent.parent
_COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_INFO = re.compile(r"[\w-]+")
# What a block is for; `not run` also gives the reason.
MARKS = ("not run", "slow", "exit", "file", "files", "own environment")


@dataclass(frozen=True)
class Command:
    """A command of a console block, and what the page says that it prints.

    Args:
        text: The command, its lines joined as they stand.
        output: What follows it; empty if the page shows nothing.
        lines: Where the output stands in the page: first line, and the one after the last, from 0.
    """

    text: str
    output: str
    lines: tuple[int, int]


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    Args:
        page: Its file.
        line: Of its opening fence, from 1.
        language: The first word after the fence.
        text: What is in it.
        file: The name of the file that it is, if it is one.
        marks: Words of the comment before it, to what follows them.
    """

    page: Path
    line: int
    language: str
    text: str
    file: str | None = None
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_slow(self) -> bool:
        """Whether it is left to the slow tests."""
        return "slow" in self.marks

    @property
    def why_not_run(self) -> str | None:
        """Why no test runs it, or None."""
        return self.marks.get("not run")

    @property
    def exit_code(self) -> int:
        """With what its last command ends."""
        return int(self.marks.get("exit", 0))

    def commands(self) -> list[Command]:
        """Take a console block apart: lines after ``$`` are commands, all others are output."""
        found: list[Command] = []
        command: list[str] = []
        output: list[str] = []
        lines = self.text.splitlines()
        start = 0

        def end(at: int) -> None:
            if command:
                place = (self.line + start, self.line + at)
                found.append(Command("\n".join(command), "\n".join(output), place))

        going_on = False
        for number, line in enumerate(lines):
            if line.startswith("$ ") and not going_on:
                end(number)
                command, output, start = [line[2:]], [], number + 1
            elif going_on:
                command.append(line.removeprefix("> "))
                start = number + 1
            else:
                output.append(line)
            going_on = bool(command) and not output and command[-1].endswith("\\")
        end(len(lines))
        return found


@dataclass(frozen=True)
class Page:
    """A page with its blocks, and what is to be prepared for them.

    Args:
        path: Its file.
        blocks: In order.
        files: Names in the working directory to files of the checkout.
        own_environment: Whether its commands install something.
    """

    path: Path
    blocks: tuple[Block, ...]
    files: dict[str, str]
    own_environment: bool

    @property
    def name(self) -> str:
        """Its path in the checkout."""
        return self.path.relative_to(ROOT).as_posix()


def read_page(path: Path) -> Page:
    """Read a page; indented blocks are not looked at."""
    found = list(_blocks(path))
    files: dict[str, str] = {}
    own = False
    comments = [
        comment
        for token in MarkdownIt().parse(path.read_text("utf-8"))
        if token.type == "html_block"
        for comment in _COMMENT.findall(token.content)
    ]
    for comment in comments:
        word, _, rest = comment.partition(":")
        if word == "files":
            files |= dict(pair.split("=", 1) for pair in rest.split())
        own = own or word == "own environment"
    return Page(path, tuple(found), files, own)


def _blocks(path: Path) -> Iterator[Block]:
    marks: dict[str, str] = {}
    for token in MarkdownIt().parse(path.read_text("utf-8")):
        if token.type == "html_block":
            marks = {**marks, **_marks(token.content, path)}
        elif token.type == "fence" and token.map is not None:
            language = _INFO.match(token.info)
            title = _TITLE.search(token.info)
            file = marks.get("file") or (title.group(1) if title else None)
            name = language.group() if language else ""
            yield Block(path, token.map[0] + 1, name, token.content, file, marks)
            marks = {}
        elif token.type not in ("list_item_open", "bullet_list_open", "ordered_list_open"):
            marks = {}


def _marks(text: str, path: Path) -> dict[str, str]:
    found = {}
    for comment in _COMMENT.findall(text):
        word, _, rest = comment.partition(":")
        if word.startswith("Made by"):
            continue
        if word.strip() not in MARKS:
            raise ValueError(f"{path}: <!-- {comment} --> is none of {', '.join(MARKS)}.")
        found[word.strip()] = rest.strip()
    return found
