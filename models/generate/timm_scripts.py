"""The corpus ``timm``: image models by name, from the list of what the library has."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from script import WIDTH, Script

LIST = Path(__file__).parent / "lists/timm.json"
SOURCE = "https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/{}.py"

# A sweep must end: the list names every model of the library, the corpus takes those that two cores
# run in seconds, and of a family with many sizes the smaller ones.
MOST_PARAMETERS = 60_000_000
LARGEST_SIDE = 288
MOST_OF_A_FAMILY = 11


@dataclass(frozen=True)
class TimmModel:
    """One model of the library, as the list has it.

    Attributes:
        name: What ``timm.create_model`` takes.
        family: The module of the library that defines it.
        side: Height and width of its input, in pixels.
        parameters: How many it has, measured.
        any_size: Whether it takes images of other sizes without being told.
        weights: Whether weights were published.
    """

    name: str
    family: str
    side: int
    parameters: int
    any_size: bool
    weights: bool


def read_list(path: Path = LIST) -> list[TimmModel]:
    """Read all models of the library."""
    return [TimmModel(**entry) for entry in json.loads(path.read_text("utf-8"))["models"]]


def choose(models: list[TimmModel]) -> list[TimmModel]:
    """Choose the models of the corpus."""
    families: dict[str, list[TimmModel]] = defaultdict(list)
    for model in models:
        if model.parameters <= MOST_PARAMETERS and model.side <= LARGEST_SIDE:
            families[model.family].append(model)
    chosen = [
        model
        for family in families.values()
        for model in sorted(family, key=lambda m: (m.parameters, m.name))[:MOST_OF_A_FAMILY]
    ]
    return sorted(chosen, key=lambda model: model.name)


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    for model in choose(read_list()):
        resizable = model.any_size and model.side == 224
        parameters = ["batch_size", "num_channels"]
        parameters += ["height", "width"] if resizable else []
        parameters += ["pretrained"] if model.weights else []
        height, width = ("height", "width") if resizable else (str(model.side), str(model.side))
        weights = "pretrained=pretrained, " if model.weights else ""
        given = f'"{model.name}", {weights}in_chans=num_channels'
        create = f"model = timm.create_model({given})"
        if len(create) > WIDTH:
            create = f"model = timm.create_model(\n    {given}\n)"
        body = (
            f"{create}\nmodel.eval()\n\n"
            f"model(torch.rand(batch_size, num_channels, {height}, {width}))"
        )
        published = "" if model.weights else " No weights were published for it."
        yield Script(
            corpus="timm",
            name=model.name.replace(".", "_"),
            labels={
                "author": "timm",
                "task": "image_classification",
                "family": model.family,
                "modality": "image",
                "input_size": str(model.side),
            },
            source=SOURCE.format(model.family),
            about=(
                f"{model.name}: an image classifier of the family {model.family}, "
                f"for images of {model.side} x {model.side} pixels.{published}"
            ),
            imports=("import timm",),
            parameters=tuple(parameters),
            body=body,
        )
