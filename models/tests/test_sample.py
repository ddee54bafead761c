"""A few scripts, drawn afresh each time, are run and discovered."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).resolve().parent.parent
NEEDS = {
    "diffusers": ("diffusers", "transformers"),
    "graph_convolutions": ("torch_geometric",),
    "popular_on_huggingface": ("transformers",),
    "selftest": (),
    "timm": ("timm", "torchvision"),
    "torch_hub": ("timm", "torchvision"),
    "torchvision": ("torchvision",),
    "transformers": ("transformers",),
}
LEFT_OUT = ("memory::over_24gb", "selftest_failing", "selftest_big", "two_shapes")
# Drawn are scripts that check_scripts.py has seen to be small, so that the tests come to an end.
MOST_SECONDS = 60
MOST_BYTES = 4 * 10**9
# The same number in the environment draws the same scripts again.
SEED = int(os.environ.get("MODELS_SAMPLE_SEED", random.SystemRandom().randrange(10**6)))


def draw(corpus: str) -> Path:
    scripts = [
        path
        for path in sorted((MODELS / corpus).glob("*.py"))
        if path.relative_to(MODELS).as_posix() in SMALL
        and not any(word in path.read_text("utf-8").partition("\n")[0] for word in LEFT_OUT)
    ]
    return random.Random(f"{SEED} {corpus}").choice(scripts)


def small_scripts() -> set[str]:
    found = set()
    for line in (MODELS / "check_results.jsonl").read_text("utf-8").splitlines():
        seen = json.loads(line)
        is_small = seen["seconds"] <= MOST_SECONDS and seen["peak_memory_bytes"] <= MOST_BYTES
        if seen["outcome"] == "ok" and is_small:
            found.add(seen["script"])
    return found


SMALL = small_scripts()


@pytest.mark.parametrize("corpus", NEEDS)
def test_there_is_a_script_to_draw_in_each_corpus(corpus):
    assert draw(corpus).is_file()


@pytest.mark.slow
@pytest.mark.parametrize("corpus", NEEDS)
def test_a_script_of_each_corpus_runs_by_plain_python_and_has_a_model(corpus, tmp_path):
    for library in ("torch", *NEEDS[corpus]):
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    script = draw(corpus)
    told = f"MODELS_SAMPLE_SEED={SEED}: {script}"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=900, env=environment
    )
    assert done.returncode == 0, f"{told}\n{done.stderr}"
    turnkey = shutil.which("turnkey", path=str(Path(sys.executable).parent))
    if turnkey is None or importlib.util.find_spec("turnkeyml_plugin_discover") is None:
        pytest.skip("turnkey's discover is not installed")
    command = [turnkey, "-d", str(tmp_path), "-i", str(script), "discover"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    assert done.returncode == 0, f"{told}\n{done.stderr}"
    # Some libraries call a part of a model while they build it: that is found too.
    assert list(tmp_path.glob("*/turnkey_stats.yaml")), told
