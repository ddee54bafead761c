"""What is said of models that PyTorch's exporters refuse; each failure is provoked."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.failures import (
    explain_dynamo,
    explain_torchscript,
)

# What makes these models, such as torch.jit and torch.ao, is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore")


@torch.library.custom_op("turnkey_test::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@twice.register_fake
def _(x):
    return torch.empty_like(x)


@torch.library.custom_op("turnkey_test::shapeless", mutates_args=())
def shapeless(x: torch.Tensor) -> torch.Tensor:
    return x * 2


def module(forward, **parts):
    class Made(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in parts.items():
                setattr(self, name, part)

    # PyTorch keeps the lines of functions of this name alone.
    forward.__code__ = forward.__code__.replace(co_name="forward")
    Made.forward = forward
    return Made()


def by_branch(self, x):
    if x.sum() > 0:
        return x * 2
    return x - 1


def by_loop(self, x):
    return torch.stack([x[i[0]] for i in x.nonzero()])


def by_shape(self, x):
    return nn.functional.ctc_loss(x[:, None], torch.tensor([[1, 2]]), (4,), (2,))


def by_number(self, x):
    return torch.linalg.svd(x * x.max().item())[1]


def custom(self, x):
    return twice(x) + 1


def without_shapes(self, x):
    return shapeless(x) + 1


def decomposed(self, x):
    return torch.linalg.eigh(x @ x.T).eigenvalues


def sparse(self, x):
    return x.to_sparse() @ x


def refuses(self, x):
    if torch.compiler.is_exporting() or torch.jit.is_tracing():
        raise ValueError("I am not to be exported. Really.")
    return x


def calls_part(self, x):
    return self.part(x) * 2


def add_numbers(self, x):
    y = x
    for i in range(3):
        y = y + i
    return y


ONES = np.ones((4, 4), np.float32)


def mixes(self, x):
    return x + torch.from_numpy(np.exp(x.detach().numpy()))


def line_of(function, ahead=1):
    return f"test_failures.py:{function.__code__.co_firstlineno + ahead} (`"


BY_VALUES = "Rewrite that line with torch.where or torch.cond"
X = torch.ones(4, 4)

CASES = {
    "branch": (by_branch, "what it does depends on the values in a tensor at "
               f"{line_of(by_branch)}if x.sum() > 0:`)", BY_VALUES),
    "loop": (by_loop, "what it does depends on the values in a tensor at "
             f"{line_of(by_loop)}return torch.stack(", BY_VALUES),
    "shape": (by_shape, "the shape of what the operator aten._ctc_loss gives depends on the values "
              f"in a tensor at {line_of(by_shape)}", "Write that line with other operators."),
    "custom operator": (custom, "ONNX has no counterpart of the custom operator "
                        f"turnkey_test.twice at {line_of(custom)}", "Write it with operators of"),
    "operator without shapes": (without_shapes, "the custom operator turnkey_test::shapeless does "
                                f"not say which shapes it gives at {line_of(without_shapes)}",
                                "Register that with torch.library.register_fake."),
    "operator": (decomposed, "ONNX has no counterpart of the operator aten._linalg_eigh at "
                 f"{line_of(decomposed)}", "Write that line with other operators."),
    "sparse": (sparse, f"it makes a sparse tensor at {line_of(sparse)}",
               "Use dense tensors there."),
    "own error": (refuses, "its own code raises ValueError: I am not to be exported at "
                  f"{line_of(refuses, 2)}", "torch.compiler.is_exporting()"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_failure_names_the_reason_the_line_and_what_to_do(bench, case):
    forward, what, hint = CASES[case]
    with pytest.raises(BuildError) as caught:
        bench.export(module(forward), X)
    message = caught.value.message
    assert message.startswith(f"PyTorch's ONNX exporter cannot export this model: {what}"), message
    assert "\n" not in message
    assert message.endswith(".")
    assert caught.value.hint.startswith(hint)
    # The whole report is in the log.
    assert "Traceback" in bench.printed


def test_both_exporters_reasons_are_given_dynamos_first(bench):
    with pytest.raises(BuildError) as caught:
        bench.export(module(decomposed), X)
    first, _, second = caught.value.message.partition(" The TorchScript exporter cannot either: ")
    assert "aten._linalg_eigh" in first
    assert second.startswith("ONNX has no counterpart of the operator aten::linalg_eigh at ")
    assert line_of(decomposed) in second


def test_what_depends_on_values_is_not_traced_unasked(bench):
    with pytest.raises(BuildError) as caught:
        bench.export(module(by_branch), X)
    assert "TorchScript" not in caught.value.message
    with pytest.raises(BuildError, match="depends on the values"):
        bench.export(module(by_branch), X, options={"opset": 17})


def test_what_depends_on_values_is_traced_when_asked_for_and_a_note_says_so(bench):
    state = bench.export(module(by_branch), X, options={"exporter": "torchscript"})
    assert state.newest(ONNX_MODEL).info["exporter"] == "torchscript"
    (note,) = bench.notes
    assert note.startswith("the file may be wrong for other inputs: what it does depends on the ")
    assert line_of(by_branch) in note


def test_a_number_that_tracing_would_fix_is_noticed(bench):
    numbers = module(lambda self, x: x * x.max().item())
    bench.export(numbers, X, options={"exporter": "torchscript"})
    (note,) = bench.notes
    assert "it turns a value of a tensor into a number of Python's at test_failures.py:" in note
    bench.export(numbers, X)
    assert bench.notes == []


def test_tracing_is_no_way_out_where_it_would_fix_a_number(bench, monkeypatch):
    from turnkeyml_plugin_export_pytorch import choosing
    from turnkeyml_plugin_export_pytorch.exporters import ExportFailedError
    from turnkeyml_plugin_export_pytorch.failures import Failure

    def fail(order):
        raise ExportFailedError(Failure("an operator is missing", captured=True))

    monkeypatch.setattr(choosing, "export_dynamo", fail)
    with pytest.raises(BuildError) as caught:
        bench.export(module(lambda self, x: x * x.max().item()), X)
    assert "an operator is missing. The TorchScript exporter cannot either: it turns a value" in (
        caught.value.message
    )


def test_numpy_inside_forward_is_followed_by_dynamo_and_noticed_by_the_tracer(bench, computed):
    state = bench.export(module(mixes), X)
    assert state.newest(ONNX_MODEL).info["exporter"] == "dynamo"
    np.testing.assert_allclose(computed(state)["output"], ONES + np.exp(ONES))
    bench.export(module(mixes), X, options={"exporter": "torchscript"})
    assert "a NumPy array at test_failures.py:" in bench.notes[0]


def test_code_that_only_looks_at_shapes_gives_no_note(bench):
    def forward(self, x):
        return x.reshape(int(x.shape[0] * x.shape[1])) if x.shape[0] > 2 else x

    bench.export(module(forward), X, options={"exporter": "torchscript"})
    assert bench.notes == []


def test_a_scripted_model_is_exported_with_torchscript_and_its_branches(bench, computed):
    class Branch(nn.Module):
        def forward(self, x):
            if bool(x.sum() > 0):
                return x * 2
            return x - 1

    scripted = torch.jit.script(Branch())
    state = bench.export(scripted, X)
    artifact = state.newest(ONNX_MODEL)
    assert artifact.info["exporter"] == "torchscript"
    assert artifact.info["inputs"] == {"x": "x"}
    assert "If" in state.stats.model["operators"]
    (note,) = bench.notes
    assert "it was made by torch.jit, which the dynamo exporter does not take" in note
    np.testing.assert_array_equal(computed(state)["output"], 2 * ONES)
    options = {"exporter": "torchscript", "dynamic_axes": ("batch",)}
    bench.export(scripted, X, options=options)
    assert bench.notes == []


def test_a_traced_model_is_exported_by_dynamo(bench):
    state = bench.export(torch.jit.trace(nn.Linear(4, 3).eval(), X), X)
    assert state.newest(ONNX_MODEL).info["exporter"] == "dynamo"


def test_a_scripted_part_is_named(bench):
    class Part(nn.Module):
        def forward(self, x):
            return x + 1

    whole = module(calls_part, part=torch.jit.script(Part()))
    with pytest.raises(BuildError) as caught:
        bench.export(whole, X)
    assert "its part part was made by torch.jit, which the dynamo exporter does not take. " in (
        caught.value.message
    )
    assert "its part part was made by torch.jit, which cannot be traced." in caught.value.message


def test_quantized_modules_are_refused_in_words(bench):
    quantized = torch.ao.quantization.quantize_dynamic(
        module(calls_part, part=nn.Linear(4, 4)), {nn.Linear}, dtype=torch.qint8
    )
    with pytest.raises(BuildError, match="it has quantized modules") as caught:
        bench.export(quantized, X)
    assert caught.value.hint == "Export the float model, and quantize the ONNX file."


def test_a_compiled_part_cannot_be_traced(bench):
    whole = module(calls_part, part=torch.compile(nn.Linear(4, 4)))
    with pytest.raises(BuildError, match="compiled by torch.compile") as caught:
        bench.export(whole, X, options={"exporter": "torchscript"})
    assert caught.value.hint.endswith("Or take --exporter dynamo.")


def test_modules_nested_too_deeply_for_an_exporter_are_said_in_words(bench):
    deep = nn.Linear(4, 4)
    for _ in range(200):
        deep = nn.Sequential(deep)
    with pytest.raises(BuildError, match="calls itself, or nests modules, deeper than") as caught:
        bench.export(deep, X)
    assert caught.value.hint == "Nest its modules less deeply."


@pytest.mark.parametrize(
    ("forward", "operator", "opset"),
    [
        (lambda self, x: torch.unique(x), "_unique2", 11),
        (lambda self, x: torch.tril(x), "aten::tril", 14),
    ],
)
def test_an_operator_that_needs_a_newer_opset_says_which(bench, forward, operator, opset):
    needs = f"the operator {operator} needs opset {opset} at test_failures.py"
    with pytest.raises(BuildError, match=needs) as caught:
        bench.export(module(forward), X, options={"exporter": "torchscript", "opset": 9})
    assert caught.value.hint.startswith(f"Take --opset {opset}.")


def test_a_use_of_an_operator_that_has_no_counterpart_is_named(bench):
    norm = module(lambda self, x: torch.linalg.norm(x, ord="nuc"))
    with pytest.raises(BuildError, match="of the operator linalg.matrix_norm, ord==nuc at test_"):
        bench.export(norm, X, options={"exporter": "torchscript"})


def test_writing_to_an_input_is_exported_and_leaves_the_captured_one_alone(bench, computed):
    def forward(self, x):
        x.add_(1)
        return x * 2

    x = torch.ones(4, 4)
    for exporter in ("dynamo", "torchscript"):
        state = bench.export(module(forward), x, options={"exporter": exporter})
        np.testing.assert_array_equal(computed(state)["output"], 4 * ONES)
    assert x.tolist() == torch.ones(4, 4).tolist()


def test_a_wrapped_or_compiled_model_is_exported_as_what_is_inside(bench):
    inner = nn.Linear(4, 3)
    for wrapped in (nn.DataParallel(inner), torch.compile(inner)):
        state = bench.export(wrapped, X)
        assert state.newest(ONNX_MODEL).info["exporter"] == "dynamo"


def test_too_little_memory_is_no_reason_to_try_again():
    error = RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to")
    failure = explain_dynamo(error, nn.Linear(1, 1))
    assert (failure.what, failure.other_exporter) == ("there is not enough memory", False)


def test_errors_that_nobody_has_seen_yet_keep_their_first_sentence():
    error = KeyError("outer")
    error.__cause__ = RuntimeError("\nSomething new. With a long story.\nOver many lines.")
    failure = explain_torchscript(error, nn.Linear(1, 1))
    assert failure.what == "RuntimeError: Something new"
    assert "log" in failure.hint
