"""Worker processes: started by path, measured, and accounted for however they end."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import BuildError
from turnkeyml.worker.process import (
    WorkerOrder,
    WorkerResult,
    run_task,
    run_worker,
    run_worker_once,
)
from turnkeyml.worker.tensors import ITEM_SIZES, RawTensor, read_tensors, write_tensors

SESSION = """
import os, sys, time
class Session:
    def infer(self):
        {infer}
    def describe(self):
        return {describe}
    def close(self):
        pass
def open_session(request):
    {setup}
    return Session()
"""

Run = Callable[..., WorkerResult]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a worker made of three pieces of code; temporary files have a folder of their own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    write_inputs(inputs, {})

    def go(
        infer: str = "return sum(range(1000))",
        describe: str = "{'version': '1'}",
        setup: str = "pass",
        **more: object,
    ) -> WorkerResult:
        worker = tmp_path / "worker.py"
        text = SESSION.format(infer=infer, describe=describe, setup=setup)
        worker.write_text(textwrap.dedent(text))
        order = WorkerOrder(worker, tmp_path / "model", inputs, {}, 3, {"a": 1})
        try:
            return run_worker(order, environment={"TOY": "yes"}, **more)
        finally:
            assert list((tmp_path / "tmp").iterdir()) == [], "temporary files are left"

    return go


def write_inputs(folder: Path, arguments: dict, raw: bytes = b"") -> None:
    (folder / "inputs.json").write_text(json.dumps({"schema": 1, "arguments": arguments}))
    (folder / "inputs.bin").write_bytes(raw)


def test_a_worker_gives_numbers_facts_and_samples(run: Run) -> None:
    found = run()
    assert found.summary["iterations"] == 3
    assert found.summary["load_ms"] >= 0
    assert found.facts == {"version": "1"}
    assert len(found.samples["timed_ns"]) == 3
    assert found.samples["first_ns"] > 0


def test_a_worker_gets_its_arguments_model_and_environment(run: Run, tmp_path: Path) -> None:
    found = run(
        setup="global seen; seen = [str(request.model), request.arguments, os.environ['TOY']]",
        describe="{'seen': seen}",
    )
    assert found.facts["seen"] == [str(tmp_path / "model"), {"a": 1}, "yes"]


def test_a_worker_sees_neither_turnkey_nor_its_folder_on_the_path(run: Run) -> None:
    found = run(describe="{'path': sys.path, 'mods': sorted(sys.modules)}")
    assert not any(Path(p).name == "worker" for p in found.facts["path"])
    assert "turnkeyml" not in found.facts["mods"]


def test_a_worker_runs_with_a_python_that_has_no_turnkey(run: Run, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    python.chmod(0o755)
    setup = """
    try:
        import turnkeyml
    except ImportError:
        pass
    else:
        raise RuntimeError('turnkeyml is there')
    """
    assert run(setup=setup.strip().replace("\n    ", "\n    "), python=python).facts


@pytest.mark.parametrize(
    ("infer", "said"),
    [
        ("os.kill(os.getpid(), 11)", "was ended by SIGSEGV before it gave a result"),
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL; probably out of memory before"),
        ("os.abort()", "was ended by SIGABRT"),
        ("os._exit(7)", "ended with exit code 7 before it gave a result"),
        ("os._exit(0)", "ended with exit code 0 before it gave a result"),
        ("sys.exit(3)", "ended with exit code 3"),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("raise MemoryError", "MemoryError"),
    ],
)
def test_a_worker_that_ends_badly_says_how(run: Run, infer: str, said: str, capfd) -> None:
    with pytest.raises(BuildError) as caught:
        run(infer=infer)
    assert said in caught.value.message


def test_the_traceback_of_a_worker_goes_to_the_log(run: Run, capfd) -> None:
    with pytest.raises(BuildError, match="ValueError: deep"):
        run(setup="raise ValueError('deep')")
    text = capfd.readouterr().err
    assert "Traceback" in text
    assert "open_session" in text


def test_a_worker_with_a_syntax_error_says_so(run: Run, capfd) -> None:
    with pytest.raises(BuildError, match="SyntaxError"):
        run(setup="def (")


def test_facts_that_are_no_json_are_an_error_with_its_reason(run: Run, capfd) -> None:
    with pytest.raises(BuildError, match="not JSON serializable"):
        run(describe="{'x': object()}")


def test_what_a_worker_prints_goes_where_our_output_goes_however_much(run: Run, capfd) -> None:
    found = run(infer="print('x' * 3_000_000); os.write(2, b'y' * 100_000)")
    captured = capfd.readouterr()
    assert len(captured.out) > 9_000_000
    assert len(captured.err) >= 100_000
    assert found.summary["iterations"] == 3


def test_a_worker_ends_with_the_one_who_is_interrupted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*details: object) -> None:
        if (tmp_path / "pid").exists():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    setup = f"open({str(tmp_path / 'tmp-pid')!r}, 'w').write(str(os.getpid()))"
    rename = f"os.rename({str(tmp_path / 'tmp-pid')!r}, {str(tmp_path / 'pid')!r})"
    try:
        with pytest.raises(KeyboardInterrupt):
            run(setup=f"{setup}; {rename}; time.sleep(60)")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_worker_tells_when_it_timed(run: Run) -> None:
    before = time.perf_counter()
    found = run(infer="time.sleep(0.001)", setup="time.sleep(0.1)")
    began, ended = found.window_s
    assert before + 0.1 < began < ended < time.perf_counter()
    assert ended - began >= sum(found.samples["timed_ns"]) / 1e9


def test_a_worker_in_another_environment_gets_none_of_our_packages(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/ours")
    paths = "{'path': sys.path}"
    assert "/ours" in run(describe=paths).facts["path"]
    assert "/ours" not in run(describe=paths, python=Path(sys.executable)).facts["path"]


def test_a_worker_reads_no_input_of_ours(run: Run) -> None:
    assert run(setup="assert sys.stdin.read() == ''").facts


OUTPUTS_SESSION = """
import os
from types import SimpleNamespace

class Array:
    # As much of an array of NumPy as is needed.
    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, shape, data

    def tobytes(self):
        return self.data

class DType:
    def __init__(self, name):
        self.name = name
    def __str__(self):
        return self.name

class Session:
    outputs = ["y", "z"]
    runs = 0

    def infer(self):
        self.runs += 1
        return [Array(DType("int16"), (2,), b"abcd"), Array(DType("bool"), (), b"\1")]

    def describe(self):
        return {"version": "7", "runs": self.runs, "toy": os.environ["TOY"]}

    def close(self):
        print("closed", flush=True)

    EXTRA

def open_session(request):
    return Session()
"""


@pytest.fixture
def run_once(tmp_path: Path):
    """Let a worker with a method more run once; gives its answer and the outputs it wrote."""
    write_inputs(tmp_path, {})

    def go(extra: str = "pass"):
        worker = tmp_path / "worker.py"
        worker.write_text(OUTPUTS_SESSION.replace("EXTRA", extra))
        order = WorkerOrder(worker, tmp_path / "model", tmp_path, {}, 100)
        found = run_worker_once(order, tmp_path / "out", environment={"TOY": "yes"})
        if not (tmp_path / "out").exists():
            return found, None
        tensors = read_tensors(tmp_path / "out")
        return found, {n: (t.dtype, t.shape, bytes(t.data)) for n, t in tensors.items()}

    return go


def test_a_worker_that_runs_once_keeps_its_outputs_by_name_and_order(run_once, capfd) -> None:
    found, outputs = run_once()
    assert found.facts == {"version": "7", "runs": 1, "toy": "yes"}
    assert found.unavailable == ""
    assert list(outputs) == ["y", "z"]
    assert outputs == {"y": ("int16", (2,), b"abcd"), "z": ("bool", (), b"\1")}
    assert "closed" in capfd.readouterr().out


def test_a_worker_may_turn_its_outputs_into_tensors_itself(run_once) -> None:
    _, outputs = run_once(
        "def tensors(self, outputs):\n"
        "        bits = memoryview(b'xy')\n"
        "        return {'own': SimpleNamespace(dtype='bfloat16', shape=(1,), data=bits)}"
    )
    assert outputs == {"own": ("bfloat16", (1,), b"xy")}


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        ("3", "one inference gives int, which is no tensor"),
        ("[Array(DType('int8'), (1,), b'1'), 'text']", "the output 'z' is str, which is no tensor"),
        ("{'a': Array(DType('object'), (1,), b'')}", "the output 'a' has the dtype object"),
    ],
)
def test_outputs_that_are_no_tensors_are_not_kept_and_the_reason_is_said(
    run_once, returned: str, reason: str
) -> None:
    found, outputs = run_once(f"def infer(self):\n        return {returned}")
    assert reason in found.unavailable
    assert outputs is None
    assert found.facts["version"] == "7"


def test_a_worker_that_cannot_run_the_model_once_says_why(run_once, capfd) -> None:
    with pytest.raises(BuildError, match="TypeError: not that shape"):
        run_once("def infer(self):\n        raise TypeError('not that shape')")
    assert "closed" in capfd.readouterr().out


def test_tensors_are_read_by_name_also_from_containers(tmp_path: Path) -> None:
    def tensor(dtype: str, shape: list[int], offset: int, size: int) -> dict:
        return {"type": "tensor", "dtype": dtype, "shape": shape, "offset": offset, "nbytes": size}

    write_inputs(
        tmp_path,
        {
            "x": tensor("float32", [2], 0, 8),
            "scalar": tensor("bfloat16", [], 8, 2),
            "empty": tensor("int64", [0, 3], 0, 0),
            "text": {"type": "value", "value": "hello"},
            "past": {
                "type": "tuple",
                "items": [
                    {"type": "dict", "keys": ["k"], "items": [tensor("uint8", [1], 10, 1)]},
                    {"type": "namedtuple", "fields": ["x"], "items": [tensor("int8", [], 1, 1)]},
                    {"type": "list", "items": []},
                ],
            },
        },
        bytes(range(11)),
    )
    found = read_tensors(tmp_path)
    assert list(found) == ["x", "scalar", "empty", "past.0.k", "past.1.x"]
    assert bytes(found["x"].data) == bytes(range(8))
    assert (found["scalar"].dtype, found["scalar"].shape) == ("bfloat16", ())
    assert bytes(found["past.0.k"].data) == b"\n"
    assert bytes(found["empty"].data) == b""
    for one in found.values():
        one.data.release()


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "float33"},
        {"shape": [3]},
        {"shape": [-2]},
        {"shape": [2.0]},
        {"nbytes": 7},
        {"offset": 1},
        {"offset": -1},
    ],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path: Path, change: dict) -> None:
    node = {"type": "tensor", "dtype": "float32", "shape": [2], "offset": 0, "nbytes": 8, **change}
    write_inputs(tmp_path, {"x": node}, bytes(8))
    with pytest.raises(ValueError, match="input 'x'"):
        read_tensors(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {"schema": 2, "arguments": {}},
        {"schema": 1},
        {"schema": 1, "arguments": []},
        {"schema": 1, "arguments": {"x": 3}},
        {"schema": 1, "arguments": {"x": {"type": "tensor"}}},
        {"schema": 1, "arguments": {"x": {"type": "dict", "keys": ["a"], "items": []}}},
    ],
)
def test_another_file_is_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / "inputs.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"not a file of captured inputs|malformed|argument 2"):
        read_tensors(tmp_path)


@given(
    st.sampled_from(sorted(ITEM_SIZES)),
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(-2, 70),
    st.integers(-2, 70),
)
def test_no_tensor_reaches_outside_its_file(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shape: list[int], offset: int, size: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    node = {"type": "tensor", "dtype": dtype, "shape": shape, "offset": offset, "nbytes": size}
    write_inputs(folder, {"x": node}, bytes(64))
    try:
        found = read_tensors(folder)["x"]
    except ValueError:
        return
    assert len(found.data) == size
    assert 0 <= offset <= 64 - size


def test_a_task_runs_elsewhere_and_gives_what_it_returns(tmp_path: Path) -> None:
    script = tmp_path / "task.py"
    script.write_text(
        "import os, sys\n"
        "def run(arguments):\n"
        "    return {'sum': arguments['a'] + 1, 'pid': os.getpid(), 'toy': os.environ['TOY'],\n"
        "            'turnkey': 'turnkeyml' in sys.modules}\n"
    )
    found = run_task(script, {"a": 2}, environment={"TOY": "yes"})
    assert (found["sum"], found["toy"], found["turnkey"]) == (3, "yes", False)
    assert found["pid"] != os.getpid()
    assert found["peak_memory_bytes"] > 1 << 20


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no\\nsuch thing')", "^ValueError: no such thing"),
        ("return {'error': 'The graph has a cycle.'}", "^The graph has a cycle."),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("import os; os._exit(3)", "exit code 3"),
    ],
)
def test_a_task_that_fails_says_how(tmp_path: Path, body: str, message: str) -> None:
    script = tmp_path / "task.py"
    script.write_text(f"def run(arguments):\n    {body}\n")
    with pytest.raises(BuildError, match=message):
        run_task(script, {})


def test_tensors_that_are_written_are_read_back(tmp_path: Path) -> None:
    given = {
        "a": RawTensor("float32", (2, 1), memoryview(b"12345678")),
        "empty": RawTensor("int64", (0, 3), memoryview(b"")),
        "b.c": RawTensor("bool", (), memoryview(b"\1")),
    }
    files = write_tensors(tmp_path / "made" / "here", given)
    assert sorted(p.name for p in (tmp_path / "made" / "here").iterdir()) == sorted(files)
    found = read_tensors(tmp_path / "made" / "here")
    assert {n: (t.dtype, t.shape, bytes(t.data)) for n, t in found.items()} == {
        n: (t.dtype, t.shape, bytes(t.data)) for n, t in given.items()
    }
