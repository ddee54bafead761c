"""Every command block of the documentation is run, and what it prints is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from page_runner import PageError, fits, normalised, run_page
from pages import ROOT, read_page

SHELLS = ("console", "bash", "sh")
PATHS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
    *sorted((ROOT / "examples").glob("**/*.md")),
]
# The table of documented commands has a test of its own.
PAGES = [read_page(path) for path in PATHS if path.name != "documented_commands.md"]
RUNNABLE = [page for page in PAGES if page.blocks]
SLOW = [page for page in PAGES if any(block.is_slow for block in page.blocks)]


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.name)
def test_blocks_of_a_page_do_what_it_says(page, tmp_path):
    run_page(page, tmp_path, slow=False)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("page", SLOW, ids=lambda page: page.name)
def test_blocks_that_take_long_do_what_their_page_says(page, tmp_path):
    run_page(page, tmp_path, slow=True)


def test_what_no_test_runs_says_why():
    """Prints the list with ``pytest -rP``."""
    left_out = [
        (block.place, block.why_not_run)
        for page in PAGES
        for block in page.blocks
        if block.why_not_run is not None and block.language in (*SHELLS, "python")
    ]
    for place, reason in left_out:
        print(f"{place}: {reason}")
    assert [place for place, reason in left_out if len(reason.split()) < 3] == []


def test_commands_stand_in_fenced_blocks_of_a_known_language():
    known = {*SHELLS, "python", "text", "toml", "yaml", "json", ""}
    unknown = [b.place for page in PAGES for b in page.blocks if b.language not in known]
    hidden = [
        block.place
        for page in PAGES
        for block in page.blocks
        if block.language in ("text", "")
        and block.text.lstrip().startswith(("$ ", "turnkey -i "))
        and "reference/" not in page.name
    ]
    assert (unknown, hidden) == ([], [])


class TestHarness:
    """What would let a wrong page pass."""

    def page(self, folder: Path, text: str):
        path = ROOT / "docs" / "unused.md"
        file = folder / "page.md"
        file.write_text(text)
        found = read_page(file)
        blocks = tuple(type(block)(**{**vars(block), "page": path}) for block in found.blocks)
        return type(found)(path, blocks, found.files, found.own_environment)

    def run(self, folder: Path, text: str) -> None:
        (folder / "run").mkdir()
        run_page(self.page(folder, text), folder / "run", slow=False)

    def test_wrong_output_is_noticed(self, tmp_path):
        with pytest.raises(PageError, match="printed something else"):
            self.run(tmp_path, "```console\n$ echo one\ntwo\n```\n")

    def test_wrong_exit_code_is_noticed(self, tmp_path):
        with pytest.raises(PageError, match="ended with 3, not 0"):
            self.run(tmp_path, "```console\n$ exit 3\n```\n")

    def test_failing_python_is_noticed(self, tmp_path):
        with pytest.raises(PageError, match="ended with 1"):
            self.run(tmp_path, "```python\n1 / 0\n```\n")

    def test_a_block_that_is_not_run_must_still_be_of_its_language(self, tmp_path):
        with pytest.raises(PageError, match="is no yaml"):
            self.run(tmp_path, "```yaml\na: [1\n```\n")

    def test_a_mark_that_nobody_knows_is_an_error(self, tmp_path):
        with pytest.raises(ValueError, match="is none of"):
            self.page(tmp_path, "<!-- skip: please -->\n```bash\nfalse\n```\n")

    def test_files_of_a_page_and_its_marks_are_heeded(self, tmp_path):
        text = (
            '```text title="a/b.txt"\nhello\n```\n'
            "<!-- exit: 2 -->\n```console\n$ cat a/b.txt\nhello\n$ exit 2\n```\n"
            "<!-- not run: it would never end -->\n```bash\nsleep 1000\n```\n"
        )
        self.run(tmp_path, text)

    def test_commands_may_go_on_in_the_next_line(self, tmp_path):
        self.run(tmp_path, "```console\n$ echo one \\\n    two\none two\n```\n")

    @pytest.mark.parametrize(
        ("expected", "actual"),
        [
            ("Mean Latency: 1.2 milliseconds (ms)", "Mean Latency:   310 microseconds (us)"),
            ("Mean Latency:   471     microseconds (us)", "Mean Latency: 1.5 seconds (s)"),
            ("build net_0a1b2c3d", "build net_99999999"),
            ("a\n...\nz", "a\nb\nc\nz"),
            ("a\n...\nz", "a\nz"),
            ("saved ... bytes", "saved 12 or 13 bytes"),
            ("benchmarked on A (ort v1.0.0)", "benchmarked on B (R) 9 (ort v2.3.1)"),
            ("x\nVerdict: noisy: heat\ny", "x\ny"),
        ],
    )
    def test_what_differs_from_run_to_run_is_no_difference(self, expected, actual):
        assert fits(expected, actual)

    @pytest.mark.parametrize(
        ("expected", "actual"),
        [
            ("Parameters: 60", "Parameters: 61"),
            ("a\nz", "a\nb\nz"),
            ("a ... z", "a b"),
            ("benchmarked on A (ort v1.0.0)", "benchmarked on A (trt v1.0.0)"),
            ("successful", "failed"),
        ],
    )
    def test_what_matters_is_a_difference(self, expected, actual):
        assert not fits(expected, actual)

    def test_normalising_twice_changes_nothing_more(self):
        text = "took 1.5 s, 12 MB, net_0a1b2c3d at 2026-01-02 03:04"
        assert normalised(normalised(text)) == normalised(text)


def test_yaml_blocks_are_safe_to_load():
    for page in PAGES:
        for block in page.blocks:
            if block.language == "yaml":
                list(yaml.safe_load_all(block.text))
