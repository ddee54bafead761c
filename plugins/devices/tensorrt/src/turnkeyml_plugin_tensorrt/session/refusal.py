"""What the worker process tells its parent when an engine cannot be run."""

from __future__ import annotations

import json


class RefusalError(Exception):
    """The engine cannot be run here; the parent process makes a sentence with advice of it.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it, in one sentence; it may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        # The text of an exception is all that comes back from a worker process.
        super().__init__(json.dumps({"message": message, "hint": hint}))
        self.message = message
        self.hint = hint
