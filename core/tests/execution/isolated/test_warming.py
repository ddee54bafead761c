"""Slots import what tools name beforehand, where that is safe; else jobs get fresh processes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from isolated_sweep import Sweeper

from turnkeyml.errors import UsageError
from turnkeyml.execution.isolated.executor import IsolatedExecutor
from turnkeyml.execution.isolated.safety import reason_for_fresh_process
from turnkeyml.execution.isolated.warming import survives_fork
from turnkeyml.executor import ExecutorSetup
from turnkeyml.plugins.registry import load_registry

HEAVY = """
import os
open(os.environ["HEAVY_LOG"], "a").write(f"{os.getpid()}\\n")
STATE = []

def warm_up():
    STATE.append("warm")
    return lambda: STATE.append(os.getpid())
"""
LOOK = """
import json, os
import heavy
seen = [os.getpid(), os.getppid(), heavy.STATE, os.getsid(0), os.environ.get("HOW")]
open(NAME, "w").write(json.dumps(seen))
heavy.STATE.append("used")
"""


class Warm:
    """A sweep with a tool that has a heavy package imported beforehand."""

    def __init__(self, sweep: Sweeper) -> None:
        self.sweep = sweep
        self.imports_log = sweep.folder / "imports"
        self.heavy(HEAVY)
        sweep.install('"preload": ["heavy"], "warm_up": "heavy:warm_up"')

    def heavy(self, text: str) -> None:
        (self.sweep.environment.own / "heavy.py").write_text(text)

    def look(self, name: str, before: str = "") -> None:
        out = self.sweep.folder / f"{name}.json"
        self.sweep.script(name, before + LOOK.replace("NAME", repr(str(out))))

    def run(self, **order: object) -> dict[str, list]:
        self.imports_log.write_text("")
        variables = {"HEAVY_LOG": str(self.imports_log), "HOW": "given"}
        done = self.sweep.run(variables=variables, **order)
        assert set(done.endings.values()) == {"reported"}, done.events
        assert [end["error"] for end in done.ends.values() if end["failed"]] == []
        return {
            name: json.loads((self.sweep.folder / f"{name}.json").read_text()) for name in done.ends
        }

    @property
    def imports(self) -> int:
        return len(self.imports_log.read_text().splitlines())

    def slot_log(self) -> str:
        return (self.sweep.folder / "cache" / "run" / "slot-0.txt").read_text()


@pytest.fixture
def warm(sweep: Sweeper) -> Warm:
    return Warm(sweep)


def test_packages_are_imported_once_and_each_job_has_its_own_copy(warm: Warm) -> None:
    for n in range(5):
        warm.look(f"look{n}")
    seen = warm.run()
    assert warm.imports == 1
    pids = [values[0] for values in seen.values()]
    assert len(set(pids)) == 5
    for pid, slot, state, session, how in seen.values():
        assert state == ["warm", pid], "what the job before did is seen, or it was not prepared"
        assert session == pid
        assert slot == seen["look0"][1]
        assert how == "given"
    assert "kept warm for perform" in warm.slot_log()


SECOND = """
implements = {"tools": [{
    "class": "rough_tools:Polish", "name": "polish", "preload": ["heavy"],
    "warm_up": "heavy:second_warm_up",
}]}
"""


def test_several_tools_prepare_the_same_process(warm: Warm) -> None:
    """What is set under the first one's eyes is undone before what it set itself."""
    warm.heavy(
        HEAVY + "STATE.append(os.environ.get('POLISHED', 'not'))\n"
        "def second_warm_up():\n"
        "    STATE.append('second')\n"
        "    return lambda: STATE.append('back')\n"
    )
    warm.sweep.environment.install("second-plugin", SECOND)
    warm.look("look")
    seen = warm.run(steps=["perform", "polish"])
    pid, _, state, _, how = seen["look"]
    assert state == ["very", "warm", "second", "back", pid]
    assert how == "given", "what the user has set stands"


def test_fresh_interpreters_on_demand(warm: Warm) -> None:
    for n in range(2):
        warm.look(f"look{n}")
    seen = warm.run(arguments={"fresh": True})
    assert warm.imports == 2
    assert [values[2] for values in seen.values()] == [[], []]


OWN = """
import os
open(os.environ["HEAVY_LOG"], "a").write(f"{os.getpid()}\\n")
"""
LOOK_AT_OWN = "import json, own\nopen(NAME, 'w').write(json.dumps(len(own.__dict__)))\n"


def test_what_the_user_names_is_imported_once_too(warm: Warm) -> None:
    (warm.sweep.environment.own / "own.py").write_text(OWN)
    for n in range(3):
        out = warm.sweep.folder / f"look{n}.json"
        warm.sweep.script(f"look{n}", LOOK_AT_OWN.replace("NAME", repr(str(out))))
    warm.run(arguments={"preload": ("own", "json.tool")})
    assert warm.imports == 2, "heavy and own, once each"
    warm.run()
    assert warm.imports == 4, "heavy once, own in each of three jobs"


def test_a_module_that_cannot_be_preloaded_costs_no_job(warm: Warm) -> None:
    warm.sweep.script("good", "import sys; assert 'heavy' not in sys.modules")
    done = warm.sweep.run(arguments={"preload": ("json.no_such_part",)})
    assert done.ends["good"]["failed"] is False, done.ends["good"]["error"]
    assert "not kept warm: " in warm.slot_log()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"preload": ("no_such_module.part",)},
            "preload: there is no module 'no_such_module.part'",
        ),
        ({"preload": ("",)}, "there is no module ''"),
        ({"preload": ("..",)}, "there is no module '..'"),
        ({"preload": ("json",), "fresh": True}, "fresh and preload exclude each other"),
        ({"output_limit_mb": 0}, "output_limit_mb must be at least 1"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], words: str) -> None:
    setup = ExecutorSetup(load_registry(), {}, Path("cache"), Path("run"))
    with pytest.raises(UsageError, match=re.escape(words)):
        IsolatedExecutor(**arguments).check(setup)


BROKEN = {
    "raises": "raise OSError('no driver')",
    "exits": "import sys; sys.exit('no license')",
    "crashes": "import os\nif os.environ.get('HOW') != 'job': os.abort()",
    "starts_threads": "import threading, time\nthreading.Thread(target=time.sleep, args=[5], "
    "daemon=True).start()\ndef warm_up(): pass",
    "opens_devices": "import os\nKEPT = os.open('/dev/fuse', os.O_RDONLY) if "
    "os.path.exists('/dev/fuse') else os.open('/dev/ptmx', os.O_RDWR)\ndef warm_up(): pass",
    "is_missing": None,
}


@pytest.mark.parametrize("how", BROKEN)
def test_where_it_is_not_safe_each_job_has_a_fresh_interpreter(warm: Warm, how: str) -> None:
    if BROKEN[how] is None:
        (warm.sweep.environment.own / "heavy.py").unlink()
    else:
        warm.heavy(BROKEN[how])
    warm.sweep.script("good", "import sys; assert 'heavy' not in sys.modules")
    done = warm.sweep.run()
    assert done.endings == {"good": "reported"}
    assert done.ends["good"]["failed"] is False, done.ends["good"]["error"]
    if how != "crashes":
        assert "not kept warm: " in warm.slot_log()


@pytest.mark.parametrize(
    ("device", "survives"),
    [
        ("/dev/null", True),
        ("/dev/urandom", True),
        ("/dev/pts/12", True),
        ("/dev/nvidiactl", True),
        ("/dev/nvidia0", True),
        ("/dev/nvidia-uvm", False),
        ("/dev/kfd", False),
        ("/dev/dri/renderD128", False),
        ("/dev/nullish", False),
    ],
)
def test_devices_that_compute_do_not_survive_a_fork(device: str, survives: bool) -> None:
    assert survives_fork(device) is survives


def test_imports_that_never_end_are_given_up(warm: Warm) -> None:
    warm.heavy("import time; time.sleep(60)")
    warm.sweep.script("good", "import sys; assert 'heavy' not in sys.modules")
    done = warm.sweep.run(
        before="from turnkeyml.execution.isolated import slots; slots._STARTING_S = 1"
    )
    assert done.endings == {"good": "reported"}
    assert done.ends["good"]["failed"] is False


def test_a_script_that_sets_variables_has_a_fresh_interpreter(warm: Warm) -> None:
    warm.look("sets", "import os; os.environ['HOW'] = 'set'\n")
    warm.look("reads", "import os; os.environ.get('HOW')\n")
    seen = warm.run()
    assert seen["sets"][2] == []
    assert seen["sets"][4] == "set"
    assert seen["reads"][2] == ["warm", seen["reads"][0]]
    assert "sets.py: in an interpreter of its own" in warm.slot_log()


@pytest.mark.parametrize(
    ("text", "is_fresh"),
    [
        ("import heavy", False),
        ("import os; x = os.environ.get('A'); os.environ.items()", False),
        ("import sys; sys.path.append('..')", False),
        ("import os; os.environ['A'] = '1'", True),
        ("from os import environ as e; e['A'] = '1'", True),
        ("import os; os.putenv('A', '1')", True),
        ("from dotenv import load_dotenv", True),
        ("import sys; sys.path.insert(0, '/opt/heavy')", True),
        ("import sys; sys.path[:0] = ['/opt/heavy']", True),
        ("import sys; sys.modules['heavy'] = None", True),
        ("import ctypes; ctypes.CDLL('libtcmalloc.so')", True),
        ("import beside", True),
        ("from beside import x", True),
        ("import package.inner", True),
        ("def f():\n    import beside", True),
        ("import innocent", False),
        ("this is no Python; environ", True),
        ("this is no Python", False),
        ("\0", False),
    ],
)
def test_what_a_script_says_decides(tmp_path: Path, text: str, is_fresh: bool) -> None:
    (tmp_path / "beside.py").write_text("import os; os.environ['A'] = '1'")
    (tmp_path / "innocent.py").write_text("import innocent, script")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "inner.py").write_text("import os; os.environ['A'] = '1'")
    script = tmp_path / "script.py"
    script.write_text(text)
    assert bool(reason_for_fresh_process(script, frozenset({"heavy"}))) is is_fresh


def test_a_module_beside_the_script_may_have_an_installed_package_s_name(tmp_path: Path) -> None:
    script = tmp_path / "heavy.py"
    script.write_text("")
    assert reason_for_fresh_process(script, {"heavy"}) == ""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "__init__.py").touch()
    assert reason_for_fresh_process(script, {"other"}).endswith("the name of an installed package")
    (tmp_path / "data").mkdir()
    assert reason_for_fresh_process(script, {"data"}) == ""


def test_inputs_that_are_no_scripts_are_not_read(tmp_path: Path) -> None:
    assert reason_for_fresh_process(tmp_path / "missing.onnx", {"heavy"}) == ""
    assert reason_for_fresh_process(tmp_path / "missing.py", {"heavy"}) == ""
