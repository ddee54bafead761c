"""A sequence that is defined in a Python file of the user's."""

from __future__ import annotations

import runpy
from pathlib import Path

from turnkeyml.errors import UsageError
from turnkeyml.sequence import Sequence

_EXAMPLE = "Write in it: from turnkeyml.sequence import Sequence; sequence = Sequence('TOOL', ...)"


def sequence_from_file(path: Path) -> Sequence:
    """Run a file, which is trusted as a model's script is, and give the sequence it defines.

    It is the one called ``sequence``, else the only one there is.

    Raises:
        UsageError: The file cannot be run, or defines no sequence or several.
    """
    if not path.is_file():
        raise UsageError(f"There is no sequence file {str(path)!r}.")
    try:
        # Not as __main__: what a file does when it is run by hand is not wanted here.
        found = runpy.run_path(str(path), run_name=path.stem)
    except (Exception, SystemExit) as error:  # the file may do anything
        raise UsageError(
            f"The sequence file {path} cannot be run: {type(error).__name__}: {error}",
            hint="It is a Python file that defines a turnkeyml.sequence.Sequence.",
        ) from error
    sequences = {name: value for name, value in found.items() if isinstance(value, Sequence)}
    if "sequence" in sequences:
        return sequences["sequence"]
    if not sequences:
        raise UsageError(f"The sequence file {path} defines no sequence.", hint=_EXAMPLE)
    if len(sequences) > 1:
        raise UsageError(
            f"The sequence file {path} defines several: {', '.join(sequences)}.",
            hint="Call the one that is wanted sequence.",
        )
    return next(iter(sequences.values()))
