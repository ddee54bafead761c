"""Parameters of model scripts: the same names and defaults, under turnkey and without."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from turnkeyml.errors import UsageError


@dataclass(frozen=True)
class Arg:
    """One standard parameter."""

    name: str
    default: Any
    type: type
    help: str


STANDARD_ARGS = {
    arg.name: arg
    for arg in (
        Arg("batch_size", 1, int, "Batch size of the input."),
        Arg("max_seq_length", 128, int, "Sequence length of the input, in tokens."),
        Arg("max_audio_seq_length", 25600, int, "Sequence length of the audio input, in samples."),
        Arg("height", 224, int, "Height of the input image, in pixels."),
        Arg("num_channels", 3, int, "Number of channels of the input image."),
        Arg("width", 224, int, "Width of the input image, in pixels."),
        Arg("pretrained", False, bool, "Use pretrained weights instead of random ones."),
        Arg("k", 8, int, "Graph networks: number of propagation steps or neighbours."),
        Arg("alpha", 2.2, float, "Graph networks: teleport probability or strength."),
        Arg("out_channels", 16, int, "Graph networks: size of each output sample."),
        Arg("num_layers", 8, int, "Graph networks: number of layers."),
        Arg("in_channels", 1433, int, "Graph networks: size of each input sample."),
    )
}
"""The standard parameters by name."""


def parse(accepted_args: Sequence[str] | None = None) -> Any:
    """Read a model script's parameters from its command line.

    Args:
        accepted_args: Names of standard parameters that the script accepts.

    Returns:
        The values in the order of ``accepted_args``; the bare value if there is only one.

    Raises:
        UsageError: A name is no standard parameter.
    """
    names = list(accepted_args or ())
    for name in names:
        if name not in STANDARD_ARGS:
            known = ", ".join(STANDARD_ARGS)
            raise UsageError(
                f"parse(): {name!r} is no standard parameter.", hint=f"There are: {known}."
            )
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name in names:
        arg = STANDARD_ARGS[name]
        if arg.type is bool:
            parser.add_argument(
                f"--{name}", nargs="?", const=True, default=arg.default, type=_flag, help=arg.help
            )
        else:
            parser.add_argument(f"--{name}", default=arg.default, type=arg.type, help=arg.help)
    # A script shares its command line with other parsers, so what is not ours is left alone.
    found = vars(parser.parse_known_args()[0])
    values = [found[name] for name in names]
    return values[0] if len(values) == 1 else values


def _flag(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return words[text.lower()]
