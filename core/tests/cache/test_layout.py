"""The cache's layout: names that never collide, whoever comes when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from turnkeyml.cache.documents import write_document
from turnkeyml.cache.layout import STATE_SCHEMA, Cache, cache_from
from turnkeyml.errors import CacheError, UsageError

DIGEST = "abcdef12" + "0" * 56
SAME_DIGITS = "abcdef12" + "1" * 56


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path / "cache")
    cache.require_writable()
    return cache


def test_a_build_is_named_by_script_and_hash(cache: Cache) -> None:
    build = cache.claim(Path("/x/bert.py"), DIGEST)
    assert build.name == "bert_abcdef12"
    assert build.path.is_dir()
    assert build.state_file.name == "bert_abcdef12_state.yaml"
    assert build.stats_file.name == "turnkey_stats.yaml"
    assert build.log_file("export-pytorch").name == "log_export-pytorch.txt"
    assert build.log_file("export-pytorch", 2).name == "log_export-pytorch_2.txt"


def test_the_same_model_gets_the_same_build_again(cache: Cache) -> None:
    first = cache.claim(Path("/x/bert.py"), DIGEST)
    assert cache.claim(Path("/x/bert.py"), DIGEST) == first
    assert Cache(cache.path).claim(Path("/x/bert.py"), DIGEST) == first


def test_two_scripts_of_one_name_have_a_build_each(cache: Cache) -> None:
    one, two = (cache.claim(Path(f"/{folder}/bert.py"), DIGEST) for folder in "xy")
    assert one.name != two.name
    assert two.name.startswith("bert_abcdef12-")
    assert cache.claim(Path("/y/bert.py"), DIGEST) == two
    assert cache.claim(Path("/x/bert.py"), DIGEST) == one


def test_two_models_that_share_the_shown_digits_have_a_build_each(cache: Cache) -> None:
    one = cache.claim(Path("/x/bert.py"), DIGEST)
    assert cache.claim(Path("/x/bert.py"), SAME_DIGITS) != one


def test_equal_models_of_one_script_have_a_build_each(cache: Cache) -> None:
    names = {cache.claim(Path("/x/bert.py"), DIGEST, ordinal).name for ordinal in range(5)}
    assert len(names) == 5


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"half", b"g" * 64, b"0" * 63])
def test_a_damaged_claim_is_made_anew(cache: Cache, content: bytes) -> None:
    build = cache.claim(Path("/x/bert.py"), DIGEST)
    claim = build.path / ".claim"
    right = claim.read_bytes()
    claim.write_bytes(content)
    assert cache.claim(Path("/x/bert.py"), DIGEST) == build
    assert claim.read_bytes() == right


def test_a_name_that_is_taken_twice_over_still_leads_to_a_free_one(cache: Cache) -> None:
    wanted = Path("/y/bert.py")
    cache.claim(Path("/x/bert.py"), DIGEST)
    second = cache.claim(wanted, DIGEST)
    (second.path / ".claim").write_text("0" * 64)
    third = cache.claim(wanted, DIGEST)
    assert third.name.startswith(second.name)
    assert len(third.name) > len(second.name)
    (third.path / ".claim").write_text("0" * 64)
    with pytest.raises(CacheError, match="No free build name"):
        cache.claim(wanted, DIGEST)


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("two words", "two-words"),
        ("a/b", "b"),
        ("..", "model"),
        ("模型", "model"),
        ("été", "t"),
        (".hidden", "hidden"),
        ("x" * 200, "x" * 80),
        ("a\nb$(c)", "a-b-c"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf"),
    ],
)
def test_odd_file_names_make_plain_build_names(cache: Cache, stem: str, expected: str) -> None:
    build = cache.claim(Path(f"/x/{stem}.py"), DIGEST)
    assert build.name == f"{expected}_abcdef12"
    assert build.path.parent == cache.path


def test_processes_that_meet_at_one_name_get_a_build_each(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from turnkeyml.cache.layout import Cache\n"
        "cache, start, me = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]\n"
        "print(flush=True)\n"
        "while not start.exists(): pass\n"
        "for n in range(40):\n"
        "    digest = f'{n:08x}' + '0' * 56\n"
        "    print(Cache(cache).claim(Path(f'/{me}/bert.py'), digest).name)\n"
    )
    start = tmp_path / "start"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "cache"), str(start), me],
            stdout=subprocess.PIPE,
            text=True,
        )
        for me in "xyz"
    ]
    outputs = []
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    start.touch()
    for process in processes:
        outputs.append(process.communicate(timeout=60)[0].split())
        assert process.returncode == 0
    names = [name for output in outputs for name in output]
    assert len(names) == len(set(names)) == 120
    assert not list((tmp_path / "cache").glob("*/.tmp-*"))


def test_folders_that_turnkey_did_not_make_are_no_builds(cache: Cache) -> None:
    (cache.path / "photos").mkdir()
    (cache.path / "photos" / "state.yaml").write_text("x")
    (cache.path / "notes.txt").write_text("x")
    cache.claim(Path("/x/claimed_only.py"), DIGEST)
    for name in ("b", "a"):
        build = cache.claim(Path(f"/x/{name}.py"), DIGEST)
        write_document(build.state_file, STATE_SCHEMA, {"name": build.name})
    assert [b.name for b in cache.builds()] == ["a_abcdef12", "b_abcdef12"]
    assert cache.read_state("a_abcdef12")["name"] == "a_abcdef12"


def test_a_cache_that_is_not_there_has_no_builds(tmp_path: Path) -> None:
    assert Cache(tmp_path / "nowhere").builds() == []


def test_a_build_that_is_not_there_cannot_be_read(cache: Cache) -> None:
    with pytest.raises(CacheError, match="No such file"):
        cache.read_state("nothing_12345678")


def test_a_file_in_place_of_the_cache_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(UsageError, match="cannot be written"):
            Cache(path).require_writable()


def test_checking_a_cache_leaves_nothing_in_it(cache: Cache) -> None:
    assert list(cache.path.iterdir()) == []


def test_the_cache_is_what_is_given_else_the_variable_else_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNKEY_CACHE_DIR", "/elsewhere")
    assert cache_from(Path("here")).path == tmp_path / "here"
    assert cache_from(Path("~/here")).path == Path("/home/me/here")
    assert cache_from(None).path == Path("/elsewhere")
    monkeypatch.delenv("TURNKEY_CACHE_DIR")
    assert cache_from(None).path == Path("/home/me/.cache/turnkey")


def test_the_home_of_nobody_is_refused() -> None:
    with pytest.raises(UsageError, match="~nobody-of-that-name"):
        cache_from(Path("~nobody-of-that-name/cache"))


def test_a_folder_that_is_deleted_while_it_is_claimed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, real = Cache(tmp_path), os.link

    def link(source: Path, target: Path) -> None:
        monkeypatch.undo()
        shutil.rmtree(target.parent)
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    build = cache.claim(Path("/a.toy"), "0" * 64)
    assert build.path.is_dir()
    assert cache.claim(Path("/b.toy"), "0" * 64).name != build.name


def test_processes_of_one_number_try_one_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in containers, in each of which it is process 1."""
    cache, touch = Cache(tmp_path), Path.touch
    monkeypatch.setattr(os, "getpid", lambda: 1)

    def again(path: Path) -> None:
        touch(path)
        monkeypatch.setattr(Path, "touch", touch)
        cache.require_writable()

    monkeypatch.setattr(Path, "touch", again)
    cache.require_writable()
    assert list(tmp_path.iterdir()) == []
