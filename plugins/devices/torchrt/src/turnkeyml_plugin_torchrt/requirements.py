"""Whether PyTorch is here, and whether it can use an NVIDIA GPU."""

from __future__ import annotations

import os
import re
import warnings
from importlib import metadata

from turnkeyml.errors import BuildError

OLDEST = (2, 5)
_INSTALL = "See https://pytorch.org/get-started/locally for the command that installs it."


def check_torch() -> None:
    """Check that a PyTorch that these runtimes work with is installed, without importing it.

    Raises:
        BuildError: It is not.
    """
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError as error:
        raise BuildError("PyTorch is not installed.", hint=_INSTALL) from error
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise BuildError(
            f"PyTorch {version} is installed, and these runtimes need {oldest} or newer.",
            hint=f'Run pip install "torch>={oldest}".',
        )


def check_cuda() -> None:
    """Check that PyTorch can compute on an NVIDIA GPU.

    Raises:
        BuildError: It cannot; says why.
    """
    import torch

    if torch.version.cuda is None:
        made_for = "ROCm" if torch.version.hip is not None else "processors only"
        raise BuildError(
            f"PyTorch {torch.__version__} is built for {made_for}, without CUDA.",
            hint=f"Install a build with CUDA. {_INSTALL}",
        )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return
    raise BuildError(
        f"PyTorch {torch.__version__} finds no NVIDIA GPU that it can use{_reason(told)}.",
        hint="Check with nvidia-smi that the driver works and is new enough for CUDA "
        f"{torch.version.cuda}.",
    )


def _reason(told: list[warnings.WarningMessage]) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1"):
        return f": CUDA_VISIBLE_DEVICES={visible} hides them all"
    for warning in told:
        lines = str(warning.message).strip().splitlines()
        if lines:
            return f": {lines[0].split('. ')[0].rstrip('.')}"
    return ""
