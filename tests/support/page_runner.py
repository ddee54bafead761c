"""Runs the blocks of a page in order, in a home directory and a cache of its own.

``python tests/support/page_runner.py PAGE... --write`` puts what commands print into the pages.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import yaml
from pages import ROOT, Block, Command, Page, read_page

if sys.version_info >= (3, 11):
    import tomllib

HOME_SHOWN = "/home/you"
TIMEOUT_S = 600
# What a page may name as if it stood in a checkout.
_CHECKOUT = (
    "benchmarks", "constraints.txt", "core", "docs", "examples", "mkdocs.yml", "models",
    "noxfile.py", "plugins", "requirements-dev.txt", "requirements.txt", "tests",
)  # fmt: skip
_SHELLS = ("bash", "sh")
_ANYTHING = "..."


class PageError(AssertionError):
    """A block does not do what its page says."""

    def __init__(self, block: Block, what: str, output: str = "") -> None:
        super().__init__(f"{block.place}: {what}" + (f"\n{output}" if output else ""))


class Surroundings:
    """A home directory, a working directory with the files of a page, and an environment."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.home = folder / "home"
        self.work = self.home / "code"
        self.work.mkdir(parents=True)
        for name in _CHECKOUT:
            (self.work / name).symlink_to(ROOT / name)
        for name, source in page.files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, self.work / name)
        self.programs = Path(sys.executable).parent
        if page.own_environment:
            self.programs = self._make_environment(folder / "environment")
        self.variables = self._variables()

    def _make_environment(self, folder: Path) -> Path:
        """Make an environment that sees what is installed here, and into which pages install."""
        venv.create(folder)
        here = next(path for path in sys.path if path.endswith("site-packages"))
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
        programs = folder / "bin"
        modules = {"pip": "pip", "pytest": "pytest"}
        for name, module in modules.items():
            _write_program(programs / name, f"-m {module}", programs / "python")
        _write_program(
            programs / "turnkey",
            "-c 'from turnkeyml.cli.main import main; main()'",
            programs / "python",
        )
        return programs

    def _variables(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TURNKEY_", "PYTEST_", "COV_", "VIRTUAL_ENV"))
        }
        own = {
            "HOME": str(self.home),
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "80",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_NO_INDEX": "1",
            "PIP_QUIET": "1",
            "PYTHON_COLORS": "0",
        }
        return {**inherited, **own}

    def run(self, words: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program in the working directory."""
        return subprocess.run(
            words,
            cwd=self.work,
            env=self.variables,
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def shown(self, text: str) -> str:
        """Replace the directories of this run by those that pages show."""
        return text.replace(str(self.home), HOME_SHOWN).replace(str(ROOT), f"{HOME_SHOWN}/turnkey")


def _write_program(path: Path, words: str, python: Path) -> None:
    path.write_text(f'#!/bin/sh\nexec {python} {words} "$@"\n')
    path.chmod(0o755)


def run_page(page: Page, folder: Path, *, slow: bool) -> dict[Command, str]:
    """Run all blocks of a page in order.

    Args:
        page: The page.
        folder: Empty; for its files.
        slow: Whether blocks that are marked slow run, too.

    Returns:
        What each command of its console blocks printed.

    Raises:
        PageError: A block does not do what the page says.
    """
    around = Surroundings(folder, page)
    printed: dict[Command, str] = {}
    for block in page.blocks:
        if block.file is not None:
            _check_syntax(block)
            path = around.work / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.why_not_run is not None or (block.is_slow and not slow):
            _check_syntax(block)
        else:
            printed |= _run_block(block, around)
    return printed


def _run_block(block: Block, around: Surroundings) -> dict[Command, str]:
    if block.language == "console":
        commands = block.commands()
        if not commands:
            raise PageError(block, "a console block without a line that begins with '$ '.")
        codes = [0] * (len(commands) - 1) + [block.exit_code]
        return {
            command: _run_command(block, command, code, around)
            for command, code in zip(commands, codes, strict=True)
        }
    if block.language in _SHELLS:
        _run_command(block, Command(block.text, "", (0, 0)), block.exit_code, around)
    elif block.language == "python":
        done = around.run([str(around.programs / "python"), "-"], block.text)
        if done.returncode != block.exit_code:
            raise PageError(block, f"ended with {done.returncode}.", done.stdout + done.stderr)
    else:
        _check_syntax(block)
    return {}


def _run_command(block: Block, command: Command, code: int, around: Surroundings) -> str:
    done = around.run(["bash", "-euo", "pipefail", "-c", command.text])
    everything = around.shown(done.stdout + done.stderr)
    if done.returncode != code:
        raise PageError(
            block, f"{command.text!r} ended with {done.returncode}, not {code}.", everything
        )
    # What goes wrong is said on the second stream, and what goes well on the first.
    output = around.shown(done.stdout) if code == 0 else everything
    if command.output.strip() and not fits(command.output, output):
        raise PageError(block, f"{command.text!r} printed something else:", normalised(output))
    return output


def _check_syntax(block: Block) -> None:
    """Check what is not run as far as it can be."""
    try:
        if block.language == "python":
            ast.parse(block.text)
        elif block.language == "toml" and sys.version_info >= (3, 11):
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            list(yaml.safe_load_all(block.text))
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        raise PageError(block, f"is no {block.language}: {error}") from error


_REPLACED = (
    (r"[ \t]+", " "),
    (r"(?<![0-9a-z])([0-9a-f]{64}|[0-9a-f]{32})(?![0-9a-z])", "DIGEST"),
    (r"(?<![0-9a-z])(?=[0-9a-f]*[0-9])[0-9a-f]{8}(?![0-9a-z])", "HASH"),
    (r"\d{4}-\d\d-\d\d([ T][\d:.]+(\+00:00)?)?", "DATE"),
    (r"tensor\([^)]*\)", "tensor(VALUES)"),
    (r"benchmarked on .*? \((?=[\w-]+ v)", "benchmarked on DEVICE ("),
    (r"\d+(,\d{3})*(\.\d+)+(e-?\d+)?", "#"),
    (r"\d+e-\d+", "#"),
    (r"(micro|milli|nano)?seconds \([mun]?s\)", "seconds"),
    (r"[#\d]+( ?(%|[KMG]i?B|[munsd]|[mun]s|seconds|inferences))\b", r"#\1"),
    (r"(#) (microseconds|us|ms|ns|s)\b", "# s"),
)


def normalised(text: str) -> str:
    """Replace what differs from run to run: hashes, times, decimal numbers, the device."""
    lines = []
    for line in text.splitlines():
        if line.strip().startswith("Verdict:"):
            continue
        plain = line
        for pattern, by in _REPLACED:
            plain = re.sub(pattern, by, plain)
        if plain.strip():
            lines.append(plain.strip())
    return "\n".join(lines)


def fits(expected: str, actual: str) -> bool:
    """Tell whether a program printed what a page shows; ``...`` stands for anything."""
    pattern = ""
    for line in normalised(expected).splitlines():
        if line == _ANYTHING:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split(_ANYTHING))) + r"\n"
    return re.fullmatch(pattern, normalised(actual) + "\n") is not None


def write_outputs(page: Page, printed: dict[Command, str]) -> None:
    """Put what commands printed into a page, but where it shows only a part (``...``)."""
    lines = page.path.read_text("utf-8").splitlines()
    for command, output in sorted(printed.items(), key=lambda pair: pair[0].lines, reverse=True):
        if command.output.strip() and _ANYTHING not in command.output:
            first, last = command.lines
            # A verdict says what this machine was doing, which is nobody's business on a page.
            kept = [line.rstrip() for line in output.strip("\n").splitlines()]
            lines[first:last] = [line for line in kept if "Verdict:" not in line]
    page.path.write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Run pages that are named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="put what is printed into the page")
    parser.add_argument("--slow", action="store_true", help="run slow blocks, too")
    parser.add_argument("--show", action="store_true", help="show what is printed")
    chosen = parser.parse_args()
    if chosen.write or chosen.show:
        globals()["fits"] = lambda expected, actual: True
    for path in chosen.pages:
        page = read_page(path.resolve())
        with tempfile.TemporaryDirectory() as folder:
            printed = run_page(page, Path(folder), slow=chosen.slow)
        if chosen.show:
            for command, output in printed.items():
                print(f"$ {command.text}\n{output}")
        if chosen.write:
            write_outputs(page, printed)


if __name__ == "__main__":
    main()
