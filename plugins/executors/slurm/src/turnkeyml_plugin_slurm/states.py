"""What Slurm's states say of a job that left no result."""

from __future__ import annotations

from turnkeyml.executor import Ending, JobEnd
from turnkeyml_plugin_slurm.slurm import TaskState

_ALIVE = {
    "PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING",
    "STAGE_OUT", "RESIZING", "REQUEUED", "REQUEUE_FED", "RESV_DEL_HOLD", "EXPEDITING",
    "POWER_UP_NODE", "UPDATE_DB",
}  # fmt: skip

_HOPELESS = {
    "PartitionTimeLimit": "It asks for more time than the partition gives: give less with "
    "--timeout, or another partition.",
    "PartitionNodeLimit": "The partition gives fewer nodes.",
    "BadConstraints": "No node is as the options for sbatch ask.",
    "DependencyNeverSatisfied": "A job that it depends on has failed.",
    "AccountNotAllowed": "Give another account or partition.",
    "QOSNotAllowed": "Give another quality of service or partition.",
    "InvalidAccount": "Give another account.",
    "InvalidQOS": "Give another quality of service.",
    "AssocMaxWallDurationPerJobLimit": "It asks for more time than the account gives: give less "
    "with --timeout.",
    "QOSMaxWallDurationPerJobLimit": "It asks for more time than the quality of service gives: "
    "give less with --timeout.",
    "launch failed requeued held": "Nodes could not begin it; ask the administrator.",
}
"""Reasons to wait that do not pass by themselves, and what to do about them."""

_NODE_LOST = {"NODE_FAIL", "BOOT_FAIL"}
NO_COMMAND = (126, 127)
"""What a shell exits with if it cannot run a program."""
NOT_SEEN = 66
"""What our program exits with if it does not see its submission's folder."""
_SIGKILL = 9


def is_alive(state: TaskState) -> bool:
    """Tell whether a task waits, runs, or is about to end."""
    return state.state in _ALIVE


def hopeless_reason(state: TaskState) -> str | None:
    """Say what to do about a job that waits for what will not come; None if it may come."""
    if state.state != "PENDING":
        return None
    return _HOPELESS.get(state.reason.strip("()"))


def end_from_state(state: TaskState, job: str, *, has_begun: bool) -> JobEnd:
    """Say how a job ended that Slurm knows more of than it could tell itself.

    Args:
        state: One that is final.
        job: As messages call it.
        has_begun: Whether our program in it was there at all.
    """
    where = f" on {state.node}" if state.node else ""
    word = state.state
    if word in _NODE_LOST or (word == "FAILED" and state.reason == "JobLaunchFailure"):
        message = f"The node {state.node or 'of ' + job} failed while it ran."
        if word == "FAILED":
            message = f"The node {state.node} could not begin {job}."
        return JobEnd(Ending.NODE_FAILED, message, "Ask the administrator what is wrong with it.")
    if word == "PREEMPTED":
        return JobEnd(
            Ending.PREEMPTED,
            f"Slurm ended {job}{where} in favour of another one.",
            "Take a partition that is not preempted.",
        )
    if word in ("TIMEOUT", "DEADLINE"):
        return JobEnd(
            Ending.TIMEOUT,
            f"Slurm ended {job}{where} because its time was over.",
            "Give it more time with --timeout.",
        )
    if word == "OUT_OF_MEMORY":
        return out_of_memory_end(job)
    if word in ("CANCELLED", "REVOKED"):
        return cancelled_end(job)
    if not has_begun and word == "FAILED":
        return _not_begun(state, job, where)
    if state.signal:
        return _signal_end(state, job, where)
    if word == "COMPLETED":
        return JobEnd(
            Ending.LOST,
            f"{job} ended{where}, and what it left cannot be seen here.",
            "Look whether that node sees the cache.",
        )
    code = "" if state.exit_code is None else f" with exit code {state.exit_code}"
    return JobEnd(Ending.EXITED, f"{job} ended{where}{code} ({word}) and left no report.")


def out_of_memory_end(job: str) -> JobEnd:
    """Say that a job needed more memory than Slurm gave it."""
    return JobEnd(
        Ending.OUT_OF_MEMORY,
        f"{job} needed more memory than Slurm gave it, and was ended.",
        "Give it more with --memory-limit, or with --executor-args memory::16G",
    )


def cancelled_end(job: str) -> JobEnd:
    """Say that somebody else ended a job."""
    return JobEnd(
        Ending.CANCELLED,
        f"{job} was cancelled, and not by turnkey.",
        "Ask the administrator, or run the command again.",
    )


def lost_end(job: str) -> JobEnd:
    """Say that nobody knows a job any more."""
    return JobEnd(
        Ending.LOST,
        f"Slurm does not know {job} any more, and it left no result.",
        "Its controller may have lost its memory; run the command again.",
    )


def _not_begun(state: TaskState, job: str, where: str) -> JobEnd:
    if state.exit_code in NO_COMMAND:
        what = "there is no such Python as that of the submitting host"
    elif state.exit_code == NOT_SEEN:
        what = "the cache of the submitting host cannot be seen"
    else:
        code = "" if state.exit_code is None else f" (exit code {state.exit_code})"
        what = f"turnkey could not be started{code}"
    return JobEnd(
        Ending.NODE_FAILED,
        f"{job} could not begin: {what}{where}.",
        "Keep nodes that are not like the others away, with --executor-args "
        "sbatch::[--exclude=NODE]",
    )


def _signal_end(state: TaskState, job: str, where: str) -> JobEnd:
    if state.signal == _SIGKILL:
        return JobEnd(
            Ending.CRASHED,
            f"{job} was ended{where} by SIGKILL, which neither turnkey nor Slurm sent.",
            "Probably the node ran out of memory, or somebody ended it.",
        )
    return JobEnd(Ending.CRASHED, f"{job} was ended{where} by signal {state.signal}.")
