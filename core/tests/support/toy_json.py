"""Reports and what they are made of, as hypothesis makes them up; and JSON that is changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from turnkeyml.cache.layout import BuildDirectory
from turnkeyml.execution.reports import JobError, JobReport, ModelReport
from turnkeyml.inputs import Source
from turnkeyml.outcomes import Failure, Status
from turnkeyml.state import ModelInfo

texts = st.text(max_size=20)
names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..")
)
paths = names.map(lambda name: Path("/x", name))
counts = st.integers(-(2**70), 2**70)
numbers = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | counts | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
infos = st.builds(
    ModelInfo,
    name=texts,
    digest=texts,
    model_type=texts,
    class_name=texts,
    location=texts,
    line=st.none() | counts,
    parameter_count=st.none() | counts,
    parameter_bytes=st.none() | counts,
    input_shapes=st.dictionaries(texts, st.lists(counts, max_size=3).map(tuple), max_size=3),
    executions=st.none() | counts,
    seconds=st.none() | numbers,
    depth=counts,
    group=counts,
    parent=st.none() | counts,
)
failures = st.builds(
    Failure, step=texts, error=texts, log=st.none() | paths, traceback=st.none() | texts
)
models = st.builds(
    ModelReport,
    build=st.builds(BuildDirectory, cache=paths, name=names),
    model=infos,
    selected=st.booleans(),
    status=st.sampled_from(Status),
    has_built=st.booleans(),
    failures=st.lists(failures, max_size=2).map(tuple),
    skipped=texts,
    findings=st.dictionaries(texts, texts, max_size=2),
    results=st.lists(st.dictionaries(texts, plain, max_size=3), max_size=2).map(tuple),
)
sources = st.builds(
    Source,
    path=paths,
    hashes=st.lists(texts, max_size=2).map(tuple),
    labels=st.dictionaries(texts, st.lists(texts, max_size=2).map(tuple), max_size=2),
    parameters=st.dictionaries(texts, texts, max_size=2),
)
reports = st.builds(
    JobReport,
    source=sources,
    models=st.lists(models, max_size=2).map(tuple),
    error=st.none()
    | st.builds(JobError, message=texts, hint=st.none() | texts, ending=st.none() | texts),
    notes=st.lists(texts, max_size=2).map(tuple),
    log=st.none() | paths,
)


def places_in(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the places of all values in JSON."""
    found = [place] if place else []
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            found += places_in(item, (*place, key))
    return found


def changed(data: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Put another value into JSON."""
    data = json.loads(json.dumps(data))
    at = data
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return data


def without(data: Any, place: tuple[Any, ...]) -> Any:
    """Take a value out of JSON."""
    data = json.loads(json.dumps(data))
    at = data
    for key in place[:-1]:
        at = at[key]
    del at[place[-1]]
    return data
