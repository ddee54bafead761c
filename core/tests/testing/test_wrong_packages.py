"""Packages that are wrong on purpose: each is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from wrong import Wrong, names

from turnkeyml.testing.device_rules import DEVICE_RULES
from turnkeyml.testing.plugin_rules import PLUGIN_RULES

RULES = [*PLUGIN_RULES, *DEVICE_RULES]


def at_import(line: str) -> tuple[str, str]:
    """Let the module of the entry point do something."""
    return '"""The right plugin."""', f'"""A plugin."""\nimport os, sys, time\n{line}\n'


EFFECT = "importing_its_entry_point_does_nothing_else"
WRONG_PACKAGES = [
    Wrong(
        "its_mapping_is_accepted",
        "implements: expected keys among",
        (('"tools": [', '"tolls": ['),),
    ),
    Wrong("its_mapping_is_accepted", "ZeroDivisionError", (at_import("1 / 0"),)),
    Wrong(
        "its_names_are_its_own",
        "'version' comes from turnkeyml-core",
        (('"right-toil"', '"version"'),),
    ),
    Wrong("it_depends_on_the_core", "Its dependencies are click.", requires="click"),
    Wrong(
        "importing_its_entry_point_loads_no_heavy_package",
        "also imports cupy",
        (at_import("import cupy"),),
    ),
    Wrong(
        "importing_its_entry_point_is_quick",
        "takes 0.1",
        (at_import("time.sleep(0.11)"),),
    ),
    Wrong(EFFECT, "it printed 'hello'", (at_import("print('hello')"),)),
    Wrong(EFFECT, "it read the environment variable HOME", (at_import("os.getenv('HOME')"),)),
    Wrong(EFFECT, "it read the environment variable HOME", (at_import("os.environ['HOME']"),)),
    Wrong(
        EFFECT,
        "it set the environment variable WRONG",
        (at_import("os.environ['WRONG'] = '1'"),),
    ),
    Wrong(EFFECT, "it wrote to wrong.txt", (at_import("open('wrong.txt', 'w').close()"),)),
    Wrong(EFFECT, "it made the folder wrong", (at_import("os.mkdir('wrong')"),)),
    Wrong(EFFECT, "directory was changed to /", (at_import("os.chdir('/')"),)),
    Wrong(EFFECT, "the umask was changed to 077", (at_import("os.umask(0o077)"),)),
    Wrong(EFFECT, "sys.path was changed", (at_import("sys.path.append('/wrong')"),)),
    Wrong(
        EFFECT,
        "it started the process",
        (at_import("import subprocess; subprocess.run(['true'])"),),
    ),
    Wrong(
        EFFECT,
        "the handler of SIGUSR1 was replaced",
        (at_import("import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)"),),
    ),
    Wrong(
        EFFECT,
        "the thread wrong still runs",
        (
            at_import(
                "import threading; "
                "threading.Thread(target=time.sleep, args=(9,), name='wrong', daemon=True).start()"
            ),
        ),
    ),
    Wrong(
        EFFECT,
        "it looked up the host localhost",
        (at_import("import socket; socket.getaddrinfo('localhost', 1)"),),
    ),
    Wrong(
        EFFECT,
        "the root logger was changed",
        (at_import("import logging; logging.basicConfig()"),),
    ),
    Wrong(
        "everything_that_it_names_can_be_loaded",
        "has no attribute 'Wrok'",
        (("RIGHT_tools:Work", "RIGHT_tools:Wrok"),),
    ),
    Wrong(
        "everything_that_it_names_can_be_loaded",
        "expected a subclass of BaseRT",
        (("RIGHT_runtimes:Executes", "RIGHT_runtimes:Dev"),),
    ),
    Wrong(
        "everything_that_it_names_can_be_loaded",
        "RIGHT_runtimes:chekc".replace("RIGHT", "right_plugin"),
        (("RIGHT_runtimes:check", "right_plugin_runtimes:chekc"),),
    ),
    Wrong(
        "loading_its_classes_loads_no_heavy_package",
        "also imports cupy",
        (('"""Tools of the right plugin."""', ""), ("import hashlib", "import hashlib, cupy")),
    ),
    Wrong(
        "what_the_list_says_is_what_the_classes_say",
        "the summary 'Work on a word.', and its class 'Work on words.'",
        (('"""Work on a word.', '"""Work on words.'),),
    ),
    Wrong(
        "what_the_list_says_is_what_the_classes_say",
        "the aliases ()",
        (('            "aliases": ["right-toil"],\n', ""),),
    ),
    Wrong(
        "what_the_list_says_is_what_the_classes_say",
        "the name 'right-work', and its class 'right-wrok'",
        (('name = "right-work"', 'name = "right-wrok"'),),
    ),
    Wrong(
        "its_tools_and_sequences_have_a_summary",
        "The summary of 'right-line' is ''",
        (('"summary": "Work once."', '"summary": ""'),),
    ),
    Wrong(
        "its_sequences_can_be_put_in_line",
        "there is no option 'levle'",
        (('{"level": 2}', '{"levle": 2}'),),
    ),
    Wrong(
        "its_sequences_can_be_put_in_line",
        "has no step",
        (('Sequence(Step("right-work", {"level": 2}), name="right-line")', "Sequence()"),),
    ),
    Wrong(
        "its_mapping_is_accepted",
        "names that turnkeyml-core does not use",
        (("right_setting", "rebuild"),),
    ),
    Wrong(
        "its_global_options_have_help_and_names_of_their_own",
        "says nothing about itself",
        (('help="Be right."', 'help=""'),),
    ),
    Wrong(
        "its_requirement_checks_take_no_argument",
        "missing a required argument: 'device'",
        (("def check():", "def check(device):"),),
    ),
    Wrong(
        "its_devices_can_always_be_asked_for",
        "FileNotFoundError",
        (
            (
                "    def is_present(cls):\n        return True",
                "    def is_present(cls):\n        import subprocess\n"
                "        return subprocess.run(['true']).returncode == 0",
            ),
        ),
    ),
    Wrong(
        "its_devices_can_always_be_asked_for",
        "gives 1 here",
        (("    def is_present(cls):\n        return True", "    def is_present(cls): return 1"),),
    ),
    Wrong(
        "asking_for_its_devices_loads_no_heavy_package",
        "imports cupy",
        (
            (
                "    def is_present(cls):\n        return True",
                "    def is_present(cls):\n        import cupy\n        return True",
            ),
        ),
    ),
    Wrong(
        "its_devices_have_a_name_and_a_state",
        "full_name() of the device 'right-dev' gives ''",
        (('return "Right Device"', 'return ""'),),
    ),
    Wrong(
        "its_devices_have_a_name_and_a_state",
        "not JSON serializable",
        (('return {"load": 0.5}', 'return {"load": Dev}'),),
    ),
    Wrong(
        "its_devices_can_be_watched",
        "watch() of the device 'right-dev' gives {'power_w': 5.0, 'disturbances': []}, which does",
        (("return lambda since, until: {", "return {"),),
    ),
    Wrong(
        "its_devices_can_be_watched",
        "takes 0 positional arguments but 2 were given",
        (("lambda since, until:", "lambda:"),),
    ),
    Wrong(
        "its_devices_can_be_watched",
        "not JSON serializable",
        (('"power_w": 5.0', '"power_w": Dev'),),
    ),
    Wrong(
        "its_devices_can_be_watched",
        "has no words as disturbances: 'heat'",
        (('"disturbances": []', '"disturbances": "heat"'),),
    ),
    Wrong(
        "its_devices_can_be_watched",
        "the thread sampler still runs",
        (
            (
                "        return lambda since, until",
                "        import threading\n"
                "        threading.Thread(\n"
                "            target=time.sleep, args=(9,), name='sampler', daemon=True\n"
                "        ).start()\n"
                "        return lambda since, until",
            ),
        ),
    ),
]


@pytest.mark.parametrize("wrong", WRONG_PACKAGES, ids=str)
def test_wrong_package_is_found(wrong: Wrong, install: Callable[..., Any]) -> None:
    wrong.must_be_found(RULES, install(*wrong.edits, requires=wrong.requires).plugin())


INSTALLED = "it_is_installed_with_an_entry_point"


@pytest.mark.parametrize(
    ("name", "said"),
    [("no-such-plugin", "No package 'no-such-plugin'"), ("pytest", "has no entry point")],
)
def test_package_that_is_no_plugin_is_found(
    name: str, said: str, install: Callable[..., Any]
) -> None:
    Wrong(INSTALLED, said).must_be_found(RULES, replace(install().plugin(), distribution=name))


def test_every_rule_has_a_package_that_is_wrong() -> None:
    assert {INSTALLED, *(wrong.rule for wrong in WRONG_PACKAGES)} == names(RULES)
