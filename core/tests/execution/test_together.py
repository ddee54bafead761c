"""Several processes at once on the same inputs, and caches that cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from builds import builds_in, ran, results_of, statuses_of
from core_env import Environment

FIND = ("-i", "a.toy", "find")
CHAIN = (*FIND, "weave", "twist", "--times", "2", "stamp", "check")


@pytest.fixture
def home(environment: Environment) -> Environment:
    environment.install_toys()
    environment.install_weavers()
    (environment.home / "a.toy").write_text("one 1 in=3,4\ntwo 2\n")
    return environment


def at_once(home: Environment, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
    """Start commands at the same time; give how each ended."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with ExitStack() as stack:
        started = [stack.enter_context(home.started(*words, **pipes)) for words in commands]
        texts = [process.communicate(timeout=60)[0].decode() for process in started]
        return [(p.returncode, text) for p, text in zip(started, texts, strict=True)]


def test_two_processes_on_the_same_inputs_do_the_work_once(home: Environment) -> None:
    ended = at_once(home, CHAIN, CHAIN)
    assert [code for code, _ in ended] == [0, 0], ended
    # Whichever came second to a build took what the first had made.
    for model in ("one", "two"):
        for tool in ("weave", "twist", "stamp"):
            lines = [line for _, text in ended for line in text.splitlines()]
            took = [line for line in lines if line.startswith(f"a.toy {model}: {tool} (")]
            assert len(took) == 2
            assert sum("as before" in line for line in took) == 1
    assert len(builds_in(home.cache)) == 2
    first = results_of(home.cache)
    assert ran(home.turnkey(*CHAIN)) == ["check", "check"]
    assert results_of(home.cache) == first


@pytest.mark.slow
def test_many_processes_with_different_chains_leave_a_right_cache(home: Environment) -> None:
    chains = [
        CHAIN,
        ("--rebuild", "always", *CHAIN),
        (*FIND, "weave", "count"),
        (*FIND, "compile", "shrink", "weave"),
    ]
    for _ in range(5):
        ended = at_once(home, *chains)
        # Not the pairs, of which an assertion shows the beginning only.
        assert [code for code, _ in ended] == [0] * 4, "\n\n".join(text for _, text in ended)
        assert home.turnkey(*CHAIN).code == 0
        together = results_of(home.cache)
        shutil.rmtree(home.cache)
        assert home.turnkey(*CHAIN).code == 0
        assert results_of(home.cache) == together
        shutil.rmtree(home.cache)


@pytest.mark.slow
def test_cleaning_and_deleting_meanwhile_harms_nothing_for_long(home: Environment) -> None:
    for _ in range(5):
        ended = at_once(
            home, CHAIN, ("cache", "clean", "--all"), CHAIN, ("cache", "delete", "--all")
        )
        for _, text in ended:
            assert "Traceback" not in text
        done = home.turnkey(*CHAIN)
        assert done.code == 0, done.text
        assert {status for status, _ in statuses_of(home.cache).values()} == {"successful"}


# Without the right to write. Root needs to give up its privileges to be without it.


@pytest.fixture
def powerless(home: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """Commands run without the privilege to write where permissions say no."""
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        drop = [setpriv or "", "--bounding-set=-all", "--inh-caps=-all"]
        if setpriv is None or subprocess.run([*drop, "true"], check=False).returncode:
            pytest.skip("root cannot give up its privileges here")
        real = home.command
        monkeypatch.setattr(home, "command", lambda *w, **more: [*drop, *real(*w, **more)])
    yield home
    for path in [home.home, *home.home.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def forbid(folder: Path) -> None:
    """Take away the right to write a folder and what is in it."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_cache_that_cannot_be_written_is_refused_before_anything_runs(
    powerless: Environment,
) -> None:
    assert powerless.turnkey(*CHAIN).code == 0
    before = results_of(powerless.cache)
    forbid(powerless.cache)
    done = powerless.turnkey(*CHAIN)
    assert done.code == 2
    assert (
        f"The cache directory {powerless.cache} cannot be written: Permission denied." in done.err
    )
    assert "Give another one with -d, or set TURNKEY_CACHE_DIR." in done.err
    listed = powerless.turnkey("cache", "list")
    assert listed.code == 0
    assert listed.out.count("successful") == 2
    for words in (("clean",), ("delete", "--yes")):
        refused = powerless.turnkey("cache", *words, "--all")
        assert refused.code == 1
        assert "Traceback" not in refused.text
        assert "Permission denied" in refused.err
    assert results_of(powerless.cache) == before


def test_a_build_that_cannot_be_written_fails_alone_and_says_why(powerless: Environment) -> None:
    (powerless.home / "a.toy").write_text("one 1\ntwo 2\n")
    assert powerless.turnkey(*CHAIN).code == 0
    forbidden, _ = builds_in(powerless.cache)
    forbid(forbidden.path)
    done = powerless.turnkey(*CHAIN)
    assert done.code == 1
    assert "Traceback" not in done.text
    assert "1 model failed, 1 went well" in done.err
    assert f"  {forbidden.name}: saving: PermissionError" in done.err
    assert "log: None" not in done.text


def test_a_cache_of_somebody_else_is_loaded_only_with_the_right_to_write(
    powerless: Environment,
) -> None:
    assert powerless.turnkey(*CHAIN).code == 0
    before = results_of(powerless.cache)
    theirs = powerless.cache.rename(powerless.home / "theirs")
    forbid(theirs)
    words = ("-i", "theirs/*/*_state.yaml", "load-build", "count")
    done = powerless.turnkey(*words)
    assert done.code == 1
    assert "Traceback" not in done.text
    assert "Permission denied" in done.err
    assert results_of(theirs) == before


def test_a_folder_that_may_not_be_looked_into_is_no_build(powerless: Environment) -> None:
    (powerless.home / "a.toy").write_text("one 1\n")
    assert powerless.turnkey(*CHAIN).code == 0
    secret = powerless.cache / "secret"
    secret.mkdir()
    secret.chmod(0)
    done = powerless.turnkey("cache", "list")
    assert done.code == 0, done.text
    assert "successful" in done.out
    powerless.cache.chmod(0)
    done = powerless.turnkey("cache", "list")
    assert done.code == 1
    assert done.err.startswith(f"Error: The cache directory {powerless.cache} cannot be read: ")


# A disk that is really full.


def test_a_disk_that_is_full_is_said_and_costs_nothing_that_was_there(home: Environment) -> None:
    unshare, mount = shutil.which("unshare"), shutil.which("mount")
    script = (
        "mount -t tmpfs -o size=96k tmpfs full && "
        '"$@"; echo "ended $?"; head -c 200k /dev/zero > full/filler; "$@" again; echo "ended $?"; '
        'rm full/filler; "$@"; echo "ended $?"'
    )
    (home.home / "full").mkdir()
    (home.home / "again").mkdir()
    probe = [unshare or "", "-m", mount or "", "-t", "tmpfs", "tmpfs", str(home.home / "full")]
    if unshare is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    command = home.command("-d", "full", *FIND, "weave", "twist", "--times")
    with_times = "sh", "-c", '"$@" ${TIMES:-1}', "sh", *command
    done = subprocess.run(
        [
            unshare,
            "-m",
            "sh",
            "-c",
            script.replace('"$@" again', 'TIMES=3 "$@"'),
            "sh",
            *with_times,
        ],
        env=home.environment(),
        cwd=home.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    first, full, after = done.stdout.split("ended ")[1:]
    assert (first[0], full[0], after[0]) == ("0", "1", "0"), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "No space left on device" in done.stdout + done.stderr
