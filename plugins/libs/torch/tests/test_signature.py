"""Arguments are bound to the names of `forward`, and signatures are equal by content."""

from __future__ import annotations

import json
import math
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from turnkeyml_torch import Leaf, Signature, arguments_from_names, bind_names, make_signature

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Inputs:
    pixels: torch.Tensor
    size: int = 3


class Net(torch.nn.Module):
    def forward(self, x, y=None, *rest, flag=False, **more):
        return x


class Plain(torch.nn.Module):
    def forward(self, x, times: int = 2):
        return x * times


class First(torch.nn.Module):
    def forward(self, x, /, y=1, *, z=2):
        return x


def test_names_follow_forward_whatever_way_arguments_came() -> None:
    bound = bind_names(Net(), (1, 2, 3, 4), {"b": 6, "flag": True, "a": 5})
    assert list(bound.items()) == [
        ("x", 1),
        ("y", 2),
        ("rest_0", 3),
        ("rest_1", 4),
        ("flag", True),
        ("a", 5),
        ("b", 6),
    ]
    x = torch.ones(1)
    assert make_signature(Net(), (x, None), {}) == make_signature(Net(), (), {"y": None, "x": x})


def test_arguments_that_do_not_fit_get_numbers() -> None:
    assert bind_names(Plain(), (1, 2, 3), {"k": 4}) == {"arg_0": 1, "arg_1": 2, "arg_2": 3, "k": 4}


@pytest.mark.parametrize(
    ("module", "args", "kwargs"),
    [
        (Net(), (1,), {}),
        (Net(), (1, 2, 3, 4), {"flag": True, "a": 5}),
        (Net(), (), {"x": 1, "a": 5}),
        (Plain(), (1,), {"times": 3}),
        (First(), (1,), {"z": 4}),
        (torch.nn.Linear(1, 1), (1,), {}),
    ],
)
def test_names_turn_back_into_a_call_that_binds_the_same(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    named = bind_names(module, args, kwargs)
    again = arguments_from_names(module, named)
    assert bind_names(module, *again) == named


def test_names_that_fit_nothing_are_refused() -> None:
    with pytest.raises(TypeError, match="takes no argument 'z'"):
        arguments_from_names(Plain(), {"x": 1, "z": 2})
    with pytest.raises(TypeError, match="needs the argument 'x'"):
        arguments_from_names(Plain(), {"times": 2})


def test_scripted_modules_have_the_names_of_their_schema() -> None:
    scripted = torch.jit.script(Plain())
    assert list(bind_names(scripted, (torch.ones(1), 3), {})) == ["x", "times"]
    traced = torch.jit.trace(Plain(), torch.ones(1))
    assert list(bind_names(traced, (torch.ones(1),), {})) == ["x"]


def test_nested_values_have_dotted_names_and_kinds() -> None:
    x = torch.ones(2, 3, dtype=torch.bfloat16)
    value = {"past": ((x, None),), "point": Point(x, 1.5), "in": Inputs(x), "none": [], 3: "s"}
    signature = make_signature(Plain(), (value, math.nan), {})
    assert signature.leaves == (
        Leaf("x.past.0.0", "tensor", "bfloat16", (2, 3)),
        Leaf("x.past.0.1", "none"),
        Leaf("x.point.x", "tensor", "bfloat16", (2, 3)),
        Leaf("x.point.y", "float", value=1.5),
        Leaf("x.in.pixels", "tensor", "bfloat16", (2, 3)),
        Leaf("x.in.size", "int", value=3),
        Leaf("x.none", "list"),
        Leaf("x.3", "str", value="s"),
        Leaf("times", "float", value="nan"),
    )
    assert signature.shapes() == dict.fromkeys(("x.past.0.0", "x.point.x", "x.in.pixels"), (2, 3))


def test_signature_survives_json_and_is_hashable() -> None:
    signature = make_signature(Plain(), (torch.tensor(1), False), {})
    assert json.dumps(signature.to_json()) == (
        '[{"name": "x", "kind": "tensor", "dtype": "int64", "shape": []}, '
        '{"name": "times", "kind": "bool", "value": false}]'
    )
    assert Signature.from_json(json.loads(json.dumps(signature.to_json()))) == signature
    assert len({signature, make_signature(Plain(), (torch.tensor(7), False), {})}) == 1


def test_values_of_different_types_differ_though_python_finds_them_equal() -> None:
    signatures = {make_signature(Plain(), (value,), {}) for value in (1, 1.0, True)}
    assert len(signatures) == 3


def test_opaque_values_are_the_same_from_run_to_run() -> None:
    leaf = make_signature(Plain(), (object(), torch.float16), {}).leaves
    assert leaf == (
        Leaf("x", "opaque", value="builtins.object"),
        Leaf("times", "opaque", value="torch.float16"),
    )


def test_cycles_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert make_signature(Plain(), (cycle,), {}).leaves[0].kind == "opaque"
