"""The statistics of a build: what its steps took and what its benchmarks measured."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from turnkeyml.cache.documents import read_document, write_document
from turnkeyml.cache.layout import STATS_SCHEMA, BuildDirectory
from turnkeyml.errors import CacheError, NewerSchemaError


class Stats:
    """The statistics that this process adds to those of one build.

    ``steps`` has an entry for each step of each chain that was run on this build, known by the
    step's identity; ``results`` one for each thing measured, known by artifact, device, runtime,
    runtime arguments and iterations; ``chains`` how each chain that was begun has ended, known by
    the identity of its last step. Another chain adds its entries and leaves the others.
    """

    def __init__(self, build: BuildDirectory) -> None:
        self._build = build
        self._step: str | None = None
        self.model: dict[str, Any] = {}
        self.chains: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.results: dict[str, dict[str, Any]] = {}

    @classmethod
    def load(cls, build: BuildDirectory) -> Stats:
        """Read what is on disk; a missing file gives empty statistics.

        Raises:
            CacheError: The file is damaged or from a newer turnkey.
        """
        stats = cls(build)
        if build.stats_file.exists():
            content = read_document(build.stats_file, STATS_SCHEMA)
            try:
                stats.model = dict(content.get("model") or {})
                stats.chains = _entries(content.get("chains"))
                stats.steps = _entries(content.get("steps"))
                stats.results = _entries(content.get("results"))
            except (AttributeError, TypeError, ValueError) as error:
                raise CacheError(f"{build.stats_file} is malformed: {error}.") from error
        return stats

    def begin_step(self, identity: str, entry: Mapping[str, Any]) -> None:
        """Start the entry of a step; `save` then adds to it."""
        self._step = identity
        self.steps[identity] = dict(entry)

    def save(self, key: str, value: Any) -> None:
        """Add a fact about the step that is running.

        Args:
            key: Lower case with underscores, units at its end where they are not SI base units.
            value: A JSON-like value.
        """
        if self._step is None:
            self.model[key] = plain(value)
        else:
            self.steps[self._step][key] = plain(value)

    def save_result(self, identity: Mapping[str, Any], values: Mapping[str, Any]) -> str:
        """Add what a benchmark measured.

        Args:
            identity: Artifact, device, runtime, runtime arguments, iterations.
            values: All that was measured.

        Returns:
            The key of the entry, eight hexadecimal digits.
        """
        text = json.dumps(plain(identity), sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:8]
        self.results[key] = plain({**identity, **values})
        return key

    def write(self) -> None:
        """Add what this object holds to the file; the caller has the build's lock.

        A damaged file is set aside as ``turnkey_stats.yaml.damaged`` and begun anew.

        Raises:
            NewerSchemaError: The file is from a newer turnkey; it is left as it is.
        """
        try:
            old = Stats.load(self._build)
        except NewerSchemaError:
            raise
        except CacheError:
            self._build.stats_file.replace(self._build.stats_file.with_suffix(".yaml.damaged"))
            old = Stats(self._build)
        content = {
            "model": {**old.model, **self.model},
            "chains": {**old.chains, **self.chains},
            "steps": {**old.steps, **self.steps},
            "results": {**old.results, **self.results},
        }
        write_document(self._build.stats_file, STATS_SCHEMA, content)


def plain(value: Any) -> Any:
    """Turn a value into one that YAML and JSON can hold; numbers of numpy become Python's.

    Anything else becomes its text.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    item = getattr(value, "item", None)
    if callable(item):
        try:
            return plain(item())
        # A foreign object's method may refuse in any way; its text will do.
        except Exception:  # noqa: BLE001
            return str(value)
    return str(value)


def _entries(value: Any) -> dict[str, dict[str, Any]]:
    return {str(key): dict(entry) for key, entry in (value or {}).items()}
