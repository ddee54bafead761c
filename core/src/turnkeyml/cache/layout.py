"""Where things are in a cache: one directory a build, with names that never collide."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.cache.documents import read_document
from turnkeyml.errors import CacheError, UsageError

DEFAULT_CACHE_DIR = "~/.cache/turnkey"
CACHE_DIR_VARIABLE = "TURNKEY_CACHE_DIR"
STATE_SCHEMA = 1
STATS_SCHEMA = 1
CLAIM_FILE = ".claim"
STATS_FILE = "turnkey_stats.yaml"
_SHOWN_HASH_DIGITS = 8
_TRIES = 100
_CLAIM = re.compile(rb"[0-9a-f]{64}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class BuildDirectory:
    """One build's place in a cache.

    Args:
        cache: The cache directory.
        name: The build's name, which is also its folder's.
    """

    cache: Path
    name: str

    @property
    def path(self) -> Path:
        """The folder."""
        return self.cache / self.name

    @property
    def state_file(self) -> Path:
        """The state, also the mark by which a folder is known as a build."""
        return self.path / f"{self.name}_state.yaml"

    @property
    def stats_file(self) -> Path:
        """The statistics."""
        return self.path / STATS_FILE

    def log_file(self, tool: str, occurrence: int = 1) -> Path:
        """The log of a tool's n-th time in the chain."""
        suffix = "" if occurrence == 1 else f"_{occurrence}"
        return self.path / f"log_{tool}{suffix}.txt"


class Cache:
    """A directory of builds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_writable(self) -> None:
        """Make the directory.

        Raises:
            UsageError: It cannot be made or written.
        """
        hint = f"Give another one with -d, or set {CACHE_DIR_VARIABLE}."
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Not named by a process: those of several containers may have the same number.
            probe = self.path / f"{TEMPORARY}{secrets.token_hex(6)}"
            probe.touch()
            probe.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(
                f"The cache directory {self.path} cannot be written: {reason}.", hint=hint
            ) from error

    def claim(
        self,
        source: Path,
        digest: str,
        ordinal: int = 0,
        parameters: Mapping[str, str] | None = None,
    ) -> BuildDirectory:
        """Give the build directory of a model, and make it.

        The name is ``<file stem>_<8 digits>``. If that one belongs to another file, or to another
        model of the same file, digits that tell the two apart are added.

        Args:
            source: The input file, as an absolute path.
            digest: The model's hash.
            ordinal: Counts models of one file that have the same hash, from 0.
            parameters: What a sweep gave to the script; each combination has builds of its own.
        """
        plain = f"{build_name_from(source.stem)}_{digest[:_SHOWN_HASH_DIGITS]}"
        # A file's name may have bytes that are no text.
        words = [str(source), digest, str(ordinal)]
        words += [f"{name}={value}" for name, value in sorted((parameters or {}).items())]
        text = "\0".join(words).encode("utf-8", "surrogateescape")
        identity = hashlib.sha256(text).hexdigest()
        for name in (plain, f"{plain}-{identity[:6]}", f"{plain}-{identity}"):
            if self._claims(name, identity):
                return BuildDirectory(self.path, name)
        raise CacheError(f"No free build name for {source} in {self.path}.")

    def _claims(self, name: str, identity: str) -> bool:
        for _ in range(_TRIES):
            # Another process may be deleting the folder.
            with suppress(FileNotFoundError):
                return self._try_claim(name, identity)
        return self._try_claim(name, identity)

    def _try_claim(self, name: str, identity: str) -> bool:
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        claim = folder / CLAIM_FILE
        if claim.is_file() and not _CLAIM.fullmatch(claim.read_bytes()):
            # Damaged; whoever has the build's lock sees what the folder holds.
            claim.unlink(missing_ok=True)
        if not claim.exists():
            # A link appears whole or not at all: that decides between two processes meeting here.
            temporary = folder / f"{TEMPORARY}{secrets.token_hex(6)}"
            temporary.write_text(identity, "utf-8")
            with suppress(FileExistsError):
                os.link(temporary, claim)
            temporary.unlink()
        return claim.read_bytes() == identity.encode()

    def named(self, name: str) -> BuildDirectory:
        """Give and make the build directory of this name, whatever model it is of.

        Raises:
            UsageError: The name cannot be that of a folder.
        """
        if _UNSAFE.search(name) or not name.strip(".") or name.startswith(".") or len(name) > 200:
            raise UsageError(
                f"{name!r} cannot be the name of a build.",
                hint="Use letters, digits, '.', '_' and '-'.",
            )
        build = BuildDirectory(self.path, name)
        build.path.mkdir(parents=True, exist_ok=True)
        return build

    def builds(self) -> list[BuildDirectory]:
        """List the builds, by name; folders that turnkey did not make are left out.

        Raises:
            CacheError: The directory cannot be read.
        """
        if not self.path.is_dir():
            return []
        try:
            found = [BuildDirectory(self.path, path.name) for path in self.path.iterdir()]
        except OSError as error:
            raise CacheError(
                f"The cache directory {self.path} cannot be read: {error.strerror or error}."
            ) from error
        # What may not be looked into counts as somebody else's.
        return sorted((b for b in found if _is_file(b.state_file)), key=lambda b: b.name)

    def read_state(self, name: str) -> dict[str, object]:
        """Read the state file of a build.

        Raises:
            CacheError: There is no such build, or its file is damaged.
        """
        return read_document(BuildDirectory(self.path, name).state_file, STATE_SCHEMA)


def build_name_from(text: str) -> str:
    """Make a name for a build of any text, such as the stem of a file's name."""
    return _UNSAFE.sub("-", text)[:80].strip(".-") or "model"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def cache_from(path: Path | None) -> Cache:
    """Give the cache that a command works on.

    Args:
        path: What the user gave; by default ``TURNKEY_CACHE_DIR``, else ``~/.cache/turnkey``.

    Raises:
        UsageError: It is in the home of a user who does not exist.
    """
    chosen = path or Path(os.environ.get(CACHE_DIR_VARIABLE) or DEFAULT_CACHE_DIR)
    try:
        return Cache(chosen.expanduser().absolute())
    except RuntimeError as error:
        raise UsageError(
            f"The cache directory {chosen} is in the home of an unknown user."
        ) from error
