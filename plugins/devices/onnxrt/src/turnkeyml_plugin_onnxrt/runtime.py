"""The runtime `ort`: ONNX Runtime, measured in a fresh process."""

from __future__ import annotations

from turnkeyml.runtime import BaseRT


class OnnxRT(BaseRT):
    """ONNX Runtime on the processor, with its own defaults for threads and optimization."""

    worker = "worker.py"

    def device_name(self) -> str:
        """Name the processor."""
        info = self.context.device_info
        return info.full_name() if info is not None else self.device_type
