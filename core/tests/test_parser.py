"""parse(): the same parameters of a model script under turnkey and without."""

from __future__ import annotations

import sys

import pytest

from turnkeyml.errors import UsageError
from turnkeyml.parser import STANDARD_ARGS, parse


@pytest.fixture
def argv(monkeypatch: pytest.MonkeyPatch):
    def give(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["script.py", *words])

    give()
    return give


def test_defaults_come_in_the_order_asked_for(argv) -> None:
    assert parse(["max_seq_length", "batch_size", "pretrained"]) == [128, 1, False]


def test_one_parameter_comes_alone(argv) -> None:
    assert parse(["batch_size"]) == 1


def test_no_parameter_gives_nothing(argv) -> None:
    assert parse() == []
    assert parse([]) == []


def test_what_the_command_line_says_comes_converted(argv) -> None:
    argv("--batch_size", "8", "--alpha=0.5")
    assert parse(["batch_size", "alpha", "width"]) == [8, 0.5, 224]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([], False),
        (["--pretrained"], True),
        (["--pretrained", "True"], True),
        (["--pretrained=false"], False),
        (["--pretrained", "0"], False),
    ],
)
def test_a_flag_may_stand_alone_or_have_a_value(argv, words: list[str], value: bool) -> None:
    argv(*words)
    assert parse(["pretrained"]) is value


def test_what_belongs_to_other_parsers_is_left_alone(argv) -> None:
    argv("--mine", "3", "file", "--batch_size", "2")
    assert parse(["batch_size"]) == 2


def test_a_wrong_value_ends_as_argparse_does(argv, capsys) -> None:
    argv("--batch_size", "many")
    with pytest.raises(SystemExit):
        parse(["batch_size"])
    assert "--batch_size" in capsys.readouterr().err


def test_a_name_that_is_no_standard_parameter_is_refused(argv) -> None:
    with pytest.raises(
        UsageError, match="'batchsize' is no standard parameter. There are: batch_s"
    ):
        parse(["batchsize"])


def test_all_standard_parameters_can_be_asked_for_at_once(argv) -> None:
    assert parse(list(STANDARD_ARGS)) == [arg.default for arg in STANDARD_ARGS.values()]
