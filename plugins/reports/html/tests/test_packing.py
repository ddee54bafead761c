"""Packing: small, harmless, and the same each time."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from html_support import HOSTILE, unpacked

from turnkeyml_plugin_report_html.packing import ROWS_IN_A_CHUNK, ChunkPacker, column_from, packed


def cells_of(form: dict[str, Any], count: int) -> list[Any]:
    if "all" in form:
        return [form["all"]] * count
    if "cells" in form:
        return form["cells"]
    return [None if code == 0 else form["words"][code - 1] for code in form["codes"]]


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["a"] * 5, "all"), ([7] * 5, "all"), (["a", None, "a", "a"], "codes"),
        (["a", "b", "a", "b", "a"], "codes"), (list(range(9)), "cells"), ([None] * 3, "codes"),
        ([1, 1.0, 1, 1.0, 1], "codes"), ([], "codes"), ([None, *range(8)], "cells"), ([5], "all"),
    ],
)  # fmt: skip
def test_columns_come_back_as_they_were(cells: list[Any], form: str) -> None:
    found = column_from(cells)
    assert form in found
    back = cells_of(found, len(cells))
    assert back == cells
    assert [type(cell) for cell in back] == [type(cell) for cell in cells]


def test_what_is_packed_is_harmless_and_comes_back() -> None:
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed(HOSTILE))
    assert unpacked(packed(HOSTILE)) == list(HOSTILE)
    assert packed(HOSTILE) == packed(HOSTILE)


def test_details_are_packed_in_chunks() -> None:
    packer = ChunkPacker(10**6)
    count = 2 * ROWS_IN_A_CHUNK + 3
    for n in range(count):
        packer.add({"n": n})
    packer.close()
    assert packer.row_count == count
    assert [len(unpacked(chunk)) for chunk in packer.chunks] == [ROWS_IN_A_CHUNK] * 2 + [3]
    assert unpacked(packer.chunks[2])[0] == {"n": 2 * ROWS_IN_A_CHUNK}


def test_details_for_which_there_is_no_room_are_left_out() -> None:
    packer = ChunkPacker(60_000)
    for _ in range(10 * ROWS_IN_A_CHUNK):
        packer.add(os.urandom(200).hex())
    packer.close()
    assert packer.is_full
    assert packer.row_count == len(packer.chunks) * ROWS_IN_A_CHUNK
    assert 0 < sum(map(len, packer.chunks)) <= 60_000
