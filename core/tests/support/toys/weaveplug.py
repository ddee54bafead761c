"""A second toy plugin: nets that share digest-named data files, as ONNX models do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from turnkeyml.given import GivenModel
from turnkeyml.options import option
from turnkeyml.plugins import hookimpl


@dataclass(frozen=True)
class WeaveSettings:
    loom: str = option("jacquard", help="What everything is woven on.", shorthand="--loom")
    threads: tuple[str, ...] = option((), help="Threads to weave with.")


implements = {
    "tools": [
        {"class": "weaveplug_tools:Weave", "name": "weave", "summary": "Weave a toy."},
        {"class": "weaveplug_tools:Twist", "name": "twist", "summary": "Twist a net."},
        {"class": "weaveplug_tools:Stamp", "name": "stamp", "summary": "Stamp a net."},
        {"class": "weaveplug_tools:Count", "name": "count", "summary": "Count one on."},
        {"class": "weaveplug_tools:Trouble", "name": "trouble", "summary": "Make trouble."},
        {"class": "weaveplug_tools:Check", "name": "check", "summary": "Look at a net."},
    ],
    "sequences": {},
    "settings": WeaveSettings,
}


class Yarn:
    """What build_model is given."""

    def __init__(self, weight: int, code: str = "") -> None:
        self.weight, self.code = weight, code


@hookimpl
def turnkey_given_model(model: object, inputs: Any) -> GivenModel | None:
    if not isinstance(model, Yarn):
        return None
    from weaveplug_tools import given_yarn

    return given_yarn(model, inputs)


@hookimpl
def turnkey_loading_script(kind: str, model: str, inputs: str, outputs: str) -> str | None:
    return f"print({model!r}, {inputs!r}, {outputs!r})\n" if kind == "toy-net" else None
