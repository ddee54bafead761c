"""What a process that is kept warm for `discover` does once, and each fork of it."""

from __future__ import annotations

import sys
from collections.abc import Callable


def warm_up() -> Callable[[], None]:
    """Leave the process as the imports made it, and give what a fork of it calls first."""
    return seed_generators


def seed_generators() -> None:
    """Give each fork random numbers of its own, as each fresh process has.

    Python's own generator sees to that by itself.
    """
    import torch

    torch.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
