"""The device `nvidia`: what is said without one, and the way through it with a fake of CUDA."""

from __future__ import annotations

import warnings

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml_plugin_torchrt.requirements import check_cuda
from turnkeyml_plugin_torchrt.runtime import TorchEager

X = torch.linspace(0, 1, 16).reshape(2, 8)
CPU_ONLY = torch.version.cuda is None


def set_build(monkeypatch, cuda=None, hip=None):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.version, "hip", hip)


@pytest.mark.skipif(not CPU_ONLY, reason="this PyTorch is built with CUDA")
def test_build_without_cuda_is_one_sentence_with_advice(open_runtime):
    net = torch.nn.Linear(8, 4)
    with pytest.raises(BuildError, match="is built for processors only, without CUDA") as caught:
        with open_runtime(TorchEager, net, X, device="nvidia"):
            raise AssertionError("it was set up")
    assert torch.__version__ in str(caught.value)
    assert "pytorch.org" in caught.value.hint
    assert net.weight.device.type == "cpu"


def test_build_for_rocm_is_told(monkeypatch):
    set_build(monkeypatch, hip="6.2")
    with pytest.raises(BuildError, match="is built for ROCm, without CUDA"):
        check_cuda()


def test_reason_that_pytorch_gives_is_passed_on(monkeypatch):
    def unavailable():
        warnings.warn("CUDA initialization: The driver is too old. Please update.", stacklevel=1)
        return False

    set_build(monkeypatch, cuda="13.0")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", unavailable)
    with pytest.raises(BuildError, match="can use: CUDA initialization: The driver is too old. C"):
        check_cuda()


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpus_that_the_environment_hides_are_told(monkeypatch, hidden):
    set_build(monkeypatch, cuda="13.0")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BuildError, match=f"CUDA_VISIBLE_DEVICES={hidden} hides them all"):
        check_cuda()


def test_available_gpu_passes(monkeypatch):
    set_build(monkeypatch, cuda="13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    check_cuda()


@pytest.fixture
def fake_cuda(monkeypatch):
    """A GPU whose memory is the processor's; gives what is asked of it."""
    asked = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            asked.append("record")

        def elapsed_time(self, end):
            return 0.25

    def noting(name, value=None):
        def function(*args, **kwargs):
            asked.append(name)
            return value

        monkeypatch.setattr(torch.cuda, name, function)

    set_build(monkeypatch, cuda="13.0")
    monkeypatch.setattr(TorchEager, "torch_device", lambda self: torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "Event", Event)
    noting("is_available", value=True)
    noting("synchronize")
    noting("empty_cache")
    noting("reset_peak_memory_stats")
    noting("max_memory_allocated", 4096)
    noting("get_device_name", "NVIDIA H200")
    noting("get_device_capability", (9, 0))
    return asked


def test_inference_on_a_gpu_includes_copies_and_waiting(open_runtime, fake_cuda):
    net = torch.nn.Linear(8, 4)
    with open_runtime(TorchEager, net, X, device="nvidia", iterations=6) as runtime:
        found = runtime.benchmark()
        outputs = runtime.infer()
    assert torch.equal(outputs["out"], net(X))
    # First, one more, two of warm-up, six timed, six for the stages, one for the outputs.
    assert fake_cuda.count("synchronize") == 1 + 1 + 2 + 6 + 6 + 1
    assert fake_cuda.count("record") == 4 * 6
    assert found.statistics["host_to_device_ms"] == 0.25
    assert found.statistics["compute_ms"] == 0.25
    assert found.statistics["device_to_host_ms"] == 0.25
    assert found.statistics["peak_device_memory_bytes"] == 4096
    assert found.facts["compute_capability"] == "9.0"
    assert found.device == "NVIDIA H200"
    assert fake_cuda[-1] == "empty_cache"
