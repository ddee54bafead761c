"""Random scripts made of idioms: found equals expected."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnkeyml_torch import Recorder, run_script

PRELUDE = """\
import threading, types, torch
class Net(torch.nn.Module):
    def __init__(this, width):
        super().__init__()
        this.fc = torch.nn.Linear(width, width)
        this.act = torch.nn.ReLU()
    def forward(this, x, scale=None):
        return this.act(this.fc(x))
"""


class Idiom(NamedTuple):
    """Lines of a script, and the name of the model in them, if there is one.

    `{n}` is the number of the step, `{x}` an input that fits, `{many}` the head of a loop.
    """

    lines: str
    name: str | None


IDIOMS = (
    Idiom("net{n} = Net({w})\n{many}net{n}({x})", "net{n}"),
    Idiom("net{n} = Net({w})\n{many}net{n}.forward({x})", "net{n}"),
    Idiom("nets{n} = [None, Net({w})]\n{many}nets{n}[1]({x})", "nets{n}[1]"),
    Idiom("d{n} = dict(k=Net({w}))\n{many}d{n}['k']({x})", "d{n}['k']"),
    Idiom("o{n} = types.SimpleNamespace(m=Net({w}))\n{many}o{n}.m.forward(x={x})", "o{n}.m"),
    Idiom(
        "net{n} = Net({w})\ndef work{n}():\n    {many}net{n}({x})\n"
        "thread = threading.Thread(target=work{n})\nthread.start()\nthread.join()",
        "net{n}",
    ),
    Idiom(
        "net{n} = Net({w})\ntry:\n    net{n}(torch.ones(1, 9))\nexcept RuntimeError: pass\n"
        "{many}net{n}({x})",
        "net{n}",
    ),
    Idiom("net{n} = torch.nn.Sequential(Net({w}), Net({w}))\n{many}net{n}({x})", "net{n}"),
    Idiom("net{n} = Net({w})\ndp{n} = torch.nn.DataParallel(net{n})\n{many}dp{n}({x})", "dp{n}"),
    Idiom("net{n} = torch.nn.LazyLinear({w})\n{many}net{n}({x})", "net{n}"),
    Idiom("net{n} = Net({w})\n{many}net{n}({x}).sum().backward()", "net{n}"),
    Idiom("net{n} = Net({w})\nwith torch.no_grad():\n    {many}net{n}({x})", "net{n}"),
    Idiom("fx{n} = torch.fx.symbolic_trace(Net({w}))\n{many}fx{n}({x})", "fx{n}"),
    Idiom(
        "def local{n}():\n    inner{n} = Net({w})\n    {many}inner{n}({x})\nlocal{n}()", "inner{n}"
    ),
    Idiom("idle{n} = Net({w})", None),
    Idiom("{many}torch.nn.Softmax(-1)({x})", None),
)


class Step(NamedTuple):
    idiom: Idiom
    width: int
    times: int


STEPS = st.lists(
    st.builds(Step, st.sampled_from(IDIOMS), st.integers(1, 4), st.integers(1, 3)),
    min_size=1,
    max_size=6,
)


def check(steps: list[Step], folder: Path) -> None:
    script, expected = PRELUDE, []
    for number, step in enumerate(steps):
        fill = {
            "n": number,
            "w": step.width,
            "x": f"torch.ones(1, {step.width})",
            "many": f"for _ in range({step.times}): ",
        }
        script += step.idiom.lines.format(**fill) + "\n"
        if step.idiom.name is not None:
            expected.append((step.idiom.name.format(**fill), step.times, (1, step.width)))
    path = folder / "script.py"
    path.write_text(script)
    with Recorder() as recorder:
        end = run_script(path)
    assert end.exception is None, end.traceback_text
    found = [
        (model.name, model.calls, next(iter(invocation.signature.shapes().values())))
        for model in recorder.models
        for invocation in model.invocations
    ]
    assert found == expected


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_found_equals_expected_in_random_scripts(
    steps: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(steps, tmp_path_factory.mktemp("scripts"))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_found_equals_expected_in_a_thousand_random_scripts(
    steps: list[Step], tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(steps, tmp_path_factory.mktemp("scripts"))
