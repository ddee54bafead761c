"""The corpus ``popular_on_huggingface``: much used models, by their published configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from script import WIDTH, Script
from transformers_inputs import BATCH, CONTRASTIVE, IMAGE, TEXT, Inputs

LIST = Path(__file__).parent / "lists/popular.json"
SOURCE = "https://huggingface.co/{}"
MACHINE_GB = 24
BYTES = 4

TEXT_CALL = """\
shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(LOWEST, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
"""


def _text(lowest: str = "0", more: str = "", *, mask: bool = True) -> Inputs:
    code = TEXT_CALL.replace("LOWEST", lowest)
    if not mask:
        code = "\n".join(line for line in code.splitlines() if "attention_mask" not in line)
    return Inputs("text", TEXT, code.replace("}\n", more + "}\n", 1))


def _image(shape: str, parameters: tuple[str, ...] = BATCH) -> Inputs:
    return Inputs("image", parameters, f"model(pixel_values=torch.rand({shape}))")


DECODER = '    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),\n'
# Such a classifier pools at the token that ends the text, which must stand there once.
ENDED = 'inputs["input_ids"][:, -1] = config.eos_token_id\n'

CALLS: Mapping[str, Inputs] = {
    "text": _text(),
    "text_alone": _text(mask=False),
    "characters": Inputs("text", TEXT, TEXT_CALL.replace("LOWEST, config.vocab_size", "32, 127")),
    "seq2seq": _text(more=DECODER),
    "seq2seq_classifier": Inputs(
        "text",
        TEXT,
        TEXT_CALL.replace("LOWEST", "config.eos_token_id + 1").replace("}\n", "}\n" + ENDED, 1),
    ),
    "image_any": _image("batch_size, num_channels, height, width", IMAGE),
    "image_224": _image("batch_size, 3, 224, 224"),
    "image_512": _image("batch_size, 3, 512, 512"),
    "image_640": _image("batch_size, 3, 640, 640"),
    "clip": Inputs("image_text", BATCH, CONTRASTIVE),
    "whisper": Inputs(
        "audio",
        BATCH,
        "frames = 2 * config.max_source_positions\n"
        "inputs = {\n"
        '    "input_features": torch.rand(batch_size, config.num_mel_bins, frames),\n'
        '    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),\n'
        "}\n\nmodel(**inputs)",
    ),
    "audio": Inputs(
        "audio",
        ("batch_size", "max_audio_seq_length"),
        "model(input_values=torch.rand(batch_size, max_audio_seq_length))",
    ),
    "ast": Inputs(
        "audio",
        BATCH,
        "model(input_values=torch.rand(batch_size, config.max_length, config.num_mel_bins))",
    ),
}
"""How a model is called, by the word that the list has for it."""


@dataclass(frozen=True)
class Popular:
    """One published model.

    Attributes:
        id: Its place on the hub.
        model: Class of the library.
        config: Class of its configuration.
        task: What it is for.
        call: A key of ``CALLS``, or ``image`` for the size that the configuration gives.
        settings: What its published configuration says other than the class's defaults.
        own_head: Its output layer is apart from its embeddings, which its configuration cannot say.
        parameters: How many it has, measured.
    """

    id: str
    model: str
    config: str
    task: str
    call: str
    settings: Mapping[str, Any]
    own_head: bool
    parameters: int

    @property
    def name(self) -> str:
        """Give the script's name: the id without its author."""
        return re.sub(r"[^0-9a-z]+", "_", self.id.partition("/")[2].lower())

    @property
    def weights_gb(self) -> float:
        """Give the size of the weights in float32, in gigabytes."""
        return self.parameters * BYTES / 1e9

    @property
    def inputs(self) -> Inputs:
        """Give the call."""
        if self.call != "image":
            return CALLS[self.call]
        size = self.settings["image_size"]
        height, width = size if isinstance(size, list) else (size, size)
        return _image(f"batch_size, config.num_channels, {height}, {width}")


def read_list(path: Path = LIST) -> list[Popular]:
    """Read all models of the corpus."""
    return [Popular(**entry) for entry in json.loads(path.read_text("utf-8"))["models"]]


def _literal(value: object) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value).replace("'", '"')


def _config(entry: Popular) -> str:
    start = f"config = transformers.{entry.config}("
    items = [f"{key}={_literal(value)}" for key, value in entry.settings.items()]
    line = start + ", ".join(items) + ")"
    if len(line) <= WIDTH:
        return line
    lines = []
    for key, value in entry.settings.items():
        if isinstance(value, dict):
            lines += [
                f"    {key}={{",
                *(f'        "{k}": {_literal(v)},' for k, v in value.items()),
            ]
            lines.append("    },")
        else:
            lines.append(f"    {key}={_literal(value)},")
    return "\n".join([start, *lines, ")"])


def _model(entry: Popular) -> str:
    make = f"transformers.{entry.model}"
    load = f'    model = {make}.from_pretrained("{entry.id}")'
    if len(load) > WIDTH:
        load = f'    model = {make}.from_pretrained(\n        "{entry.id}"\n    )'
    lines = ["if pretrained:", load, "else:", f"    model = {make}(config)"]
    if entry.own_head:
        head = "model.lm_head.weight"
        lines += [
            "    # The published model does not share its output layer with its embeddings.",
            f"    {head} = torch.nn.Parameter({head}.detach().clone())",
        ]
    return "\n".join(lines)


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    for entry in read_list():
        inputs = entry.inputs
        labels = {
            "author": entry.id.partition("/")[0].lower(),
            "task": entry.task,
            "family": entry.config.removesuffix("Config").lower(),
            "modality": inputs.modality,
        }
        about = (
            f"{entry.id}: {entry.model} with its published sizes, and random weights unless asked."
        )
        if entry.weights_gb > MACHINE_GB:
            labels["memory"] = f"over_{MACHINE_GB}gb"
            about += f" Its weights take {entry.weights_gb:.0f} GB in float32."
        yield Script(
            corpus="popular_on_huggingface",
            name=entry.name,
            labels=labels,
            source=SOURCE.format(entry.id),
            about=about,
            imports=("import transformers",),
            parameters=(*inputs.parameters, "pretrained"),
            body=f"{_config(entry)}\n{_model(entry)}\nmodel.eval()\n\n{inputs.code}",
        )
