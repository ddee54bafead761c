"""The worker of a runtime of the tests: sleeps, and tells what it was given."""

from __future__ import annotations

import os
import time


class Session:
    def __init__(self, request):
        self._arguments = request.arguments

    def infer(self):
        time.sleep(0.0005)

    def describe(self):
        found = {"version": "7.0", "arguments": self._arguments}
        if "PYTHONPATH" in os.environ:
            found["pythonpath"] = os.environ["PYTHONPATH"]
        return found

    def close(self):
        pass


def open_session(request):
    return Session(request)
