"""Tools for nets: a JSON file that refers to a data file named by its digest."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from toyplug_tools import TOY_MODEL, capture
from weaveplug import Yarn

from turnkeyml.artifacts import INPUTS, Artifact, FileRecord
from turnkeyml.cache.atomic import open_replaced, publish, record_of
from turnkeyml.given import GivenModel
from turnkeyml.options import option
from turnkeyml.state import ModelInfo, State
from turnkeyml.tool import Tool
from turnkeyml.worker.tensors import read_tensors

TOY_NET = "toy-net"
FOLDER = "net"


def given_yarn(yarn: Yarn, inputs: Any) -> GivenModel:
    text = json.dumps([yarn.weight, inputs])
    digest = hashlib.sha256(text.encode()).hexdigest()

    def hand_over(state: State) -> None:
        if inputs is not None:
            capture(state, list(inputs))
        key = {"weights": digest, "code": hashlib.sha256(yarn.code.encode()).hexdigest()}
        state.add(TOY_MODEL, live=f"{yarn.weight} {yarn.code}".strip(), live_key=key)

    return GivenModel(ModelInfo("yarn", digest, "Yarn"), TOY_MODEL, hand_over)


def content_of(state: State) -> dict[str, Any]:
    return json.loads(state.input_file().read_text("utf-8"))


def write_net(
    state: State, content: dict[str, Any], data: FileRecord, info: dict[str, Any]
) -> Path:
    path = state.folder(FOLDER) / state.file_name(".net")
    with open_replaced(path) as file:
        json.dump(content, file)
    state.add(TOY_NET, [path, data], info=info)
    return path


def write_data(state: State, content: bytes) -> FileRecord:
    folder = state.folder(FOLDER)
    name = f"{hashlib.sha256(content).hexdigest()[:32]}.data"
    temporary = folder / f".tmp-{secrets.token_hex(6)}"
    with temporary.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        os.fsync(file.fileno())
        file.write(content[len(content) // 2 :])
    publish(temporary, folder / name)
    return record_of(folder / name, state.build.path)


@dataclass(frozen=True)
class WeaveOptions:
    opset: int = option(18, help="Of the net.", shorthand="--onnx-opset")
    name: str | None = option(None, help="Of the net.")


class Weave(Tool):
    """Weave a toy into a net."""

    name = "weave"
    consumes = (TOY_MODEL,)
    produces = TOY_NET
    reads = (INPUTS,)
    Options = WeaveOptions

    def run(self, state: State, options: WeaveOptions) -> State:
        weight, _, code = str(state.input.live).partition(" ")
        total, info = 0, {"opset": options.opset, "outputs": ["y"]}
        if state.has(INPUTS):
            folder = str(state.newest(INPUTS).info["folder"])
            total = sum(read_tensors(state.build.path / folder)["x"].data)
            info |= {"inputs": {"x0": "x"}, "inputs_folder": folder}
        data = write_data(state, f"weight {weight} ".encode() * 40)
        number = code.removeprefix("code=") or "0"
        content = {
            "data": data.path,
            "count": int(number) if number.isdigit() else number,
            "opset": options.opset,
            "name": options.name,
            "total": total,
            "ops": ["weave"],
        }
        write_net(state, content, data, info)
        state.stats.save("opset", options.opset)
        print("woven", weight)
        return state


class ChangesNet(Tool):
    """What tools do that make a net of a net."""

    consumes = (TOY_NET,)
    produces = TOY_NET

    def run(self, state: State, options: Any) -> State:
        content = content_of(state)
        self.change(content, options)
        write_net(state, content, self.data(state.input), dict(state.input.info))
        return state

    def change(self, content: dict[str, Any], options: Any) -> None:
        raise NotImplementedError

    def data(self, artifact: Artifact) -> FileRecord:
        return artifact.files[1]


@dataclass(frozen=True)
class TwistOptions:
    times: int = option(1, help="How often.")


class Twist(ChangesNet):
    """Twist a net."""

    name = "twist"
    Options = TwistOptions

    def change(self, content: dict[str, Any], options: TwistOptions) -> None:
        content["ops"].append(f"twist {options.times}")


class Stamp(ChangesNet):
    """Stamp a net."""

    name = "stamp"
    libraries = ("toylib",)

    def change(self, content: dict[str, Any], options: Any) -> None:
        try:
            version = metadata.version("toylib")
        except metadata.PackageNotFoundError:
            version = "none"
        content["ops"].append(f"stamp {version}")


class Count(ChangesNet):
    """Count one on."""

    name = "count"

    def change(self, content: dict[str, Any], options: Any) -> None:
        content["count"] += 1


class Check(Tool):
    """Look at a net; it makes nothing."""

    name = "check"
    consumes = (TOY_NET,)

    def run(self, state: State, options: Any) -> State:
        content = content_of(state)
        data = (state.build.path / content["data"]).read_bytes()
        state.stats.save("seen", [content["ops"], hashlib.sha256(data).hexdigest()])
        return state


@dataclass(frozen=True)
class TroubleOptions:
    do: str = option("nothing", help="What to do.")
    word: str = option("", help="What to do it with.")


class Trouble(Tool):
    """Make a net of a net, and trouble."""

    name = "trouble"
    consumes = (TOY_NET,)
    produces = TOY_NET
    Options = TroubleOptions

    def run(self, state: State, options: TroubleOptions) -> State:
        deed = getattr(self, options.do.replace("-", "_"))
        deed(state, options.word, lambda: self._copy(state))
        return state

    def _copy(self, state: State) -> Path:
        content = content_of(state)
        content["ops"].append("trouble")
        return write_net(state, content, state.input.files[1], dict(state.input.info))

    def nothing(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        copy()

    def say(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        state.context.note(f"{state.name}: {word}")
        copy()

    def tamper(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        path = copy()
        with path.open("a") as file:
            file.write("more")

    def delete_input(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        path = state.input_file()
        copy()
        path.unlink()

    def die(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        (state.folder(FOLDER) / state.file_name(".net")).write_text('{"ops": ["wea')
        os.kill(os.getpid(), signal.SIGKILL)

    def die_if_there(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        if Path(word).exists():
            self.die(state, word, copy)
        copy()

    def interrupt(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        copy()
        raise KeyboardInterrupt

    def full(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        (state.folder(FOLDER) / state.file_name(".net")).write_text('{"ops": ["wea')
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        copy()
        raise ValueError("after all was done")

    def fail_once(self, state: State, word: str, copy: Callable[[], Path]) -> None:
        if not Path(word).exists():
            Path(word).touch()
            raise ValueError("the first time")
        copy()
