"""Harm at every write: a process that is killed, a disk that is full, a byte that flips."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from core_env import SUPPORT, Environment

FIND = ["-i", "a.toy", "find"]
CHAIN = [*FIND, "weave", "twist", "compile", "check"]
TWO = {"a.toy": "one 1 in=3,4\ntwo 2\n"}
CHANGED = {"a.toy": "one 1 in=3,5 code=2\ntwo 2\n"}
AGAIN = [CHAIN]

SEVERAL = {"a.toy": "one 1\ntwo 2\n", "b.toy": "three 3\n", "c.toy": "four 4\nfive 5\n"}
SWEEP = ["-i", *SEVERAL, "find", "compile", "act", "--do", "tally", "--word", "tally"]
UNLUCKY = [*SWEEP, "act", "--do", "boom-if-named", "--word", "three"]

PARTLY_BROKEN = ["-i", "a.toy", "none.toy", "find"]

SCENES: dict[str, dict[str, Any]] = {
    "an empty cache": {"prepare": [TWO], "words": CHAIN},
    "a cache with results of older source": {"prepare": [TWO, CHAIN, CHANGED], "words": CHAIN},
    "a cache where nothing is to be done": {"prepare": [TWO, CHAIN], "words": CHAIN},
    "everything again": {"prepare": [TWO, CHAIN], "words": ["--rebuild", "always", *CHAIN]},
    "a lean build": {"prepare": [TWO, CHAIN], "words": ["--lean-cache", *CHAIN]},
    "a step that fails": {"prepare": [TWO], "words": [*FIND, "weave", "trouble", "--do", "fail"]},
    "cleaning": {"prepare": [TWO, CHAIN], "words": ["cache", "clean", "--all"]},
    "deleting": {"prepare": [TWO, CHAIN], "words": ["cache", "delete", "--all", "--yes"]},
    "cleaning after several inputs": {
        "prepare": [SEVERAL, SWEEP, PARTLY_BROKEN],
        "words": ["cache", "clean", "--all"],
        "heal": [["cache", "clean", "--all"], SWEEP],
    },
    "deleting after several inputs": {
        "prepare": [SEVERAL, SWEEP, PARTLY_BROKEN],
        "words": ["cache", "delete", "--all", "--yes"],
        "heal": [["cache", "delete", "--all", "--yes"], SWEEP],
    },
    "a result that is left elsewhere": {
        "prepare": [TWO, CHAIN, ["--output", "out", *FIND, "weave"]],
        "words": ["--output", "out", *CHAIN],
        "heal": [["--output", "out", *CHAIN]],
    },
    "several inputs": {"prepare": [SEVERAL], "words": SWEEP, "heal": [SWEEP], "tally": "tally"},
    "several inputs, one of which fails": {
        "prepare": [SEVERAL],
        "words": UNLUCKY,
        "heal": [UNLUCKY],
        "tally": "tally",
        "code": 1,
    },
}


def harm(environment: Environment, scene: str, how: str, stride: int) -> int:
    """Play a scene with harm at every so many places; gives how many there were."""
    environment.install_toys()
    environment.install_weavers()
    plan = {
        "home": str(environment.home),
        "harm": how,
        "stride": stride,
        "heal": AGAIN,
        **SCENES[scene],
    }
    file = environment.home.parent / "plan.json"
    file.write_text(json.dumps(plan))
    done = subprocess.run(
        [sys.executable, "-S", str(SUPPORT / "faults.py"), str(file)],
        # A toy that raises is no crash of ours: without its traceback, any other one stands out.
        env=environment.environment({"TURNKEY_TRACEBACK": "False"}),
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["problems"], "\n\n".join(found["problems"])
    return found["places"]


QUICK = ["an empty cache", "a cache with results of older source"]


@pytest.mark.parametrize("scene", ["several inputs", "several inputs, one of which fails"])
def test_what_had_ended_when_a_command_was_killed_is_not_done_again(
    scene: str, environment: Environment
) -> None:
    assert harm(environment, scene, "kill", stride=23) > 4


@pytest.mark.parametrize("scene", QUICK[1:])
def test_a_process_killed_at_a_write_leaves_nothing_wrong(
    scene: str, environment: Environment
) -> None:
    assert harm(environment, scene, "kill", stride=17) > 4


@pytest.mark.parametrize("scene", QUICK[1:])
def test_a_disk_that_is_full_is_explained_and_leaves_nothing_wrong(
    scene: str, environment: Environment
) -> None:
    assert harm(environment, scene, "full", stride=13) > 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("scene", "how"),
    [
        *((scene, how) for scene in SCENES for how in ("kill", "full")),
        *((scene, "full-once") for scene in QUICK),
    ],
)
def test_harm_at_any_write_at_all_leaves_nothing_wrong(
    scene: str, how: str, environment: Environment
) -> None:
    assert harm(environment, scene, how, stride=1) > 0
