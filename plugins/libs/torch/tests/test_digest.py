"""The same bytes give the same hash, and every byte counts."""

from __future__ import annotations

import copy
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest
import torch

from turnkeyml_torch import (
    Leaf,
    Signature,
    code_digest,
    make_signature,
    model_hash,
    parameters,
    run_script,
    weights_hash,
)

EMPTY = Signature(())


def build(seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.BatchNorm1d(8))


def test_same_bytes_give_the_same_hash_and_every_byte_counts() -> None:
    first, second = build(), build()
    assert model_hash(first, EMPTY) == model_hash(second, EMPTY)
    assert len(model_hash(first, EMPTY)) == 64
    seen = {model_hash(first, EMPTY)}
    for tensor in [*second.parameters(), *second.buffers()]:
        with torch.no_grad():
            tensor.view(-1)[-1:] += 1
        seen.add(model_hash(second, EMPTY))
    assert len(seen) == 1 + len(list(second.parameters())) + len(list(second.buffers()))


def test_hash_is_known_on_every_machine() -> None:
    module = torch.nn.Linear(2, 1)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, -2.0]]))
        module.bias.zero_()
    signature = make_signature(module, (torch.ones(3, 2),), {})
    assert model_hash(module, signature) == KNOWN


def test_name_signature_and_dtype_are_part_of_the_hash() -> None:
    module = build()
    other = Signature((Leaf("x", "tensor", "float32", (1,)),))
    assert model_hash(module, EMPTY) != model_hash(module, other)
    assert model_hash(module, EMPTY) != model_hash(module[0], EMPTY)
    assert model_hash(module, EMPTY) != model_hash(copy.deepcopy(module).double(), EMPTY)


def test_hash_does_not_depend_on_the_order_in_memory() -> None:
    module = build()
    turned = copy.deepcopy(module)
    weight = turned[0].weight
    weight.data = weight.data.t().contiguous().t()
    assert not weight.is_contiguous()
    assert model_hash(turned, EMPTY) == model_hash(module, EMPTY)


def test_big_weights_give_one_hash_whatever_their_strides() -> None:
    module = torch.nn.Module()
    values = torch.arange(5_000_000, dtype=torch.float32).reshape(5, 1000, 1000)
    module.register_buffer("b", values)
    expected = weights_hash(module)
    module.b = values.permute(2, 1, 0).contiguous().permute(2, 1, 0)
    assert weights_hash(module) == expected
    module.b = values.clone()
    module.b[4, 999, 999] += 1
    assert weights_hash(module) != expected


def test_tied_weights_are_told_from_equal_ones() -> None:
    tied, equal = build(), build()
    for module in (tied, equal):
        module.add_module("again", torch.nn.Linear(8, 8))
    tied.again.weight = tied[0].weight
    tied.again.bias = tied[0].bias
    equal.again.load_state_dict(equal[0].state_dict())
    assert model_hash(tied, EMPTY) != model_hash(equal, EMPTY)
    assert model_hash(tied, EMPTY) == model_hash(copy.deepcopy(tied), EMPTY)
    assert parameters(tied).count == parameters(build()).count


@pytest.mark.filterwarnings("ignore:.*quantiz")
def test_unusual_tensors_can_be_hashed() -> None:
    module = torch.nn.Module()
    module.register_buffer("scalar", torch.tensor(3))
    module.register_buffer("empty", torch.zeros(0, 2))
    module.register_buffer("bfloat", torch.ones(3, dtype=torch.bfloat16))
    module.register_buffer("sparse", torch.eye(3).to_sparse())
    module.register_buffer("meta", torch.ones(3, device="meta"))
    module.register_buffer("conj", torch.ones(2, dtype=torch.complex64).conj())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.quantize_per_tensor(torch.ones(3), 0.5, 1, torch.quint8)
        module.register_buffer("quantized", quantized)
    module.lazy = torch.nn.LazyLinear(2)
    first = model_hash(module, EMPTY)
    assert first == model_hash(module, EMPTY)
    module.sparse = (torch.eye(3) * 2).to_sparse()
    assert model_hash(module, EMPTY) != first


def test_parameters_are_counted_in_numbers_and_bytes() -> None:
    count = parameters(torch.nn.Linear(10, 5).to(torch.bfloat16))
    assert (count.count, count.bytes) == (55, 110)
    assert parameters(torch.nn.LazyLinear(3)).count == 0


SCRIPT = """
    import torch
    from turnkey_ops import activate
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2, 2)
            self.times = 3
        def forward(self, x):
            return activate(self.fc(x))
    net = Net()
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "turnkey_ops.py").write_text("def activate(x): return x.relu()\n")
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def digest_of(script: Path) -> str:
    end = run_script(script)
    assert end.exception is None, end.traceback_text
    return code_digest(end.module.net)


def test_code_digest_changes_with_the_code_only(script: Path) -> None:
    before = digest_of(script)
    assert digest_of(script) == before
    script.write_text(script.read_text().replace("activate(self", "1 * activate(self"))
    assert digest_of(script) != before


def test_code_digest_sees_helpers_beside_the_script(script: Path) -> None:
    before = digest_of(script)
    (script.parent / "turnkey_ops.py").write_text("def activate(x): return x.sigmoid()\n")
    assert digest_of(script) != before


def test_code_digest_does_not_depend_on_the_folder(script: Path, tmp_path: Path) -> None:
    before = digest_of(script)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("script.py", "turnkey_ops.py"):
        (moved / name).write_bytes((tmp_path / name).read_bytes())
    assert digest_of(moved / "script.py") == before


def test_code_digest_sees_settings_tree_and_mode(script: Path) -> None:
    end = run_script(script)
    net = end.module.net
    seen = [code_digest(net)]
    net.times = 3.0
    seen.append(code_digest(net))
    net.eval()
    seen.append(code_digest(net))
    net.extra = torch.nn.ReLU()
    seen.append(code_digest(net))
    assert len(set(seen)) == 4


def test_hashes_are_the_same_in_another_process(script: Path) -> None:
    code = """
        import sys
        from turnkeyml_torch import *
        end = run_script(sys.argv[1])
        import torch
        net = end.module.net
        with torch.no_grad():
            for p in net.parameters():
                p.fill_(0.5)
        print(model_hash(net, Signature(())), code_digest(net))
    """
    runs = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), str(script)],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "", "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


KNOWN = "d2279dfe2cc667bbba52d76dde36e773ccc45dc2c9effab8310108ee581bd62c"
