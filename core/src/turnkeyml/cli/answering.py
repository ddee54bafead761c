"""What a shell may put at the cursor: asked at each press of the tab key, so it imports little.

What is installed is read from a catalogue that `turnkeyml.cli.catalogue` makes and keeps.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

FILES, FOLDERS, WORDS = "files", "folders", "words"
ONE, MANY = 1, 2
CHAIN, ONE_WORD = "chain", "one-word"
_GUIDE = "benchmark"
_INPUTS = ("-i", "--input-files")
_CACHE_DIR = ("-d", "--cache-dir")
_MOST_BUILDS = 500
_LONGEST_TEXT = 100

# A shell puts these into its command line as they are, so nothing in them may mean anything to it.
_HARMLESS = re.compile(r"(?:--?)?[A-Za-z0-9_][A-Za-z0-9_.,:=+-]*\Z")

Catalogue = Mapping[str, Any]


class Answer(NamedTuple):
    """What may stand at the cursor.

    Args:
        kind: Words, or any files or folders.
        words: Each with what it means.
    """

    kind: str
    words: tuple[tuple[str, str], ...] = ()


def answer(arguments: Sequence[str]) -> int:
    """Print what may stand at the cursor: the kind, then a word and its meaning a line.

    Args:
        arguments: ``bash``, the line up to the cursor and what divides words there; or ``zsh`` or
            ``fish`` and the words after the program's name, up to the cursor.

    Returns:
        The exit code.
    """
    shell, *words = arguments or [""]
    breaks = ""
    if shell == "bash":
        line, breaks = (*words, "", "")[:2]
        words = split_line(line)[1:]
    from turnkeyml.cli.catalogue import load_catalogue

    words = words or [""]
    found = complete(words, load_catalogue())
    lines = [found.kind]
    # What bash replaces begins behind the last of these.
    done = max((words[-1].rfind(sign) + 1 for sign in ":=" if sign in breaks), default=0)
    for word, text in found.words:
        if _HARMLESS.match(word):
            short = "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_TEXT]
            lines.append(word[done:] if shell == "bash" else f"{word}\t{short}")
    try:
        os.write(1, ("\n".join(lines) + "\n").encode("utf-8", "replace"))
    except OSError:
        return 1
    return 0


def split_line(line: str) -> list[str]:
    """Split a line into words as a shell does, but for what is not finished; runs nothing.

    What comes before the program's name is left out. The last word is that at the cursor.
    """
    words, quote, escaped = [""], "", False
    for character in line:
        if escaped:
            words[-1] += character
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
            words[-1] += "" if not quote else character
        elif character in "'\"":
            quote = character
        elif character in " \t\n":
            if words[-1] or len(words) == 1:
                words.append("")
        else:
            words[-1] += character
    while len(words) > 1 and (not words[0] or "=" in words[0]):
        words.pop(0)
    return words


def complete(words: Sequence[str], catalogue: Catalogue) -> Answer:
    """Say what may stand in the place of the last word.

    Args:
        words: After the program's name.
        catalogue: What is installed.
    """
    if len(words) > 1 and words[0] in catalogue["commands"]:
        return _in_command(words, catalogue)
    return _Chain(words, catalogue).answer()


def _in_command(words: Sequence[str], catalogue: Catalogue) -> Answer:
    """Answer within a command that stands alone."""
    node, pending, given = catalogue["commands"][words[0]], None, []
    for word in words[1:-1]:
        if pending is not None and (pending["values"] == MANY or pending["fresh"]):
            if not word.startswith("-"):
                pending = {**pending, "fresh": False}
                continue
            pending = None
        if word in node["commands"]:
            node = node["commands"][word]
        elif word.startswith("-"):
            pending = _opened(word, node["options"])
        else:
            given.append(word)
    current = words[-1]
    if current.startswith("-"):
        return _option(words, node["options"], catalogue)
    if pending is not None and (pending["fresh"] or pending["values"] == MANY):
        return _values(pending, words, catalogue)
    if node["commands"]:
        names = {name: sub["summary"] for name, sub in node["commands"].items()}
        return _fitting(names.items(), current)
    left = _values(node["argument"], words, catalogue)
    return left._replace(words=tuple(pair for pair in left.words if pair[0] not in given))


def _opened(word: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the option that now waits for its value, if it is one that does."""
    option = options.get(word)
    return {**option, "fresh": True} if option is not None and option["values"] else None


class _Chain:
    """Answers in a chain of tools, or in the one-word form."""

    def __init__(self, words: Sequence[str], catalogue: Catalogue) -> None:
        self._words = words
        self._catalogue = catalogue
        self._options: dict[str, Any] | None = None
        self._has_inputs = self._has_files = False
        self._step = ""
        self._pending: dict[str, Any] | None = None
        for word in words[:-1]:
            self._take(word)

    def _take(self, word: str) -> None:
        pending = self._pending
        if pending is not None and pending["values"] == ONE and pending["fresh"]:
            self._pending = None
        elif word.startswith("-"):
            self._has_inputs |= word.partition("=")[0] in _INPUTS
            self._pending = _opened(word, self._own_options())
        elif self._is_step(word) and not self._has_files:
            self._step, self._pending = self._catalogue["aliases"].get(word, word), None
        elif pending is not None and pending["values"] == MANY:
            self._pending = {**pending, "fresh": False}
        else:
            self._has_files = True

    def _is_step(self, word: str) -> bool:
        catalogue = self._catalogue
        name = catalogue["aliases"].get(word, word)
        return name in catalogue["tools"] or name in catalogue["sequences"]

    def _own_options(self) -> Mapping[str, Any]:
        options: Mapping[str, Any] = self._catalogue["options"]
        if self._step and not (self._step == _GUIDE and self._has_files):
            found: Mapping[str, Any] = options.get(self._step, {})
            return found
        if self._has_inputs:
            return dict(options[CHAIN])
        return {**options[CHAIN], **options[ONE_WORD]}

    def answer(self) -> Answer:
        """Say what may stand at the cursor."""
        current, pending = self._words[-1], self._pending
        if pending is not None and pending["values"] == ONE:
            return _values(pending, self._words, self._catalogue)
        if current.startswith("-"):
            return _option(self._words, self._own_options(), self._catalogue)
        if pending is not None and pending["fresh"]:
            return _values(pending, self._words, self._catalogue)
        steps = Answer(FILES) if self._has_files else _fitting(self._next_steps(), current)
        if steps.words or steps.kind == FILES:
            return steps
        if pending is not None:
            return _values(pending, self._words, self._catalogue)
        return steps if self._step and self._step != _GUIDE else Answer(FILES)

    def _next_steps(self) -> Iterator[tuple[str, str]]:
        catalogue = self._catalogue
        wanted = {"step"} if self._step else {"first"} if self._has_inputs else {"first", "step"}
        for name, (role, summary) in catalogue["tools"].items():
            if role in wanted:
                yield name, summary
        if "step" in wanted:
            yield from catalogue["sequences"].items()
        if len(self._words) == 1:
            for name, command in catalogue["commands"].items():
                yield name, command["summary"]


def _fitting(pairs: Iterable[tuple[str, str]], current: str) -> Answer:
    return Answer(WORDS, tuple(sorted(pair for pair in pairs if pair[0].startswith(current))))


def _option(words: Sequence[str], options: Mapping[str, Any], catalogue: Catalogue) -> Answer:
    """Answer where an option is begun, or its value behind an equals sign."""
    flag, equals, value = words[-1].partition("=")
    if not equals:
        names = ((name, one["help"]) for name, one in options.items() if name.startswith("--"))
        return _fitting([*names, ("--help", "Show this message and exit.")], flag)
    option = options.get(flag)
    if option is None:
        return Answer(WORDS)
    found = _values(option, [*words[:-1], value], catalogue)
    return found._replace(words=tuple((f"{flag}={word}", text) for word, text in found.words))


def _values(option: Mapping[str, Any], words: Sequence[str], catalogue: Catalogue) -> Answer:
    """Give the values of an option or an argument."""
    current, kind = words[-1], option["kind"]
    if kind in (FILES, FOLDERS):
        return Answer(kind)
    if kind == "build":
        return _fitting(((name, "") for name in _builds(_cache_of(words), current)), current)
    names: Mapping[str, str] = dict.fromkeys(option["choices"], "")
    names = names or catalogue["values"].get(kind, {})
    before, comma, _ = current.rpartition(",")
    if kind == "runtime" and comma:
        return _fitting(((f"{before},{name}", text) for name, text in names.items()), current)
    return _fitting(names.items(), current)


def _cache_of(words: Sequence[str]) -> str:
    """Find the cache directory that a command line means."""
    given = ""
    for word, following in zip(words, words[1:], strict=False):  # noqa: RUF007 - one import less
        flag, equals, value = word.partition("=")
        if flag in _CACHE_DIR:
            given = value if equals else following
    # As `turnkeyml.cache.layout` has it, which takes a while to import.
    chosen = given or os.environ.get("TURNKEY_CACHE_DIR") or "~/.cache/turnkey"
    return os.path.expanduser(chosen)  # noqa: PTH111


def _builds(cache: str, current: str) -> Iterator[str]:
    """Name builds that begin like this; not all of them, if there are many."""
    is_build: Callable[[str], bool] = os.path.isfile
    count = 0
    try:
        with os.scandir(cache) as entries:
            for entry in entries:
                name = entry.name
                if not name.startswith(current) or not _HARMLESS.match(name) or name[0] in ".-":
                    continue
                if is_build(f"{cache}/{name}/{name}_state.yaml"):
                    yield name
                    count += 1
                    if count == _MOST_BUILDS:
                        return
    except OSError:
        return
