"""Labels of a script: ``#labels key::value1,value2`` in its first line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from turnkeyml.errors import UsageError

_PRAGMA = re.compile(r"#\s*labels\b:?\s*(?P<rest>.*)")

Labels = Mapping[str, tuple[str, ...]]


def read_labels(path: Path) -> Labels:
    """Read the labels of a file.

    Args:
        path: A script; a file without the pragma in its first line has no labels.

    Raises:
        UsageError: A label is none.
    """
    with path.open("r", encoding="utf-8", errors="replace") as file:
        match = _PRAGMA.match(file.readline().lstrip("\ufeff"))
    if match is None:
        return {}
    words = [word for word in match["rest"].split() if "::" in word]
    try:
        return parse_labels(words)
    except UsageError as error:
        raise UsageError(f"In the labels of {path}, {error.message}", hint=error.hint) from error


def parse_labels(words: Sequence[str]) -> Labels:
    """Read ``key::value1,value2`` words.

    Raises:
        UsageError: A word has another form.
    """
    result: dict[str, tuple[str, ...]] = {}
    for word in words:
        key, separator, values = word.partition("::")
        items = tuple(value for value in values.split(",") if value)
        if not (key and separator and items):
            raise UsageError(
                f"{word!r} is no label.", hint="Write key::value or key::value1,value2."
            )
        result[key] = tuple(dict.fromkeys([*result.get(key, ()), *items]))
    return result


def matches(labels: Labels, wanted: Labels) -> bool:
    """Tell whether a script has, for every key wanted, one of the values wanted."""
    return all(set(labels.get(key, ())) & set(values) for key, values in wanted.items())


def load_from_cache(cache_dir: str | Path, build_name: str) -> dict[str, list[str]]:
    """Give the labels of the script that a build was made from.

    Args:
        cache_dir: The cache.
        build_name: The build.

    Raises:
        CacheError: There is no such build, or its file is damaged.
    """
    from turnkeyml.cache.layout import Cache

    found = Cache(Path(cache_dir).expanduser()).read_state(build_name).get("labels")
    if not isinstance(found, Mapping):
        return {}
    return {
        str(key): [str(value) for value in values] if isinstance(values, list) else [str(values)]
        for key, values in found.items()
    }
