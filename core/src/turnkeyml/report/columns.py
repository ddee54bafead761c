"""The columns of a report: those that every report has, in order, and how the others follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MODEL_NAME = "model_name"
BUILD_NAME = "build_name"
HASH = "hash"
SCRIPT = "script"
AUTHOR = "author"
MODEL_CLASS = "model_class"
PARAMETERS = "parameters"
PARAMETER_BYTES = "parameter_bytes"
INPUT_SHAPES = "input_shapes"
STATUS = "status"
FOUND = "found"
EXPORTED = "exported"
OPTIMIZED = "optimized"
CONVERTED = "converted"
BUILT = "built"
RUN = "run"
PARITY = "parity"
FAILED_STEP = "failed_step"
ERROR = "error"
CAUSE = "cause"
LOG = "log"
DEVICE = "device"
DEVICE_NAME = "device_name"
RUNTIME = "runtime"
RUNTIME_VERSION = "runtime_version"
RT_ARGS = "rt_args"
ITERATIONS = "iterations"
MEAN_LATENCY = "mean_latency_ms"
MEDIAN_LATENCY = "median_latency_ms"
THROUGHPUT = "throughput_ips"
VERDICT = "verdict"
VERDICT_REASONS = "verdict_reasons"
SAMPLES_FILE = "samples_file"
MEASURED_AT = "measured_at"
CHAIN = "chain"
COMMAND = "command"
TURNKEY_VERSION = "turnkey_version"
CACHE = "cache"
BUILD_DIR = "build_dir"
MORE = "more"


@dataclass(frozen=True)
class Column:
    """A column that every report has, whether or not a row has anything in it.

    Args:
        name: Units that are not SI base units stand at its end.
        meaning: What is in it, in one sentence.
    """

    name: str
    meaning: str


STAGES = (
    Column(FOUND, "How finding the model went: successful, failed, interrupted, or nothing."),
    Column(EXPORTED, "How steps whose names begin with export- went."),
    Column(OPTIMIZED, "How steps whose names begin with optimize- went."),
    Column(CONVERTED, "How steps whose names begin with convert- went."),
    Column(BUILT, "How steps whose names begin with build- went."),
    Column(RUN, "How running it on the device went."),
)

COLUMNS = (
    Column(MODEL_NAME, "The name of the script or model file, without its suffix."),
    Column(BUILD_NAME, "The name of the build; with the cache, it is unique to a model."),
    Column(HASH, "The eight digits by which a model of a script is named."),
    Column(SCRIPT, "The input, as an absolute path on the machine that ran it."),
    Column(AUTHOR, "The label author of the script."),
    Column(MODEL_CLASS, "The class of the model."),
    Column(PARAMETERS, "How many parameters the model has."),
    Column(PARAMETER_BYTES, "Their size."),
    Column(INPUT_SHAPES, "JSON: the names of the model's inputs, to their shapes."),
    Column(
        STATUS,
        "successful, failed, interrupted, running, not_started, or unreadable for a build whose "
        "files are damaged.",
    ),
    *STAGES,
    Column(
        PARITY, "Whether what was built computes what the model does: ok, mismatch, refused, ..."
    ),
    Column(FAILED_STEP, "The step that failed."),
    Column(ERROR, "Why, in a sentence."),
    Column(CAUSE, "The same without names and numbers: equal for failures of one kind."),
    Column(LOG, "Where more is written about it."),
    Column(DEVICE, "The device as it was chosen."),
    Column(DEVICE_NAME, "The full name of the device."),
    Column(RUNTIME, "The runtime."),
    Column(RUNTIME_VERSION, "Its version."),
    Column(RT_ARGS, "Its arguments."),
    Column(ITERATIONS, "How many inferences were asked for."),
    Column(MEAN_LATENCY, "The mean latency in milliseconds."),
    Column(MEDIAN_LATENCY, "The median latency in milliseconds."),
    Column(THROUGHPUT, "Inferences per second."),
    Column(VERDICT, "Whether the number can be trusted: valid, noisy, invalid or unverified."),
    Column(VERDICT_REASONS, "Why not."),
    Column(SAMPLES_FILE, "The raw samples, relative to the build directory."),
    Column(MEASURED_AT, "When, as UTC ISO 8601."),
    Column(CHAIN, "The tools that led there, in order."),
    Column(COMMAND, "A command that does it again."),
    Column(TURNKEY_VERSION, "The version of turnkey that wrote the build last."),
    Column(CACHE, "The cache directory."),
    Column(BUILD_DIR, "The build directory."),
)

WELL_KNOWN = tuple(column.name for column in COLUMNS)
_RANKS = {name: rank for rank, name in enumerate(WELL_KNOWN)}


def in_order(names: Iterable[str]) -> list[str]:
    """Put column names into the order of every report: well-known ones first, then by name.

    Args:
        names: Those that rows have; the well-known ones are always among the answer.
    """
    others = {name for name in names if name not in _RANKS}
    return [*WELL_KNOWN, *sorted(others)]
