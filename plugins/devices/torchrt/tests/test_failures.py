"""What PyTorch raises, as one sentence."""

from __future__ import annotations

import pytest
import torch

from turnkeyml.errors import BuildError
from turnkeyml_plugin_torchrt.failures import build_error_from, explained, first_line


class TorchDynamoException(RuntimeError):
    pass


class TritonMissing(RuntimeError):
    pass


def test_memory_of_the_gpu_that_is_too_small_is_told():
    error = build_error_from(torch.OutOfMemoryError("CUDA out of memory. Tried to"), "Net")
    assert error.message == "The GPU's memory does not hold Net with its inputs and outputs."


def test_tensors_that_stayed_behind_are_told():
    text = "Expected all tensors to be on the same device, but found at least two devices"
    error = build_error_from(RuntimeError(text), "Net")
    assert error.message == "Net uses tensors that did not move to the GPU with it."
    assert "register_buffer" in error.hint


def test_gpu_that_this_build_has_no_code_for_is_told():
    error = build_error_from(RuntimeError("CUDA error: no kernel image is available for"), "Net")
    assert error.message == "This PyTorch has no code for this GPU."


def test_missing_triton_is_told_from_inside_the_compilers_exception():
    try:
        raise TorchDynamoException("backend='inductor' raised") from TritonMissing("none")
    except TorchDynamoException as raised:
        error = build_error_from(raised, "Net")
    assert error.message.startswith("torch.compile needs Triton for this GPU")


def test_innermost_exception_of_the_compiler_is_what_is_told():
    try:
        raise TorchDynamoException("a wrapper") from ValueError("what matters")
    except TorchDynamoException as raised:
        error = build_error_from(raised, "Net")
    assert error.message == "Net raised ValueError: what matters."


def test_our_own_errors_pass():
    with pytest.raises(BuildError, match="^ours$"), explained("Net"):
        raise BuildError("ours")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "no message."),
        ("\n one \n two", "one."),
        ("Done?", "Done?"),
        ("found:\nx", "found."),
        ("C++ failed\n\nSet TORCHDYNAMO_VERBOSE=1 for more", "C++ failed."),
    ],
)
def test_message_is_one_line(text, line):
    assert first_line(RuntimeError(text)) == line


class InvalidCxxCompiler(RuntimeError):
    pass


class CppCompileError(RuntimeError):
    pass


def test_missing_compiler_is_told():
    error = build_error_from(InvalidCxxCompiler("none"), "Net")
    assert error.message == "torch.compile finds no C++ compiler that works."
    assert "g++" in error.hint


def test_what_the_compiler_said_is_told():
    text = "C++ compile error\n\nx.cpp:3:1: error: expected ';'\nmore"
    error = build_error_from(CppCompileError(text), "Net")
    start = "The C++ compiler refused what torch.compile made of Net: "
    assert error.message.startswith(start)
    assert "expected ';'" in error.message
    assert "CXX" in error.hint
