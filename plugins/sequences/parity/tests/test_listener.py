"""A chain whose steps are checked, with a model, files and runtimes that are fakes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from parity_support import FakeChip, FakeModel, FakeRT, damage, raw, written

from turnkeyml.errors import BuildError
from turnkeyml.outcomes import Status, StepOutcome
from turnkeyml_plugin_parity.listener import after_step

Y = np.float32([[1, 2, 3], [4, 6, 5]])


def model(**how):
    return FakeModel(lambda seed: {"logits": Y}, **how)


def test_a_file_that_computes_what_the_model_returns_is_ok(chain):
    chain.begin(model())
    found = chain.step("export", {"y": Y + np.float32(1e-6)})
    assert found["status"] == "ok"
    assert found["worst_output"] == "logits"
    assert 0 < found["max_abs"] < 1e-5
    assert (found["runtime"], found["runtime_version"], found["device"]) == ("fake", "9.9", "chip")
    assert (found["reference"], found["caveat"]) == ("eager (torch 0.0)", "")
    assert chain.summary["status"] == "ok"
    assert chain.summary["checked"] == ["export"]
    assert chain.notes == []


def test_the_first_stage_that_departs_is_named_and_later_ones_are_no_news(chain):
    chain.begin(model())
    assert chain.step("export", {"y": Y})["status"] == "ok"
    assert chain.step("spoil", {"y": Y * 2})["status"] == "mismatch"
    assert chain.step("shrink", {"y": Y * 2})["status"] == "mismatch"
    assert chain.summary["departs_at"] == "spoil"
    assert chain.summary["status"] == "mismatch"
    assert chain.state.findings == {"Parity": "departs from the model at spoil"}
    (note,) = chain.notes
    assert note.startswith(
        "net.py net: spoil departs from eager: output 'logits' differs by up to 6, relative 1 "
        "(tolerance 0.0001 for float32). The numbers are in "
    )
    assert note.endswith("turnkey_stats.yaml")


def test_a_mismatch_fails_the_step_if_the_user_wants_that(chain):
    chain.settings["on_mismatch"] = "fail"
    chain.begin(model())
    with pytest.raises(BuildError, match="spoil departs from eager") as caught:
        chain.step("spoil", {"y": Y * 2})
    assert "turnkey_stats.yaml" in caught.value.hint
    assert chain.summary["departs_at"] == "spoil"
    assert chain.notes == []


@pytest.mark.parametrize(
    ("outputs", "status", "reason"),
    [
        ({"y": Y.T}, "mismatch", "has the shape 3x2"),
        ({"y": np.full_like(Y, np.nan)}, "mismatch", "is NaN in 6 of 6 values"),
        ({"y": np.full_like(Y, np.inf)}, "mismatch", "overflows to infinity"),
        ({"y": Y.astype(np.int64)}, "mismatch", "is int64, and eager gives float32"),
        ({"y": Y, "z": Y}, "not checked", "2 outputs stand against 1 of eager"),
        ({"y": "text"}, "not checked", "fake returns no outputs: the output 'y' is str"),
        ({}, "not checked", "0 outputs stand against 1 of eager"),
        (MemoryError("not enough"), "refused", "fake cannot run what export made: MemoryError: n"),
        (BuildError("The chip is on fire."), "refused", "The chip is on fire."),
    ],
)
def test_what_comes_out_decides(chain, outputs, status, reason):
    chain.begin(model())
    found = chain.step("export", outputs)
    assert found["status"] == status
    assert reason in found["reason"]
    assert chain.summary["status"] == status
    assert bool(chain.notes) is (status in ("mismatch", "refused"))


def test_a_file_that_does_not_run_is_a_finding(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.step("spoil", LookupError("no such operator"))
    (note,) = chain.notes
    assert note.startswith(
        "net.py net: fake cannot run what spoil made: LookupError: no such operator. Nothing was "
    )
    assert chain.summary["departs_at"] == "spoil"
    assert chain.state.findings == {"Parity": "what spoil made cannot be run"}
    chain.settings["on_mismatch"] = "fail"
    with pytest.raises(BuildError, match="no such operator"):
        chain.step("spoil", LookupError("no such operator"))


def test_what_model_and_runtime_print_goes_into_a_log_of_the_check(chain, capfd):
    chain.begin(model())
    chain.step("export", {"y": Y}, number=2)
    log = chain.state.build.path / "log_parity-export_2.txt"
    assert log.read_text() == "calling the model\nrunning export-2\n"
    assert capfd.readouterr() == ("", "")


def test_nothing_is_left_behind_but_the_reference(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    names = {path.name for path in chain.state.build.path.iterdir()}
    assert names == {".claim", "inputs", "onnx", "reference", "log_parity-export.txt"}


def test_the_model_is_called_once_for_all_stages(chain):
    made = model()
    chain.begin(made)
    chain.step("export", {"y": Y})
    chain.step("shrink", {"y": Y})
    assert made.calls == ["seed 0"]


def test_a_later_process_with_the_same_files_computes_nothing(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.state.save()
    again = model()
    chain.begin(again)
    FakeRT.runs.clear()
    found = chain.step("export", {"y": Y})
    assert found["status"] == "ok"
    assert (again.calls, FakeRT.runs) == ([], [])
    assert chain.summary["checked"] == ["export"]


def test_a_mismatch_that_is_known_is_said_again_without_computing_it(chain):
    chain.begin(model())
    chain.step("spoil", {"y": Y * 2})
    chain.state.save()
    chain.begin(model())
    FakeRT.runs.clear()
    chain.step("spoil", {"y": Y * 2})
    assert FakeRT.runs == []
    assert "spoil departs from eager" in chain.notes[0]


@pytest.mark.parametrize("what", ["artifact", "code", "torch", "runtime", "settings"])
def test_a_check_is_made_again_when_what_decides_it_has_changed(chain, what, monkeypatch):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.state.save()
    if what == "settings":
        chain.settings["parity_reference"] = "fp64"
    later = model(written_by="torch 0.1" if what == "torch" else "torch 0.0")
    chain.begin(later, code="other" if what == "code" else "code")
    if what == "runtime":
        from turnkeyml_plugin_parity import runners

        monkeypatch.setattr(runners, "software_of", lambda record: ("fake 10",))
    FakeRT.runs.clear()
    more = {"precision": "float16"} if what == "artifact" else {}
    chain.step("export", {"y": Y}, **more)
    assert FakeRT.runs == ["fake export-1"]
    assert bool(later.calls) is (what in ("code", "torch", "settings"))


def test_without_a_digest_of_the_code_the_model_is_called_by_each_process(chain, monkeypatch):
    from turnkeyml_plugin_parity import references

    first = model()
    chain.begin(first, code="")
    chain.step("export", {"y": Y})
    chain.step("shrink", {"y": Y})
    assert first.calls == ["seed 0"]
    chain.state.save()
    monkeypatch.setattr(references, "_this_process", lambda: "another process")
    chain.begin(first, code="")
    chain.step("export", {"y": Y})
    assert first.calls == ["seed 0", "seed 0"]


def test_a_refusal_is_tried_again(chain):
    chain.begin(model())
    chain.step("export", MemoryError())
    chain.state.save()
    chain.begin(model())
    assert chain.step("export", {"y": Y})["status"] == "ok"


@pytest.mark.parametrize("name", ["inputs.json", "inputs.bin", "reference.json"])
def test_a_damaged_reference_is_computed_again(chain, name):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.state.save()
    damage(chain.state.build.path / "reference" / name)
    again = model()
    chain.begin(again)
    found = chain.step("shrink", {"y": Y})
    assert (found["status"], again.calls) == ("ok", ["seed 0"])


def test_a_reference_that_was_cut_off_is_computed_again(chain):
    def cut_off(seed):
        raise KeyboardInterrupt

    first = model()
    chain.begin(first)
    chain.step("export", {"y": Y})
    chain.begin(FakeModel(cut_off), code="new")
    with pytest.raises(KeyboardInterrupt):
        chain.step("export", {"y": Y})
    again = model()
    chain.begin(again)
    chain.step("shrink", {"y": Y})
    assert again.calls == ["seed 0"]
    assert not [p for p in chain.state.build.path.iterdir() if p.name.startswith(".tmp-")]


def test_a_model_that_gives_something_else_each_time_cannot_be_compared_with(chain):
    chain.begin(FakeModel(lambda seed: {"y": Y + seed, "same": Y}))
    found = chain.step("export", {"y": Y + 5, "same": Y})
    assert found["status"] == "not checked"
    assert (
        "The model itself gives other outputs each time it is called: output 'y'"
        in (found["reason"])
    )
    assert chain.notes == []


def test_a_model_that_raises_when_called_again_is_not_checked(chain):
    def fails(seed):
        raise ZeroDivisionError("by zero")

    chain.begin(FakeModel(fails))
    found = chain.step("export", {"y": Y})
    assert found["status"] == "not checked"
    assert "cannot be called again: ZeroDivisionError: by zero" in found["reason"]
    assert "Traceback" in (chain.state.build.path / "log_parity-export.txt").read_text()


def test_the_reference_may_be_computed_in_float64(chain):
    chain.settings["parity_reference"] = "fp64"
    made = model(double=lambda: {"logits": Y.astype(np.float64)})
    chain.begin(made)
    found = chain.step("export", {"y": Y})
    assert found["reference"] == "eager (torch 0.0, float64)"
    assert (found["tolerance_dtype"], made.calls) == ("float32", ["double"])
    assert (chain.state.build.path / "reference/fp64/reference.json").exists()


def test_a_model_that_has_no_float64_is_computed_as_it_is_and_that_is_said(chain):
    chain.settings["parity_reference"] = "fp64"
    made = model()
    chain.begin(made)
    found = chain.step("export", {"y": Y})
    assert found["status"] == "ok"
    assert found["reference"] == (
        "eager (torch 0.0; float64 is impossible: ValueError: no float64 here)"
    )
    assert made.calls == ["double", "seed 0"]


def test_precision_inside_is_remembered_by_what_is_made_later(chain):
    chain.begin(model())
    assert chain.step("export", {"y": Y})["tolerance_dtype"] == "float32"
    halved = chain.step("halve", {"y": Y * np.float32(1.01)}, precision="float16")
    assert (halved["status"], halved["tolerance_dtype"]) == ("ok", "float16")
    assert "an overflow between operators may go unseen" in halved["caveat"]
    assert chain.summary["caveat"] == halved["caveat"]
    assert chain.step("optimize", {"y": Y})["tolerance_dtype"] == "float16"
    assert chain.step("restore", {"y": Y}, precision="float32")["tolerance_dtype"] == "float32"


def test_bfloat16_outputs_are_compared(chain):
    bits = (Y.view(np.uint32) >> 16).astype(np.uint16)
    chain.begin(FakeModel(lambda seed: {"y": raw(bits, "bfloat16")}))
    found = chain.step("export", {"y": Y * np.float32(1.01)})
    assert (found["status"], found["tolerance_dtype"]) == ("ok", "bfloat16")


def test_the_user_may_switch_it_off(chain):
    chain.settings["parity"] = False
    made = model()
    chain.begin(made)
    assert chain.step("export", {"y": Y}) is None
    assert (made.calls, FakeRT.runs) == ([], [])
    assert chain.summary["status"] == "not checked"
    assert chain.summary["reason"] == "The command was given --no-parity."


def test_steps_that_fail_or_make_nothing_are_not_checked(chain):
    chain.begin(model())
    assert chain.step("benchmark") is None
    assert "parity" not in chain.state.stats.model
    chain.step("export", {"y": Y})
    FakeRT.runs.clear()
    from types import SimpleNamespace

    step = SimpleNamespace(
        name="export",
        identity=chain.state.artifacts[-1].step.rpartition("-")[2],
        occurrence=1,
        contract=SimpleNamespace(produces="onnx-model"),
    )
    after_step(chain.state, step, StepOutcome(Status.FAILED, 0.1, "broke"))
    assert FakeRT.runs == []


def test_a_kind_that_nobody_runs_is_not_checked(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    found = chain.step("engine", {"y": Y}, kind="engine")
    assert found == {"status": "not checked", "reason": "No installed runtime takes engine."}
    assert chain.summary["status"] == "partly checked"
    assert chain.summary["not_checked"] == ["engine"]


def test_an_artifact_without_inputs_is_not_checked(chain):
    chain.begin(model())
    found = chain.step("export", {"y": Y}, inputs_folder=None)
    assert found["reason"] == "The artifact comes without inputs to run it with."


def test_a_chain_that_starts_from_a_file_is_compared_with_it(chain):
    state = chain.begin()
    FakeRT.models["start"] = {"y": Y}
    path = state.folder("onnx") / "start.onnx"
    path.write_text("start")
    facts = {"inputs_folder": "inputs", "inputs": {"x": "x"}, "outputs": ["y"]}
    # `begin` has begun the step that starts the chain.
    state.add("onnx-model", [path], info=facts)
    found = chain.step("optimize", {"y": Y})
    assert found["status"] == "ok"
    assert found["reference"] == "discover (fake 9.9)"
    assert FakeRT.runs == ["fake start", "fake optimize-1"]
    assert chain.step("halve", {"y": Y * 3})["status"] == "mismatch"
    assert FakeRT.runs.count("fake start") == 1
    assert "halve departs from discover: output 'y'" in chain.notes[0]
    assert state.stats.steps["00000000"]["parity"]["status"] == "reference"
    assert chain.summary["reference"] == "discover (fake 9.9)"


def test_the_first_file_of_a_chain_without_a_model_is_the_reference(chain):
    chain.begin()
    found = chain.step("convert", {"y": Y})
    assert found["status"] == "reference"
    assert FakeRT.runs == []
    assert chain.summary["status"] == "not checked"
    assert chain.step("optimize", {"y": Y})["reference"] == "convert (fake 9.9)"


def test_a_first_file_that_does_not_run_leaves_the_others_unchecked(chain):
    chain.begin()
    chain.step("convert", MemoryError("not enough"))
    found = chain.step("optimize", {"y": Y})
    assert found["status"] == "not checked"
    assert "What convert gave cannot be run: MemoryError: not enough" in found["reason"]


def test_a_chain_that_goes_on_from_a_build_is_compared_with_the_kept_outputs(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.state.save()
    before = chain.state.artifacts
    state = chain.begin()
    state.artifacts += [a for a in before if a.kind == "onnx-model"]
    found = chain.step("optimize", {"y": Y})
    assert (found["status"], found["reference"]) == ("ok", "eager (torch 0.0)")
    assert found["reference_key"] == written(state)["key"]


def test_kept_outputs_of_another_model_are_not_taken_for_those_of_a_loaded_file(chain):
    chain.begin(model())
    chain.step("export", {"y": Y})
    chain.state.save()
    before = chain.state.artifacts
    record = written(chain.state)
    path = chain.state.build.path / "reference/reference.json"
    path.write_text(json.dumps({**record, "key": "of another model"}))
    state = chain.begin()
    state.artifacts += [a for a in before if a.kind == "onnx-model"]
    assert chain.step("optimize", {"y": Y})["reference"] == "export (fake 9.9)"


def test_a_machine_without_the_device_checks_nothing(chain):
    FakeChip.present = False
    chain.begin(model())
    found = chain.step("export", {"y": Y})
    assert found["status"] == "not checked"
    assert "fake on chip: this machine has no chip device" in found["reason"]
