"""Wraps `forward` of users' classes, so that calls of it that bypass `__call__` are found.

A wrapper has the parameters, defaults, globals and closure of what it wraps, its name, file and
line, and `__wrapped__`: scripting, tracing, compiling, exporting, fx and inspect see the original.
"""

from __future__ import annotations

import functools
import inspect
import keyword
import threading
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from turnkeyml_torch.dynamo import skip_in_dynamo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FunctionType

_OWN_NAMES = ("_turnkey_compiling", "_turnkey_local", "_turnkey_forward", "_turnkey_found")


class Forwards:
    """The wrapped classes; `unwrap_all` leaves every class as it was."""

    def __init__(
        self,
        compiling: Callable[[], bool],
        local: Any,
        found: Callable[[FunctionType, Any, tuple[Any, ...], dict[str, Any]], Any],
    ) -> None:
        self._compiling = compiling
        self._local = local
        self._found = found
        self._wrapped: list[tuple[type, FunctionType, FunctionType]] = []
        self._lock = threading.RLock()
        self._suspensions = 0

    def wrap_tree(self, cls: type) -> None:
        """Wrap a class and all classes made from it."""
        pending, seen = [cls], {cls}
        while pending:
            current = pending.pop()
            self.wrap(current)
            subclasses: list[type] = type.__subclasses__(current)
            fresh = [subclass for subclass in subclasses if subclass not in seen]
            seen.update(fresh)
            pending.extend(fresh)

    def wrap(self, cls: type) -> None:
        """Wrap the `forward` that a class defines itself, if it is a plain function."""
        import torch

        forward = cls.__dict__.get("forward")
        if type(forward) is not types.FunctionType or issubclass(cls, torch.jit.ScriptModule):
            return
        if not _is_users(cls) or _OWN_NAMES[-1] in forward.__code__.co_freevars:
            return
        wrapper = self._make(forward)
        if wrapper is None:
            return
        with self._lock:
            type.__setattr__(cls, "forward", wrapper)
            self._wrapped.append((cls, forward, wrapper))

    def suspend(self) -> None:
        """Put the original functions back until `resume`; calls nest."""
        with self._lock:
            self._suspensions += 1
            if self._suspensions == 1:
                self._exchange(restore=True)

    def resume(self) -> None:
        """End one `suspend`."""
        with self._lock:
            self._suspensions -= 1
            if self._suspensions == 0:
                self._exchange(restore=False)

    def unwrap_all(self) -> None:
        """Put the original functions back for good."""
        with self._lock:
            if self._suspensions == 0:
                self._exchange(restore=True)
            self._wrapped.clear()

    def _exchange(self, *, restore: bool) -> None:
        for cls, forward, wrapper in self._wrapped:
            old, new = (wrapper, forward) if restore else (forward, wrapper)
            if cls.__dict__.get("forward") is old:
                type.__setattr__(cls, "forward", new)

    def _make(self, forward: FunctionType) -> FunctionType | None:
        code = forward.__code__
        template = _template(_Parameters.of(code))
        if template is None:
            return None
        names: dict[str, Any] = {
            "co_filename": code.co_filename,
            "co_firstlineno": code.co_firstlineno,
            "co_name": code.co_name,
        }
        if hasattr(code, "co_qualname"):
            names["co_qualname"] = code.co_qualname
        own = template.replace(**names)
        skip_in_dynamo(own)
        values = (self._compiling, self._local, forward, self._found)
        cells = dict(zip(_OWN_NAMES, map(types.CellType, values), strict=True))
        cells.update(zip(code.co_freevars, forward.__closure__ or (), strict=True))
        wrapper = types.FunctionType(
            own,
            forward.__globals__,
            forward.__name__,
            forward.__defaults__,
            tuple(cells[name] for name in own.co_freevars),
        )
        wrapper.__kwdefaults__ = forward.__kwdefaults__
        functools.update_wrapper(wrapper, forward)
        return wrapper


def without_defaults(
    forward: FunctionType, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Leave out the arguments whose value is the parameter's default: they were not passed.

    `args` are all positional ones without `self`. What follows an argument left out is given by
    its keyword.
    """
    code = forward.__code__
    values = (None, *args)
    defaults: tuple[Any, ...] = forward.__defaults__ or ()
    kwdefaults: dict[str, Any] = forward.__kwdefaults__ or {}
    required = code.co_argcount - len(defaults)
    kept = {
        key: value
        for key, value in kwargs.items()
        if key not in kwdefaults or value is not kwdefaults[key]
    }
    skipped = [
        index >= required and values[index] is defaults[index - required]
        for index in range(code.co_argcount)
    ]
    if len(values) > code.co_argcount or not any(skipped):
        return args, kept
    first = max(skipped.index(True), code.co_posonlyargcount)
    if first < code.co_argcount and skipped[first]:
        named = {
            code.co_varnames[index]: values[index]
            for index in range(first, code.co_argcount)
            if not skipped[index]
        }
        return values[1:first], named | kept
    return args, kept


class _Parameters(NamedTuple):
    """The parameters and free variables of a function; `names` has `*args` and `**kwargs` last."""

    names: tuple[str, ...]
    positional_only: int
    positional: int
    keyword_only: int
    varargs: bool
    varkeywords: bool
    freevars: tuple[str, ...]

    @classmethod
    def of(cls, code: CodeType) -> _Parameters:
        varargs = bool(code.co_flags & inspect.CO_VARARGS)
        varkeywords = bool(code.co_flags & inspect.CO_VARKEYWORDS)
        count = code.co_argcount + code.co_kwonlyargcount + varargs + varkeywords
        return cls(
            names=code.co_varnames[:count],
            positional_only=code.co_posonlyargcount,
            positional=code.co_argcount,
            keyword_only=code.co_kwonlyargcount,
            varargs=varargs,
            varkeywords=varkeywords,
            freevars=code.co_freevars,
        )


@functools.lru_cache(maxsize=4096)
def _template(parameters: _Parameters) -> CodeType | None:
    """Compile a function with these parameters that calls the original or reports the call."""
    names, positional_only, positional, keyword_only, varargs, varkeywords, freevars = parameters
    everything = (*names, *freevars)
    if not all(_is_usable(name) for name in everything) or positional == 0:
        return None
    rest = iter(names[positional + keyword_only :])
    star = [f"*{next(rest)}"] if varargs else []
    double = [f"**{next(rest)}"] if varkeywords else []
    plain = list(names[:positional])
    only = list(names[positional : positional + keyword_only])
    declared = plain[:positional_only] + (["/"] if positional_only else [])
    declared += plain[positional_only:] + (star or (["*"] if only else [])) + only + double
    passed = [f"{name}={name}" for name in only]
    everything_passed = ", ".join([*plain, *star, *passed, *double])
    tupled = "".join(f"{name}, " for name in [*plain[1:], *star])
    dicted = ", ".join([*(f"{name!r}: {name}" for name in only), *double])
    outer = ", ".join([*_OWN_NAMES, *freevars])
    keep = f"        if 0: ({', '.join(freevars)})\n" if freevars else ""
    source = (
        f"def make({outer}):\n"
        f"    def forward({', '.join(declared)}):\n"
        f"{keep}"
        f"        if _turnkey_compiling() or _turnkey_local.state.inside:\n"
        f"            return _turnkey_forward({everything_passed})\n"
        f"        return _turnkey_found(_turnkey_forward, {plain[0]}, ({tupled}), {{{dicted}}})\n"
    )
    compiled = compile(source, "<forward>", "exec", dont_inherit=True)
    for code in _inner_codes(compiled):
        if code.co_name == "forward":
            return code if set(code.co_freevars) == {*_OWN_NAMES, *freevars} else None
    return None


def _inner_codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _inner_codes(constant)


def _is_usable(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _OWN_NAMES


def _is_users(cls: type) -> bool:
    """Tell whether a class is none of torch's own; of those only Sequential is called by hand."""
    import torch

    return cls.__module__.partition(".")[0] != "torch" or cls is torch.nn.Sequential
