"""A stand-in for TensorRT 10."""

from __future__ import annotations

from fake_trt import *  # noqa: F403

__version__ = "10.16.1"
