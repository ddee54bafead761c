"""What is installed, as completion needs it: made of the registry, and kept until it changes."""

from __future__ import annotations

import json
import os
import sys
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

    from turnkeyml.plugins.registry import Registry

SCHEMA = 1
_FOLDER = "turnkey-completion"
_KINDS = {"runtime", "device", "sequence", "executor", "format"}
_FILES, _FOLDERS = "files", "folders"
_MOST = 8 << 20


def load_catalogue() -> dict[str, Any]:
    """Give the catalogue of what is installed; it is made anew if anything has changed since."""
    path = _place()
    known = _read(path)
    if known is not None:
        return known
    from turnkeyml.plugins.registry import load_registry

    made = make_catalogue(load_registry())
    _write(path, {"schema": SCHEMA, "path": sys.path, "stamps": _stamps(), "content": made})
    return made


def _place() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    name = zlib.crc32("\0".join([sys.prefix, *sys.path]).encode("utf-8", "surrogateescape"))
    return f"{base}/{_FOLDER}/{name:08x}.json"


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes a while to import
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            found = json.loads(file.read(_MOST))
        if (found["schema"], found["path"]) != (SCHEMA, sys.path):
            return None
        if any(_stamp(name) != stamp for name, stamp in found["stamps"].items()):
            return None
        content: dict[str, Any] = found["content"]
        return content
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _write(path: str, content: dict[str, Any]) -> None:
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
        with open(temporary, "x", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(content, file)
        os.replace(temporary, path)  # noqa: PTH105
    except (OSError, ValueError):
        # Without it the next answer takes as long as this one.
        return


def _stamps() -> dict[str, int]:
    """Give the times of what the catalogue was made of: folders of packages, and modules.

    What is installed or removed changes a folder; what is edited in place changes a module.
    """
    from importlib import metadata

    from turnkeyml.plugins.registry import GROUP

    tops = {
        point.value.partition(".")[0].partition(":")[0]
        for point in metadata.entry_points(group=GROUP)
    }
    tops.add("turnkeyml")
    files = [
        str(getattr(module, "__file__", None))
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in tops
    ]
    stamps = {name: _stamp(name) for name in (*sys.path, *files)}
    return {name: stamp for name, stamp in stamps.items() if stamp}


def _stamp(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns if path else 0  # noqa: PTH116
    except OSError:
        return 0


def make_catalogue(registry: Registry) -> dict[str, Any]:
    """Make the catalogue of what is installed, as JSON values."""
    from turnkeyml.cli.answering import CHAIN, ONE_WORD
    from turnkeyml.cli.group import ChainGroup, shorthand_command
    from turnkeyml.options import click_options
    from turnkeyml.plugins.records import ToolRole
    from turnkeyml.tool import ChainTool

    def nothing(request: object) -> int:
        return 0

    options = {
        CHAIN: _options(ChainGroup(registry, nothing)),
        ONE_WORD: _options(shorthand_command(registry, nothing, name="turnkey")),
    }
    for record, tool in registry.loadable_tools(ChainTool, ToolRole.FIRST, ToolRole.STEP):
        options[record.name] = _described(click_options(tool.Options))
    management = [t for t in registry.tools.values() if t.role is ToolRole.MANAGEMENT]
    return {
        "tools": {
            tool.name: [tool.role.value, tool.summary]
            for tool in registry.tools.values()
            if tool.role is not ToolRole.MANAGEMENT
        },
        "aliases": dict(registry.aliases),
        "sequences": {name: record.summary for name, record in registry.sequences.items()},
        "options": options,
        "commands": {
            tool.name: {**_command(tool.name, registry), "summary": tool.summary}
            for tool in management
        },
        "values": _names(registry),
    }


def _names(registry: Registry) -> dict[str, dict[str, str]]:
    """Name what options can be given by name, with what it is."""
    from turnkeyml.report.format import find_formats

    devices: dict[str, str] = {}
    for family, record in registry.devices.items():
        devices[family] = ""
        for part, configs in record.parts.items():
            devices |= {
                "::".join([family, part, *more]): "" for more in ([], *([c] for c in configs))
            }
    sequences = {name: record.summary for name, record in registry.sequences.items()}
    return {
        "runtime": dict.fromkeys(registry.runtimes, ""),
        "device": devices,
        "sequence": sequences,
        "executor": {name: record.summary for name, record in registry.executors.items()},
        "format": dict.fromkeys(find_formats(registry), ""),
    }


def _command(name: str, registry: Registry) -> dict[str, Any]:
    from turnkeyml.cli.group import management_command

    try:
        return _node(management_command(registry.tool(name), registry))
    # A plugin's command is foreign code, and the others are to be completed all the same.
    except Exception:  # noqa: BLE001
        return {"summary": "", "options": {}, "argument": _NOTHING, "commands": {}}


_NOTHING: dict[str, Any] = {"values": 1, "kind": "", "choices": [], "help": ""}


def _node(command: click.Command) -> dict[str, Any]:
    """Describe a command with those below it."""
    import click

    context = click.Context(command)
    below: dict[str, Any] = {}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                below[name] = _node(inner)
    arguments = [p for p in command.get_params(context) if isinstance(p, click.Argument)]
    return {
        "summary": command.get_short_help_str(100),
        "options": _options(command),
        "argument": _describe(arguments[0]) if arguments else _NOTHING,
        "commands": below,
    }


def _options(command: click.Command) -> dict[str, Any]:
    import click

    params = command.get_params(click.Context(command))
    return _described([p for p in params if isinstance(p, click.Option)])


def _described(options: list[click.Option]) -> dict[str, Any]:
    return {
        flag: _describe(option)
        for option in options
        for flag in (*option.opts, *option.secondary_opts)
    }


def _describe(param: click.Parameter) -> dict[str, Any]:
    """Say what values an option or an argument takes."""
    import click

    metavar = param.metavar or ""
    kind = str(param.name) if param.name in _KINDS else ""
    if param.name == "build_names":
        kind = "build"
    elif "DIR" in metavar:
        kind = _FOLDERS
    elif isinstance(param.type, click.Path) or any(word in metavar for word in ("FILE", "PATH")):
        kind = _FILES
    is_flag = isinstance(param, click.Option) and (param.is_flag or param.count)
    choices = list(param.type.choices) if isinstance(param.type, click.Choice) else []
    return {
        "values": 0 if is_flag else 2 if param.multiple or param.nargs != 1 else 1,
        "kind": kind,
        "choices": choices,
        "help": (getattr(param, "help", None) or "").partition(". ")[0],
    }
