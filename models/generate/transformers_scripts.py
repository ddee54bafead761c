"""The corpus ``transformers``: architectures with their heads, by the library's defaults."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from script import Script
from transformers_inputs import ARGUMENTS, Inputs, inputs_of

LIST = Path(__file__).parent / "lists/transformers.json"
LEFT_OUT = Path(__file__).parent / "lists/transformers_left_out.json"
SOURCE = "https://github.com/huggingface/transformers/tree/main/src/transformers/models/{}"

BY_HAND = {"BertModel", "GPT2LMHeadModel", "ViTForImageClassification"}
"""Models whose scripts stand in the corpus already, written by hand."""

MOST_HEADS = 3
"""Heads of one architecture that the corpus takes: they share nearly all of the graph."""


@dataclass(frozen=True)
class Entry:
    """One head of one architecture, as the list has it.

    Attributes:
        type: The library's name of the architecture.
        folder: The folder of the library that defines it.
        config: Class of its configuration.
        model: Class of the model.
        task: What the head is for; ``feature_extraction`` for a model without one.
        input: Name of its main input.
        decoder: Whether it takes ``decoder_input_ids``.
        mask: Whether it takes ``attention_mask``.
        pixels: Whether it takes ``pixel_values``.
        vocabulary: Whether its configuration has a vocabulary at its top level.
        pads: Whether its configuration names a padding token.
        image_size: What its configuration says of the image's size.
        parameters: How many it has, measured.
        layers: Layers that the script takes, and layers of the library's default, if they differ.
    """

    type: str
    folder: str
    config: str
    model: str
    task: str
    input: str
    decoder: bool
    mask: bool
    pixels: bool
    vocabulary: bool
    pads: bool
    image_size: object
    parameters: int
    layers: tuple[int, int] | None

    @property
    def name(self) -> str:
        """Give the script's name: the architecture and its head."""
        kind = re.sub(r"[^0-9a-z]+", "_", self.type)
        head = re.search(r"(For|LMHead|WithLMHead)[A-Z0-9].*", self.model)
        if head is None:
            return kind
        if head[1] != "For":
            return f"{kind}_lm_head_model"
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", head[0]).lower()
        return f"{kind}_{words}"


def read_list(path: Path = LIST) -> list[Entry]:
    """Read all models that were measured."""
    return [Entry(**entry) for entry in json.loads(path.read_text("utf-8"))["models"]]


def read_left_out(path: Path = LEFT_OUT) -> dict[str, str]:
    """Read which classes the corpus leaves out, with the reason of each."""
    reasons: dict[str, str] = json.loads(path.read_text("utf-8"))
    return reasons


def choose(entries: list[Entry]) -> list[tuple[Entry, Inputs]]:
    """Choose the models of the corpus, each with what it is called with."""
    left_out = read_left_out()
    # An encoder has a generating head too, which means something only inside another model.
    encoders = {entry.folder for entry in entries if entry.task == "fill_mask"}
    heads: dict[str, int] = defaultdict(int)
    chosen = []
    for entry in entries:
        if entry.model in BY_HAND:
            heads[entry.folder] += 1
            continue
        inputs = None if entry.model in left_out else inputs_of(entry)
        if entry.task == "text_generation" and entry.folder in encoders:
            continue
        if inputs is None:
            continue
        if heads[entry.folder] < MOST_HEADS:
            heads[entry.folder] += 1
            chosen.append((entry, inputs))
    return chosen


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    for entry, inputs in choose(read_list()):
        arguments = dict(ARGUMENTS.get(entry.type, {}))
        if entry.layers is not None:
            arguments["num_hidden_layers"] = str(entry.layers[0])
        if entry.task == "text_classification" and not entry.pads and entry.input == "input_ids":
            # Without one, such a model finds the end of a text in batches of one only.
            arguments.setdefault("pad_token_id", "0")
        given = ", ".join(f"{key}={value}" for key, value in arguments.items())
        labels = {
            "author": "huggingface_pytorch",
            "task": entry.task,
            "family": entry.folder,
            "modality": inputs.modality,
        }
        about = f"{entry.model} with the default configuration of its library and random weights."
        if entry.layers is not None:
            few, published = entry.layers
            labels["config"] = "reduced"
            about = (
                f"{entry.model} with random weights and the default configuration of its library, "
                f"but {few} of its {published} layers, so that it fits a small machine."
            )
        yield Script(
            corpus="transformers",
            name=entry.name,
            labels=labels,
            source=SOURCE.format(entry.folder),
            about=about,
            imports=("import transformers",),
            parameters=inputs.parameters,
            body=(
                f"config = transformers.{entry.config}({given})\n"
                f"model = transformers.{entry.model}(config)\n"
                f"model.eval()\n\n{inputs.code}"
            ),
        )
