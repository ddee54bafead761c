"""Which CPU a layout is for."""

from __future__ import annotations

import platform

import pytest

from turnkeyml_plugin_optimize_onnx.cpu import cpu_kind


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ("fpu sse avx avx2 avx512f avx512bw", "x86_64-avx512f"),
        ("fpu sse avx avx2", "x86_64-avx"),
        ("fpu sse", "x86_64"),
    ],
)
def test_kind_is_the_widest_vector_unit(tmp_path, monkeypatch, flags, kind):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor : 0\nmodel name : Some CPU\nflags\t\t: {flags}\n\n")
    assert cpu_kind(info) == kind


def test_architecture_alone_is_the_kind_where_nothing_else_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert cpu_kind(tmp_path / "none") == "aarch64"
