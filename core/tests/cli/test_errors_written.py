"""How errors are written, in the core and in the plugins beside it, and that each has a test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from turnkeyml import errors

ROOT = Path(__file__).resolve().parents[3]
CLASSES = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.TurnkeyError)
}
NAMED_FROM = 12
"""So many characters of a message in a row must stand in a test."""


@dataclass(frozen=True)
class Raised:
    """An error as a module makes it, with ``{}`` for what is put in.

    Args:
        place: File and line.
        parts: What is written of the message, without what is put in.
        message: All of it; empty where it is made elsewhere.
        hint: The same for the hint.
    """

    place: str
    parts: tuple[str, ...]
    message: str
    hint: str


def text_of(node: ast.expr | None) -> tuple[str, ...]:
    """Give the parts of a text that are written out, with None as ``{}`` between them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.JoinedStr):
        return tuple(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return ()


def errors_in(path: Path) -> Iterator[Raised]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in CLASSES and node.args:
            parts = text_of(node.args[0])
            hint = next((text_of(k.value) for k in node.keywords if k.arg == "hint"), ())
            place = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield Raised(place, parts, "".join(parts), "".join(hint))


def modules() -> Iterator[Path]:
    for folder in (ROOT / "core/src", *sorted(ROOT.glob("plugins/**/src"))):
        yield from (p for p in sorted(folder.rglob("*.py")) if "templates" not in p.parts)


ALL = [error for path in modules() for error in errors_in(path)]


def test_the_errors_are_found() -> None:
    assert len(ALL) > 150
    assert any(error.message == "No tool is given." for error in ALL)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.place)
def test_a_message_and_a_hint_are_sentences(error: Raised) -> None:
    for text in filter(None, (error.message, error.hint)):
        assert "\n" not in text
        assert text == text.strip()
        assert not re.search(r"[a-z]  [a-z]", text)
    if error.message:
        assert error.message.endswith((".", "{}")), error.message
        assert not re.match(r"(error|warning|failed)\b", error.message, re.IGNORECASE)
    if error.hint:
        assert not error.hint.endswith((",", ";", ":"))


def test_each_message_stands_in_a_test() -> None:
    texts = []
    tests = [
        *ROOT.glob("core/tests/**/*.py"),
        *ROOT.glob("plugins/**/tests/**/*.py"),
        *ROOT.glob("tests/*.py"),
    ]
    for path in tests:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # What is matched as a pattern has its points escaped.
                texts += [node.value, re.sub(r"\\(.)", r"\1", node.value)]
    everything = "\0".join(texts)

    def is_named(part: str) -> bool:
        ends = range(NAMED_FROM, len(part) + 1)
        return any(part[end - NAMED_FROM : end] in everything for end in ends)

    missing = []
    for error in ALL:
        parts = [part for part in error.parts if len(part.strip()) >= NAMED_FROM]
        if parts and not any(map(is_named, parts)):
            missing.append(f"{error.place}: {error.message}")
    assert not missing, "\n".join(missing)
