"""The first job, which sees whether a node sees what this host sees."""

from __future__ import annotations

import pytest

from turnkeyml.errors import UsageError


def test_probe_is_the_first_job_and_leaves_nothing(cluster, begin, make_job, folder):
    run = begin([make_job("a")], probe=True).to_the_end()
    assert run.endings == {"a": "reported"}
    assert [job["key"] for job in cluster.jobs] == ["probe", "a"]
    assert list((folder / "slurm").iterdir()) == []


def test_probe_runs_the_real_program(cluster, begin, make_job, toys):
    cluster.tell(outcomes={"probe": ["real"]})
    assert begin([make_job("a")], probe=True).to_the_end().endings == {"a": "reported"}


@pytest.mark.parametrize(
    ("outcome", "words", "hint"),
    [
        ("FAILED:66:0", r"The node n1 does not see the cache .*/cache\.", "with -d"),
        ("FAILED:127:0", r"The node n1 has no .*python", "where all nodes see it"),
        ("COMPLETED", r"What the node n1 writes into the cache .* is not seen here", "with -d"),
        ("FAILED:1:0", "ended as FAILED, exit code 1", "probe::false"),
        ("CANCELLED", "ended as CANCELLED", "probe::false"),
        ("forget", "ended as LOST", "probe::false"),
        ("wait:PartitionTimeLimit", "never begin the jobs", "--timeout"),
    ],
)
def test_what_is_wrong_with_the_nodes_is_one_sentence(
    cluster, begin, make_job, folder, outcome, words, hint
):
    cluster.tell(outcomes={"probe": [outcome]})
    with pytest.raises(UsageError, match=words) as caught:
        begin([make_job("a")], probe=True).to_the_end()
    assert hint in caught.value.hint
    assert [job["key"] for job in cluster.jobs] == ["probe"]
    assert list((folder / "slurm").iterdir()) == []


def test_input_that_the_node_does_not_see_is_named(cluster, begin, make_job, toys):
    cluster.tell(outcomes={"probe": ["real"]})
    job = make_job("a")
    job.source.path.unlink()
    with pytest.raises(UsageError, match=r"The node n1 does not see .*inputs/a\.act") as caught:
        begin([job], probe=True).to_the_end()
    assert "shared with all nodes" in caught.value.hint


def test_controller_that_is_away_is_waited_for(cluster, begin, make_job):
    cluster.tell(lose_answer=1)
    run = begin([make_job("a")], probe=True).to_the_end()
    assert run.endings == {"a": "reported"}


def test_continued_command_whose_jobs_all_run_needs_no_probe(cluster, begin, make_job):
    cluster.tell(outcomes={"a": ["hold"]})
    killed = begin([make_job("a")], probe=True)
    killed.until(lambda: "a" in killed.where)
    killed.die()
    again = begin([make_job("a")], untouched="a", probe=True)
    again.until(lambda: "a" in again.where)
    cluster.finish("a")
    assert again.to_the_end().endings == {"a": "reported"}
    assert sum(job["key"] == "probe" for job in cluster.jobs) == 1
