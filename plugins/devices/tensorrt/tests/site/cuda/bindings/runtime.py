"""A stand-in for CUDA's runtime: what `fake_cuda` has, as functions of a module."""

from __future__ import annotations

import json
import os

from fake_cuda import FakeCuda

CUDA = FakeCuda(**json.loads(os.environ.get("FAKE_CUDA", "{}")))


def __getattr__(name):
    return getattr(CUDA, name)
