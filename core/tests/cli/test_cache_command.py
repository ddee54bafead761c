"""`turnkey cache`: what is printed, what goes, and what is said when something is wrong."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builds import builds_in
from core_env import Ended, FakePlugins, run_here

from turnkeyml.cache.cleaning import size_of
from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.cache.locks import build_lock
from turnkeyml.cache.stats import Stats
from turnkeyml.errors import ExitCode

FIND = ("-i", "a.toy", "find")


@pytest.fixture
def cache(weavers: FakePlugins, tmp_path: Path) -> Path:
    (tmp_path / "a.toy").write_text("one 1\ntwo 2\n")
    run_here(*FIND, "weave")
    return tmp_path / "cache"


def command(*words: str, code: int = ExitCode.OK) -> Ended:
    done = run_here("cache", *words)
    assert done.code == code, done.text
    return done


def age(build: BuildDirectory, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(build.state_file, (then, then))


def is_clean(build: BuildDirectory) -> bool:
    return not any(path.is_dir() for path in build.path.iterdir())


def test_list_names_the_builds_with_status_size_and_last_use(cache: Path) -> None:
    first, second = builds_in(cache)
    lines = command("list").out.splitlines()
    assert lines[0] == f"Builds available in cache {cache}:"
    for build, line in zip((first, second), lines[1:], strict=True):
        shape = rf"{build.name} +successful +\d+\.\d+ KB  \d{{4}}-\d\d-\d\d \d\d:\d\d"
        assert re.fullmatch(shape, line)


def test_list_says_how_each_build_stands(cache: Path) -> None:
    first, second = builds_in(cache)
    first.state_file.write_text("{half")
    text = second.state_file.read_text().partition("\n")[2]
    second.state_file.write_text(text.replace("status: successful", "status: running"))
    out = command("list").out
    assert re.search(rf"{first.name} +unreadable", out)
    assert re.search(rf"{second.name} +interrupted", out)
    with build_lock(cache, second.name, pytest.fail):
        assert re.search(rf"{second.name} +running", command("list").out)


def test_list_of_no_builds_says_so(cache: Path, tmp_path: Path) -> None:
    for where in (tmp_path / "none", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert (
            command("list", "-d", str(where)).out == f"There are no builds in the cache {where}.\n"
        )
    assert not (tmp_path / "none").exists()


def test_list_leaves_out_what_turnkey_did_not_make(cache: Path) -> None:
    (cache / "mine").mkdir()
    (cache / "mine" / "mine.txt").touch()
    (cache / "file").touch()
    assert len(command("list").out.splitlines()) == 3


def test_names_that_would_control_the_terminal_are_shown_escaped(cache: Path) -> None:
    bad = cache / "x\x1b[31m"
    bad.mkdir()
    (bad / f"{bad.name}_state.yaml").write_text("schema: 1\nstatus: successful\n")
    done = command("list")
    assert "\x1b" not in done.text
    assert r"x\x1b[31m" in done.out
    assert "\x1b" not in command("delete", "x", code=ExitCode.USAGE).text
    assert "\x1b" not in command("stats", bad.name).text
    bad.joinpath(f"{bad.name}_state.yaml").write_text("{half")
    assert "\x1b" not in command("clean", bad.name, code=ExitCode.FAILED).text


@pytest.mark.parametrize("word", ["stats", "print"])
def test_stats_prints_state_and_statistics(word: str, cache: Path) -> None:
    build = builds_in(cache)[0]
    out = command(word, build.name).out
    assert f"# {build.state_file}\n" in out
    assert f"# {build.stats_file}\n" in out
    assert "status: successful" in out
    assert "opset: 18" in out
    build.stats_file.unlink()
    assert str(build.stats_file) not in command(word, build.name).out


def test_a_build_that_is_not_there_is_answered_with_the_nearest(cache: Path) -> None:
    build = builds_in(cache)[0]
    for words in (("stats",), ("delete",), ("clean",)):
        done = command(*words, build.name[:-1], code=ExitCode.USAGE)
        assert f"There is no build '{build.name[:-1]}' in the cache {cache}." in done.err
        assert f"Did you mean '{build.name}'?" in done.err
    assert "See: turnkey cache list" in command("delete", "zzz", code=ExitCode.USAGE).err


@pytest.mark.parametrize("name", ["..", "../outside", "/", "", ".", ".locks", "../*", "../out*"])
def test_no_name_leads_out_of_the_cache(name: str, cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "outside_state.yaml").write_text("schema: 1\nstatus: successful\n")
    for word in ("delete", "clean", "stats"):
        command(word, name, code=ExitCode.USAGE)
    assert outside.exists()
    assert len(builds_in(cache)) == 2


def test_delete_takes_names_or_all_and_asks_for_one_of_them(cache: Path) -> None:
    first, second = builds_in(cache)
    done = command("delete", code=ExitCode.USAGE)
    assert "No build is named." in done.err
    assert "Name builds, or give --all." in done.err
    size = size_of(first)
    assert command("delete", first.name, first.name).out.startswith("Deleted 1 build, ")
    assert size > 1000
    assert builds_in(cache) == [second]
    assert not first.path.exists()
    assert command("delete", "--all", "--yes").out.startswith("Deleted 1 build, ")
    assert builds_in(cache) == []
    assert command("delete", "--all").out == "Deleted 0 builds, 0.0 B freed.\n"
    assert run_here(*FIND, "weave").code == ExitCode.OK


def test_delete_all_leaves_what_turnkey_did_not_make(cache: Path) -> None:
    (cache / "mine").mkdir()
    (cache / "mine" / "thesis.txt").write_text("years of work")
    command("delete", "--all", "--yes")
    assert (cache / "mine" / "thesis.txt").exists()


def test_one_wrong_name_among_several_deletes_nothing(cache: Path) -> None:
    command("delete", builds_in(cache)[0].name, "wrong", code=ExitCode.USAGE)
    assert len(builds_in(cache)) == 2


def test_clean_takes_names_or_all_or_a_limit(cache: Path) -> None:
    first, second = builds_in(cache)
    done = command("clean", code=ExitCode.USAGE)
    assert "Name builds, or give --all, --older-than or --max-size." in done.err
    assert command("clean", first.name).out.startswith("Cleaned 1 build, ")
    assert (is_clean(first), is_clean(second)) == (True, False)
    command("clean", "--all")
    assert is_clean(second)
    assert run_here(*FIND, "weave").code == ExitCode.OK
    assert not is_clean(first)


def test_clean_by_age(cache: Path) -> None:
    first, second = builds_in(cache)
    age(first, 3 * 86400)
    assert command("clean", "--older-than", "30d").out == "Cleaned 0 builds, 0.0 B freed.\n"
    assert command("clean", "--older-than", "2d").out.startswith("Cleaned 1 build, ")
    assert (is_clean(first), is_clean(second)) == (True, False)


def test_clean_by_size(cache: Path) -> None:
    first, second = builds_in(cache)
    age(second, 60)
    total = size_of(first) + size_of(second)
    command("clean", "--max-size", str(total))
    assert not is_clean(first) and not is_clean(second)
    command("clean", "--max-size", str(total - 1))
    assert (is_clean(first), is_clean(second)) == (False, True)
    command("clean", "--max-size", "0")
    assert is_clean(first)


def test_limits_apply_to_the_builds_that_are_named(cache: Path) -> None:
    first, second = builds_in(cache)
    for build in (first, second):
        age(build, 86400)
    command("clean", second.name, "--older-than", "1h")
    assert (is_clean(first), is_clean(second)) == (False, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--older-than", "soon"), "'soon' is no duration. Give one like 30d, 12h or 2w."),
        (("--older-than", "30"), "'30' is no duration."),
        (("--max-size", "big"), "'big' is no size. Give one like 500MB or 10GB."),
        (("--max-size", "-1"), "'-1' is no size."),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_before_anything_goes(
    words: tuple[str, ...], said: str, cache: Path
) -> None:
    done = command("clean", *words, code=ExitCode.USAGE)
    assert said in " ".join(done.err.split())
    assert not any(is_clean(build) for build in builds_in(cache))


HOLD = """
import sys, time
from pathlib import Path
from turnkeyml.cache.locks import build_lock
with build_lock(Path(sys.argv[1]), sys.argv[2], lambda owner: None):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_build_that_another_process_works_on_is_left_alone(cache: Path) -> None:
    first, second = builds_in(cache)
    words = [sys.executable, "-c", HOLD, str(cache), first.name]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for words, done_word in (
            (("clean", "--all"), "Cleaned"),
            (("delete", "--all", "-y"), "Deleted"),
        ):
            done = command(*words, code=ExitCode.FAILED)
            assert f"Error: {first.name} is in use by process {holder.pid} on " in done.err
            assert "Try again when it has ended." in done.err
            assert f"{done_word} 1 build, " in done.out
        holder.kill()
    assert builds_in(cache) == [first]
    assert not second.path.exists()
    assert command("delete", first.name).out.startswith("Deleted 1 build, ")


def test_a_build_with_a_damaged_state_is_named_and_the_others_are_cleaned(cache: Path) -> None:
    first, second = builds_in(cache)
    first.state_file.write_text("{half")
    done = command("clean", "--all", code=ExitCode.FAILED)
    assert f"turnkey cache delete {first.name}" in done.err
    assert "Cleaned 1 build, " in done.out
    assert (is_clean(first), is_clean(second)) == (False, True)


def test_location_says_where_the_cache_is(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("location").out == f"{cache}\n"
    assert command("location", "-d", "other").out == f"{tmp_path / 'other'}\n"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert command("location", "-d", "~/c").out == f"{tmp_path / 'home' / 'c'}\n"
    monkeypatch.delenv("TURNKEY_CACHE_DIR")
    assert command("location").out == f"{tmp_path / 'home' / '.cache' / 'turnkey'}\n"
    monkeypatch.setenv("TURNKEY_CACHE_DIR", str(cache))


def test_a_cache_in_the_home_of_nobody_is_refused(cache: Path) -> None:
    done = command("list", "-d", "~no-such-user-here/x", code=ExitCode.USAGE)
    assert "is in the home of an unknown user" in done.err


def test_a_cache_that_is_a_file_has_no_builds(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "There are no builds" in command("list", "-d", "file").out


def test_each_command_has_a_help_page(cache: Path) -> None:
    for word in ("list", "stats", "delete", "clean", "location"):
        assert "-d, --cache-dir DIR" in command(word, "-h").out
    assert "-d, -i, --cache-dir, --input-caches DIR" in command("report", "-h").out
    out = command("-h").out
    assert "print" not in re.findall(r"^  (\w+)", out, re.MULTILINE)
    assert command("nonsense", code=ExitCode.USAGE).err


def test_patterns_stand_for_the_builds_that_fit(cache: Path) -> None:
    first, second = builds_in(cache)
    out = command("stats", "a_*").out
    assert f"# {first.state_file}\n" in out and f"# {second.state_file}\n" in out
    assert "There is no build 'b_*'" in command("clean", "b_*", code=ExitCode.USAGE).err
    assert command("clean", f"{first.name[:-1]}?").out.startswith("Cleaned 1 build, ")
    assert (is_clean(first), is_clean(second)) == (True, False)


@pytest.mark.parametrize("words", [("--all",), ("a_*",), ("a_*", "--all")])
def test_without_a_terminal_many_builds_are_deleted_only_with_yes(
    words: tuple[str, ...], cache: Path
) -> None:
    done = command("delete", *words, code=ExitCode.USAGE)
    assert f"This would delete 2 builds in {cache}." in done.err
    assert "Say so with --yes." in done.err
    assert len(builds_in(cache)) == 2
    assert command("delete", *words, "--yes").out.startswith("Deleted 2 builds, ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_deleting_asks_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = builds_in(cache)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    done = command("delete", first.name, code=ExitCode.INTERRUPTED)
    assert f"Delete 1 build in {cache}? [y/N]" in done.err
    assert len(builds_in(cache)) == 2
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert command("delete", first.name).out.startswith("Deleted 1 build, ")
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    assert command("delete", "--all", "--yes").out.startswith("Deleted 1 build, ")
    assert not second.path.exists()


def test_list_and_stats_as_json(cache: Path) -> None:
    first, second = builds_in(cache)
    (cache / "hurt").mkdir()
    (cache / "hurt" / "hurt_state.yaml").write_text("{half")
    one, two, hurt = json.loads(command("list", "--json").out)
    assert (one["name"], two["name"], hurt["name"]) == (first.name, second.name, "hurt")
    assert (one["status"], hurt["status"]) == ("successful", "unreadable")
    assert one["size_bytes"] == size_of(first)
    assert one["path"] == str(first.path)
    found = json.loads(command("stats", first.name, "--json").out)
    assert found[first.name]["state"]["status"] == "successful"
    assert found[first.name]["stats"]["steps"]
    assert "cannot be read" in command("stats", "hurt", "--json", code=ExitCode.FAILED).err
    assert json.loads(command("list", "--json", "-d", "none").out) == []


def test_benchmark_measures_what_is_built(toys: FakePlugins, tmp_path: Path) -> None:
    (tmp_path / "a.toy").write_text("one 1\ntwo 2\n")
    assert run_here("-i", "a.toy", "find", "compile").code == ExitCode.OK
    first, second = builds_in(tmp_path / "cache")
    (tmp_path / "a.toy").unlink()
    assert "No build is named." in command("benchmark", code=ExitCode.USAGE).err
    done = command("benchmark", first.name, "--runtime", "toyrt")
    assert "Successfully benchmarked on" in done.out
    assert [bool(Stats.load(build).results) for build in (first, second)] == [True, False]
    assert "--iterations" in command("benchmark", "-h").out
    command("benchmark", "--all", "--runtime", "toyrt", "--skip-policy", "successful")
    assert [len(Stats.load(build).results) for build in (first, second)] == [1, 1]
    assert (
        "There is no runtime 'x'"
        in command("benchmark", "--all", "--runtime", "x", code=ExitCode.USAGE).err
    )


def test_benchmark_without_the_tool_names_the_package(cache: Path, plugins: FakePlugins) -> None:
    plugins._distributions[1:] = []
    done = command("benchmark", "--all", code=ExitCode.USAGE)
    assert "pip install turnkeyml-plugin-benchmark" in done.err
    assert command("list").code == ExitCode.OK
