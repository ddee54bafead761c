"""Keeps discovery silent while torch itself runs a model: scripting, tracing, exporting, fx."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from turnkeyml_torch.forwards import Forwards

_ENTRIES = (
    ("torch.jit", "trace"),
    ("torch.jit", "trace_module"),
    ("torch.jit", "script"),
    ("torch.export", "export"),
    ("torch.fx._symbolic_trace:Tracer", "trace"),
)
"""Functions that call the model they are given. They exist when `import torch` has ended."""

_PLAIN_FORWARDS = ("script", "Tracer.trace")
"""Those that read the code of `forward`, and must find the function the user wrote."""

_MUTED = 1 << 20

INTERNAL_FOLDERS = (
    "jit/",
    "fx/",
    "export/",
    "_export/",
    "onnx/",
    "_dynamo/",
    "_inductor/",
    "ao/",
)
"""Folders of torch whose code calls modules for purposes of its own."""

ALLOWED_FILES = ("_dynamo/eval_frame.py", "_dynamo/external_utils.py", "fx/graph_module.py")
"""Files in them through which a user's call passes."""


class Quiet:
    """Replaces torch's entry points by ones that mute the calling thread; `remove` restores."""

    def __init__(self, local: Any, forwards: Forwards) -> None:
        self._local = local
        self._forwards = forwards
        self._replaced: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Replace the entry points that this torch has."""
        for place, name in _ENTRIES:
            owner = _find(place)
            function = vars(owner).get(name) if owner is not None else None
            if function is None:
                continue
            label = f"{place.partition(':')[2]}.{name}".lstrip(".")
            setattr(owner, name, self._muted(function, label))
            self._replaced.append((owner, name, function))

    def remove(self) -> None:
        """Put every entry point back."""
        for owner, name, function in self._replaced:
            setattr(owner, name, function)
        self._replaced.clear()

    def _muted(self, function: Callable[..., Any], label: str) -> Callable[..., Any]:
        local, forwards = self._local, self._forwards

        @functools.wraps(function)
        def muted(*args: Any, **kwargs: Any) -> Any:
            if label == "script":
                # script() looks names up in its caller's frame, which is one further away now.
                kwargs["_frames_up"] = kwargs.get("_frames_up", 0) + 1
            state = local.state
            state.inside += _MUTED
            if label in _PLAIN_FORWARDS:
                forwards.suspend()
            try:
                return function(*args, **kwargs)
            finally:
                state.inside -= _MUTED
                if label in _PLAIN_FORWARDS:
                    forwards.resume()

        return muted


def _find(place: str) -> Any:
    module_name, _, attribute = place.partition(":")
    try:
        owner: Any = importlib.import_module(module_name)
    except ImportError:
        return None
    return getattr(owner, attribute, None) if attribute else owner
