"""Runtimes that are wrong on purpose: each is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wrong import Wrong, before, names

from turnkeyml.testing.runtime_rules import RUNTIME_RULES
from turnkeyml.testing.runtime_run_rules import RUNTIME_RUN_RULES

RULES = [*RUNTIME_RULES, *RUNTIME_RUN_RULES]

RT = "right-rt"
INIT = "        self.effort, self.names, self.loud = effort, names, loud"
SETUP = "        self.content = load(self.model)"
INFERRED = "        sum(range(3_000 * self.effort))"
WRONG_RUNTIMES = [
    Wrong(
        "its_class_keeps_the_contract",
        "a class that has device_name()",
        (
            (
                "    def device_name(self):\n        return self.context",
                "    def device(self):\n        return self.context",
            ),
        ),
        RT,
    ),
    Wrong(
        "it_is_written_in_one_of_the_three_ways",
        "It has no infer(), no worker, no _execute() and no benchmark()",
        (("    def infer(self):", "    def infre(self):"),),
        RT,
    ),
    Wrong(
        "it_is_written_in_one_of_the_three_ways",
        "It has _execute(), and no throughput()",
        (("    def throughput(self):", "    def throughptu(self):"),),
        "right-outside",
    ),
    Wrong(
        "its_arguments_can_be_given_as_text",
        "effort has the default 1 and no annotation",
        (("effort: int = 1", "effort=1"),),
        RT,
    ),
    Wrong(
        "its_arguments_can_be_given_as_text",
        "which text cannot become",
        (("effort: int = 1", "effort: dict[str, int] = None"),),
        RT,
    ),
    Wrong(
        "its_arguments_can_be_given_as_text",
        "The annotation of effort is not known",
        (("effort: int = 1", "effort: Effort = 1"),),
        RT,
    ),
    Wrong(
        "wrong_arguments_are_refused_before_anything_runs",
        "--rt-args effort::much is refused",
        (),
        RT,
        {"rt_args": (("effort::much",),)},
    ),
    Wrong(
        "its_worker_needs_nothing_of_turnkey",
        "RIGHT_worker.py imports turnkeyml.errors in line 3".replace("RIGHT_", ""),
        (
            (
                '"""The worker of the right plugin."""\n',
                '"""A worker."""\n\nfrom turnkeyml.errors import BuildError\n',
            ),
        ),
        "right-worker",
    ),
    Wrong(
        "its_worker_needs_nothing_of_turnkey",
        "has no function open_session",
        (("def open_session(", "def open_sesame("),),
        "right-worker",
    ),
    Wrong(
        "its_worker_needs_nothing_of_turnkey",
        "There is no file",
        (('worker = "RIGHT_worker.py"', 'worker = "wroker.py"'),),
        "right-worker",
    ),
    Wrong(
        "what_its_worker_imports_is_named",
        "worker_packages is 'pluggy', and no tuple of names",
        (('worker_packages = ("pluggy",)', 'worker_packages = "pluggy"'),),
        "right-worker",
    ),
    Wrong(
        "what_its_worker_imports_is_named",
        "It has worker_packages, and no worker",
        (('    worker = "RIGHT_worker.py"\n', ""),),
        "right-worker",
    ),
    Wrong(
        "what_its_worker_imports_is_named",
        "has no no-such-package",
        (('("pluggy",)', '("no-such-package",)'),),
        "right-worker",
    ),
    Wrong(
        "its_threads_are_a_number",
        "It does not take threads::2",
        (("threads: int | None", "threads: bool"),),
        "right-worker",
    ),
    Wrong(
        "its_threads_are_a_number",
        "It takes threads::2 as '2'",
        (("threads: int | None", "threads: str | None"),),
        "right-worker",
    ),
    Wrong(
        "making_one_does_not_load_the_model",
        "Without its model, __init__ raises FileNotFoundError",
        ((INIT, f"{INIT}\n        load(self.model)"),),
        RT,
    ),
    Wrong(
        "making_one_does_not_load_the_model",
        "the environment variable WRONG was set",
        ((INIT, f"{INIT}\n        os.environ['WRONG'] = '1'"),),
        RT,
    ),
    Wrong(
        "it_measures_its_model",
        "With --rt-args (none) it raised RuntimeError: no luck",
        before(INFERRED, "raise RuntimeError('no luck')"),
        RT,
    ),
    Wrong(
        "it_measures_its_model",
        "which cannot be",
        (("        return 1 / self._seconds()", "        return 0"),),
        "right-outside",
    ),
    Wrong(
        "its_latency_is_in_ms_and_its_throughput_per_second",
        "and the whole benchmark took",
        (
            ("        return 1000 * self._seconds()", "        return 1 / self._seconds() "),
            ("        return 1 / self._seconds()\n", "        return 1000 * self._seconds()\n"),
        ),
        "right-outside",
    ),
    Wrong(
        "its_latency_is_in_ms_and_its_throughput_per_second",
        "one after the other, the throughput is not",
        (("        return 1000 * self._seconds()", "        return self._seconds()"),),
        "right-outside",
    ),
    Wrong(
        "its_samples_are_positive_and_as_many_as_asked_for",
        "There are 3 samples of 12 iterations",
        ((SETUP, f"{SETUP}\n        self.iterations = 3"),),
        RT,
    ),
    Wrong(
        "its_performance_is_complete",
        "build_name is ''",
        (("            build_name=self.build_name,\n", ""),),
        "right-own",
    ),
    Wrong(
        "its_performance_is_complete",
        "which is no JSON value",
        (('facts={"form": 3}', 'facts={"form": self}'),),
        "right-own",
    ),
    Wrong(
        "its_performance_is_complete",
        "The verdict is 'fine'",
        (('facts={"form": 3}', 'verdict="fine"'),),
        "right-own",
    ),
    Wrong(
        "it_names_its_device_and_its_version",
        "device_name() gives ''",
        (("return self.context.device_info.full_name()", "return ''"),),
        RT,
    ),
    Wrong(
        "it_names_its_device_and_its_version",
        "The version is 1.0",
        (('return "1.0"', "return 1.0"),),
        RT,
    ),
    Wrong(
        "its_status_stats_are_there",
        "It saves no model_bytes",
        (('save_model_eval_stat("model_bytes"', 'save_model_eval_stat("model_size"'),),
        RT,
    ),
    Wrong(
        "it_is_set_up_once_before_its_first_use",
        "_setup() was called 2 times",
        ((INIT, f"{INIT}\n        self._setup()"),),
        RT,
    ),
    Wrong(
        "it_is_set_up_once_before_its_first_use",
        "infer() was called before _setup()",
        ((INIT, f"{INIT}\n        self.infer()"),),
        RT,
    ),
    Wrong(
        "it_is_torn_down_once_also_after_a_failure",
        "After a model that cannot be loaded, _teardown() raised AttributeError",
        (("        self.content = None", "        del self.content"),),
        RT,
    ),
    Wrong(
        "it_is_torn_down_once_also_after_a_failure",
        "After a benchmark, _teardown() was called",
        before(INFERRED, "self._teardown()"),
        RT,
    ),
    Wrong(
        "it_is_torn_down_once_also_after_a_failure",
        "reported as one that went well",
        (
            (
                "    def mean_latency(self):",
                "    def benchmark(self):\n        try:\n            return super().benchmark()\n"
                "        except Exception:\n"
                "            return self._performance(1.0, 1000.0)\n\n    def mean_latency(self):",
            ),
        ),
        "right-outside",
    ),
    Wrong(
        "a_model_that_it_cannot_load_gives_no_numbers",
        "It measured a file that is no model",
        ((SETUP, "        self.content = b''"),),
        RT,
    ),
    Wrong(
        "it_writes_only_into_its_folder",
        "It wrote or changed work/wrong.txt",
        ((SETUP, f"{SETUP}\n        Path('wrong.txt').touch()"),),
        RT,
    ),
    Wrong(
        "it_writes_only_into_its_folder",
        "inputs/inputs.bin",
        ((SETUP, f"{SETUP}\n        (self.inputs.folder / 'inputs.bin').write_bytes(b'')"),),
        RT,
    ),
    Wrong(
        "it_leaves_the_process_as_it_was",
        "the environment variable WRONG was set",
        ((SETUP, f"{SETUP}\n        os.environ['WRONG'] = '1'"),),
        RT,
    ),
    Wrong(
        "its_outputs_are_right_and_can_be_read",
        "The model computes (1.5, 0.0",
        (("float_tensor(SHAPE, Y)", "float_tensor(SHAPE, Y[::-1])"),),
        RT,
    ),
    Wrong(
        "its_outputs_are_right_and_can_be_read",
        "it gives x, y",
        (('return {"y":', 'return {"x": float_tensor((1,), (1.0,)), "y":'),),
        RT,
    ),
]


@pytest.mark.parametrize("wrong", WRONG_RUNTIMES, ids=str)
def test_wrong_runtime_is_found(wrong: Wrong, install: Callable[..., Any]) -> None:
    wrong.must_be_found(RULES, install(*wrong.edits).runtime(wrong.of, **wrong.more))


def test_every_rule_has_a_runtime_that_is_wrong() -> None:
    assert {wrong.rule for wrong in WRONG_RUNTIMES} == names(RULES)
