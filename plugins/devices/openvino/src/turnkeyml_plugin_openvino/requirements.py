"""Whether an OpenVINO that this runtime works with is installed."""

from __future__ import annotations

import re
from importlib import metadata

from turnkeyml.errors import BuildError

OLDEST = (2025, 0)


def check_openvino() -> None:
    """Check that OpenVINO is installed and new enough, without importing it.

    Raises:
        BuildError: It is not.
    """
    oldest = ".".join(map(str, OLDEST))
    try:
        version = metadata.version("openvino")
    except metadata.PackageNotFoundError as error:
        raise BuildError("OpenVINO is not installed.", hint="Run pip install openvino.") from error
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise BuildError(
            f"OpenVINO {version} is installed, and this runtime needs {oldest} or newer.",
            hint=f'Run pip install "openvino>={oldest}".',
        )
