"""What the runtime's own Python adds to an inference: CUDA and TensorRT are functions that return.

The same calls in a bare loop, without checks, are what it is compared with; the two take turns.
"""

from __future__ import annotations

import argparse
import time
from types import SimpleNamespace

from turnkeyml_plugin_tensorrt.session.inference import Session

CALLS = 50_000
ROUNDS = 40
DONE = (0,)


def nothing(*arguments):
    return DONE


def started(handle):
    return True


def make_session():
    """Make a session whose engine and GPU do nothing."""
    kinds = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    api = SimpleNamespace(
        cudaMemcpyAsync=nothing, cudaStreamSynchronize=nothing, cudaMemcpyKind=kinds
    )
    block = SimpleNamespace(size=8, device=1, host=2)
    session = Session.__new__(Session)
    vars(session).update(
        _gpu=SimpleNamespace(api=api),
        _stream=1,
        _handle=1,
        _growing={},
        _upload=block,
        _download=block,
        _context=SimpleNamespace(execute_async_v3=started),
        _wish=SimpleNamespace(cuda_graph=False),
    )
    session._copies = session._make_copies()
    session._launch = session._make_launch()
    return session._make_infer()


def bare():
    nothing(1, 2, 8, 1, 1)
    started(1)
    nothing(2, 1, 8, 2, 1)
    nothing(1)


def time_block(call):
    start = time.perf_counter_ns()
    for _ in range(CALLS):
        call()
    return (time.perf_counter_ns() - start) / CALLS


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    infer = make_session()
    found = {infer: [], bare: []}
    for _ in range(ROUNDS):
        for call, times in found.items():
            times.append(time_block(call))
    own, plain = (min(times) for times in found.values())
    print(f"the session's inference {own:.0f} ns, the bare calls {plain:.0f} ns, the least of each")
    print(f"added: {own - plain:.0f} ns")


if __name__ == "__main__":
    main()
