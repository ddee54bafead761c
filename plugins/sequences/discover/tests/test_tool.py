"""The tool `discover`: from a script to states."""

from __future__ import annotations

import pytest

from turnkeyml.artifacts import INPUTS, PYTORCH_MODEL
from turnkeyml.cache import Cache
from turnkeyml.context import RunContext
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.inputs import Source
from turnkeyml.plugins.registry import Registry
from turnkeyml_plugin_discover.tool import Discover, DiscoverOptions, split_words

TWO_SHAPES = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
for batch in (1, 2, 1):
    net(torch.rand(batch, 4))
"""


@pytest.fixture
def discover(tmp_path):
    def run(text, hashes=(), name="script.py", **options):
        path = tmp_path / name
        path.write_text(text)
        context = RunContext(
            Registry(), Cache(tmp_path / "cache"), first_step=("discover", "0" * 8)
        )
        states, error = [], None
        try:
            for state in Discover().start(
                Source(path, hashes), DiscoverOptions(**options), context
            ):
                states.append(state)
        except BuildError as failure:
            error = failure
        return states, error, context.notes

    return run


def test_each_input_shape_is_a_state_of_its_own(discover):
    states, error, _ = discover(TWO_SHAPES)
    assert error is None
    assert [s.model.input_shapes for s in states] == [{"input": (1, 4)}, {"input": (2, 4)}]
    assert [s.model.executions for s in states] == [2, 1]
    assert len({s.model.digest for s in states}) == len({s.name for s in states}) == 2
    assert states[0].model.group == states[1].model.group


def test_state_carries_the_live_model_and_its_inputs(discover):
    states, _, _ = discover(TWO_SHAPES)
    live = states[1].newest(PYTORCH_MODEL).live
    assert type(live.module).__name__ == "Sequential"
    assert live.args[0].shape == (2, 4)
    folder = states[1].build.path / states[1].newest(INPUTS).info["folder"]
    assert (folder / "inputs.bin").stat().st_size == 2 * 4 * 4


def test_same_script_gives_the_same_hashes_and_build_names(discover):
    first, _, _ = discover(TWO_SHAPES)
    second, _, _ = discover(TWO_SHAPES)
    assert [s.name for s in first] == [s.name for s in second]


def test_script_without_a_seed_gives_the_same_hash_each_time(discover):
    text = "import torch\ntorch.nn.Linear(4, 3)(torch.rand(4))\n"
    first, _, _ = discover(text)
    second, _, _ = discover(text)
    assert first[0].model.digest == second[0].model.digest


def test_equal_models_of_one_script_have_builds_of_their_own(discover):
    text = """
import torch
for _ in range(2):
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 3)
    model(torch.zeros(4))
"""
    states, _, _ = discover(text)
    assert len(states) == 2
    assert states[0].model.digest == states[1].model.digest
    assert states[0].name != states[1].name


def test_hash_selects_and_the_other_is_still_shown(discover):
    states, _, _ = discover(TWO_SHAPES)
    wanted = states[1].model.short_hash
    again, _, _ = discover(TWO_SHAPES, hashes=(wanted,))
    assert [s.selected for s in again] == [False, True]
    assert again[0].artifacts == []


def test_modules_inside_appear_under_their_parent_when_asked_for(discover):
    states, _, _ = discover(TWO_SHAPES, max_depth=1)
    children = [s.model for s in states if s.model.depth == 1]
    assert {c.parent for c in children} == {states[0].model.group}
    assert any("Linear" in c.class_name for c in children)
    assert all(c.location == "" for c in children)


def test_script_arguments_reach_the_script(discover):
    text = """
import sys, torch
torch.nn.Linear(4, 3)(torch.zeros(int(sys.argv[1].partition("=")[2]), 4))
"""
    states, _, _ = discover(text, script_args="--batch=7 'one word'")
    assert states[0].model.input_shapes == {"input": (7, 4)}


def test_arguments_with_an_open_quotation_mark_are_refused():
    with pytest.raises(PlanError, match="cannot be split into words: No closing quotation"):
        split_words("--name 'x")


def test_models_called_in_other_processes_only_are_told_of(discover):
    body = (
        "import os, torch\nif os.fork() == 0:\n    torch.nn.Linear(4, 3)(torch.zeros(4))\n"
        "    sum(range(10**7))\nelse:\n    os.wait()\n"
    )
    states, error, notes = discover(body)
    assert states == []
    assert "calls no PyTorch model" in str(error)
    assert "The script ran other processes; models called only there are not seen." in notes


def test_what_was_found_before_os_exit_goes_on(discover):
    states, error, notes = discover(TWO_SHAPES + "import os\nos._exit(0)\n")
    assert (len(states), error) == (2, None)
    assert "The script ended itself with os._exit." in notes
    states, error, _ = discover(TWO_SHAPES + "import os\nos._exit(9)\n")
    assert len(states) == 2
    assert "exit code 9" in str(error)


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("import os; rank = int(os.environ['LOCAL_RANK'])", "meant for torchrun"),
        ("import torch; torch.distributed.init_process_group('gloo')", "meant for torchrun"),
        ("raise EOFError", "turnkey passes its own on"),
        ("raise ValueError('a rank of 3')", "Its traceback is in the log."),
    ],
)
def test_script_that_raises_is_answered_with_what_to_do(discover, line, advice, monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    states, error, _ = discover(TWO_SHAPES + line + "\n")
    assert len(states) == 2
    assert advice in str(error.hint)


def test_what_was_found_before_an_exception_goes_on(discover):
    states, error, _ = discover(TWO_SHAPES + "raise ValueError('too late')\n")
    assert len(states) == 2
    assert "The script raised ValueError: too late. What was found before goes on." in str(error)


def test_exit_with_zero_is_a_note_and_with_three_a_failure(discover):
    states, error, notes = discover(TWO_SHAPES + "raise SystemExit(0)\n")
    assert (len(states), error) == (2, None)
    assert "The script ended itself with sys.exit." in notes
    states, error, _ = discover(TWO_SHAPES + "raise SystemExit(3)\n")
    assert len(states) == 2
    assert "exit code 3" in str(error)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import torch\ntorch.nn.Linear(4, 3)\n", "made but never called"),
        ("import torch\ntorch.nn.ReLU()(torch.zeros(4))\n", "without parameters"),
        (
            "import torch\ntry:\n    torch.nn.Linear(4, 3)(torch.zeros(5))\n"
            "except RuntimeError:\n    pass\n",
            "raised whenever called",
        ),
        (
            "import torch\nnet = torch.nn.Linear(4, 3)\n@torch.compile(backend='eager')\n"
            "def call(x):\n    return net(x)\ncall(torch.zeros(1, 4))\n",
            "take torch.compile off the function, or compile the model instead",
        ),
        (
            "import torch\n@torch.compile(backend='eager')\ndef call(x):\n    return x + 1\n",
            "made but never called",
        ),
    ],
)
def test_script_without_a_model_is_told_why(discover, text, reason):
    states, error, _ = discover(text)
    assert states == []
    assert "calls no PyTorch model" in str(error)
    assert reason in str(error)


def test_part_that_is_only_tried_while_the_model_is_made_is_told_of(discover):
    text = """
import torch

class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Linear(4, 3)
        self.head = torch.nn.Linear(self.body(torch.ones(1, 4)).shape[-1], 2)
    def forward(self, x):
        return self.head(self.body(x))

model = Classifier()
model(torch.ones(5, 4))
"""
    states, error, notes = discover(text)
    assert error is None
    assert [s.model.name for s in states] == ["model"]
    assert "Called only while the model was made, so no models of their own: model.body." in notes


def test_training_mode_is_noted(discover):
    _, _, notes = discover(TWO_SHAPES)
    assert notes == ["The script calls net in training mode; what goes on is in evaluation mode."]


def test_invocations_beyond_the_limit_are_counted(discover):
    states, _, notes = discover(TWO_SHAPES, max_invocations=1)
    assert len(states) == 1
    assert any("called 1 more times" in note for note in notes)


def test_inputs_that_are_not_kept_have_the_same_shape_and_other_values(discover):
    text = "import torch\ntorch.nn.Linear(4, 3)(torch.full((2, 4), 7.25))\n"
    kept, _, _ = discover(text)
    random, _, _ = discover(text, keep_inputs=False)
    values = [s[0].newest(PYTORCH_MODEL).live.args[0] for s in (kept, random)]
    assert values[0].shape == values[1].shape
    assert (values[0] == 7.25).all()
    assert not (values[1] == 7.25).any()
