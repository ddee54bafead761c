"""Copies are private, complete, and free where torch can share memory."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from turnkeyml_torch.capture import Capturer

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Frozen:
    x: torch.Tensor


@dataclass
class Slots:
    __slots__ = ("x",)
    x: torch.Tensor


def test_every_container_is_copied_as_its_own_class() -> None:
    x = torch.zeros(2)
    packed = torch.nn.utils.rnn.pack_sequence([x])
    values: list[Any] = [
        [x],
        (x,),
        {"x": x},
        OrderedDict(x=x),
        defaultdict(list, x=x),
        Point(x, 1),
        Frozen(x),
        Slots(x),
        packed,
    ]
    copies = Capturer().copy(values)
    x.fill_(1)
    packed.data.fill_(1)
    for value, copied in zip(values, copies, strict=True):
        assert type(value) is type(copied)
        inner = copied
        while not isinstance(inner, torch.Tensor):
            inner = (
                next(iter(inner.values()))
                if isinstance(inner, dict)
                else inner[0]
                if isinstance(inner, (list, tuple))
                else inner.x
            )
        assert not inner.any()


def test_unusual_tensors_are_copied() -> None:
    values = [
        torch.tensor(3),
        torch.zeros(0, 2),
        torch.ones(2, dtype=torch.bfloat16),
        torch.eye(2).to_sparse(),
        torch.ones(1).expand(4),
        torch.nn.Parameter(torch.ones(2)),
        torch.ones(2, requires_grad=True) * 2,
        torch.ones(2, device="meta"),
    ]
    copies = Capturer().copy(values)
    for value, copied in zip(values, copies, strict=True):
        assert (copied.shape, copied.dtype, copied.layout) == (
            value.shape,
            value.dtype,
            value.layout,
        )
        assert not copied.requires_grad


def test_one_tensor_in_two_places_stays_one() -> None:
    x = torch.ones(2)
    first, second = Capturer().copy((x, x))
    assert first is second
    assert first is not x


def test_big_fresh_tensor_is_shared_until_somebody_writes() -> None:
    if not hasattr(torch, "_lazy_clone"):
        pytest.skip("this torch cannot share memory until it is written")
    big = torch.ones(1 << 18)
    copied = Capturer().copy(big)
    assert torch._C._is_cow_tensor(copied)
    big.zero_()
    assert bool((copied == 1).all())


def test_tensor_whose_memory_others_see_is_copied_at_once() -> None:
    big = torch.ones(1 << 18)
    view = big[:]
    copied = Capturer().copy(big)
    assert not torch._C._is_cow_tensor(copied)
    view[0] = 5
    assert copied[0] == 1
    assert big[0] == 5


def test_objects_of_unknown_classes_stay_references() -> None:
    class Mine:
        pass

    mine, module = Mine(), torch.nn.ReLU()
    assert Capturer().copy((mine, module, "s", None)) == (mine, module, "s", None)


def test_cycles_are_copied_without_end() -> None:
    cycle: list[Any] = [torch.ones(1)]
    cycle.append(cycle)
    copied = Capturer().copy(cycle)
    assert isinstance(copied[0], torch.Tensor)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([[-5, 9]]),
        torch.tensor(7),
        torch.zeros(0, dtype=torch.int64),
        torch.tensor([True, False]),
        torch.ones(3, dtype=torch.float16),
        torch.ones(3, dtype=torch.complex64),
        torch.tensor([3, 200], dtype=torch.uint8),
    ],
    ids=lambda tensor: str(tensor.dtype),
)
def test_random_tensors_have_shape_dtype_and_range(tensor: torch.Tensor) -> None:
    made = Capturer(keep_values=False).copy(tensor)
    assert (made.shape, made.dtype, made.device) == (tensor.shape, tensor.dtype, tensor.device)
    if tensor.numel() and not tensor.dtype.is_floating_point and not tensor.dtype.is_complex:
        assert int(tensor.min()) <= int(made.min())
        assert int(made.max()) <= int(tensor.max())
