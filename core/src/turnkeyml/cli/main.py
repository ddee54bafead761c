"""The `turnkey` command: where the process begins, and where it ends."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from turnkeyml.aliases import lazily

if TYPE_CHECKING:
    from turnkeyml.cli.dispatch import run_command

__all__ = ["main", "run_command"]

_ANSWER = ["completion", "answer"]

__getattr__ = lazily(__name__, {"run_command": "turnkeyml.cli.dispatch:run_command"})


def main() -> None:
    """Run the command line of this process and exit."""
    if sys.argv[1:3] == _ANSWER:
        # A shell waits for this at a press of the tab key, and the rest takes a while to import.
        from turnkeyml.cli.answering import answer

        sys.exit(answer(sys.argv[3:]))
    import gc

    from turnkeyml.cli.dispatch import run_command, unwritten
    from turnkeyml.console import Console
    from turnkeyml.errors import ExitCode

    console = Console()
    code = run_command(sys.argv[1:], console)
    if not console.is_complete:
        console.error(*unwritten())
        code = code or ExitCode.FAILED
    # What is left is ended with the process: collecting it first takes a second after torch.
    gc.freeze()
    sys.exit(int(code))
