"""Bring the list of timm's models up to date with the installed release: a new one is one command.

    python models/generate/measure_timm.py

Only names that the list does not have are built, on the meta device, which holds no weights. All of
timm takes about six minutes on one core.
"""

from __future__ import annotations

import json
from typing import Any

import timm
import timm_scripts
import torch
from timm.models import get_pretrained_cfg, model_entrypoint


def measure(name: str) -> dict[str, Any]:
    """Build one model without weights, and give its entry."""
    with torch.device("meta"):
        model = timm.create_model(name)
    _, height, width = model.default_cfg["input_size"]
    published = get_pretrained_cfg(name)
    return {
        "name": name,
        "family": model_entrypoint(name).__module__.rpartition(".")[2],
        "side": max(height, width),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "any_size": not model.default_cfg.get("fixed_input_size", False),
        "weights": bool(published is not None and published.has_weights),
    }


def main() -> None:
    """Measure what is new, drop what is gone, and write the list with a line for each model."""
    path = timm_scripts.LIST
    known = {}
    if path.exists():
        known = {entry["name"]: entry for entry in json.loads(path.read_text("utf-8"))["models"]}
    names = sorted(timm.list_models())
    entries = [known.get(name) or measure(name) for name in names]
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    head = f'{{"timm": "{timm.__version__}", "models": [\n'
    path.write_text(f"{head}{lines}\n]}}\n", "utf-8")
    print(f"{len(names)} models, {len(set(names) - set(known))} of them new.")


if __name__ == "__main__":
    main()
