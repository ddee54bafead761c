"""Running a script leaves the process as it was, and tells how the script ended."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import pytest
import torch

from turnkeyml_torch import EndKind, Recorder, ScriptEnd, run_script


def write(folder: Path, body: str, name: str = "script.py") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(body))
    return path


def finished(end: ScriptEnd) -> ScriptEnd:
    assert end.kind is EndKind.FINISHED, end.traceback_text
    return end


def test_script_is_main_with_its_arguments_and_folder(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        import sys
        seen = []
        if __name__ == "__main__":
            seen = [sys.argv, sys.path[0], __file__, sys.modules["__main__"].__dict__ is globals()]
        """,
    )
    end = finished(run_script(path, ["--size", "3"]))
    assert end.module.seen == [[str(path), "--size", "3"], str(tmp_path), str(path), True]
    assert end.code == 0
    assert end.seconds >= 0


def test_process_is_as_before_after_a_script_that_changes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TURNKEY_KEPT", "1")
    path = write(
        tmp_path,
        """
        import os, random, sys, warnings, io
        import torch
        os.chdir("/")
        os.environ["TURNKEY_NEW"] = "1"
        del os.environ["TURNKEY_KEPT"]
        sys.path.append("/nowhere")
        sys.argv = []
        sys.stdout = io.StringIO()
        sys.excepthook = None
        sys.setrecursionlimit(2000)
        random.seed(1)
        warnings.simplefilter("ignore")
        torch.manual_seed(1)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.set_num_threads(1)
        """,
    )
    torch.set_num_threads(2)

    def snapshot() -> list[object]:
        return [
            Path.cwd(),
            dict(os.environ),
            list(sys.path),
            sys.argv,
            sys.stdout,
            sys.excepthook,
            sys.getrecursionlimit(),
            list(warnings.filters),
            sys.modules["__main__"],
            torch.get_default_dtype(),
            torch.empty(0).device,
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            torch.get_rng_state().tolist(),
        ]

    before = snapshot()
    finished(run_script(path))
    assert snapshot() == before


def test_helpers_beside_the_script_are_importable_and_forgotten(tmp_path: Path) -> None:
    folders = []
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "package").mkdir(parents=True)
        write(folder, f"VALUE = {name!r}", "turnkey_helper.py")
        write(folder / "package", "from .inner import X", "__init__.py")
        write(folder / "package", f"X = {name!r}", "inner.py")
        write(folder, "from turnkey_helper import VALUE\nfrom package import X")
        folders.append(folder)
    for folder in folders:
        end = finished(run_script(folder / "script.py"))
        assert (folder.name, folder.name) == (end.module.VALUE, end.module.X)
        assert not {"turnkey_helper", "package", "package.inner"} & set(sys.modules)


@pytest.mark.parametrize(
    ("argument", "code", "printed"),
    [("", 0, ""), ("0", 0, ""), ("3", 3, ""), ("None", 0, ""), ("'bad things'", 1, "bad things\n")],
)
def test_sys_exit_ends_the_script_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argument: str, code: int, printed: str
) -> None:
    end = run_script(write(tmp_path, f"import sys\nsys.exit({argument})"))
    assert (end.kind, end.code, end.exception) == (EndKind.EXITED, code, None)
    assert capsys.readouterr().err == printed


def test_exception_is_reported_with_the_users_frames_only(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        import torch
        class Net(torch.nn.Module):
            def forward(self, x):
                try:
                    raise KeyError("inner")
                except KeyError as error:
                    raise ValueError("outer") from error
        net = Net()
        net.forward(1)
        """,
    )
    with Recorder():
        end = run_script(path)
    assert end.kind is EndKind.RAISED
    assert isinstance(end.exception, ValueError)
    assert end.code == 1
    text = end.traceback_text
    assert text.count("in forward") == 2
    assert "turnkeyml_torch" not in text
    assert "runpy" not in text
    assert f'File "{path}", line 10, in <module>' in text
    assert "KeyError: 'inner'" in text
    assert text.endswith("ValueError: outer\n")


def test_syntax_error_is_reported_with_its_line(tmp_path: Path) -> None:
    end = run_script(write(tmp_path, "x = 1\ny = (\n"))
    assert end.kind is EndKind.RAISED
    assert 'script.py", line 2' in end.traceback_text
    assert "turnkeyml_torch" not in end.traceback_text


def test_encoding_cookie_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes("# -*- coding: latin-1 -*-\ntext = 'é'\n".encode("latin-1"))
    assert finished(run_script(path)).module.text == "é"


def test_missing_script_raises_before_anything_changes(tmp_path: Path) -> None:
    path = list(sys.path)
    with pytest.raises(FileNotFoundError):
        run_script(tmp_path / "none.py")
    assert sys.path == path


def test_keyboard_interrupt_passes_after_restoring(tmp_path: Path) -> None:
    argv = sys.argv
    with pytest.raises(KeyboardInterrupt):
        run_script(write(tmp_path, "raise KeyboardInterrupt"))
    assert sys.argv is argv


def test_threads_the_script_leaves_running_are_waited_for(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        import threading, time
        from concurrent.futures import ThreadPoolExecutor
        done = []
        def work(value):
            time.sleep(0.05)
            done.append(value)
        threading.Thread(target=work, args=(1,)).start()
        pool = ThreadPoolExecutor(1)
        pool.submit(work, 2)
        pool.submit(work, 3)
        """,
    )
    end = finished(run_script(path))
    assert sorted(end.module.done) == [1, 2, 3]
    end.module.pool.shutdown()
    assert threading.active_count() >= 1


def test_forked_child_ends_where_the_script_does(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import os, sys
        child = os.fork()
        if child == 0:
            print("child", flush=True)
            sys.exit(7)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print("parent saw", status, flush=True)
        """,
    )
    code = "from turnkeyml_torch import run_script; run_script('script.py'); print('after')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n") == ["child", "parent saw 7", "after", ""]


def test_raising_child_prints_its_traceback_and_fails(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import os
        child = os.fork()
        if child == 0:
            raise ValueError("in child")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        """,
    )
    code = "from turnkeyml_torch import run_script; print(run_script('script.py').kind.value)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "finished\n"
    assert done.stderr.count("ValueError: in child") == 1


def test_torch_first_imported_by_the_script_gets_its_defaults_back(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import torch
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        """,
    )
    code = """
        from turnkeyml_torch import run_script
        end = run_script("script.py")
        assert end.exception is None, end.traceback_text
        import torch
        assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, check=True)


def test_spawned_processes_find_the_script_again(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        import multiprocessing
        def square(n): return n * n
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                answer = pool.map(square, [3])
        """,
    )
    assert finished(run_script(path)).module.answer == [9]


def test_os_exit_ends_the_script_only(tmp_path: Path) -> None:
    real = os._exit
    file = tmp_path / "leaves.py"
    file.write_text("import os\nprint('before')\nos._exit(7)\nprint('after')\n")
    end = run_script(file)
    assert (end.kind, end.code) == (EndKind.CUT_OFF, 7)
    assert os._exit is real


def test_os_exit_in_a_forked_child_ends_the_child_with_its_code(tmp_path: Path) -> None:
    file = tmp_path / "forks.py"
    file.write_text(
        "import os\nchild = os.fork()\nif child == 0:\n    os._exit(5)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
    )
    end = run_script(file)
    assert end.kind is EndKind.FINISHED
    assert end.module.code == 5
