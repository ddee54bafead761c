"""The hook runs once, after the one import it waits for, and leaves no trace."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from turnkeyml_torch.import_hook import PostImportHook


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    (tmp_path / "turnkey_wanted.py").write_text("import turnkey_other\nVALUE = 1\n")
    (tmp_path / "turnkey_other.py").write_text("")
    (tmp_path / "turnkey_broken.py").write_text("raise ValueError('broken on purpose')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield []
    for name in ("turnkey_wanted", "turnkey_other", "turnkey_broken"):
        sys.modules.pop(name, None)


def test_hook_runs_once_when_the_module_is_complete(seen: list[str]) -> None:
    before = list(sys.meta_path)
    hook = PostImportHook(
        "turnkey_wanted", lambda: seen.append(sys.modules["turnkey_wanted"].VALUE)
    )
    hook.install()
    importlib.import_module("turnkey_other")
    assert importlib.util.find_spec("turnkey_wanted") is not None
    assert seen == []
    module = importlib.import_module("turnkey_wanted")
    assert seen == [1]
    assert sys.meta_path == before
    assert "exec_module" not in vars(module.__spec__.loader)
    importlib.reload(module)
    assert seen == [1]


def test_removed_hook_does_not_run(seen: list[str]) -> None:
    hook = PostImportHook("turnkey_wanted", lambda: seen.append("ran"))
    hook.install()
    hook.remove()
    hook.remove()
    importlib.import_module("turnkey_wanted")
    assert seen == []


def test_failed_import_keeps_the_hook_waiting(seen: list[str]) -> None:
    hook = PostImportHook("turnkey_broken", lambda: seen.append("ran"))
    hook.install()
    with pytest.raises(ValueError, match="broken on purpose"):
        importlib.import_module("turnkey_broken")
    assert seen == []
    assert hook in sys.meta_path
    hook.remove()


def test_missing_module_stays_missing(seen: list[str]) -> None:
    hook = PostImportHook("turnkey_missing", lambda: seen.append("ran"))
    hook.install()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("turnkey_missing")
    hook.remove()
    assert seen == []
