"""Leave a self-contained copy of what a chain made, outside the cache."""

from __future__ import annotations

import errno
import glob
import json
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import INPUTS, REFERENCE, Artifact
from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.errors import BuildError
from turnkeyml.execution.leftovers import ABANDONED_S
from turnkeyml.npz import write_npz
from turnkeyml.state import State
from turnkeyml.worker.tensors import RawTensor, read_tensors

ABOUT_FILE = "about.json"
SCRIPT_FILE = "run.py"
INPUTS_FILE = "inputs.npz"
OUTPUTS_FILE = "outputs.npz"
_SCHEMA = 1


def deliver(state: State, folder: Path) -> Path:
    """Copy the newest artifact of a build, what to call it with, and a script that does so.

    The folder ``<folder>/<build>`` then has the model (``model`` and the suffix of its kind, and
    its data files), ``inputs.npz``, ``outputs.npz`` with what the model itself returned for them
    where that is known, ``run.py``, and ``about.json``. It appears whole, in place of an older one.

    Args:
        state: A build that went well.
        folder: Where; it is made if need be.

    Returns:
        The folder that was made.

    Raises:
        BuildError: The chain made nothing that is a file, or the place is taken by something else.
    """
    artifact = _last_made(state)
    target = folder.expanduser().absolute() / state.name
    if target.exists() and not (target / ABOUT_FILE).is_file():
        raise BuildError(
            f"{target} exists and was not made by turnkey.", hint="Give another --output."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(target)
    temporary = _beside(target)
    try:
        temporary.mkdir()
        about = _fill(state, artifact, temporary)
        (temporary / ABOUT_FILE).write_text(json.dumps(about, indent=1) + "\n", "utf-8")
        _put_in_place(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    state.context.note(f"{state.name}: the result is in {target}")
    return target


def _beside(target: Path) -> Path:
    return target.with_name(f"{TEMPORARY}{target.name}-{secrets.token_hex(6)}")


def _put_in_place(folder: Path, target: Path) -> None:
    """Let a folder take the place of an older one; for all but a moment one of them is there."""
    old: list[Path] = []
    try:
        while True:
            if target.exists():
                old.append(_beside(target))
                # Another process may be doing the same.
                with suppress(FileNotFoundError):
                    target.rename(old[-1])
            try:
                folder.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    continue
                raise
            return
    finally:
        for path in old:
            shutil.rmtree(path, ignore_errors=True)


def _remove_abandoned(target: Path) -> None:
    """Take away what earlier deliveries left that were killed."""
    for path in target.parent.glob(f"{TEMPORARY}{glob.escape(target.name)}-*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > ABANDONED_S and not path.is_symlink():
                shutil.rmtree(path)


def _last_made(state: State) -> Artifact:
    for artifact in reversed(state.artifacts):
        if artifact.is_file and artifact.kind not in (INPUTS, REFERENCE):
            return artifact
    raise BuildError(
        "The chain made nothing that is a file, so there is nothing to put into --output.",
        hint="Add a tool that makes one, such as export-pytorch.",
    )


def _fill(state: State, artifact: Artifact, folder: Path) -> dict[str, Any]:
    _require_intact(state, artifact)
    needed = sum(record.size for record in artifact.files)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise BuildError(
            f"The result has {needed:,} bytes, and {folder.parent} has {free:,} bytes free."
        )
    model = Path("model" + Path(artifact.files[0].path).suffix)
    for number, record in enumerate(artifact.files):
        source = state.build.path / record.path
        # Data files keep their names, because the model file refers to them.
        shutil.copyfile(source, folder / (model if number == 0 else source.name))
    inputs = _inputs(state, artifact)
    write_npz(folder / INPUTS_FILE, inputs)
    outputs = _outputs(state, artifact, folder)
    if outputs:
        write_npz(folder / OUTPUTS_FILE, outputs)
    hook = state.context.registry.hooks.hook.turnkey_loading_script
    script = hook(kind=artifact.kind, model=model.name, inputs=INPUTS_FILE, outputs=OUTPUTS_FILE)
    if script is not None:
        (folder / SCRIPT_FILE).write_text(script, "utf-8")
    return {
        "schema": _SCHEMA,
        "name": state.name,
        "class": state.model.class_name,
        "hash": state.model.digest,
        "kind": artifact.kind,
        "model": model.name,
        "facts": dict(artifact.info),
        "input_dtypes": {name: tensor.dtype for name, tensor in inputs.items()},
        "output_dtypes": {name: tensor.dtype for name, tensor in outputs.items()},
    }


def _require_intact(state: State, artifact: Artifact) -> None:
    if damaged := state.seals.damaged([artifact], read=True):
        raise BuildError(f"{damaged[0]} of {state.name} is damaged.", hint="Run the command again.")


def _inputs(state: State, artifact: Artifact) -> dict[str, RawTensor]:
    folder, names = artifact.info.get("inputs_folder"), artifact.info.get("inputs")
    if not isinstance(folder, str) or not isinstance(names, Mapping):
        return {}
    captured = [a for a in state.artifacts if a.kind == INPUTS and a.info.get("folder") == folder]
    if not captured:
        raise BuildError(f"The inputs of {state.name} are not in its folder {folder}.")
    _require_intact(state, captured[-1])
    tensors = read_tensors(state.file_of(captured[-1]).parent)
    missing = [str(name) for name in names.values() if name not in tensors]
    if missing:
        raise BuildError(f"{state.name} has no captured input {missing[0]!r}.")
    return {str(name): tensors[tensor] for name, tensor in names.items()}


def _outputs(state: State, artifact: Artifact, scratch: Path) -> dict[str, RawTensor]:
    """Give what the model itself returned, by the names that the artifact's outputs have."""
    if not state.has(REFERENCE):
        return {}
    reference = state.newest(REFERENCE)
    if reference.is_file:
        _require_intact(state, reference)
        found = read_tensors(state.file_of(reference).parent)
    else:
        folder = scratch / f"{TEMPORARY}reference"
        reference.live.write(folder)
        # Reading maps the files, which stay readable after they were removed.
        found = read_tensors(folder)
        shutil.rmtree(folder)
    names = artifact.info.get("outputs")
    if isinstance(names, (list, tuple)) and len(names) == len(found):
        return dict(zip(map(str, names), found.values(), strict=True))
    return found
