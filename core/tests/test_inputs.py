"""Inputs: files, patterns, lists and hashes, each file once and in order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkeyml.errors import UsageError
from turnkeyml.inputs import Source, find_sources


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with some files."""
    monkeypatch.chdir(tmp_path)
    files = ("a.py", "b.py", "c d.py", "sub/a.py", "sub/deep/e.onnx", "sub/[x].py", "UP.ONNX")
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    return tmp_path


def found(*words: str, **more: object) -> list[str]:
    """Give what was found, relative to the working directory."""
    return [
        str(source.path.relative_to(Path.cwd().resolve())) for source in find_sources(words, **more)
    ]


def test_files_come_in_the_order_given_and_absolute(folder: Path) -> None:
    assert found("b.py", "a.py", "c d.py") == ["b.py", "a.py", "c d.py"]
    assert all(source.path.is_absolute() for source in find_sources(["a.py"]))


def test_absolute_and_home_paths_are_understood(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder / "sub"))
    assert found(str(folder / "b.py"), "~/a.py") == ["b.py", "sub/a.py"]


def test_a_file_named_twice_comes_once(folder: Path) -> None:
    (folder / "link.py").symlink_to("a.py")
    assert found("a.py", "./a.py", "sub/../a.py", str(folder / "a.py"), "link.py") == ["a.py"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.py", ["a.py", "b.py", "c d.py"]),
        ("?.py", ["a.py", "b.py"]),
        ("[bc]*.py", ["b.py", "c d.py"]),
        ("**/*.onnx", ["sub/deep/e.onnx"]),
        ("sub/*", ["sub/[x].py", "sub/a.py"]),
        ("sub/[x].py", ["sub/[x].py"]),
    ],
)
def test_patterns_give_files_in_order(folder: Path, pattern: str, expected: list[str]) -> None:
    assert found(pattern) == expected


def test_an_absolute_pattern_is_understood(folder: Path) -> None:
    assert found(f"{folder}/sub/*.py") == ["sub/[x].py", "sub/a.py"]


def test_a_pattern_and_a_file_give_each_file_once(folder: Path) -> None:
    assert found("b.py", "*.py") == ["b.py", "a.py", "c d.py"]


def test_the_suffix_is_lower_case(folder: Path) -> None:
    assert find_sources(["UP.ONNX"])[0].suffix == ".onnx"


def test_hashes_select_models_of_a_file(folder: Path) -> None:
    (source,) = find_sources(["a.py::ABCD1234,ffff"])
    assert source.hashes == ("ABCD1234", "ffff")
    assert source.selects("abcd1234" + "0" * 56)
    assert source.selects("ffff" + "0" * 60)
    assert not source.selects("0abcd1234" + "0" * 55)
    assert Source(Path("/a.py")).selects("anything")


def test_mentions_of_one_file_are_joined(folder: Path) -> None:
    (source,) = find_sources(["a.py::aaaa", "a.py::bbbb", "a.py::aaaa"])
    assert source.hashes == ("aaaa", "bbbb")
    (source,) = find_sources(["a.py::aaaa", "a.py"])
    assert source.hashes == ()


@pytest.mark.parametrize("word", ["a.py::xyz", "a.py::abc", "a.py::abcd,-", "a.py::" + "a" * 65])
def test_what_is_no_hash_is_refused(folder: Path, word: str) -> None:
    with pytest.raises(UsageError, match="is no hash"):
        find_sources([word])


def test_a_pattern_with_hashes_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="both a pattern and hashes"):
        find_sources(["*.py::abcd"])


def test_a_list_gives_its_lines_relative_to_itself(folder: Path) -> None:
    lines = ["# models", "", "a.py", "  deep/e.onnx  ", "*.py", "[x].py::abcd"]
    (folder / "sub" / "list.txt").write_text("\n".join(lines))
    assert found("sub/list.txt") == ["sub/a.py", "sub/deep/e.onnx", "sub/[x].py"]


def test_a_line_that_is_not_beside_the_list_is_relative_to_the_working_directory(
    folder: Path,
) -> None:
    (folder / "sub" / "list.txt").write_text("b.py\nsub/deep/*.onnx\n")
    assert found("sub/list.txt") == ["b.py", "sub/deep/e.onnx"]


def test_a_line_keeps_its_hashes_and_spaces(folder: Path) -> None:
    (folder / "list.txt").write_text("c d.py::abcd\n")
    (source,) = find_sources(["list.txt"])
    assert (source.path.name, source.hashes) == ("c d.py", ("abcd",))


def test_lists_may_be_nested(folder: Path) -> None:
    (folder / "outer.txt").write_text("sub/inner.txt\nb.py\n")
    (folder / "sub" / "inner.txt").write_text("a.py\n")
    assert found("outer.txt") == ["sub/a.py", "b.py"]
    assert found("*.txt", "a.py") == ["sub/a.py", "b.py", "a.py"]


def test_a_list_may_come_twice_if_it_does_not_contain_itself(folder: Path) -> None:
    (folder / "inner.txt").write_text("a.py\n")
    (folder / "outer.txt").write_text("inner.txt\ninner.txt\n")
    assert found("outer.txt", "inner.txt") == ["a.py"]


def test_lists_that_contain_each_other_are_refused(folder: Path) -> None:
    (folder / "one.txt").write_text("two.txt\n")
    (folder / "two.txt").write_text("a.py\none.txt\n")
    with pytest.raises(UsageError, match=r"contain each other: one\.txt -> two\.txt -> one\.txt"):
        find_sources(["one.txt"])
    (folder / "me.txt").write_text("./me.txt\n")
    with pytest.raises(UsageError, match=r"me\.txt -> me\.txt"):
        find_sources(["me.txt"])


def test_a_missing_file_in_a_list_names_the_list(folder: Path) -> None:
    (folder / "list.txt").write_text("nothing.py\n")
    with pytest.raises(UsageError, match=r"no file 'nothing\.py' \(listed in .*list\.txt\)"):
        find_sources(["list.txt"])


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n  # comments\n"])
def test_an_empty_list_gives_nothing(folder: Path, text: str) -> None:
    (folder / "list.txt").write_text(text)
    assert find_sources(["list.txt"]) == ()


def test_a_list_that_is_no_text_is_refused_and_not_obeyed(folder: Path) -> None:
    (folder / "list.txt").write_bytes(b"\xff\xfe\x00b.py\n")
    with pytest.raises(UsageError, match="no file"):
        find_sources(["list.txt"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("aa.py", r"There is no file 'aa\.py'\. Did you mean 'a\.py'\?"),
        ("sub/aa.py", r"Did you mean 'sub/a\.py'\?"),
        ("a.pyy", r"Did you mean 'a\.py'\?"),
        ("zzzzzz.onnx", r"There is no file 'zzzzzz\.onnx'\.$"),
        ("nowhere/a.py", r"There is no file 'nowhere/a\.py'\.$"),
        ("sub", r"sub is a directory\. Give the files in it, for example sub/\*\.py"),
        ("sub/", r"sub/ is a directory\. .* sub/\*\.py"),
        ("*.none", r"No file matches '\*\.none'\."),
        ("s*b", r"No file matches 's\*b'\."),
        ("", "names no file"),
        ("::abcd", "names no file"),
        ("x" * 300, "cannot be read: File name too long"),
        ("a.py/b.py", "There is no file"),
    ],
)
def test_what_names_no_file_is_refused_with_a_suggestion(
    folder: Path, word: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        find_sources([word])


def test_a_mistyped_tool_is_recognized(folder: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean the tool 'discover'"):
        find_sources(["a.py", "discovr"], tool_names=["discover", "benchmark"])


def test_labels_keep_the_scripts_that_have_them(folder: Path) -> None:
    (folder / "a.py").write_text("#labels author::me,you test_group::one\n")
    (folder / "b.py").write_text("# labels: author::you\n")
    assert found("*.py", labels={"author": ("you",)}) == ["a.py", "b.py"]
    assert found("*.py", labels={"author": ("me", "other")}) == ["a.py"]
    assert found("*.py", labels={"author": ("you",), "test_group": ("one",)}) == ["a.py"]
    assert find_sources(["a.py"])[0].labels == {"author": ("me", "you"), "test_group": ("one",)}


def test_labels_that_match_nothing_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="None of the 2 inputs has the labels author::x,y b::z"):
        find_sources(["a.py", "b.py"], labels={"author": ("x", "y"), "b": ("z",)})


def test_files_other_than_scripts_have_no_labels(folder: Path) -> None:
    (folder / "x.onnx").write_bytes(b"#labels author::me\n\xff")
    assert find_sources(["x.onnx"])[0].labels == {}


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), max_size=3))
def test_no_words_break_the_search(words: list[str]) -> None:
    try:
        sources = find_sources(words)
    except UsageError as error:
        assert error.message
    else:
        assert all(source.path.is_file() for source in sources)


def test_a_link_keeps_its_suffix_where_what_it_leads_to_has_none(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "0a1b2c").write_text("a model")
    link = tmp_path / "model.onnx"
    link.symlink_to("blobs/0a1b2c")
    (source,) = find_sources([str(link)])
    assert (source.path, source.suffix) == (link, ".onnx")
    (tmp_path / "real.py").write_text("x = 1")
    (tmp_path / "alias.py").symlink_to("real.py")
    assert find_sources([str(tmp_path / "alias.py")])[0].path == tmp_path / "real.py"
