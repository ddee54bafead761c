"""Calls of every shape as functions of their tensors."""

from __future__ import annotations

import collections
import dataclasses
import enum

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml_plugin_export_pytorch.flat import (
    FlatCall,
    flat_module,
    onnx_name,
    output_names,
    unique_names,
)

T = torch.ones
Pair = collections.namedtuple("Pair", "left right")


@dataclasses.dataclass
class Box:
    a: torch.Tensor
    factor: int


class Color(enum.Enum):
    RED = 1


class Everything(torch.nn.Module):
    """Takes arguments of every shape, and gives them all to whoever asks."""

    def forward(self, x, box=None, /, *more, scale=1.0, flag=True, pair=None, **rest):
        self.seen = (x, box, more, scale, flag, pair, rest)
        return x


def leaves(call):
    return [(entry.name, entry.captured) for entry in call.inputs]


def test_inputs_are_named_like_parameters_and_keys_in_the_order_of_forward(live):
    call = FlatCall(
        live(
            Everything(), T(1), Box(T(2), 3), T(3), T(4),
            last=[T(5), {"key": T(6)}], pair=Pair(T(7), T(8)), scale=2,
        )
    )  # fmt: skip
    assert leaves(call) == [
        ("x", "x"),
        ("box_a", "box.a"),
        ("more_0", "more_0"),
        ("more_1", "more_1"),
        ("pair_left", "pair.left"),
        ("pair_right", "pair.right"),
        ("last_0", "last.0"),
        ("last_1_key", "last.1.key"),
    ]
    assert [entry.tensor.numel() for entry in call.inputs] == [1, 2, 3, 4, 7, 8, 5, 6]


def test_names_are_those_of_the_input_signature(live):
    model = live(Everything(), T(1), Box(T(2), 3), T(3), z={"k": (T(4), None, 5)}, pair=None)
    assert [captured for _, captured in leaves(FlatCall(model))] == list(model.tensor_shapes())


def test_arguments_are_made_again_as_they_were_given(live):
    module = Everything()
    call = FlatCall(
        live(module, T(1), Box(T(2), 3), T(3), pair=Pair(T(7), None), flag=False, e=Color.RED)
    )
    values = [torch.full_like(entry.tensor, 9.0) for entry in call.inputs]
    args, kwargs = call.arguments(values)
    module(*args, **kwargs)
    x, box, more, scale, flag, pair, rest = module.seen
    assert (x.tolist(), box.a.tolist(), box.factor) == ([9.0], [9.0, 9.0], 3)
    assert [tensor.tolist() for tensor in more] == [[9.0] * 3]
    assert (scale, flag, rest) == (1.0, False, {"e": Color.RED})
    assert (pair.left.tolist(), pair.right) == ([9.0] * 7, None)


def test_tensors_are_copies_and_containers_new_each_time(live):
    tensor, holder = T(2), {"k": [T(2)]}
    call = FlatCall(live(Everything(), tensor, holder))
    call.tensors()[0].add_(1)
    assert tensor.tolist() == [1.0, 1.0]
    first, second = call.arguments(call.tensors()), call.arguments(call.tensors())
    assert first[0][1] is not second[0][1]
    assert first[0][1]["k"] is not holder["k"]


def test_one_tensor_given_twice_is_two_inputs(live):
    tensor = T(2)
    assert leaves(FlatCall(live(Everything(), tensor, tensor))) == [("x", "x"), ("box", "box")]


def test_tensors_in_a_cache_of_transformers_have_short_names(live):
    transformers = pytest.importorskip("transformers")
    cache = transformers.DynamicCache()
    cache.update(T(1, 1, 3, 4), T(1, 1, 3, 4), 0)
    assert leaves(FlatCall(live(Everything(), T(1), pair=cache))) == [
        ("x", "x"),
        ("pair_0_key", "pair.layers.0.keys"),
        ("pair_0_value", "pair.layers.0.values"),
    ]


def test_an_object_that_cannot_be_made_again_is_a_constant(live):
    class Sealed(dict):
        def __copy__(self):
            raise TypeError("one of a kind")

        def __setitem__(self, key, value):
            raise TypeError("sealed")

    module = Everything()
    sealed = Sealed(k=T(2))
    call = FlatCall(live(module, T(1), sealed))
    assert leaves(call) == [("x", "x")]
    args, _ = call.arguments([T(1)])
    assert args[1] is sealed


def test_complex_inputs_come_as_pairs_and_are_put_together_again(live):
    module = Everything()
    call = FlatCall(live(module, torch.tensor([1 + 2j, 3j])))
    (entry,) = call.inputs
    assert (entry.complex, entry.tensor.tolist()) == (True, [[1.0, 2.0], [0.0, 3.0]])
    args, _ = call.arguments(call.tensors())
    assert args[0].tolist() == [1 + 2j, 3j]


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: torch.eye(2).to_sparse(), "x is a sparse tensor"),
        (lambda: torch.quantize_per_tensor(T(2), 1.0, 0, torch.qint8), r"tensor \(qint8\)"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_no_file_can_take_is_refused(live, make, what):
    with pytest.raises(BuildError, match=what) as caught:
        FlatCall(live(Everything(), make()))
    assert "Call the model with" in caught.value.hint


def test_flat_module_takes_and_gives_tensors_in_a_row(live):
    class Two(torch.nn.Module):
        def forward(self, x, y=2):
            return {"a": x * y, "n": None, "c": (x, torch.complex(x, x))}

    module = Two().eval()
    outputs = flat_module(module, FlatCall(live(module, T(2), y=3)))(T(2))
    assert [tuple(output.shape) for output in outputs] == [(2,), (2,), (2, 2)]
    assert outputs[0].tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["out"], ("output",)),
        (["out_0", "out_1"], ("output_0", "output_1")),
        (["out_0", "out_0.1"], ("output_0", "output_0_1")),
        (["last_hidden_state", "past_key_values.layers.0.keys"],
         ("last_hidden_state", "past_key_values_0_key")),
        (["x"], ("output_x",)),
        (["a.b", "a_b", "a b"], ("a_b", "output_a_b", "a_b_1")),
        (["7", ""], ("_7", "_")),
        (["outer"], ("outer",)),
    ],
)  # fmt: skip
def test_outputs_are_named_by_their_keys(names, expected):
    assert output_names(names, ["x"]) == expected


def test_names_that_no_file_should_have_become_words():
    assert onnx_name("a.b/c d") == "a_b_c_d"
    assert onnx_name("größe") == "gr_e"


def test_equal_names_are_numbered():
    names = unique_names(["a", "a", "a", "b"], ["b"])
    assert names[0] == "a"
    assert len(set(names)) == 4
    assert "b" not in names
