"""Slurm's commands, played by one program: ``fake_slurm.py NAME ARGUMENT...``.

In the folder ``FAKE_SLURM`` are ``state.json``, which says what is known of the jobs, and
``control.json``, in which tests say what is to happen:

``down``: the controller does not answer. ``no_accounts``: neither does sacct.
``refuse``: sbatch says this, and takes nothing; ``full``: it takes no array of more tasks.
``lose_answer``: sbatch takes the next so many jobs, and then says that nobody answered.
``real``: the batch script is run for all jobs.
``outcomes``: by the key of a job, or ``probe``: what becomes of it in each of its tries, in turn;
the last one counts for all further tries, and ``well`` is what becomes of the others. An outcome
is ``well``, ``real`` (the batch script is run), ``hold`` (it runs until it is cancelled), ``wait``
or ``wait:REASON`` (it does not begin), ``forget`` (Slurm does not know it), ``signalled:STATE``
(it said that it was told to end), ``said:STATE:ENDING`` (it said how it ended), or
``STATE:EXIT:SIGNAL:started``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from played_state import locked, write_json

FOLDER = Path(os.environ["FAKE_SLURM"])
AWAY = "Unable to contact slurm controller (connect failure)"


def control():
    path = FOLDER / "control.json"
    return json.loads(path.read_text()) if path.exists() else {}


def fail(text, code=1):
    sys.stderr.write(text + "\n")
    sys.exit(code)


def record(words):
    with (FOLDER / "calls.jsonl").open("a") as file:
        file.write(json.dumps(words) + "\n")


def option(words, name, default=None):
    found = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    return found[-1] if found else default


def sbatch(words):
    told = control()
    if "refuse" in told:
        fail(f"sbatch: error: Batch job submission failed: {told['refuse']}")
    if "--test-only" in words:
        sys.stderr.write("sbatch: Job 1 to start at 2030-01-01T00:00:00\n")
        return
    script, python, folder = words[-3:]
    name = option(words, "--job-name")
    indexes, _, throttle = option(words, "--array").partition("%")
    last, throttle = indexes.removeprefix("0-"), throttle or None
    count = int(last) + 1
    if "full" in told and count > told["full"]:
        fail(
            "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: "
            "Job violates accounting/QOS policy (job submit limit, size and/or time limits)"
        )
    with locked(FOLDER) as state:
        number = state["next"]
        state["next"] += 1 + count
        content = json.loads(Path(folder, "manifest.json").read_text())
        keys = [job["key"] for job in content["jobs"]] or ["probe"]
        for index, key in enumerate(keys):
            job = {
                "name": name,
                "array": number,
                "index": index,
                "key": key,
                "folder": folder,
                "throttle": throttle,
                "state": "PENDING",
                "reason": "None",
                "node": "",
                "exit": "0:0",
                "plan": None,
                "known": True,
                "words": [script, python, folder],
            }
            state["jobs"].append(job)
        schedule(state, told)
        lost = told.get("lose_answer", 0)
    if lost:
        write_json(FOLDER / "control.json", {**told, "lose_answer": lost - 1})
        fail(f"sbatch: error: Batch job submission failed: {AWAY}")
    print(number)


def schedule(state, told):
    """Let jobs begin, as many of each array as may run, and see which have ended."""
    for job in state["jobs"]:
        if job["state"] == "RUNNING" and job["plan"] == "real":
            code = Path(job["folder"], "tasks", f"{job['index']}.code")
            if code.exists():
                number = int(code.read_text())
                job["exit"] = f"{number}:0"
                if job["state"] != "CANCELLED":
                    job["state"] = "FAILED" if number else "COMPLETED"
    for job in state["jobs"]:
        running = sum(
            other["state"] == "RUNNING" and other["array"] == job["array"]
            for other in state["jobs"]
        )
        room = job["throttle"] is None or running < int(job["throttle"])
        if job["state"] == "PENDING" and room:
            begin(job, state, told)


def begin(job, state, told):
    outcomes = told.get("outcomes", {}).get(job["key"], ["real" if told.get("real") else "well"])
    if job["plan"] is None:
        tried = state["tries"].get(job["key"], 0)
        state["tries"][job["key"]] = tried + 1
        job["plan"] = outcomes[min(tried, len(outcomes) - 1)]
    plan = job["plan"]
    if plan.startswith("wait"):
        if outcomes[-1] == "go":
            plan = job["plan"] = "well"
        else:
            job["reason"] = plan.partition(":")[2] or "Resources"
            return
    job["node"] = "n1"
    if plan == "forget":
        job["known"] = False
        return
    if plan == "real":
        job["state"] = "RUNNING"
        start(job)
        return
    if plan == "hold":
        job["state"] = "RUNNING"
        leave(job, "started")
        return
    if not Path(job["folder"], "manifest.json").exists():
        job["state"], job["exit"] = "FAILED", "66:0"
        return
    if plan == "well":
        leave(job, "started")
        end = {
            "end": {"ending": "reported", "message": "", "hint": None, "peak_memory_bytes": 1},
            "report": report(job),
            "seen": {},
        }
        leave(job, "ended", end)
        job["state"] = "COMPLETED"
        return
    state, *more = plan.split(":")
    if state == "signalled":
        leave(job, "started")
        leave(job, "ended", {"signalled": True})
        job["state"] = more[0]
        return
    if state == "said":
        leave(job, "started")
        end = {"ending": more[1], "message": "As it said.", "hint": None, "peak_memory_bytes": 1}
        leave(job, "ended", {"end": end})
        job["state"] = more[0]
        return
    job["state"] = state
    job["exit"] = f"{more[0] if more else 0}:{more[1] if len(more) > 1 else 0}"
    if state == "FAILED":
        job["reason"] = "JobLaunchFailure" if job["exit"] == "0:53" else "NonZeroExitCode"
    if "started" in more:
        leave(job, "started")


def report(job):
    if job["key"] == "probe":
        return None
    content = json.loads(Path(job["folder"], "manifest.json").read_text())
    entry = content["jobs"][job["index"]]
    text = json.loads(Path(entry["folder"], "job.json").read_text())
    return {
        "source": text["source"],
        "models": [],
        "error": None,
        "notes": [f"try {job['array']}"],
        "log": None,
    }


def leave(job, kind, content=None):
    path = Path(job["folder"], "tasks", f"{job['index']}.{kind}.json")
    if path.parent.is_dir():
        who = {"schema": 1, "node": job["node"], "array_id": str(job["array"])}
        write_json(path, {**who, **(content or {})})


def start(job):
    """Run the batch script as slurmd does, and write down what it exits with."""
    code = Path(job["folder"], "tasks", f"{job['index']}.code")
    environment = {
        **os.environ,
        "SLURM_ARRAY_TASK_ID": str(job["index"]),
        "SLURMD_NODENAME": "n1",
        "SLURM_ARRAY_JOB_ID": str(job["array"]),
    }
    shell = (
        'sh "$1" "$2" "$3" & pid=$!; trap "kill -TERM $pid" TERM; wait $pid; code=$?; '
        'wait $pid 2>/dev/null; echo $code > "$4.new"; mv "$4.new" "$4"'
    )
    import subprocess

    with Path(job["folder"], f"{job['index']}.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", shell, "sh", *job["words"], str(code)],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            cwd="/",
        )
    job["pid"] = process.pid


def squeue(words):
    names = option(words, "--name").split(",")
    with locked(FOLDER) as state:
        schedule(state, control())
        for job in state["jobs"]:
            if job["name"] in names and job["known"]:
                index = "N/A" if job.get("rest") else job["index"]
                print(
                    "|".join(
                        map(
                            str,
                            (
                                job["name"],
                                job["array"],
                                index,
                                job["state"],
                                job["node"],
                                job["reason"],
                            ),
                        )
                    )
                )


def scancel(words):
    name, only = option(words, "--name"), option(words, "--state")
    task = next((word for word in words if not word.startswith("-")), None)
    with locked(FOLDER) as state:
        for job in state["jobs"]:
            is_meant = job["name"] == name and task in (None, f"{job['array']}_{job['index']}")
            if not is_meant or job["state"] not in ("PENDING", "RUNNING"):
                continue
            if job["state"] == "PENDING":
                # As Slurm does: one is forgotten at once, several become one.
                job["known"], job["rest"] = task is None, True
            if only is None or job["state"] == only:
                if job.get("pid"):
                    os.kill(job["pid"], 15)
                    continue
                job["state"] = "CANCELLED"


def scontrol(words):
    if words[:2] == ["show", "config"]:
        print(f"MaxArraySize            = {control().get('array_size', 1001)}")
        return
    if words[0] == "update":
        number = int(option(words, "JobId"))
        with locked(FOLDER) as state:
            for job in state["jobs"]:
                if job["array"] == number:
                    job["throttle"] = option(words, "ArrayTaskThrottle")
            schedule(state, control())
        return
    array, _, index = words[-1].partition("_")
    with locked(FOLDER) as state:
        for job in state["jobs"]:
            if (str(job["array"]), str(job["index"])) == (array, index) and job["known"]:
                print(
                    f"JobId={array} JobName={job['name']} JobState={job['state']} "
                    f"Reason={job['reason']} ExitCode={job['exit']} "
                    f"NodeList={job['node'] or '(null)'} Command=/x a=b"
                )
                return
    fail("slurm_load_jobs error: Invalid job id specified")


def sacct(words):
    if control().get("no_accounts"):
        fail("Slurm accounting storage is disabled")
    with locked(FOLDER) as state:
        for job in state["jobs"]:
            if job["name"] == option(words, "--name") and job.get("accounted"):
                print(f"{job['array']}_{job['index']}|{job['accounted']}|0:0|n1")


def main():
    name, *words = sys.argv[1:]
    record([name, *words])
    if control().get("down"):
        fail(f"{name}: error: {AWAY}")
    globals()[name]([word for word in words if word != "-o"])
