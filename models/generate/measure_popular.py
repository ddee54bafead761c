"""Count the parameters of the popular models that the list has no count for.

    python models/generate/measure_popular.py

They are built on the meta device, which holds no weights.
"""

from __future__ import annotations

import json
from typing import Any

import popular_scripts
import torch
import transformers


def count_parameters(entry: dict[str, Any]) -> int:
    """Build one model that holds no weights, and count its parameters."""
    config = getattr(transformers, entry["config"])(**entry["settings"])
    with torch.device("meta"):
        model = getattr(transformers, entry["model"])(config)
    counted = sum(parameter.numel() for parameter in model.parameters())
    return counted + (model.lm_head.weight.numel() if entry["own_head"] else 0)


def main() -> None:
    """Add what is missing, and write the list with a line for each model."""
    path = popular_scripts.LIST
    entries = json.loads(path.read_text("utf-8"))["models"]
    for entry in entries:
        if "parameters" not in entry:
            entry["parameters"] = count_parameters(entry)
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    path.write_text(f'{{"models": [\n{lines}\n]}}\n', "utf-8")
    print(f"{len(entries)} models.")


if __name__ == "__main__":
    main()
