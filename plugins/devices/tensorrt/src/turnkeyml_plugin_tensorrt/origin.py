"""Which library built an engine: from the build's state, else from the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.errors import BuildError, CacheError
from turnkeyml.saved_state import load_state
from turnkeyml_plugin_tensorrt.requirements import LIBRARIES, TENSORRT, Library


@dataclass(frozen=True)
class EngineOrigin:
    """What an engine was built with.

    Args:
        library: The library, which is also what runs it.
        version: Of the library then; None if that is not known.
    """

    library: Library
    version: str | None


def find_origin(cache: Path, build: str, engine: Path) -> EngineOrigin:
    """Find out what built an engine, and see that it is installed.

    Args:
        cache: The cache directory.
        build: The build that has the engine.
        engine: The file.

    Raises:
        BuildError: The file is no engine, or its library is not installed.
    """
    info = _info_of(BuildDirectory(cache, build), engine)
    origin = _origin_from(info) or EngineOrigin(_library_of(engine), None)
    library = origin.library
    if library.version() is None:
        built = f"{library.name} {origin.version}" if origin.version else library.name
        raise BuildError(
            f"The engine {engine.name} was built with {built}, and {library.name} is not "
            "installed.",
            hint=f"Install it with: {library.install}",
        )
    return origin


def _info_of(build: BuildDirectory, engine: Path) -> Mapping[str, Any]:
    """Give what the state says about an artifact; nothing if there is no such state or artifact."""
    try:
        artifacts = load_state(build).artifacts
    except CacheError:
        return {}
    for artifact in reversed(artifacts):
        if artifact.files and build.path / artifact.files[0].path == engine:
            return artifact.info
    return {}


def _origin_from(info: Mapping[str, Any]) -> EngineOrigin | None:
    for library in LIBRARIES:
        if info.get("library") == library.name:
            version = info.get("library_version")
            return EngineOrigin(library, version if isinstance(version, str) else None)
    return None


def _library_of(engine: Path) -> Library:
    try:
        with engine.open("rb") as file:
            first = file.read(max(len(library.magic) for library in LIBRARIES))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BuildError(f"The engine {engine} cannot be read: {reason}.") from error
    found = next((each for each in LIBRARIES if first.startswith(each.magic)), None)
    if found is None:
        raise BuildError(
            f"{engine.name} is no engine of {TENSORRT.title} or TensorRT-RTX.",
            hint="Make it with build-trt-engine.",
        )
    return found
