"""What sbatch is told."""

from __future__ import annotations

import pytest

from turnkeyml.errors import UsageError
from turnkeyml.executor import Limits
from turnkeyml_plugin_slurm.arguments import JobArguments, join_values, refuse_ours


@pytest.mark.parametrize(
    ("timeout_s", "minutes"), [(0.5, 2), (60, 2), (61, 3), (3600, 61), (3599.5, 61)]
)
def test_time_is_whole_minutes_and_always_longer_than_the_exact_one(timeout_s, minutes):
    words = JobArguments().of(Limits(timeout_s=timeout_s))
    assert f"--time={minutes}" in words
    assert minutes * 60 >= timeout_s + 60


def test_without_a_timeout_the_cluster_decides():
    assert not [word for word in JobArguments().of(Limits()) if word.startswith("--time")]


def test_memory_follows_from_the_limit_with_room_for_who_watches():
    assert "--mem=1129M" in JobArguments().of(Limits(memory_bytes=1000 * (1 << 20) + 1))


def test_memory_of_the_user_stands():
    words = JobArguments(memory="16G").of(Limits(memory_bytes=1 << 30))
    assert [word for word in words if word.startswith("--mem")] == ["--mem=16G"]


def test_options_of_the_user_come_last_so_that_they_count():
    words = JobArguments("gpu", "lab", more=("--time=5", "--exclusive")).of(Limits(60))
    assert words[-2:] == ["--time=5", "--exclusive"]
    assert {"--partition=gpu", "--account=lab", "--nodes=1", "--ntasks=1"} <= set(words)


def test_values_that_were_cut_at_commas_are_put_together():
    words = ["--exclude=n1", "n2", "--exclusive", "--gres=gpu:1", "shard:2"]
    assert join_values(words) == ("--exclude=n1,n2", "--exclusive", "--gres=gpu:1,shard:2")


def test_list_that_does_not_begin_with_an_option_is_refused():
    with pytest.raises(UsageError, match="'gpu' is no option of sbatch"):
        join_values(["gpu"])


@pytest.mark.parametrize(
    "word",
    ["--array=1-5", "--arr=1", "-a1", "--wait", "-W", "--output=x", "-ofile", "--job-name=x",
     "--wrap=rm", "--chdir=/x", "--requeue", "--export=NONE", "--clusters=x", "--test-only"],
)  # fmt: skip
def test_options_by_which_jobs_are_found_are_turnkeys(word):
    with pytest.raises(UsageError, match="turnkey's to set"):
        refuse_ours([word])


def test_other_options_are_the_users():
    refuse_ours(["--exclusive", "--constraint=a", "-pgpu", "--nice=10", "--cpus-per-task=4", "-c2",
                 "--exclude=n1", "--comment=x", "--qos=long", "--reservation=r"])  # fmt: skip
