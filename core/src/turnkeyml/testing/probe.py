"""What the kit runs in a fresh process: it loads a plugin, and tells what that did.

Started by its path by `turnkeyml.testing.fresh`, with a request and a place for the answer, both
JSON files: importing the kit as a whole would take longer than what is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from turnkeyml.device import DeviceInfo
from turnkeyml.options import option_specs, options_from_values
from turnkeyml.plugins.records import Contribution
from turnkeyml.plugins.registry import GROUP, Registry, load_registry
from turnkeyml.runtime import BaseRT
from turnkeyml.tool import AnyTool, ChainTool

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_OWN_UMASK = 0o026
"""One that nobody else sets."""
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)
_CHANGES = {
    "os.putenv": "set the environment variable",
    "os.unsetenv": "removed the environment variable",
    "os.mkdir": "made the folder",
    "os.rename": "renamed",
    "os.remove": "deleted",
    "os.rmdir": "deleted the folder",
    "os.link": "linked",
    "os.symlink": "linked",
    "os.truncate": "cut off",
    "subprocess.Popen": "started the process",
    "os.system": "started the process",
    "os.posix_spawn": "started the process",
    "os.exec": "became the process",
    "os.fork": "forked",
    "socket.connect": "opened a connection to",
    "socket.getaddrinfo": "looked up the host",
    "socket.bind": "listened at",
}
"""Audit events of Python to what they mean."""


def _load_surroundings() -> ModuleType:
    """Load the file beside this one."""
    path = Path(__file__).with_name("surroundings.py")
    spec = importlib.util.spec_from_file_location("turnkey_surroundings", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class _WatchedEnvironment(MutableMapping[str, str]):
    """The environment, with a note of which of its variables some modules read."""

    def __init__(self, own: MutableMapping[str, str], packages: set[str]) -> None:
        self._own = own
        self._packages = packages
        self.read: list[str] = []

    def __getitem__(self, name: str) -> str:
        frame = sys._getframe(1)
        # What reads may go through os.getenv or a method of mappings.
        while frame.f_globals.get("__name__") in ("os", "collections.abc", __name__):
            if frame.f_back is None:
                break
            frame = frame.f_back
        if str(frame.f_globals.get("__name__")).partition(".")[0] in self._packages:
            self.read.append(name)
        return self._own[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._own[name] = value

    def __delitem__(self, name: str) -> None:
        del self._own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)

    def __or__(self, other: Mapping[str, str]) -> dict[str, str]:
        return {**self._own, **other}

    def copy(self) -> dict[str, str]:
        """Give a plain copy, as `os.environ` does."""
        return dict(self._own)


def import_modules(order: dict[str, Any]) -> dict[str, Any]:
    """Import the modules of entry points, and tell what that did besides."""
    modules: list[str] = order["modules"]
    done: list[str] = []

    def hear(event: str, given: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = given
            if flags & _WRITING and not str(path).startswith("/dev/"):
                done.append(f"it wrote to {path}")
        elif event in _CHANGES:
            what = given[0] if given else ""
            shown = os.fsdecode(what) if isinstance(what, bytes) else what
            done.append(f"it {_CHANGES[event]} {shown}".rstrip())

    packages = {name.partition(".")[0] for name in modules}
    _forget_the_parent()
    watched = _WatchedEnvironment(os.environ, packages)
    surroundings = _load_surroundings()
    before = surroundings.look()
    os.environ = watched  # type: ignore[assignment]  # noqa: B003 - the very object is watched
    sys.addaudithook(hear)
    start = time.perf_counter()
    for name in modules:
        importlib.import_module(name)
    seconds = time.perf_counter() - start
    heard = list(done)
    os.environ = watched._own  # type: ignore[assignment]  # noqa: B003
    read = [f"it read the environment variable {name}" for name in dict.fromkeys(watched.read)]
    return {"seconds": seconds, "did": [*heard, *read, *surroundings.differences(before)]}


def _forget_the_parent() -> None:
    """Undo what this process inherits: the one that started it has imported the plugin already."""
    os.umask(_OWN_UMASK)
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN and number not in _IGNORED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)


def load_classes(order: dict[str, Any]) -> dict[str, Any]:
    """Load every class that a distribution names by text."""
    for contribution in _registry_of(order["distribution"]).contributions:
        for ref, base in _references(contribution):
            ref.load_class(base)
    return {}


def _registry_of(distribution: str) -> Registry:
    points = [
        point
        for point in metadata.entry_points(group=GROUP)
        if point.dist is not None and point.dist.name == distribution
    ]
    return load_registry(points)


def _references(contribution: Contribution) -> Iterable[tuple[Any, type]]:
    yield from ((tool.ref, AnyTool) for tool in contribution.tools)
    yield from ((runtime.ref, BaseRT) for runtime in contribution.runtimes)
    yield from ((d.ref, DeviceInfo) for d in contribution.devices if d.ref is not None)
    yield from ((one.ref, object) for one in contribution.settings)


def plan_tool(order: dict[str, Any]) -> dict[str, Any]:
    """Do with a tool what planning and asking for help do."""
    from turnkeyml.cli.group import tool_command

    registry = load_registry()
    record = registry.tool(order["tool"])
    tool = record.ref.load_class(ChainTool)
    tool_command(record)
    option_specs(tool.Options)
    for values in order["options"]:
        options: Any = options_from_values(tool.Options, values, record.name)
        for one in tool.expand(options, registry):
            tool.contract(tool.resolve(one, registry), registry)
    return {}


def ask_devices(order: dict[str, Any]) -> dict[str, Any]:
    """Ask every device of a distribution whether it is there."""
    found: dict[str, Any] = {}
    for contribution in _registry_of(order["distribution"]).contributions:
        for record in contribution.devices:
            if record.ref is None:
                continue
            info = record.ref.load_class(DeviceInfo)
            try:
                present: Any = info.is_present()
                found[record.family] = present if isinstance(present, bool) else repr(present)
            # That it raises is what is looked for.
            except (Exception, SystemExit) as error:  # noqa: BLE001
                found[record.family] = f"{type(error).__name__}: {error}"
    return {"devices": found}


_ACTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "import": import_modules,
    "load": load_classes,
    "plan": plan_tool,
    "devices": ask_devices,
}


def main(request: str, answer: str) -> None:
    """Do what a request asks for, and write the answer."""
    order = json.loads(Path(request).read_text("utf-8"))
    before = {name.partition(".")[0] for name in sys.modules}
    try:
        report = _ACTIONS[order["action"]](order)
    # A plugin's code runs here, and whatever it raises is the answer.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        report = {"error": f"{type(error).__name__}: {error}"}
    after = {name.partition(".")[0] for name in sys.modules}
    report["modules"] = sorted(after - before)
    Path(answer).write_text(json.dumps(report), "utf-8")


if __name__ == "__main__":
    # The script's own folder is no place to import from.
    del sys.path[0]
    main(*sys.argv[1:])
