"""The tool `load-build`: go on from what an earlier command left in a cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

from turnkeyml.cache.layout import BuildDirectory, Cache
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError, CacheError
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status
from turnkeyml.plugins.records import ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.policy import Rebuild
from turnkeyml.saved_state import SavedState, load_state
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import Contract, FirstTool, Tool

_SUFFIX = "_state.yaml"


class LoadBuild(FirstTool):
    """Go on from a build in a cache, given its state file.

    \b
        turnkey -i ~/.cache/turnkey/*/*_state.yaml load-build benchmark --runtime ort

    The chain starts from the newest artifacts that are files; no script is run. The cache may have
    been moved, and need not be the one that -d names: what the chain makes goes into the build
    itself. A build of another major or minor version of turnkey is refused, unless --rebuild never
    is given.
    """

    name = "load-build"
    suffixes = (".yaml",)

    @classmethod
    def contract(cls, options: Any, registry: Registry) -> Contract:
        """Offer whatever the installed tools make as files; which it is, each build says."""
        kinds = [
            tool.produces
            for _, tool in registry.loadable_tools(Tool, ToolRole.STEP)
            if tool.produces is not None
        ]
        return Contract(may_produce=tuple(dict.fromkeys(kinds)))

    def start(self, source: Source, options: Any, context: RunContext) -> Iterator[State]:
        """Give the state that the file tells of."""
        build = _build_of(source.path)
        saved = load_state(build)
        _check_version(saved, context)
        if not saved.has_model:
            raise BuildError(
                f"The build {build.name} has no artifact that is a file.",
                hint=f"Build it first, from {_input_of(saved)}",
            )
        model = _model_from(saved)
        own = replace(context, cache=Cache(build.cache))
        state = State(
            build,
            source,
            model,
            own,
            labels=_labels_from(saved),
            selected=source.selects(model.digest),
        )
        state.begin_step(*context.first_step, consumes=())
        state.resume(saved)
        state.origin = Path(_input_of(saved))
        if saved.status is Status.RUNNING:
            context.note(f"{build.name}: another command is working on it.")
        elif saved.status is not Status.SUCCESSFUL:
            step = saved.content.get("failed_step")
            context.note(
                f"{build.name}: its last chain did not end well ({saved.status.value}"
                f"{f' in {step}' if step else ''}); what was made before that is used."
            )
        yield state


def _build_of(path: Path) -> BuildDirectory:
    build = BuildDirectory(path.parent.parent, path.parent.name)
    if path.name != f"{build.name}{_SUFFIX}":
        raise BuildError(
            f"{path} is not the state file of a build.",
            hint=f"Give the file <build>/<build>{_SUFFIX} of a cache.",
        )
    return build


def _check_version(saved: SavedState, context: RunContext) -> None:
    made_by = str(saved.content.get("turnkey_version"))
    here = metadata.version("turnkeyml-core")
    if made_by.split(".")[:2] == here.split(".")[:2]:
        return
    message = f"The build {saved.build.name} was made by turnkey {made_by}, and this is {here}."
    if context.policy.rebuild is not Rebuild.NEVER:
        raise BuildError(
            message,
            hint=f"Build it again from {_input_of(saved)}, or take it as it is with "
            "--rebuild never.",
        )
    context.note(f"{message} It is used as it is.")


def _input_of(saved: SavedState) -> str:
    return str(saved.content.get("input"))


def _model_from(saved: SavedState) -> ModelInfo:
    facts = saved.content.get("model")
    try:
        if not isinstance(facts, Mapping):
            raise TypeError("no facts about the model")
        shapes = facts.get("input_shapes") or {}
        return ModelInfo(
            name=str(facts["name"]),
            digest=str(facts["hash"]),
            model_type=str(facts["type"]),
            class_name=str(facts.get("class") or ""),
            location=str(facts.get("location") or ""),
            line=_whole(facts.get("line")),
            parameter_count=_whole(facts.get("parameters")),
            parameter_bytes=_whole(facts.get("parameter_bytes")),
            input_shapes={str(k): tuple(int(n) for n in v) for k, v in shapes.items()},
            executions=_whole(facts.get("executions")),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CacheError(f"{saved.build.state_file} is malformed: {error!r}.") from error


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _labels_from(saved: SavedState) -> dict[str, tuple[str, ...]]:
    found = saved.content.get("labels")
    if not isinstance(found, Mapping):
        return {}
    return {str(k): tuple(map(str, v)) for k, v in found.items() if isinstance(v, list)}
