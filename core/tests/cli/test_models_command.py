"""`turnkey models`: where the corpora are, in a checkout and installed."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from core_env import Ended, FakePlugins, run_here

from turnkeyml import corpora
from turnkeyml.errors import ExitCode, UsageError

CHECKOUT = Path(__file__).resolve().parents[3] / "models"
in_a_checkout = pytest.mark.skipif(
    not Path(corpora.__file__).is_relative_to(CHECKOUT.parent / "core" / "src"),
    reason="turnkey does not run from the checkout",
)


def command(*words: str, code: int = ExitCode.OK) -> Ended:
    done = run_here("models", *words)
    assert done.code == code, done.text
    return done


@pytest.fixture(autouse=True)
def nothing_installed(plugins: FakePlugins, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@in_a_checkout
def test_in_a_checkout_they_are_the_folder_models() -> None:
    assert command("location").out == f"The models are in {CHECKOUT}\n"
    assert command("location", "--quiet").out == f"{CHECKOUT}\n"
    assert (CHECKOUT / "selftest" / "linear.py").is_file()


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    spec = importlib.machinery.ModuleSpec("turnkeyml_models", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


@pytest.mark.parametrize("corpora_in", [".", "..", "../.."])
def test_installed_they_are_in_or_above_the_package(
    corpora_in: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "a" / "b" / "turnkeyml_models"
    install(monkeypatch, package)
    root = (package / corpora_in).resolve()
    (root / "selftest").mkdir()
    assert command("location", "-q").out == f"{root}\n"


def test_without_them_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "_ALWAYS_THERE", "not-there")
    done = command("location", code=ExitCode.USAGE)
    assert "The models are not installed." in done.err
    assert "pip install turnkeyml-models" in done.err


@in_a_checkout
def test_a_damaged_installation_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Any:
        raise ValueError("turnkeyml_models.__spec__ is None")

    monkeypatch.setattr(importlib.util, "find_spec", refuse)
    assert corpora.models_dir() == CHECKOUT
    monkeypatch.setattr(corpora, "_ALWAYS_THERE", "not-there")
    with pytest.raises(UsageError):
        corpora.models_dir()


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    install(monkeypatch, tmp_path)
    for name, labels in (("selftest/a", "task::x"), ("selftest/b", "task::y"), ("timm/c", "k::x")):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# labels: {labels}\n")
    for name in ("other", "dev"):
        (tmp_path / name).mkdir()
    (tmp_path / "dev/make.py").write_text("x = 1\n")
    return tmp_path


def test_the_corpora_of_the_checkout_are_those_of_its_page() -> None:
    page = (CHECKOUT / "README.md").read_text("utf-8")
    names = set(corpora.corpora_in(CHECKOUT))
    assert names == {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")} & {
        path.name for path in CHECKOUT.iterdir()
    }
    assert "dev" not in names


def test_list_names_the_scripts(models: Path) -> None:
    done = command("list")
    names = [Path(line).relative_to(models).as_posix() for line in done.out.splitlines()]
    assert names == ["selftest/a.py", "selftest/b.py", "timm/c.py"]
    assert done.err == "3 scripts\n"
    assert command("list", "timm").out == f"{models}/timm/c.py\n"
    assert command("list", "--labels", "task::x", "task::y").out.count("\n") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("other",), "There is no corpus 'other'.\n  There are: selftest, timm."),
        (("dev",), "There is no corpus 'dev'.\n  There are: selftest, timm."),
        (("--labels", "task::z"), "None of the 3 inputs has the labels task::z."),
        (("--labels", "task"), "'task' is no label."),
    ],
)
def test_wrong_words(words: tuple[str, ...], said: str, models: Path) -> None:
    assert said in command("list", *words, code=ExitCode.USAGE).err
