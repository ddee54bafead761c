"""What tests install and run: fake plugins here, and real ones in a Python of their own."""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import turnkeyml
from turnkeyml.cli.main import run_command
from turnkeyml.console import Console
from turnkeyml.plugins.registry import GROUP, Registry, load_registry

SUPPORT = Path(__file__).parent
TOY_ENTRY_POINT = "toyplug"
COMMAND = "from turnkeyml.cli.main import main; main()"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err


class FakeDistribution(metadata.Distribution):
    """An installed package that is not there, but for its metadata."""

    def __init__(self, name: str, version: str, entry_points: Mapping[str, str]) -> None:
        lines = [f"{key} = {value}" for key, value in entry_points.items()]
        self._texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "entry_points.txt": "\n".join([f"[{GROUP}]", *lines]),
        }

    def read_text(self, filename: str) -> str | None:
        return self._texts.get(filename)

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(path)


class FakePlugins:
    """Plugin packages that exist for one test, in this process.

    The core's own plugin is always among them; whatever else is installed is not.
    """

    _numbers = itertools.count()

    def __init__(self, monkeypatch: Any) -> None:
        self._monkeypatch = monkeypatch
        self._distributions: list[metadata.Distribution] = [
            FakeDistribution("turnkeyml-core", "0", {"core": "turnkeyml.builtin"})
        ]
        monkeypatch.setattr(metadata, "entry_points", self.entry_points)

    def add(
        self,
        implements: object = None,
        *,
        distribution: str = "fakeplug",
        version: str = "1.2",
        **attributes: Any,
    ) -> str:
        """Install a plugin whose module has these attributes; gives the module's name."""
        module = ModuleType(f"fakeplug_{next(self._numbers)}")
        if implements is not None:
            attributes["implements"] = implements
        for name, value in attributes.items():
            setattr(module, name, value)
        self._monkeypatch.setitem(sys.modules, module.__name__, module)
        self.add_entry_point(module.__name__, distribution=distribution, version=version)
        return module.__name__

    def add_entry_point(
        self,
        value: str,
        *,
        distribution: str = "fakeplug",
        version: str = "1.2",
        name: str = "main",
    ) -> None:
        """Install a package with this entry point, whatever it leads to."""
        self._distributions.append(FakeDistribution(distribution, version, {name: value}))

    def add_toys(self) -> None:
        """Install the toy plugin."""
        self.add_entry_point(TOY_ENTRY_POINT, distribution="toyplug", version="1.0")

    def add_weavers(self) -> None:
        """Install the second toy plugin."""
        self.add_entry_point("weaveplug", distribution="weaveplug", version="1.0")

    def entry_points(self, *, group: str = GROUP) -> list[metadata.EntryPoint]:
        """Stand in for importlib.metadata."""
        assert group == GROUP
        return [point for dist in self._distributions for point in dist.entry_points]

    def registry(self) -> Registry:
        """Load what is installed."""
        return load_registry(self.entry_points())


def run_here(*words: str) -> Ended:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command(list(words), Console(out, err))
    return Ended(int(code), out.getvalue(), err.getvalue())


def write_distribution(
    folder: Path, name: str, text: str, *, version: str = "1.2", entry_point: str | None = None
) -> None:
    """Install a package as pip would leave it: a module and its metadata.

    Args:
        folder: On the path of the Python that is to have it.
        name: Of the distribution; the module has underscores for its hyphens.
        text: Of the module.
        version: Of the distribution.
        entry_point: By default the module.
    """
    module = name.replace("-", "_")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(text, "utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nmain = {entry_point or module}\n", "utf-8")


def core_site(folder: Path) -> Path:
    """Make a folder of packages that has the core and what it depends on, and nothing else."""
    folder.mkdir()
    (folder / "turnkeyml").symlink_to(Path(str(turnkeyml.__file__)).parent)
    for name in _with_requirements("turnkeyml-core", set()):
        dist = metadata.distribution(name)
        tops = {file.parts[0] for file in dist.files or () if len(file.parts) > 1}
        singles = {
            file.parts[0]
            for file in dist.files or ()
            if len(file.parts) == 1 and file.suffix in (".py", ".so")
        }
        for top in tops | singles:
            target = Path(str(dist.locate_file(top)))
            link = folder / top
            if top not in ("..", "__pycache__") and target.exists() and not link.exists():
                link.symlink_to(target)
    return folder


def _with_requirements(name: str, seen: set[str]) -> set[str]:
    try:
        requires = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        # Needed on another platform or version of Python only.
        return seen
    seen.add(name)
    for text in requires:
        match = re.match(r"[A-Za-z0-9._-]+", text)
        if match and "extra ==" not in text and match[0] not in seen:
            _with_requirements(match[0], seen)
    return seen


class Environment:
    """A Python that has turnkey's core and the packages that a test installs, and nothing else."""

    def __init__(self, core: Path, own: Path, home: Path, bytecode: Path) -> None:
        self.own = own
        self._paths = [own, core]
        kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LD_LIBRARY_PATH", "LANG")}
        self.variables = {
            **kept,
            "HOME": str(home),
            "PYTHONPYCACHEPREFIX": str(bytecode),
            "TURNKEY_CACHE_DIR": str(home / "cache"),
        }
        self.home = home

    @property
    def cache(self) -> Path:
        """Where its turnkey keeps builds."""
        return self.home / "cache"

    def install(self, name: str, text: str, **more: Any) -> None:
        """Install a package with one module."""
        write_distribution(self.own, name, text, **more)

    def install_toys(self) -> None:
        """Install the toy plugin."""
        self._paths.append(SUPPORT / "toys")
        self.install("toyplug-metadata", "", version="1.0", entry_point=TOY_ENTRY_POINT)

    def install_weavers(self) -> None:
        """Install the second toy plugin, after the first."""
        self.install("weaveplug-metadata", "", version="1.0", entry_point="weaveplug")

    def command(self, *words: str, code: str = COMMAND) -> list[str]:
        """Give the words that start turnkey."""
        return [sys.executable, "-S", "-c", code, *words]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give its environment variables."""
        path = os.pathsep.join(map(str, self._paths))
        return {**self.variables, "PYTHONPATH": path, **(more or {})}

    def turnkey(
        self,
        *words: str,
        code: str = COMMAND,
        variables: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Ended:
        """Run turnkey in a process of its own."""
        done = subprocess.run(
            self.command(*words, code=code),
            env=self.environment(variables),
            cwd=cwd or self.home,
            capture_output=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ended(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )

    @contextlib.contextmanager
    def started(
        self,
        *words: str,
        code: str = COMMAND,
        variables: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start turnkey, and see to it that it has ended when the block is left."""
        process = subprocess.Popen(
            self.command(*words, code=code),
            env=self.environment(variables),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            **more,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
