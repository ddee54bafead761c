"""Which library builds, seen from what is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from turnkeyml.errors import PlanError
from turnkeyml_plugin_build_trt_engine.libraries import TENSORRT, choose_library

SITE = Path(__file__).parent / "site"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Nothing is installed but what the test adds."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "path_importer_cache", {})

    def add(distribution, version, module=None):
        info = tmp_path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        if module is not None:
            (tmp_path / module).mkdir(exist_ok=True)
            (tmp_path / module / "__init__.py").write_text("raise SystemError('was imported')")

    return add


def test_tensorrt_is_preferred_and_nothing_is_imported(install):
    install("tensorrt-rtx", "1.7.1", "tensorrt_rtx")
    install("tensorrt", "10.16.1", "tensorrt")
    assert choose_library(None).name == "tensorrt"
    assert choose_library("tensorrt-rtx").name == "tensorrt-rtx"
    assert "tensorrt" not in sys.modules


def test_what_is_installed_is_taken(install):
    install("tensorrt-rtx", "1.7.1", "tensorrt_rtx")
    assert choose_library(None).name == "tensorrt-rtx"


def test_package_for_one_cuda_version_counts(install):
    install("tensorrt-cu13", "11.2.0", "tensorrt")
    assert choose_library(None).name == "tensorrt"
    assert TENSORRT.version() == "11.2.0"


def test_distribution_without_its_module_counts_as_absent(install):
    install("tensorrt", "10.16.1")
    with pytest.raises(PlanError, match="neither tensorrt nor tensorrt-rtx is installed"):
        choose_library(None)


def test_folder_that_is_called_like_the_module_counts_as_absent(install, tmp_path):
    (tmp_path / "tensorrt").mkdir()
    assert TENSORRT.version() is None


def test_nothing_installed_is_answered_with_a_command(install):
    with pytest.raises(PlanError) as caught:
        choose_library(None)
    assert caught.value.hint.endswith("pip install tensorrt-rtx")


@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_library_asked_for_but_not_installed_is_answered_with_its_command(install, name):
    with pytest.raises(PlanError, match=f"{name} is not installed, which --library asks") as caught:
        choose_library(name)
    assert f"pip install {name}" in caught.value.hint


def test_version_with_other_networks_is_refused(install):
    install("tensorrt", "8.6.1.post1", "tensorrt")
    with pytest.raises(PlanError, match=r"tensorrt 8\.6\.1\.post1 is too old"):
        choose_library(None)
