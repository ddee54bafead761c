"""Models as PyTorch exports them: small ones of eight kinds, with random weights."""

from __future__ import annotations

import math
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F

from turnkeyml.artifacts import ONNX_MODEL
from turnkeyml_plugin_convert_fp16.graphs import forget_types_of_weights
from turnkeyml_plugin_convert_fp16.half import LARGEST, SMALLEST
from turnkeyml_plugin_convert_fp16.task import UNSUPPORTED_ON_CPU

# The exporter's own libraries warn about each other.
pytestmark = pytest.mark.filterwarnings("ignore")


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.head = nn.Linear(256, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return F.softmax(self.head(x.flatten(1)), -1)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(16, 32, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 4)

    def forward(self, x, h, c):
        y, (h, c) = self.lstm(x, (h, c))
        return self.head(y), h, c


class Block(nn.Module):
    def __init__(self, inner, outer, time):
        super().__init__()
        self.norm = nn.GroupNorm(4, inner)
        self.conv = nn.Conv2d(inner, outer, 3, padding=1)
        self.time = nn.Linear(time, outer)
        self.skip = nn.Conv2d(inner, outer, 1)

    def forward(self, x, time):
        return self.conv(F.silu(self.norm(x))) + self.time(time)[:, :, None, None] + self.skip(x)


class Unet(nn.Module):
    """Down and up again with a skip, a step in time, and attention to a text."""

    def __init__(self):
        super().__init__()
        self.time = nn.Linear(16, 32)
        self.first = Block(4, 16, 32)
        self.down = nn.Conv2d(16, 16, 3, 2, 1)
        self.middle = Block(16, 16, 32)
        self.last = Block(32, 8, 32)
        self.out = nn.Conv2d(8, 4, 1)

    def forward(self, sample, timestep, text):
        rates = torch.exp(-math.log(10000) * torch.arange(8, dtype=torch.float32) / 8)
        angles = timestep[:, None].float() * rates[None]
        waves = torch.cat([angles.sin(), angles.cos()], -1).to(sample.dtype)
        time = F.silu(self.time(waves))
        first = self.first(sample, time)
        x = self.middle(self.down(first), time)
        queries = x.flatten(2).transpose(1, 2)[:, None]
        seen = F.scaled_dot_product_attention(queries, text[:, None], text[:, None])[:, 0]
        x = seen.transpose(1, 2).reshape(x.shape) + x
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.out(self.last(torch.cat([x, first], 1), time))


class Gcn(nn.Module):
    """Two graph convolutions, with scattering as graph libraries do it."""

    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 32)
        self.two = nn.Linear(32, 4)

    def hop(self, x, edges):
        source, target = edges[0], edges[1]
        ones = torch.ones(target.shape[0])
        degrees = torch.zeros(x.shape[0]).scatter_add_(0, target, ones)
        factors = degrees.clamp(min=1).pow(-0.5)
        messages = x[source] * (factors[source] * factors[target])[:, None]
        return torch.zeros_like(x).index_add_(0, target, messages)

    def forward(self, x, edges):
        x = F.relu(self.hop(self.one(x), edges))
        return F.log_softmax(self.hop(self.two(x), edges), -1)


def make_linear():
    return nn.Linear(32, 16), {"input": torch.randn(2, 32)}


def make_cnn():
    return Cnn(), {"x": torch.randn(2, 3, 8, 8)}


def make_lstm():
    state = torch.randn(4, 2, 32)
    return Lstm(), {"x": torch.randn(2, 5, 16), "h": state, "c": state * 2}


def make_bert():
    import transformers

    config = transformers.BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        vocab_size=100, max_position_embeddings=32,
    )  # fmt: skip
    return transformers.BertModel(config), tokens()


def make_gpt2():
    import transformers

    config = transformers.GPT2Config(
        n_embd=32, n_layer=2, n_head=4, vocab_size=100, n_positions=32, use_cache=False,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config), tokens()


def tokens():
    ids = torch.randint(0, 100, (1, 12))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def make_vit():
    import transformers

    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        image_size=16, patch_size=4,
    )  # fmt: skip
    return transformers.ViTModel(config), {"pixel_values": torch.randn(1, 3, 16, 16)}


def make_unet():
    text = torch.randn(1, 6, 16)
    sample = torch.randn(1, 4, 8, 8)
    return Unet(), {"sample": sample, "timestep": torch.tensor([7]), "text": text}


def make_gcn():
    return Gcn(), {"x": torch.randn(20, 8), "edges": torch.randint(0, 20, (2, 50))}


SLOW = [make_linear, make_lstm, make_gpt2, make_vit, make_unet]
EXPORTED: dict = {}


@pytest.fixture(
    params=[
        *(make_cnn, make_bert, make_gcn),
        *(pytest.param(make, marks=pytest.mark.slow) for make in SLOW),
    ],
    ids=lambda make: make.__name__.removeprefix("make_"),
)
def exported(request, new_case):
    """Give a case with the exported model, at its beginning."""
    make = request.param
    if make not in EXPORTED:
        torch.manual_seed(0)
        module, inputs = make()
        with warnings.catch_warnings(action="ignore"):
            program = torch.onnx.export(
                module.eval(), (), kwargs=inputs, dynamo=True, opset_version=20, verbose=False
            )
        feeds = {name: value.numpy() for name, value in inputs.items()}
        case = new_case(program.model, feeds)
        EXPORTED[make] = case, case.artifact, case.run()
    case, source, before = EXPORTED[make]
    case.state.add(ONNX_MODEL, source.files, info=source.info)
    return case, before


def converted_whole(path, target, keep):
    """Let onnxruntime's converter work on a whole model in memory, as it is meant to be used."""
    from onnxruntime.transformers import float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    model = onnx.load(path)
    forget_types_of_weights(model.graph)
    made = float16.convert_float_to_float16(
        model,
        min_positive_val=SMALLEST,
        max_finite_val=LARGEST,
        keep_io_types=keep,
        op_block_list=[*float16.DEFAULT_OP_BLOCK_LIST, *UNSUPPORTED_ON_CPU],
    )
    sorted_model = OnnxModel(made)
    sorted_model.topological_sort()
    onnx.save(sorted_model.model, target)
    return sorted_model.model


def nodes_of(model):
    return {
        (n.op_type, *n.input, *n.output, *(a.SerializeToString() for a in n.attribute))
        for n in model.graph.node
    }


@pytest.mark.parametrize("keep", [False, True], ids=["converted", "kept"])
def test_result_is_that_of_the_converter_on_the_whole_model(exported, tmp_path, keep):
    case, before = exported
    whole = converted_whole(case.path, tmp_path / "whole.onnx", keep)
    case.convert(keep_io_types=keep)
    ours = case.model()
    onnx.checker.check_model(str(case.path))
    assert nodes_of(ours) == nodes_of(whole)
    weights = [
        {t.name: numpy_helper.to_array(t) for t in m.graph.initializer} for m in (ours, whole)
    ]
    assert weights[0].keys() == weights[1].keys()
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name], err_msg=name)
    after = case.run()
    same = ort.InferenceSession(str(tmp_path / "whole.onnx")).run(None, case.captured())
    for one, two, reference in zip(after, same, before, strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.dtype == (np.float32 if keep else np.float16)
        np.testing.assert_allclose(one, reference, atol=1e-2)
    assert {value.dtype.name for value in weights[0].values()} & {"float16"}


def test_older_converter_gives_a_model_that_runs_or_one_sentence(exported):
    from turnkeyml.errors import BuildError

    case, before = exported
    try:
        case.convert(converter="onnxconverter-common")
    except BuildError as error:
        assert "onnxconverter-common made a model that ONNX Runtime does not load" in str(error)
        assert "Try --converter ort." in str(error)
        assert "\n" not in str(error)
    else:
        for one, reference in zip(case.run(), before, strict=True):
            np.testing.assert_allclose(one, reference, atol=1e-2)
