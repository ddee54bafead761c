"""Bring the list of transformers' models up to date with the installed release.

    python models/generate/measure_transformers.py

Every model is built on the meta device, which holds no weights: all of them take some minutes. A
model that is too large with the default configuration of its library is listed with two layers, if
that makes it small enough, and else left out.
"""

from __future__ import annotations

import inspect
import json
import warnings
from collections.abc import Iterator
from typing import Any

import torch
import transformers
import transformers_scripts
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

MOST_PARAMETERS = 600_000_000
FEW_LAYERS = 2

TASKS = {
    "MASKED_LM": "fill_mask",
    "CAUSAL_LM": "text_generation",
    "SEQ_TO_SEQ_CAUSAL_LM": "text2text_generation",
    "SEQUENCE_CLASSIFICATION": "text_classification",
    "TOKEN_CLASSIFICATION": "token_classification",
    "QUESTION_ANSWERING": "question_answering",
    "IMAGE_CLASSIFICATION": "image_classification",
    "SEMANTIC_SEGMENTATION": "image_segmentation",
    "UNIVERSAL_SEGMENTATION": "image_segmentation",
    "OBJECT_DETECTION": "object_detection",
    "DEPTH_ESTIMATION": "depth_estimation",
    "AUDIO_CLASSIFICATION": "audio_classification",
    "CTC": "speech_recognition",
    "SPEECH_SEQ_2_SEQ": "speech_recognition",
    "VIDEO_CLASSIFICATION": "video_classification",
    "ZERO_SHOT_IMAGE_CLASSIFICATION": "zero_shot_image_classification",
    "TIME_SERIES_PREDICTION": "time_series_forecasting",
}
"""What a head is for, by the library's name for the group of heads; in order of preference."""

BASE = "feature_extraction"


def find_classes(kind: str) -> Iterator[tuple[str, str]]:
    """Give task and class of each head of a model type; its base model only if it has no head."""
    found = False
    for group, task in TASKS.items():
        names = getattr(modeling_auto, f"MODEL_FOR_{group}_MAPPING_NAMES").get(kind, ())
        for name in names if isinstance(names, (tuple, list)) else (names,):
            found = True
            yield task, name
    base = modeling_auto.MODEL_MAPPING_NAMES.get(kind)
    if base and not found:
        yield BASE, base[0] if isinstance(base, (tuple, list)) else base


def count_parameters(model_class: Any, config: Any) -> int:
    """Build a model that holds no weights, and count its parameters."""
    with torch.device("meta"):
        model = model_class(config)
    return sum(parameter.numel() for parameter in model.parameters())


def measure(kind: str, task: str, name: str) -> dict[str, Any] | None:
    """Give the entry of a model, or nothing if it is too large."""
    config_class = getattr(transformers, CONFIG_MAPPING_NAMES[kind])
    model_class = getattr(transformers, name)
    config = config_class()
    parameters = count_parameters(model_class, config)
    layers = None
    if parameters > MOST_PARAMETERS:
        published = getattr(config, "num_hidden_layers", None)
        if not isinstance(published, int):
            return None
        config, layers = config_class(num_hidden_layers=FEW_LAYERS), [FEW_LAYERS, published]
        parameters = count_parameters(model_class, config)
        if parameters > MOST_PARAMETERS:
            return None
    accepted = inspect.signature(model_class.forward).parameters
    return {
        "type": kind,
        "folder": model_class.__module__.split(".")[2],
        "config": config_class.__name__,
        "model": name,
        "task": task,
        "input": str(model_class.main_input_name),
        "decoder": "decoder_input_ids" in accepted,
        "mask": "attention_mask" in accepted,
        "pixels": "pixel_values" in accepted,
        "vocabulary": hasattr(config, "vocab_size"),
        "pads": getattr(config, "pad_token_id", None) is not None,
        "image_size": getattr(config, "image_size", None),
        "parameters": parameters,
        "layers": layers,
    }


def main() -> None:
    """Measure every head of every model type, and write the list with a line for each."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    entries: list[dict[str, Any]] = []
    taken: set[str] = set()
    for kind in sorted(CONFIG_MAPPING_NAMES):
        for task, name in find_classes(kind):
            if name in taken:
                continue
            taken.add(name)
            try:
                entry = measure(kind, task, name)
            except Exception as error:  # what cannot be built by its defaults is for another list
                print(f"{name}: {str(error).splitlines()[:1]}")
                continue
            if entry is not None:
                entries.append(entry)
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    head = f'{{"transformers": "{transformers.__version__}", "models": [\n'
    transformers_scripts.LIST.write_text(f"{head}{lines}\n]}}\n", "utf-8")
    print(f"{len(entries)} models.")


if __name__ == "__main__":
    main()
