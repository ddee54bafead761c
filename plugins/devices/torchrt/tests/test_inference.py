"""One inference, on the processor and on a device."""

from __future__ import annotations

import torch

from turnkeyml_plugin_torchrt.arguments import Arguments
from turnkeyml_plugin_torchrt.inference import DeviceInference, HostInference, timed_ns

CPU = torch.device("cpu")


class Adding(torch.nn.Module):
    """Writes to its input."""

    def forward(self, x):
        x += 1
        return x.clone()


class Growing(torch.nn.Module):
    """Puts one more tensor into its cache at each call, as decoders do."""

    def forward(self, x, cache):
        cache.append(x)
        return torch.stack(cache).sum(0)


def test_model_that_leaves_its_inputs_alone_is_called_with_the_same_ones():
    seen = []

    def call(x):
        seen.append(x)

    inference = HostInference(call, Arguments((torch.zeros(2),), {}))
    for _ in range(3):
        assert timed_ns(inference) > 0
    assert seen[0] is seen[1] is seen[2]
    assert not inference.copies_inputs


def test_model_that_writes_to_its_inputs_computes_the_same_each_time():
    x = torch.zeros(2)
    inference = HostInference(Adding(), Arguments((x,), {}))
    timed_ns(inference)
    assert inference.copies_inputs
    assert [inference.run().tolist() for _ in range(3)] == [[1, 1]] * 3
    assert x.tolist() == [0, 0]


def test_model_that_grows_a_cache_computes_the_same_each_time():
    cache = [torch.ones(2)]
    inference = HostInference(Growing(), Arguments((torch.ones(2), cache), {}))
    timed_ns(inference)
    assert [inference.run().tolist() for _ in range(3)] == [[2, 2]] * 3
    assert len(cache) == 1


class FakeDevice:
    """Notes what is asked of it, and lets each stage take as many ms as its number."""

    def __init__(self):
        self.noted = []
        self.now = 0.0

    def synchronize(self):
        self.noted.append("synchronize")

    def event(self):
        device = self

        class Event:
            def record(self):
                device.now += len(device.noted) + 1
                self.at = device.now
                device.noted.append("event")

            def elapsed_time(self, end):
                return end.at - self.at

        return Event()


def on_device(call, *args):
    fake = FakeDevice()
    inference = DeviceInference(
        call, Arguments(args, {}), CPU, synchronize=fake.synchronize, new_event=fake.event
    )
    return inference, fake


def test_each_inference_sends_the_inputs_again_and_waits_for_the_outputs():
    x = torch.zeros(2)
    inference, fake = on_device(Adding(), x)
    assert [inference.run()["out"].tolist() for _ in range(3)] == [[1, 1]] * 3
    assert fake.noted == ["synchronize"] * 3
    assert x.tolist() == [0, 0]
    timed_ns(inference)
    assert not inference.copies_inputs


def test_inputs_are_sent_as_new_tensors_if_the_model_replaces_them():
    cache = [torch.ones(2)]
    inference, _ = on_device(Growing(), torch.ones(2), cache)
    timed_ns(inference)
    assert inference.copies_inputs
    assert [inference.run()["out"].tolist() for _ in range(3)] == [[2, 2]] * 3
    assert len(cache) == 1


def test_outputs_come_by_name():
    inference, _ = on_device(lambda x: {"a": x + 1, "b": (x, x * 2)}, torch.ones(1))
    assert list(inference.run()) == ["a", "b.0", "b.1"]


def test_stages_are_timed_by_the_device():
    inference, fake = on_device(torch.nn.Identity(), torch.ones(1))
    found = inference.stages_ms(3)
    assert list(found) == ["host_to_device_ms", "compute_ms", "device_to_host_ms"]
    # Events are 5 notes apart from run to run, so the median run is the second.
    assert found == {"host_to_device_ms": 7.0, "compute_ms": 8.0, "device_to_host_ms": 9.0}
    assert fake.noted.count("synchronize") == 3
