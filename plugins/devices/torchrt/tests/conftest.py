"""What the tests of this package share."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from turnkeyml.device import Device, DeviceInfo
from turnkeyml.runtime import RuntimeContext, RuntimeStats, opened
from turnkeyml_torch import bind_names


class FakeProcessor(DeviceInfo):
    is_host = True

    @classmethod
    def is_present(cls):
        return True

    @classmethod
    def full_name(cls):
        return "Fake Processor 9"


@pytest.fixture
def context_for(tmp_path):
    """Makes the context in which a module is measured."""

    def make(
        module, *args, device="x86", info=FakeProcessor, iterations=5, schedule=None, **kwargs
    ):
        return RuntimeContext(
            cache_dir=Path(tmp_path),
            build_name="a_build",
            stats=RuntimeStats(),
            iterations=iterations,
            model=module,
            inputs=bind_names(module, args, kwargs),
            device=Device(device),
            device_info=info,
            runtime="torch-under-test",
            output_dir=Path(tmp_path),
            schedule=schedule or {"warm_up": 2},
        )

    return make


@pytest.fixture
def open_runtime(context_for):
    """Opens a runtime on a module with the arguments of one call."""

    @contextmanager
    def open_it(runtime_class, module, *args, rt_args=None, device="x86", iterations=5, **kwargs):
        context = context_for(module, *args, device=device, iterations=iterations, **kwargs)
        with opened(runtime_class, context, rt_args or {}) as runtime:
            yield runtime

    return open_it


@pytest.fixture(autouse=True)
def torch_as_it_was():
    """See that no test leaves PyTorch's settings changed."""

    def settings():
        return (
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            torch.is_autocast_enabled("cpu"),
            torch.get_default_dtype(),
            torch.get_rng_state().tolist(),
        )

    torch.manual_seed(7)
    before = settings()
    yield
    assert settings()[:4] == before[:4]
