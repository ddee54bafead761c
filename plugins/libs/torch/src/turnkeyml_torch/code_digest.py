"""What weights do not show: the source of a model's classes, its tree, settings and modes."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import sys
import sysconfig
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_INTERNAL = ("training", "call_super_init", "dump_patches")


def code_digest(module: torch.nn.Module) -> str:
    """Hash a model's code as 64 hex digits of SHA-256.

    It covers the files that define the classes in the module's tree and the functions they use
    (their bytes outside site-packages, name and version of the distribution inside), name and
    class of each module, its attributes that are numbers, text, None or tuples of those, and
    whether it trains.
    """
    import torch

    files: set[str] = set()
    tree: list[Any] = []
    for name, part in module.named_modules(remove_duplicate=False):
        cls = type(part)
        for base in cls.__mro__:
            if base is not object and base is not torch.nn.Module:
                _add_files(base, files)
        _add_files(vars(part).get("forward"), files)
        tree.append([name, _class_name(cls), bool(part.training), _settings(part)])
    sources = sorted({_file_source(file) for file in files})
    document = [1, sources, tree, _script_code(module)]
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _add_files(value: Any, files: set[str]) -> None:
    """Add the file of a class or function, and of what its functions use from other user files."""
    for function in _functions(value):
        file = function.__code__.co_filename
        if file in files:
            continue
        files.add(file)
        if _package_inside(file) is None:
            for used in list(function.__globals__.values()):
                if isinstance(used, types.ModuleType):
                    _add_module(used, files)
                elif isinstance(used, (type, types.FunctionType)):
                    _add_files(used, files)


def _add_module(module: types.ModuleType, files: set[str]) -> None:
    file = getattr(module, "__file__", None)
    if isinstance(file, str) and file not in files and _package_inside(file) is None:
        files.add(file)
        for used in list(vars(module).values()):
            if isinstance(used, (type, types.FunctionType)):
                _add_files(used, files)


def _functions(value: Any) -> list[types.FunctionType]:
    members = list(vars(value).values()) if isinstance(value, type) else [value]
    found = []
    for member in members:
        plain: Any = getattr(member, "__func__", getattr(member, "fget", member))
        while hasattr(plain, "__wrapped__"):
            plain = plain.__wrapped__
        if isinstance(plain, types.FunctionType):
            found.append(plain)
    return found


def _class_name(cls: type) -> str:
    # A script is `__main__` when it is run and has its own name when it is imported.
    prefix = "" if cls.__module__ == "__main__" else f"{cls.__module__}."
    return f"{prefix}{cls.__qualname__}"


def _settings(module: torch.nn.Module) -> list[list[Any]]:
    return [
        [name, _plain(value)]
        for name, value in sorted(vars(module).items())
        if name not in _INTERNAL and not name.startswith("_backward") and _is_plain(value)
    ]


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(entry) for entry in value)
    return type(value) in (int, float, bool, str, type(None))


def _plain(value: Any) -> Any:
    """Write a value so that 1, 1.0 and True stay apart, and nan can be written."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return [type(value).__name__, repr(value)]


def _file_source(file: str) -> str:
    inside = _package_inside(file)
    if inside is not None:
        return inside
    try:
        status = Path(file).stat()
    except OSError:
        return "no file"
    return f"sha256:{_file_digest(file, status.st_mtime_ns, status.st_size, status.st_ino)}"


@functools.lru_cache(maxsize=4096)
def _file_digest(file: str, _changed: int, _size: int, _inode: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _package_inside(file: str) -> str | None:
    for folder in _package_folders():
        if file.startswith(folder):
            first = file[len(folder) :].split("/", 1)[0].partition(".")[0]
            return _distribution(first)
    for folder in _standard_folders():
        if file.startswith(folder):
            return f"python=={sys.version_info.major}.{sys.version_info.minor}"
    return None


@functools.cache
def _package_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths["purelib"], paths["platlib"]}
    found.update(entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    return tuple(sorted(f"{folder}/" for folder in found))


@functools.cache
def _standard_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return (f"{paths['stdlib']}/", f"{paths['platstdlib']}/")


@functools.cache
def _distribution(package: str) -> str:
    for name in (package, *_distributions().get(package, ())):
        try:
            return f"{name}=={importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    version = getattr(sys.modules.get(package), "__version__", "unknown")
    return f"{package}=={version}"


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _script_code(module: torch.nn.Module) -> str | None:
    """Give the code that a scripted or traced module, or a graph, carries itself."""
    import torch

    if isinstance(module, (torch.jit.ScriptModule, torch.fx.GraphModule)):
        return str(getattr(module, "code", None))
    return None
