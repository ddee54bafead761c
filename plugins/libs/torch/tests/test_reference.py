"""What a model returns is computed when asked for, and leaves no trace on the model or on torch."""

from __future__ import annotations

import pytest
import torch

from turnkeyml_torch import EagerReference, LiveModel, make_signature, read_inputs


class Noisy(torch.nn.Module):
    def forward(self, x):
        return x + torch.rand(3)


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        self.drop = torch.nn.Dropout(0.9)

    def forward(self, x, extra=None, table=None):
        x += 1
        y = self.drop(self.norm(self.fc(x))) + torch.linspace(0, 1, 3)
        index = table["index"] if table else torch.zeros(1, dtype=torch.long)
        return {"y": y, "none": None, "number": 3, "more": (y[:, 1:].T, index)}


def reference(module, *args, **kwargs) -> EagerReference:
    return EagerReference(LiveModel(module, args, kwargs, make_signature(module, args, kwargs)))


def written(made: EagerReference, folder, **how):
    names = made.write(folder, **how)
    found = read_inputs(folder)
    assert found.complete
    assert tuple(found.arguments) == names
    return found.arguments


def test_outputs_are_those_of_the_model_in_evaluation(tmp_path) -> None:
    net = Net().train()
    x = torch.randn(2, 4)
    kept = x.clone()
    found = written(reference(net, x), tmp_path / "reference")
    assert net.training
    assert torch.equal(x, kept)
    net.eval()
    with torch.no_grad():
        expected = net(x.clone())
    assert list(found) == ["y", "more.0", "more.1"]
    assert torch.equal(found["y"], expected["y"])
    assert torch.equal(found["more.0"], expected["more"][0])
    assert found["more.1"].dtype is torch.long


def test_writing_twice_gives_the_same_and_moves_no_buffer(tmp_path) -> None:
    net = Net().train()
    made = reference(net, torch.randn(5, 4))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, second = written(made, tmp_path / "a"), written(made, tmp_path / "b")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_what_a_call_writes_into_buffers_is_taken_back(tmp_path) -> None:
    class Counts(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("written", torch.ones(70_000))
            self.register_buffer("replaced", torch.ones(()))
            self.register_buffer("none", None)

        def forward(self, x):
            self.written += 1
            self.replaced = self.replaced * 3
            return x * self.written[0] * self.replaced

    module = Counts()
    buffers = dict(module.named_buffers())
    made = reference(module, torch.ones(2))
    first, second = (written(made, tmp_path / name)["out"] for name in "ab")
    assert first.tolist() == second.tolist() == [6, 6]
    assert all(dict(module.named_buffers())[name] is buffer for name, buffer in buffers.items())
    assert module.written.eq(1).all()
    assert module.replaced == 1
    scripted = torch.jit.script(Counts())
    assert written(reference(scripted, torch.ones(2)), tmp_path / "c")["out"].tolist() == [6, 6]
    assert scripted.written.eq(1).all()


def test_double_is_computed_on_a_copy_and_is_nearer_to_the_truth(tmp_path) -> None:
    net = Net()
    x, index = torch.randn(2, 4), torch.tensor([7])
    made = reference(net, x, table={"index": index})
    single = written(made, tmp_path / "single")
    double = written(made, tmp_path / "double", double=True)
    assert (single["y"].dtype, double["y"].dtype) == (torch.float32, torch.float64)
    assert torch.allclose(single["y"].double(), double["y"], atol=1e-6)
    assert not torch.equal(single["y"].double(), double["y"])
    assert torch.equal(double["more.1"], index)
    assert {value.dtype for value in net.parameters()} == {torch.float32}
    assert torch.get_default_dtype() is torch.float32


def test_random_numbers_depend_on_the_seed_only_and_are_given_back(tmp_path) -> None:
    made = reference(Noisy(), torch.zeros(3))
    torch.manual_seed(5)
    wanted = torch.rand(2)
    torch.manual_seed(5)
    first = written(made, tmp_path / "a")["out"]
    assert torch.equal(torch.rand(2), wanted)
    assert torch.equal(first, written(made, tmp_path / "b")["out"])
    assert not torch.equal(first, written(made, tmp_path / "c", seed=1)["out"])


def test_a_model_that_raises_leaves_torch_as_it_was(tmp_path) -> None:
    class Fails(torch.nn.Module):
        def forward(self, x):
            raise LookupError("no such key")

    module = Fails().train()
    with pytest.raises(LookupError, match="no such key"):
        reference(module, torch.zeros(1)).write(tmp_path / "r", double=True)
    assert module.training
    assert torch.get_default_dtype() is torch.float32
    assert not (tmp_path / "r").exists()


def test_what_computes_it_is_named_with_its_version() -> None:
    made = reference(Noisy(), torch.zeros(3))
    assert (made.name, made.version()) == ("eager", f"torch {torch.__version__}")
