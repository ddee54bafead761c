"""Names a module as the script does: the variable or expression that holds it, and where."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
import sysconfig
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from types import FrameType

WRAPPER_MARK = "_turnkey_found"
"""A free variable that only our wrappers of `forward` have."""

_ENTRIES_PER_CONTAINER = 1000
_VALUES_PER_SEARCH = 20_000
_LEVELS = 2
_RECEIVERS = ("self", "cls")


class Place(NamedTuple):
    """Where a module was called, and the name it has there; no name if nothing holds it."""

    name: str | None
    file: str
    line: int


def locate(modules: tuple[Any, ...], taken: Collection[str]) -> Place:
    """Name the first of `modules` that a variable of the calling frames holds.

    A plain variable comes first, the nearest frame's before its callers', locals before globals;
    then expressions such as `models[0]` or `pipeline.model`. A name in `taken` is used only if
    there is no other. A thread without frames of the user's is placed where the thread is that may
    have started it; line 0 if even that has none.
    """
    frames = [frame for frame in _callers() if not _in_folder(frame, _own_folders())]
    users = [frame for frame in frames if not is_library(frame)]
    if not users:
        users = [frame for frame in _other_threads() if not is_library(frame)]
    here = next(iter(users), None)
    main: Any = sys.modules.get("__main__")
    if here is not None:
        file, line = here.f_code.co_filename, here.f_lineno
    else:
        file, line = str(getattr(main, "__file__", "<unknown>")), 0
    name = None
    for module in modules:
        for candidate in _names(module, [*_scopes(users), vars(main)]):
            if candidate not in taken:
                return Place(candidate, _absolute(file), line)
            name = name or candidate
    return Place(name, _absolute(file), line)


def is_library(frame: FrameType) -> bool:
    """Tell whether a frame's code is Python's, an installed package's, torch's or ours."""
    file = frame.f_code.co_filename
    return file.startswith(("<frozen", "<eval_with_key>")) or _in_folder(frame, _libraries())


def internal_caller(folders: tuple[str, ...], allowed: tuple[str, ...]) -> bool:
    """Tell whether torch itself makes this call, from code in `folders` but not in `allowed`.

    Paths are relative to torch's folder. Only frames up to the first one outside torch count.
    """
    root = torch_folder()
    for frame in _callers():
        file = frame.f_code.co_filename
        if not file.startswith(root):
            if _in_folder(frame, _own_folders()[1:]):
                continue
            return False
        inside = file[len(root) :]
        if inside.startswith(folders) and not inside.startswith(allowed):
            return True
    return False


def builds_a_module() -> bool:
    """Tell whether this happens in the `__init__` of a module, as where it tries its backbone."""
    module: Any = sys.modules["torch"].nn.Module
    for frame in _callers():
        code = frame.f_code
        is_init = code.co_name == "__init__" and code.co_argcount
        if is_init and isinstance(frame.f_locals.get(code.co_varnames[0]), module):
            return True
    return False


@functools.cache
def torch_folder() -> str:
    """Give the folder of the imported torch, with a separator at its end."""
    return _folder(Path(str(sys.modules["torch"].__file__)).parent)


def is_wrapper(frame: FrameType) -> bool:
    """Tell whether a frame is one of our wrappers, which carry the file of what they wrap."""
    return WRAPPER_MARK in frame.f_code.co_freevars


def _callers() -> Iterator[FrameType]:
    return _outwards(sys._getframe(1))


def _other_threads() -> Iterator[FrameType]:
    """Give the frames of the main thread, then of the others: one of them started this thread."""
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    main = threading.main_thread().ident
    for ident in sorted(frames, key=lambda ident: (ident != main, ident)):
        yield from _outwards(frames[ident])


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Give a frame and its callers as far as they belong to the script."""
    while frame is not None:
        if frame.f_code.co_name == "run_script" and _in_folder(frame, _own_folders()[1:]):
            return
        if not is_wrapper(frame):
            yield frame
        frame = frame.f_back


def _names(module: Any, scopes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    scopes = list(scopes)
    for scope in scopes:
        for name, value in list(scope.items()):
            if value is module and name not in _RECEIVERS and _is_plain(name):
                yield name
    for receivers in (False, True):
        for scope in scopes:
            yield from _expressions(module, scope, receivers)


def _scopes(frames: Iterable[FrameType]) -> Iterator[Mapping[str, Any]]:
    seen: list[Mapping[str, Any]] = []
    frames = list(frames)
    for frame in frames:
        if frame.f_locals is not frame.f_globals:
            yield frame.f_locals
    for frame in frames:
        if not any(frame.f_globals is known for known in seen):
            seen.append(frame.f_globals)
            yield frame.f_globals


def _expressions(module: Any, scope: Mapping[str, Any], receivers: bool) -> Iterator[str]:
    level = [
        (name, value)
        for name, value in list(scope.items())
        if _is_plain(name) and (name in _RECEIVERS) is receivers
    ]
    budget = _VALUES_PER_SEARCH
    seen: set[int] = set()
    for _ in range(_LEVELS):
        deeper: list[tuple[str, Any]] = []
        for text, value in level:
            if id(value) in seen:
                continue
            seen.add(id(value))
            for step, inner in _inside(value):
                budget -= 1
                if budget < 0:
                    return
                if inner is module:
                    yield text + step
                deeper.append((text + step, inner))
        level = deeper


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Give what a value holds, with the expression for each; runs no code of the value's class."""
    if isinstance(value, (str, bytes, int, float, type, types.ModuleType)):
        return
    if isinstance(value, (list, tuple)):
        found = _entries(value)
    elif isinstance(value, dict):
        found = ((f"[{k!r}]", v) for k, v in list(dict.items(value)) if isinstance(k, (str, int)))
    elif isinstance(value, sys.modules["torch"].nn.Module):
        found = ((module_path(path), part) for path, part in value.named_modules() if path)
    else:
        found = ((f".{name}", entry) for name, entry in _attributes(value))
    yield from itertools.islice(found, _ENTRIES_PER_CONTAINER)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    fields = getattr(type(value), "_fields", ())
    entries = list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)
    for index, entry in enumerate(entries):
        yield f".{fields[index]}" if index < len(fields) else f"[{index}]", entry


def _attributes(value: Any) -> list[tuple[str, Any]]:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = None
    if isinstance(attributes, dict):
        return [(name, entry) for name, entry in attributes.items() if isinstance(name, str)]
    found = []
    for name in getattr(type(value), "__slots__", ()):
        member = type(value).__dict__.get(name)
        if isinstance(member, types.MemberDescriptorType):
            with contextlib.suppress(AttributeError):
                found.append((name, member.__get__(value)))
    return found


def module_path(path: str) -> str:
    """Write a submodule's dotted path as an expression: `layers.0` becomes `.layers[0]`."""
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))


def _is_plain(name: str) -> bool:
    return not name.startswith((".", "_"))


def _in_folder(frame: FrameType, folders: tuple[str, ...]) -> bool:
    return frame.f_code.co_filename.startswith(folders)


@functools.cache
def _own_folders() -> tuple[str, ...]:
    return (torch_folder(), _folder(Path(__file__).parent))


@functools.cache
def _libraries() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    found = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages")))
    return (*_own_folders(), *sorted(_folder(Path(entry)) for entry in found))


def _folder(path: Path) -> str:
    return f"{path}/" if not str(path).endswith("/") else str(path)


def _absolute(file: str) -> str:
    return file if file.startswith("<") else str(Path(file).absolute())
