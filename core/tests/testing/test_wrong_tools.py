"""Tools that are wrong on purpose: each is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wrong import Edits, Wrong, before, names

from turnkeyml.testing.tool_rules import TOOL_RULES
from turnkeyml.testing.tool_run_rules import TOOL_RUN_RULES

RULES = [*TOOL_RULES, *TOOL_RUN_RULES]

FLICKER = "import itertools\n_numbers = itertools.count()\n"
OPTIONS = "class WorkOptions:"
RESOLVE = "return options if options.tag else replace(options, tag="
WORK = "right-work"
WORKED = '        print("worked")'
PLACED = '        path = state.folder("words") / state.file_name(".txt")'
ADDED = '        state.add("word-file", [path], info='
REFUSED = '            raise BuildError("The file holds no word.", hint='
COUNTING = (
    (
        f"{OPTIONS}\n",
        f"{OPTIONS}\n    def __post_init__(self):\n"
        "        object.__setattr__(self, 'level', self.level + 1)\n\n",
    ),
)


def in_run(*lines: str) -> Edits:
    """Let the tool right-work do something more."""
    return before(WORKED, *lines)


WRONG_TOOLS = [
    Wrong(
        "its_class_keeps_the_contract",
        "consumes is 'word-file', and must be a tuple",
        (('consumes = ("word-file",)\n    produces = "word-file"', 'consumes = "word-file"'),),
        WORK,
    ),
    Wrong(
        "its_class_keeps_the_contract",
        "a class that has run()",
        (
            (
                "    def run(self, state, options):\n        word",
                "    def go(self, s):\n        word",
            ),
        ),
        WORK,
    ),
    Wrong(
        "its_options_are_a_frozen_dataclass_with_help",
        "WorkOptions is not frozen",
        ((f"@dataclass(frozen=True)\n{OPTIONS}", f"@dataclass\n{OPTIONS}"),),
        WORK,
    ),
    Wrong(
        "its_options_are_a_frozen_dataclass_with_help",
        "--level says nothing about itself",
        (('help="How hard."', 'help=" "'),),
        WORK,
    ),
    Wrong(
        "its_options_are_a_frozen_dataclass_with_help",
        "The default of --mode is refused",
        (('option("plain"', 'option("plane"'),),
        WORK,
    ),
    Wrong(
        "its_options_are_a_frozen_dataclass_with_help",
        "WorkOptions.level is not made by option()",
        (('option(1, help="How hard.", minimum=0)', "1"),),
        WORK,
    ),
    Wrong(
        "its_options_are_a_frozen_dataclass_with_help",
        "The default of --level is '1', which its type turns into 1",
        (('option(1, help="How hard.", minimum=0)', 'option("1", help="How hard.")'),),
        WORK,
    ),
    Wrong(
        "its_help_fits_narrow_and_wide_terminals",
        "has the control character",
        (("It is written again and again.", "It is \x1b[1mwritten\x1b[0m."),),
        WORK,
    ),
    Wrong(
        "its_options_survive_the_command_line",
        "and was made from",
        COUNTING,
        WORK,
    ),
    Wrong(
        "its_options_survive_json",
        "The JSON {'level': 2",
        COUNTING,
        WORK,
    ),
    Wrong(
        "resolving_its_options_has_no_side_effects",
        "and then, with the same options",
        (
            ("import hashlib\n", f"import hashlib\n{FLICKER}"),
            (f'{RESOLVE}"none")', f"{RESOLVE}str(next(_numbers)))"),
        ),
        WORK,
    ),
    Wrong(
        "resolving_its_options_has_no_side_effects",
        "After resolve(), the environment variable WRONG was set",
        ((f"        {RESOLVE}", f"        os.environ['WRONG'] = '1'\n        {RESOLVE}"),),
        WORK,
    ),
    Wrong(
        "resolving_its_options_has_no_side_effects",
        "resolve() prints 'resolving'",
        ((f"        {RESOLVE}", f"        print('resolving')\n        {RESOLVE}"),),
        WORK,
    ),
    Wrong(
        "resolving_its_options_has_no_side_effects",
        "makes wrong.txt in the working directory",
        ((f"        {RESOLVE}", f"        Path('wrong.txt').touch()\n        {RESOLVE}"),),
        WORK,
    ),
    Wrong(
        "resolving_its_options_has_no_side_effects",
        "which is no WorkOptions",
        ((f'        {RESOLVE}"none")', "        return vars(options)"),),
        WORK,
    ),
    Wrong(
        "its_contract_has_no_side_effects",
        "contract() gives None",
        (("return Contract(cls.consumes, cls.produces)", "Contract(cls.consumes)"),),
        WORK,
    ),
    Wrong(
        "its_contract_has_no_side_effects",
        "consumes as 'word-file', not as a tuple",
        (("return Contract(cls.consumes, cls.produces)", "return Contract('word-file')"),),
        WORK,
    ),
    Wrong(
        "planning_with_it_loads_no_heavy_package",
        "Planning with it imports cupy",
        ((f"        {RESOLVE}", f"        import cupy\n        {RESOLVE}"),),
        WORK,
    ),
    Wrong(
        "it_runs_on_its_input",
        "It failed with --tag none: No luck.",
        in_run("raise BuildError('No luck.')"),
        WORK,
    ),
    Wrong(
        "it_runs_on_its_input",
        "It failed with --level 7 --tag none: RuntimeError: seven",
        in_run("if options.level == 7: raise RuntimeError('seven')"),
        WORK,
        {"options": ({}, {"level": 7})},
    ),
    Wrong(
        "it_runs_on_its_input",
        "It gave no model",
        (('read_text("utf-8").splitlines():', 'read_text("utf-8").splitlines()[:0]:'),),
        "right-begin",
    ),
    Wrong(
        "it_makes_what_its_contract_says",
        "was to make word-file, and made nothing",
        (('        state.add("word-file", [path], info=', "        dict("),),
        WORK,
    ),
    Wrong(
        "it_makes_what_its_contract_says",
        "It made surprise, which its contract does not say",
        in_run('state.add("surprise", [path])'),
        WORK,
    ),
    Wrong(
        "its_files_are_whole_and_inside_the_build",
        "was changed after it had been handed over",
        in_run('path.write_text("later")'),
        WORK,
    ),
    Wrong(
        "its_files_are_whole_and_inside_the_build",
        "It left unfinished files: .tmp-rest",
        in_run('path.with_name(".tmp-rest").touch()'),
        WORK,
    ),
    Wrong(
        "its_files_are_whole_and_inside_the_build",
        "is no plain file",
        in_run("path.symlink_to(path.rename(path.with_name('other.txt')))"),
        WORK,
    ),
    Wrong(
        "its_facts_are_json",
        "the statistic letters as nan",
        (('save("letters", len(word))', 'save("letters", float("nan"))'),),
        WORK,
    ),
    Wrong(
        "its_facts_are_json",
        "info of word-file",
        (('"tag": options.tag}', '"tag": options.place.__class__}'),),
        WORK,
    ),
    Wrong(
        "an_onnx_file_that_it_makes_says_how_to_call_it",
        "fact 'outputs' is None",
        (
            (
                "        add_tiny_onnx(state)",
                "        state.newest(add_tiny_onnx(state).kind).info.pop('outputs')",
            ),
        ),
        "right-export",
    ),
    Wrong(
        "an_onnx_file_that_it_makes_says_how_to_call_it",
        "have no tensor z",
        (
            (
                "        add_tiny_onnx(state)",
                "        add_tiny_onnx(state).info['inputs']['x'] = 'z'",
            ),
        ),
        "right-export",
    ),
    Wrong(
        "it_gives_back_the_state_and_leaves_its_status_alone",
        "run() returns None",
        (('        print("worked")\n        return state', '        print("worked")'),),
        WORK,
    ),
    Wrong(
        "it_gives_back_the_state_and_leaves_its_status_alone",
        "It set the status",
        in_run("state.status = Status.SUCCESSFUL"),
        WORK,
    ),
    Wrong(
        "running_it_again_makes_the_same",
        "of its word-file was another",
        (("word * options.level", "str(time.time_ns())"),),
        WORK,
    ),
    Wrong(
        "running_it_again_makes_the_same",
        "the info of its word-file was another",
        (('"tag": options.tag}', '"tag": str(path)}'),),
        WORK,
    ),
    Wrong(
        "running_it_again_makes_the_same",
        "models with other hashes",
        (("sha256(word.encode())", "sha256(os.urandom(4))"),),
        "right-begin",
    ),
    Wrong(
        "its_result_is_used_again",
        "The second time it was run again",
        (
            ("import hashlib\n", f"import hashlib\n{FLICKER}"),
            (f'{RESOLVE}"none")', f"{RESOLVE}str(next(_numbers)))"),
        ),
        WORK,
    ),
    Wrong(
        "it_changes_nothing_but_its_own",
        "It wrote or changed work/wrong.txt",
        in_run("Path('wrong.txt').touch()"),
        WORK,
    ),
    Wrong(
        "it_changes_nothing_but_its_own",
        "It wrote or changed inputs/some.words",
        before("        seen = Counter()", "source.path.write_text('other')"),
        "right-begin",
    ),
    Wrong(
        "it_changes_nothing_but_its_own",
        "It removed or replaced earlier artifacts",
        in_run("del state.artifacts[0]"),
        WORK,
    ),
    Wrong(
        "it_changes_nothing_but_its_own",
        "It changed words/word.txt, which others made",
        in_run("state.file_of(state.artifacts[0]).write_text('other')"),
        WORK,
    ),
    Wrong(
        "it_leaves_the_process_as_it_was",
        "the environment variable WRONG was set",
        in_run("os.environ['WRONG'] = '1'"),
        WORK,
    ),
    Wrong(
        "it_leaves_the_process_as_it_was",
        "the thread wrong still runs",
        in_run("threading.Thread(target=time.sleep, args=(5,), name='wrong', daemon=True).start()"),
        WORK,
    ),
    Wrong(
        "it_leaves_the_process_as_it_was",
        "the environment variable WRONG was set",
        before(REFUSED, "os.environ['WRONG'] = '1'"),
        WORK,
    ),
    Wrong(
        "it_prints_only_into_its_log",
        "It printed past its log: 'late'",
        in_run("threading.Timer(0.5, print, ['late']).start()"),
        WORK,
    ),
    Wrong(
        "an_input_that_it_cannot_use_is_refused_with_a_sentence",
        "It took an input that it cannot use",
        (
            (
                '        if not word.isalpha():\n            raise BuildError("The',
                '        if not word:\n            raise BuildError("The',
            ),
        ),
        WORK,
    ),
    Wrong(
        "an_input_that_it_cannot_use_is_refused_with_a_sentence",
        "It raised ValueError: no word",
        (
            (
                'raise BuildError("The file holds no word.", hint="Give one that does.")',
                'raise ValueError("no word")',
            ),
        ),
        WORK,
    ),
    Wrong(
        "an_input_that_it_cannot_use_is_refused_with_a_sentence",
        "which is not one line",
        (('"The file holds no word."', '"The file holds:\\nno word."'),),
        WORK,
    ),
    Wrong(
        "an_input_that_it_cannot_use_is_refused_with_a_sentence",
        "It took an input that it cannot use",
        (
            (
                "if not word.isalpha():\n                raise BuildError(f",
                "if not word:\n                raise BuildError(f",
            ),
        ),
        "right-begin",
    ),
    Wrong(
        "a_failure_leaves_status_and_log",
        "has no log",
        before(REFUSED, "state.build.log_file(self.name).unlink()"),
        WORK,
    ),
    Wrong(
        "a_full_disk_leaves_nothing_half_made",
        "It hid that what it made could not be kept",
        before(
            PLACED,
            "try:",
            "    state.add('word-file', [state.input_file()])",
            "except OSError:",
            "    return state",
        ),
        WORK,
    ),
    Wrong(
        "a_full_disk_leaves_nothing_half_made",
        "It left unfinished files",
        (
            *before(ADDED, 'rest = path.with_name(".tmp-rest")', "rest.touch()"),
            (WORKED, "        rest.unlink()"),
        ),
        WORK,
    ),
    Wrong(
        "every_model_that_it_finds_has_a_build_of_its_own",
        "Two models have one build directory",
        ((", ordinal=seen[digest]", ""),),
        "right-begin",
    ),
    Wrong(
        "every_model_that_it_finds_has_a_build_of_its_own",
        "The hash of hello is",
        (("hexdigest()", "hexdigest()[:12]"),),
        "right-begin",
    ),
    Wrong(
        "models_that_are_not_wanted_are_shown_and_not_taken",
        "as selected that are not wanted",
        (("selected=source.selects(digest)", "selected=True"),),
        "right-begin",
    ),
    Wrong(
        "models_that_are_not_wanted_are_shown_and_not_taken",
        "It gives 0 of 2 models",
        (("            yield state", "            if state.selected: yield state"),),
        "right-begin",
    ),
]


@pytest.mark.parametrize("wrong", WRONG_TOOLS, ids=str)
def test_wrong_tool_is_found(wrong: Wrong, install: Callable[..., Any]) -> None:
    wrong.must_be_found(RULES, install(*wrong.edits).tool(wrong.of, **wrong.more))


def test_every_rule_has_a_tool_that_is_wrong() -> None:
    assert {wrong.rule for wrong in WRONG_TOOLS} == names(RULES)
