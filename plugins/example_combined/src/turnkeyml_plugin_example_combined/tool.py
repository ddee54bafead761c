"""The tool `example-tool`: it takes an ONNX file, and makes a file of its own kind."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool

EXAMPLE_SUMMARY = "example-summary"
"""The kind that the tool makes; a later tool asks for it under this name."""

_FIRST_BYTE = b"\x08"
"""Of every ONNX file: its first field is the version of the format."""


@dataclass(frozen=True)
class ExampleToolOptions:
    """The options of `example-tool`: the only place where their defaults stand."""

    top: int = option(5, metavar="N", minimum=1, help="How many of the most common bytes to name.")
    title: str | None = option(
        None, metavar="TEXT", help="What the summary is called. [default: example]"
    )


class ExampleTool(Tool):
    """Summarize the bytes of an ONNX file.

    The summary is a JSON file in the folder example/ of the build directory: the size, the digest,
    and the most common bytes.
    """

    name = "example-tool"
    Options = ExampleToolOptions
    consumes = (ONNX_MODEL,)
    produces = EXAMPLE_SUMMARY

    @classmethod
    def resolve(cls, options: ExampleToolOptions, registry: Registry) -> ExampleToolOptions:
        """Settle defaults and refuse what cannot work, before anything runs.

        Raises:
            PlanError: There are not so many bytes.
        """
        if options.top > 256:
            raise PlanError(f"--top goes up to 256, not {options.top}: there are no more bytes.")
        return ExampleToolOptions(options.top, options.title or "example")

    def run(self, state: State, options: ExampleToolOptions) -> State:
        """Do the work on one model."""
        content = state.input_file().read_bytes()
        if not content.startswith(_FIRST_BYTE):
            raise BuildError(
                f"{state.input_file().name} is no ONNX file.", hint="Export the model again."
            )
        common = Counter(content).most_common(options.top)
        summary = {
            "title": options.title,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "most_common": [[byte, count] for byte, count in common],
        }
        # A name that no other step uses, in a folder of its own.
        path = state.folder("example") / state.file_name(".json")
        path.write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
        state.add(EXAMPLE_SUMMARY, [path], info={"title": options.title})
        state.stats.save("model_bytes", len(content))
        print(f"{len(content)} bytes")  # noqa: T201 - goes into the log of this step
        return state
