"""Which library built an engine, and what is installed."""

from __future__ import annotations

import pytest

from turnkeyml.artifacts import TRT_ENGINE
from turnkeyml.errors import BuildError
from turnkeyml.testing.feeding import make_state
from turnkeyml_plugin_tensorrt import requirements
from turnkeyml_plugin_tensorrt.origin import find_origin
from turnkeyml_plugin_tensorrt.requirements import TENSORRT, TENSORRT_RTX, check_packages


@pytest.fixture
def installed(monkeypatch):
    """Says which distributions are installed, and which are not."""

    def set_versions(**versions):
        def version_of(name):
            return versions.get(name.replace("-", "_"))

        monkeypatch.setattr(requirements, "version_of", version_of)

    return set_versions


@pytest.fixture
def saved(tmp_path):
    """Makes a build whose state says what is known of an engine; gives what finds its origin."""

    def make(content=b"something", **info):
        state = make_state(tmp_path)
        state.begin_step("build-trt-engine", "1" * 8, ())
        path = state.folder("engines") / "m.engine"
        path.write_bytes(content)
        state.add(TRT_ENGINE, [path], info=info)
        state.save()
        return lambda: find_origin(state.build.cache, state.name, path)

    return make


@pytest.mark.parametrize("library", [TENSORRT, TENSORRT_RTX])
def test_state_says_what_built_an_engine(saved, installed, library):
    installed(tensorrt="10.16.1", tensorrt_rtx="1.7.1")
    found = saved(library=library.name, library_version="9.9")()
    assert (found.library, found.version) == (library, "9.9")


@pytest.mark.parametrize(
    ("content", "library"), [(b"vtrt\0\0", TENSORRT_RTX), (b"ftrt\0\0", TENSORRT)]
)
def test_without_a_state_the_first_bytes_tell(saved, installed, tmp_path, content, library):
    installed(tensorrt="10.16.1", tensorrt_rtx="1.7.1")
    assert saved(content)().library is library
    path = tmp_path / "alone.engine"
    path.write_bytes(content)
    found = find_origin(tmp_path, "no_such_build", path)
    assert (found.library, found.version) == (library, None)


def test_file_that_is_no_engine_is_refused(saved):
    with pytest.raises(BuildError, match=r"m\.engine is no engine of TensorRT or TensorRT-RTX"):
        saved(b"\x08\x07onnx")()


def test_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(BuildError, match="gone.engine cannot be read: No such file"):
        find_origin(tmp_path, "no_such_build", tmp_path / "gone.engine")


def test_library_that_is_not_installed_is_named_with_its_command(saved, installed):
    installed(tensorrt_rtx="1.7.1")
    with pytest.raises(BuildError) as caught:
        saved(library="tensorrt", library_version="10.16.1")()
    assert caught.value.message == (
        "The engine m.engine was built with tensorrt 10.16.1, and tensorrt is not installed."
    )
    assert caught.value.hint == f"Install it with: {TENSORRT.install}"


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({}, "bindings are not installed"),
        ({"cuda_bindings": "12.4.1", "tensorrt": "10.0"}, "bindings 12.4.1 are too old"),
        ({"cuda_bindings": "13.4.4"}, "neither tensorrt nor tensorrt-rtx is installed"),
    ],
)
def test_what_is_missing_is_said_before_a_benchmark(installed, versions, words):
    installed(**versions)
    with pytest.raises(BuildError, match=words) as caught:
        check_packages()
    assert "pip install" in caught.value.hint


def test_distribution_for_one_cuda_version_counts(installed):
    installed(cuda_bindings="12.9.0", tensorrt_cu12="10.9.0")
    check_packages()
    assert (TENSORRT.version(), TENSORRT_RTX.version()) == ("10.9.0", None)
