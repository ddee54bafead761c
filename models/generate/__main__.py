"""Write the scripts that differ only by what a list says: ``python models/generate [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

import diffusers_scripts
import graph_scripts
import popular_scripts
import timm_scripts
import torch_hub_scripts
import torchvision_scripts
import transformers_scripts
from script import MODELS, Script, find_differences, write_scripts

CORPORA: dict[str, Callable[[], Iterable[Script]]] = {
    "diffusers": diffusers_scripts.make_scripts,
    "graph_convolutions": graph_scripts.make_scripts,
    "popular_on_huggingface": popular_scripts.make_scripts,
    "timm": timm_scripts.make_scripts,
    "torch_hub": torch_hub_scripts.make_scripts,
    "torchvision": torchvision_scripts.make_scripts,
    "transformers": transformers_scripts.make_scripts,
}


def main(words: Sequence[str]) -> int:
    """Write or check; 0 if all is as it should be, 1 if ``--check`` found a difference."""
    parser = argparse.ArgumentParser(prog="python models/generate", description=__doc__)
    parser.add_argument("corpora", nargs="*", metavar="CORPUS", help="Default: all of them.")
    parser.add_argument("--check", action="store_true", help="Change nothing, name differences.")
    options = parser.parse_args(words)
    unknown = sorted(set(options.corpora) - set(CORPORA))
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such corpus. There are: {', '.join(CORPORA)}.")
    differences = []
    for corpus in options.corpora or CORPORA:
        scripts = list(CORPORA[corpus]())
        act = find_differences if options.check else write_scripts
        found = act(corpus, scripts, MODELS)
        differences += found
        print(f"{corpus}: {len(scripts)} scripts, {len(found)} differ" + "." * (not options.check))
    if not options.check:
        return 0
    for difference in differences:
        print(f"{difference.path} {difference.what}.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
