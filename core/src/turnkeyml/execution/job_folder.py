"""The files through which a job and whoever started it know of each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.errors import CacheError, UsageError
from turnkeyml.execution.events import EVENTS
from turnkeyml.execution.json_values import MALFORMED, items, maybe, number, text, whole
from turnkeyml.execution.reports import JobReport
from turnkeyml.executor import JobSpec, Limits
from turnkeyml.inputs import Source
from turnkeyml.request import RunRequest

SCHEMA = 1
JOB = "job.json"
REPORT = "report.json"


def write_job(job: JobSpec) -> None:
    """Write down a job, so that it can be run by any process that sees its folder.

    A report and events of an earlier attempt are taken away.

    Raises:
        CacheError: It cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "key": job.key,
        "attempt": job.attempt,
        "working_directory": str(Path.cwd()),
        "source": job.source.to_json(),
        "request": job.request.to_json(),
        "timeout_s": job.limits.timeout_s,
        "memory_bytes": job.limits.memory_bytes,
        "without": list(job.without),
    }
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        for name in (EVENTS, REPORT):
            (job.folder / name).unlink(missing_ok=True)
        _write(job.folder / JOB, content)
    except OSError as error:
        raise CacheError(
            f"{job.folder} cannot be written: {error.strerror or error}.",
            hint="Make room, or give another cache directory with -d.",
        ) from error


def read_job(folder: Path) -> tuple[JobSpec, Path]:
    """Read a job, and the working directory in which it is to be run.

    Raises:
        CacheError: It is missing, damaged, or from another version of turnkey.
    """
    data = _read(folder / JOB)
    try:
        job = JobSpec(
            text(data["key"]),
            folder,
            Source.from_json(data["source"]),
            RunRequest.from_json(data["request"]),
            Limits(maybe(number, data["timeout_s"]), maybe(whole, data["memory_bytes"])),
            items(text, data["without"]),
            whole(data["attempt"]),
        )
        return job, Path(text(data["working_directory"]))
    except (*MALFORMED, UsageError) as error:
        raise CacheError(f"{folder / JOB} is malformed: {error!r}.") from error


def write_report(folder: Path, report: JobReport) -> None:
    """Leave a job's report: the sign that it ended by itself."""
    _write(folder / REPORT, {"schema": SCHEMA, **report.to_json()})


def read_report(folder: Path) -> JobReport | None:
    """Read a job's report; None if it left none.

    Raises:
        CacheError: It is damaged.
    """
    if not (folder / REPORT).exists():
        return None
    data = _read(folder / REPORT)
    try:
        return JobReport.from_json(data)
    except MALFORMED as error:
        raise CacheError(f"{folder / REPORT} is malformed: {error!r}.") from error


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with open_replaced(path, "w") as file:
        json.dump(content, file)


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise CacheError(f"{path} is no file.")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, *MALFORMED) as error:
        raise CacheError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise CacheError(f"{path} is not of this version of turnkey.")
    return content
