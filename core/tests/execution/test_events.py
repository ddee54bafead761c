"""Events: told in one process, read in another while they are written."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from core_env import FakePlugins
from hypothesis import given
from hypothesis import strategies as st
from toy_jobs import done, failed_model, finished, found, model_of, started
from toy_json import changed, counts, models, numbers, places_in, texts

from turnkeyml.cache.layout import Cache
from turnkeyml.context import RunContext
from turnkeyml.execution.deaths import Trace, trace_of
from turnkeyml.execution.events import (
    EventFile,
    EventListener,
    EventReader,
    JobEvent,
    StepEvent,
    What,
)
from turnkeyml.execution.job import run_job
from turnkeyml.execution.json_values import MALFORMED
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml.plan import make_plan

events = st.builds(
    JobEvent,
    what=st.sampled_from(What),
    step=st.none()
    | st.builds(
        StepEvent,
        number=counts,
        name=texts,
        occurrence=counts,
        identity=texts,
        build=st.none() | texts,
        model=texts,
    ),
    outcome=st.none()
    | st.builds(
        StepOutcome,
        status=st.sampled_from(Status),
        seconds=numbers,
        error=st.none() | texts,
        reused=st.booleans(),
    ),
    models=st.lists(models, max_size=2).map(tuple),
)


@given(events)
def test_an_event_is_read_back_as_it_was(event: JobEvent) -> None:
    assert JobEvent.from_json(json.loads(json.dumps(event.to_json()))) == event


WHOLE = JobEvent(
    What.STEP_FINISHED,
    StepEvent(2, "compile", 1, "abc", "a_1234", "one 1234"),
    StepOutcome(Status.FAILED, 1.5, "no"),
    (failed_model("one"),),
)


@pytest.mark.parametrize("value", [None, 7, -0.5, True, "text", [], {}, [[]], {"a": 1}])
def test_a_value_of_another_type_is_refused_or_does_no_harm(value: Any) -> None:
    data = WHOLE.to_json()
    for place in places_in(data):
        try:
            event = JobEvent.from_json(changed(data, place, value))
        except MALFORMED:
            continue
        assert isinstance(trace_of([event, event]), Trace)
        assert event.step is None or isinstance(event.step.number, int)
        assert event.outcome is None or isinstance(event.outcome.seconds, float)


def test_a_job_tells_all_that_happens_in_it(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\ntwo 2\n")
    registry = toys.registry()
    plan = make_plan(["find", "compile", "act"], ".toy", registry)
    file = EventFile(tmp_path / "events")
    registry.hooks.register(EventListener(file.tell))
    source = Source(tmp_path / "a.toy")
    run_job(source, plan, RunContext(registry, Cache(tmp_path / "cache")))
    told = EventReader(tmp_path / "events").read()
    of_model = ["step_started", "step_finished"] * 2 + ["model_finished"]
    assert [event.what.value for event in told] == [
        "job_started",
        "step_started",
        "step_finished",
        "models_found",
        *of_model * 2,
        "job_finished",
    ]
    names = [m.model.name for e in told if e.what is What.MODELS_FOUND for m in e.models]
    assert names == ["one", "two"]
    assert [m.model.name for e in told if e.what is What.MODEL_FINISHED for m in e.models] == [
        "one",
        "two",
    ]
    steps = [e.step for e in told if e.what is What.STEP_STARTED and e.step]
    assert [s.name for s in steps] == ["find", "compile", "act", "compile", "act"]
    assert steps[0].build is None
    assert steps[1].build is not None


def lines_of(*told: JobEvent, path: Path) -> bytes:
    for event in told:
        EventFile(path).tell(event)
    return path.read_bytes()


def test_a_reader_follows_byte_by_byte(tmp_path: Path) -> None:
    """What is written only in part is read when it is whole."""
    told = [found(model_of("one"), model_of("two")), started("compile", 2, "one"), WHOLE]
    content = lines_of(*told, path=tmp_path / "whole")
    path = tmp_path / "events"
    path.write_bytes(b"")
    reader, seen = EventReader(path), []
    for byte in content:
        with path.open("ab") as file:
            file.write(bytes([byte]))
        seen += reader.read()
    assert seen == told
    assert reader.read() == []


def test_an_event_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    first = lines_of(WHOLE, path=tmp_path / "whole")
    for length in range(len(first)):
        path = tmp_path / "events"
        path.write_bytes(first[:length])
        EventFile(path).tell(started("find", 1))
        told = EventReader(path).read()
        assert told[-1] == started("find", 1)
        # Of the first all may be there but the end of its line.
        assert told[:-1] == ([WHOLE] if length >= len(first) - 1 else [])


HOSTILE = [
    b"\n\n\n",
    b"\0" * 5000 + b"\n",
    b"\xff\xfe\n",
    b"null\n[]\n7\n",
    b'{"what": "job_started"\n',
    b'{"what": "nothing"}\n',
    b'{"what": ["job_started"]}\n',
    b"[" * 200_000 + b"\n",
    b'{"what": "step_started", "step": {"number": 1e999}}\n',
    b'{"what": "models_found", "models": "abc"}\n',
    b'{"what": "step_started", "step": {"name": "x", "more": 1}}\n',
    b'{"what": "job_started", "step": ' + b'{"a":' * 100_000 + b"\n",
    b"9" * 10_000 + b"\n",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_a_line_that_is_no_event_is_left_out(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    EventFile(path).tell(WHOLE)
    assert EventReader(path).read() == [WHOLE]


def test_a_file_that_is_missing_or_none_has_no_events(tmp_path: Path) -> None:
    assert EventReader(tmp_path / "missing").read() == []
    assert EventReader(tmp_path).read() == []
    os.mkfifo(tmp_path / "pipe")
    assert EventReader(tmp_path / "pipe").read() == []
    (tmp_path / "loop").symlink_to("loop")
    assert EventReader(tmp_path / "loop").read() == []


def test_events_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("years of work")
    (tmp_path / "events").symlink_to("precious")
    EventFile(tmp_path / "events").tell(WHOLE)
    assert (tmp_path / "precious").read_text() == "years of work"


def test_a_place_that_cannot_be_written_loses_events_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    EventFile(tmp_path / "no folder" / "events").tell(WHOLE)

    def refuse(number: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    EventFile(tmp_path / "events").tell(WHOLE)
    monkeypatch.undo()
    assert (tmp_path / "events").read_bytes() == b""


def test_a_disk_that_takes_a_part_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, content: write(number, content[:7]))
    EventFile(tmp_path / "events").tell(WHOLE)
    monkeypatch.undo()
    assert EventReader(tmp_path / "events").read() == [WHOLE]


# Where events stop


def traced(*told: JobEvent) -> tuple[list[str], list[str], str | None, bool]:
    trace = trace_of(told)
    return list(trace.found), list(trace.ended), trace.step and trace.step.name, trace.is_over


def test_a_trace_says_what_was_worked_on_when_the_events_stopped() -> None:
    one, two = model_of("one"), model_of("two")
    told = [started("find", 1)]
    assert traced(*told) == ([], [], "find", False)
    told += [finished("find", 1), found(one, two)]
    assert traced(*told) == (["one", "two"], [], None, False)
    told.append(started("compile", 2, "one"))
    assert traced(*told) == (["one", "two"], [], "compile", False)
    told.append(finished("compile", 2, "one"))
    assert traced(*told) == (["one", "two"], [], "compile", True)
    told.append(done(one))
    assert traced(*told) == (["one", "two"], ["one"], None, False)
    assert traced() == ([], [], None, False)
    # Events that lack what they should have say nothing.
    assert traced(JobEvent(What.STEP_STARTED), JobEvent(What.STEP_FINISHED)) == (
        [],
        [],
        None,
        False,
    )
