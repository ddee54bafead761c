"""Sentences made of what TensorRT complains about; the texts are of versions 1.4 to 1.7 and 10."""

from __future__ import annotations

import pytest

from turnkeyml_plugin_build_trt_engine.complaints import explain


def said(phase, **facts):
    error = explain({"phase": phase, **facts}, "TensorRT 9", "m.onnx", {})
    assert "\n" not in str(error)
    return error


def node_error(text, operator="Op", node="n", code="UNSUPPORTED_NODE"):
    names = {"operator": operator, "node": node}
    return {"code": code, "text": text, "file": "a.cpp", "function": "f", **names}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("false", "Op (node n)."),
        ('creator && "Plugin not found, are the plugin name, version, correct?"', "Op (node n)."),
        ("Op type Op is not supported in TensorRT-RTX.", "Op (node n)."),
        (
            'Assertion failed: (dim < 3) && "Only 3 dimensions are supported."',
            "Op (node n: Only 3 dimensions are supported).",
        ),
        ("Assertion failed: a < b: The axis is too large.", "Op (node n: The axis is too large)."),
    ],
)
def test_reason_is_given_where_the_parser_has_one_for_people(text, shown):
    assert said("parse", errors=[node_error(text)], log=[]).message.endswith(f"model: {shown}")


def test_long_lists_are_cut_with_their_number():
    errors = [node_error("false", operator=f"Op{n}") for n in range(8)]
    errors += [node_error("false", operator="Op0", node=f"n{n}") for n in range(9)]
    message = said("parse", errors=errors, log=[]).message
    assert "Op0 (nodes n, n0 and 8 more), Op1 (node n)" in message
    assert message.endswith("and 3 more.")


def test_nodes_without_names_are_counted():
    errors = [node_error("false", node=""), node_error("false", node="")]
    assert "Op (2 nodes without names)" in said("parse", errors=errors, log=[]).message


def test_error_without_an_operator_is_its_text_without_source_lines():
    text = (
        "In node -1 with name:  and operator:  (parseFromFile): INVALID_VALUE: Assertion failed: "
        "stat(onnxModelFile, &sb) == 0: Input file cannot be found"
    )
    found = said("parse", errors=[node_error(text, operator="")], log=[])
    assert found.message == "TensorRT 9 cannot read m.onnx: Input file cannot be found."


def test_first_error_of_the_build_is_the_reason_and_its_source_line_is_not():
    log = [
        ["WARNING", "something else"],
        [
            "ERROR",
            "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (In catchCudaError "
            "at /_src/common/checkMacros.cpp:250 (cudaError 35: CUDA driver version is "
            "insufficient for CUDA runtime version))",
        ],
        [
            "ERROR",
            "IBuilder::buildSerializedNetwork: Error Code 4: API Usage Error (Dimension mismatch "
            "for tensor x and profile 0. In validate at /_src/network.cpp:4054)",
        ],
        ["ERROR", "a consequence"],
    ]
    assert said("build", log=log).message == (
        "TensorRT 9 cannot build this engine: Dimension mismatch for tensor x and profile 0."
    )


def test_driver_that_is_missing_is_told_with_what_to_do():
    log = [
        [
            "ERROR",
            "IBuilder::buildSerializedNetwork: Error Code 1: Cuda Runtime (In generateForCurrent "
            "at /_src/cudaDeviceProfile.cpp:221 (cudaError 35: CUDA driver version is "
            "insufficient for CUDA runtime version))",
        ]
    ]
    error = said("build", log=log)
    assert "CUDA driver version is insufficient" in error.message
    assert "/_src" not in error.message
    assert "nvidia-smi" in error.hint


def test_builder_that_does_not_start_says_what_the_library_logged():
    log = [
        ["WARNING", "Unable to determine GPU memory usage"],
        ["WARNING", "CUDA initialization failure with error: 35. Please check your installation."],
    ]
    error = said("start", detail="factory function returned nullptr", log=log)
    assert error.message.startswith("TensorRT 9 does not start: ")
    assert "CUDA initialization failure with error: 35" in error.message
    assert "nvidia-smi" in error.hint


def test_scratch_memory_that_is_too_small_names_the_option():
    log = [["ERROR", "Could not find any implementation due to insufficient workspace."]]
    assert "--workspace-mib" in said("build", log=log).hint


def test_library_that_says_nothing_is_still_a_sentence():
    assert said("build", log=[]).message.endswith("cannot build this engine: it does not say why.")
    assert said("parse", errors=[], log=[]).message.endswith("m.onnx: it does not say why.")


def test_import_failure_names_what_is_missing():
    error = said("import", detail="ImportError: libnvinfer.so.10: cannot open shared object file")
    assert "cannot be imported: ImportError: libnvinfer.so.10" in error.message


def test_failed_write_is_the_systems_sentence():
    error = said("write", detail="No space left on device")
    assert error.message == "The engine cannot be written: No space left on device."
