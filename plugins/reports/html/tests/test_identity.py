"""Which rows belong together."""

from __future__ import annotations

from html_support import failure, result

from turnkeyml_plugin_report_html.identity import (
    NONE,
    Numbering,
    configuration_of,
    models_key,
)


def test_one_model_in_two_caches_is_one() -> None:
    first, second = result(cache="/a"), result(cache="/b", runtime="openvino")
    assert models_key(first)[0] == models_key(second)[0]


def test_other_inputs_sweeps_and_hashes_are_other_models() -> None:
    rows = [
        result(),
        result(hash="cdcdcdcd"),
        result(input_shapes={"x": [2]}),
        result(**{"parameter.batch": 2}),
        result("other"),
    ]
    assert len({models_key(row)[0] for row in rows}) == len(rows)


def test_builds_without_a_hash_are_known_by_their_cache_and_inputs_by_their_script() -> None:
    rows = [
        result(hash="", cache="/a"),
        result(hash="", cache="/b"),
        failure(hash="", build_name="", script="/x.py"),
        failure(hash="", build_name="", script="/y.py"),
    ]
    assert len({models_key(row)[0] for row in rows}) == 4
    assert models_key(rows[2])[1] == "/x.py"


def test_a_name_that_is_taken_gets_a_number() -> None:
    numbering = Numbering()
    for key, name in (("a", "bert"), ("b", "bert"), ("a", "bert"), ("c", "bert~2"), ("d", "bert")):
        numbering.add(key, name)
    numbering.add("", "")
    assert numbering.numbers == [0, 1, 0, 2, 3, NONE]
    assert len(set(numbering.names)) == 4
    assert numbering.names[:2] == ["bert", "bert~2"]


def test_a_configuration_names_what_made_the_file_that_was_measured() -> None:
    chain = "discover export-pytorch optimize-onnx benchmark"
    exported = result(chain=chain, artifact_step="optimize-onnx-0000000c", rt_args=["threads::2"])
    eager = result(chain=chain, runtime="torch-eager", artifact_step="discover-0000000a")
    assert configuration_of(exported)[1] == "ort on x86, threads::2, export-pytorch optimize-onnx"
    assert configuration_of(eager)[1] == "torch-eager on x86"
    assert configuration_of(failure()) == ("", "")
