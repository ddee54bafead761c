"""Compare one output with the reference: how far apart they are, and whether that is rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from turnkeyml_plugin_parity.tolerances import Tolerance, tolerance_for
from turnkeyml_plugin_parity.values import Numbers

if TYPE_CHECKING:
    from turnkeyml.worker.tensors import RawTensor

BLOCK = 1 << 18
"""Values that are converted at once."""

MOST_CLASSES = 1 << 20
"""A last dimension with more entries than this is not taken for classes."""

_LARGEST = {"float16": 65504.0, "bfloat16": 3.39e38, "float32": 3.40e38}


@dataclass(frozen=True)
class OutputComparison:
    """How an output compares with the reference.

    Args:
        name: Of the output.
        dtype: Of the output.
        shape: Of the output.
        tolerance: The largest ``max_rel`` that is still rounding.
        problem: Why the output is not what it should be, as the end of a sentence that begins with
            the output; empty if it is.
        undecided: Why nobody can tell, in the same form; empty if that is known.
        values: How many values were compared: those that are finite in both.
        max_abs: Largest absolute difference.
        max_rel: Largest difference in relation to the reference's value there, or to the root mean
            square of the whole reference output where that is larger; for whole numbers, the part
            that differs.
        cosine: Of the angle between the two, as vectors; 1 is the same direction.
        class_agreement: Part of the rows whose largest entry is in the same place; None where the
            last dimension does not look like classes.
        nan: How many values are not numbers.
        inf: How many are infinite.
        reference_nan: The same of the reference.
        reference_inf: The same of the reference.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    tolerance: Tolerance
    problem: str = ""
    undecided: str = ""
    values: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    cosine: float | None = None
    class_agreement: float | None = None
    nan: int = 0
    inf: int = 0
    reference_nan: int = 0
    reference_inf: int = 0

    @property
    def badness(self) -> float:
        """How much of the tolerance is used up; more than 1 is too much."""
        if self.problem and self.max_rel <= self.tolerance.relative:
            return math.inf
        if not self.tolerance.relative:
            return math.inf if self.max_rel else 0.0
        return self.max_rel / self.tolerance.relative


def compare(
    name: str, given: RawTensor, reference: RawTensor, precision: str, source: str
) -> OutputComparison:
    """Compare an output with the reference.

    Args:
        name: Of the output.
        given: What the artifact gives.
        reference: What it should give.
        precision: The dtype that the artifact computes in, where it is known.
        source: What the reference is called in messages, such as ``eager``.
    """
    ours, theirs = Numbers(given), Numbers(reference)
    whole = ours.whole and theirs.whole
    tolerance = tolerance_for((given.dtype, reference.dtype, precision), whole=whole)
    found = OutputComparison(name, given.dtype, given.shape, tolerance)
    if ours.whole != theirs.whole:
        what = f"is {given.dtype}, and {source} gives {reference.dtype}"
        return replace(found, problem=what)
    if ours.shape != theirs.shape:
        what = f"has the shape {_shown(given.shape)}, and {source} gives {_shown(reference.shape)}"
        return replace(found, problem=what)
    if whole:
        return _compare_whole(found, ours, theirs, source)
    return _compare_floats(found, ours, theirs, source)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "of a single value"


def _compare_whole(
    found: OutputComparison, ours: Numbers, theirs: Numbers, source: str
) -> OutputComparison:
    import numpy as np

    different, largest = 0, 0.0
    for start in range(0, ours.size, BLOCK):
        a, b = ours.block(start, start + BLOCK), theirs.block(start, start + BLOCK)
        unequal = a != b
        count = int(np.count_nonzero(unequal))
        if count:
            different += count
            distance = np.abs(a[unequal].astype(np.float64) - b[unequal].astype(np.float64))
            largest = max(largest, float(distance.max()))
    problem = ""
    if different:
        problem = f"differs from {source} in {different:,} of {ours.size:,} whole numbers"
    rate = different / ours.size if ours.size else 0.0
    return replace(found, problem=problem, values=ours.size, max_abs=largest, max_rel=rate)


@dataclass
class _Sums:
    """What is gathered over the blocks of one output."""

    total: int
    values: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    dot: float = 0.0
    ours: float = 0.0
    theirs: float = 0.0
    nan: int = 0
    inf: int = 0
    reference_nan: int = 0
    reference_inf: int = 0
    new_nan: int = 0
    new_inf: int = 0
    lost: int = 0
    rows: int = 0
    agreeing: int = 0


def _compare_floats(
    found: OutputComparison, ours: Numbers, theirs: Numbers, source: str
) -> OutputComparison:
    import numpy as np

    classes = _classes(ours.shape) if ours.shape == found.shape else 0
    sums = _Sums(total=ours.size)
    # Values that are not finite, or overflow when squared, are what is being looked for.
    with np.errstate(all="ignore"):
        largest, typical = _size_of(theirs)
        for start, stop in _blocks(ours.size, classes):
            a, b = ours.block(start, stop), theirs.block(start, stop)
            _add_block(sums, a, b, typical, largest or 1.0)
            if classes:
                _add_classes(sums, a.reshape(-1, classes), b.reshape(-1, classes))
    done = replace(
        found,
        values=sums.values,
        max_abs=sums.max_abs,
        max_rel=sums.max_rel,
        cosine=_cosine(sums),
        class_agreement=sums.agreeing / sums.rows if sums.rows else None,
        nan=sums.nan,
        inf=sums.inf,
        reference_nan=sums.reference_nan,
        reference_inf=sums.reference_inf,
    )
    problem = _problem(done, sums, largest, source)
    if problem:
        return replace(done, problem=problem)
    if sums.values and not largest and not done.max_abs:
        nothing = f"is zero throughout, in {source} too: that tells nothing of what was computed"
        return replace(done, undecided=nothing)
    if done.max_rel <= done.tolerance.relative:
        return done
    what = f"differs by up to {done.max_abs:.2g}, relative {done.max_rel:.2g}"
    if done.max_abs <= done.tolerance.absolute:
        small = f"{what}, too little to be told from rounding"
        return replace(done, undecided=f"{small} (it is of size {typical:.2g})")
    limit = f"tolerance {done.tolerance.relative:g} for {done.tolerance.dtype}"
    return replace(done, problem=f"{what} ({limit})")


def _classes(shape: tuple[int, ...]) -> int:
    """Give how many classes the last dimension has, 0 if it does not look like classes.

    Scores of classes come alone, for each example, or for each place of a sequence.
    """
    return shape[-1] if 1 <= len(shape) <= 3 and 2 <= shape[-1] <= MOST_CLASSES else 0


def _blocks(size: int, classes: int) -> Iterator[tuple[int, int]]:
    step = max(1, BLOCK // classes) * classes if classes else BLOCK
    for start in range(0, size, step):
        yield start, min(start + step, size)


def _size_of(numbers: Numbers) -> tuple[float, float]:
    """Give the largest absolute value and the root mean square, of those that are finite."""
    import numpy as np

    largest, count, total, unit = 0.0, 0, 0.0, 1.0
    for start in range(0, numbers.size, BLOCK):
        block = np.abs(numbers.block(start, start + BLOCK))
        block = block[np.isfinite(block)]
        if not block.size:
            continue
        top = float(block.max())
        if top > largest:
            # Relative to the largest, no square overflows.
            total *= (unit / top) ** 2
            largest = unit = top
        count += block.size
        total += float(np.square(block / unit).sum())
    return largest, unit * math.sqrt(total / count) if count else 0.0


def _add_block(sums: _Sums, a: Any, b: Any, typical: float, unit: float) -> None:
    import numpy as np

    finite_a, finite_b = np.isfinite(a), np.isfinite(b)
    if not (finite_a.all() and finite_b.all()):
        nan_a, nan_b = np.isnan(a), np.isnan(b)
        sums.nan += int(nan_a.sum())
        sums.reference_nan += int(nan_b.sum())
        sums.inf += int((~finite_a & ~nan_a).sum())
        sums.reference_inf += int((~finite_b & ~nan_b).sum())
        sums.new_nan += int((nan_a & ~nan_b).sum())
        sums.new_inf += int((~finite_a & ~nan_a & finite_b).sum())
        sums.lost += int((~finite_b & ~((nan_a & nan_b) | (a == b)) & ~(nan_a & ~nan_b)).sum())
        both = finite_a & finite_b
        a, b = a[both], b[both]
    if not a.size:
        return
    difference = np.abs(a - b)
    sums.values += a.size
    sums.max_abs = max(sums.max_abs, float(difference.max()))
    # A difference from nothing is infinite; none is none.
    relative = np.nan_to_num(difference / np.maximum(np.abs(b), typical), posinf=math.inf)
    sums.max_rel = max(sums.max_rel, float(relative.max()))
    a, b = a / unit, b / unit
    sums.dot += float(a @ b)
    sums.ours += float(a @ a)
    sums.theirs += float(b @ b)


def _add_classes(sums: _Sums, a: Any, b: Any) -> None:
    import numpy as np

    sound = ~np.isnan(b).any(axis=1)
    same = a.argmax(axis=1) == b.argmax(axis=1)
    sums.rows += int(sound.sum())
    sums.agreeing += int((same & sound).sum())


def _cosine(sums: _Sums) -> float | None:
    if not sums.values:
        return None
    if not sums.ours or not sums.theirs:
        return 1.0 if sums.ours == sums.theirs else 0.0
    found = sums.dot / math.sqrt(sums.ours) / math.sqrt(sums.theirs)
    return max(-1.0, min(1.0, found)) if math.isfinite(found) else None


def _problem(found: OutputComparison, sums: _Sums, largest: float, source: str) -> str:
    total = sums.total
    if sums.new_inf:
        limit = _LARGEST.get(found.tolerance.dtype)
        ends = f", and {found.tolerance.dtype} ends at {limit:,.6g}" if limit else ""
        return (
            f"overflows to infinity in {sums.new_inf:,} of {total:,} values, where {source} is "
            f"finite (its largest is {largest:.3g}{ends})"
        )
    if sums.new_nan:
        return f"is NaN in {sums.new_nan:,} of {total:,} values, where {source} is not"
    if sums.lost:
        return (
            f"differs in {sums.lost:,} of {total:,} values that {source} gives as NaN or infinite"
        )
    return ""
