"""Which results belong together."""

from __future__ import annotations

from turnkeyml_plugin_compare.comparing import Answer, compare_results
from turnkeyml_plugin_compare.judging import Verdict
from turnkeyml_plugin_compare.pairing import pair_up
from turnkeyml_plugin_compare.results import Identity, Result
from turnkeyml_plugin_compare.wording import advice_on, reasons_of

RUN = tuple(1_000_000 + 1000 * (n * 7 % 11) for n in range(60))
BERT = Identity("bert", "aaaaaaaa", "", "x86", "ort", "", "discover export-pytorch benchmark")


def good(identity: Identity = BERT, **more: object) -> Result:
    return Result(identity, latency_ms=1.0, runs=(RUN,), verdict="valid", **more)  # type: ignore[arg-type]


def failed(identity: Identity, **more: object) -> Result:
    return Result(identity, error="It broke.", **more)  # type: ignore[arg-type]


def only(before: list[Result], after: list[Result]) -> Answer:
    (answer,) = compare_results(before, after, 0.05).answers
    return answer


def test_results_of_other_runtimes_do_not_meet() -> None:
    other = good(Identity("bert", "aaaaaaaa", "", "x86", "openvino", "", BERT.chain))
    verdicts = [a.verdict for a in compare_results([good()], [other], 0.05).answers]
    assert verdicts == [Verdict.MISSING, Verdict.NEW]


def test_results_of_other_runtimes_meet_if_that_is_ignored() -> None:
    other = good(Identity("bert", "aaaaaaaa", "", "x86", "openvino", "", BERT.chain))
    (answer,) = compare_results([good()], [other], 0.05, ["runtime"]).answers
    assert answer.verdict is Verdict.SAME


def test_how_often_was_measured_only_tells_several_results_apart() -> None:
    hundred, thousand = good(iterations="100"), good(iterations="1000")
    assert len(pair_up([hundred], [thousand])) == 1
    both = pair_up([hundred, thousand], [thousand, hundred])
    assert [(p.before, p.after) for p in both] == [(hundred, hundred), (thousand, thousand)]


def test_the_newest_of_equal_results_counts() -> None:
    old, new = good(measured_at="2026-01-01"), good(measured_at="2026-02-01")
    (pair,) = pair_up([old], [new, old])
    assert pair.after is new


def test_a_model_that_failed_before_anything_was_measured_has_failed() -> None:
    failure = failed(Identity("bert", "aaaaaaaa", chain="discover export-pytorch"), failed_step="x")
    answer = only([good()], [failure])
    assert (answer.verdict, answer.reason) == (Verdict.FAILED, "x: It broke.")


def test_an_input_without_a_model_is_the_failure_of_its_models() -> None:
    assert only([good()], [failed(Identity("bert"))]).verdict is Verdict.FAILED


def test_the_failure_of_another_runtime_is_not_that_of_this_one() -> None:
    other = failed(Identity("bert", "aaaaaaaa", "", "x86", "openvino", "", BERT.chain))
    verdicts = {a.verdict for a in compare_results([good()], [other], 0.05).answers}
    assert verdicts == {Verdict.MISSING, Verdict.NEW}


def test_a_benchmark_that_fails_now_has_failed_though_its_last_result_is_still_there() -> None:
    again = failed(BERT, iterations="100")
    answers = compare_results([good()], [good(iterations="100"), again], 0.05).answers
    assert answers[0].verdict is Verdict.FAILED


def test_a_model_that_failed_at_another_step_still_fails() -> None:
    before = failed(Identity("bert", "aaaaaaaa", chain="discover export-pytorch"))
    after = failed(Identity("bert", "aaaaaaaa", chain="discover"))
    assert only([before], [after]).verdict is Verdict.STILL_FAILED


def test_a_model_that_failed_and_is_good_now_is_fixed() -> None:
    assert only([failed(Identity("bert", "aaaaaaaa"))], [good()]).verdict is Verdict.FIXED


def test_a_failure_that_the_second_side_says_nothing_of_is_left_out() -> None:
    assert pair_up([failed(BERT)], []) == []


def test_what_is_not_valid_cannot_be_told() -> None:
    noisy = Result(BERT, latency_ms=1.0, runs=(RUN,), verdict="noisy", verdict_reasons="it was hot")
    answer = only([noisy], [good()])
    assert answer.verdict is Verdict.CANNOT_TELL
    assert (answer.reason, answer.detail) == ("the first is noisy", "it was hot")


def test_other_devices_cannot_be_told_unless_that_is_ignored() -> None:
    first, second = good(device_name="An old one"), good(device_name="A new one")
    assert only([first], [second]).verdict is Verdict.CANNOT_TELL
    (answer,) = compare_results([first], [second], 0.05, ["device"]).answers
    assert answer.verdict is Verdict.SAME


def test_what_else_changed_is_told_with_how_often() -> None:
    found = compare_results([good(runtime_version="1.1")], [good(runtime_version="1.2")], 0.05)
    assert found.changes == (("version of ort", "1.1", "1.2", 1),)


def test_what_keeps_results_apart_is_said() -> None:
    threads = good(Identity("bert", "aaaaaaaa", "", "x86", "ort", "threads::1", BERT.chain))
    told = advice_on(compare_results([good()], [threads], 0.05))
    assert told == "Of those that are missing, 1 would be compared with --ignore rt_args."
    assert advice_on(compare_results([good()], [], 0.05)) == ""


def test_reasons_are_told_once_and_their_details_where_they_are_one() -> None:
    def noisy(model: str, why: str) -> Result:
        return Result(Identity(model), latency_ms=1.0, runs=(RUN,), verdict="noisy",
                      verdict_reasons=why)  # fmt: skip

    sides = [noisy("a", "it was hot"), noisy("b", "it was late")]
    several = compare_results(sides, sides, 0.05).answers
    assert reasons_of(several) == [("cannot tell", "the first is noisy (--json says why)", 2)]
    one = compare_results(sides[:1], sides[:1], 0.05).answers
    assert reasons_of(one) == [("cannot tell", "the first is noisy: it was hot", 1)]
