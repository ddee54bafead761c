"""`torch.compile` for one module: made, used, and everything of it taken away again."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_plugin_torchrt.failures import first_line

if TYPE_CHECKING:
    import torch

MAX_CALLS = 5
"""A model that is compiled anew at each call is called no more often than this to settle."""


_VARIABLES = ("TORCHINDUCTOR_", "_TORCHINDUCTOR_", "TRITON_")
"""Variables that the compiler sets for its own processes."""


@dataclass(frozen=True)
class CompileOptions:
    """What ``torch.compile`` is given.

    Args:
        backend: Such as ``inductor``.
        mode: Such as ``reduce-overhead``; None: the default.
        dynamic: Whether shapes are symbols; None: PyTorch decides.
        fullgraph: Whether a graph break is an error.
    """

    backend: str = "inductor"
    mode: str | None = None
    dynamic: bool | None = None
    fullgraph: bool = False


@dataclass(frozen=True)
class Compilation:
    """What the compiler did.

    Args:
        compile_ns: The time of the calls in which it worked.
        first_ns: The time of the first call in which it did not.
        calls: In how many it worked.
        graphs: How many graphs the model became.
        graph_breaks: Why it is not one, each reason once.
        cache_hits: Graphs that were taken from the compiler's cache on disk.
    """

    compile_ns: int
    first_ns: int
    calls: int
    graphs: int
    graph_breaks: tuple[str, ...]
    cache_hits: int


@contextmanager
def compiled(module: torch.nn.Module, options: CompileOptions) -> Iterator[Any]:
    """Give the compiled module; the compiler forgets it afterwards, and its processes end.

    Raises:
        BuildError: The compiler does not take the module, or not the options.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        raise BuildError(
            "torch.compile does not take TorchScript models, and this is one.",
            hint="Use --runtime torch-eager, which runs it, or give the model without torch.jit.",
        )
    # Even forgetting sets variables, once the compiler has been used.
    variables, threads = frozenset(os.environ), frozenset(threading.enumerate())
    _forget()
    known = set(vars(module))
    added: set[str] = set()
    try:
        try:
            made = torch.compile(module, **asdict(options))
        # Backends are plugins of PyTorch, whose code runs here.
        except Exception as error:
            raise BuildError(
                f"torch.compile refuses its options: {first_line(error)}",
                hint=f"Backends here: {', '.join(_backends())}.",
            ) from error
        # The compiler keeps notes in the module itself.
        added = set(vars(module)) - known
        yield made
    finally:
        for name in added & set(vars(module)):
            delattr(module, name)
        _forget()
        _end_workers()
        _end_progress_bars(threads)
        for name in set(os.environ) - variables:
            if name.startswith(_VARIABLES):
                del os.environ[name]


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Have parts that the script compiled run as plain PyTorch."""
    import torch

    stance = getattr(torch.compiler, "set_stance", None)
    # Where the compiler was never imported nothing is compiled, and importing it takes a second.
    if stance is None or "torch._dynamo.eval_frame" not in sys.modules:
        yield
        return
    with stance("force_eager"):
        yield


def settle(timed_call: Callable[[], int]) -> Compilation:
    """Call until nothing more is compiled, and say what that took.

    Args:
        timed_call: Calls the compiled module once, and gives the time in ns.
    """
    from torch._dynamo.utils import counters

    spent = calls = graphs = 0
    while True:
        took = timed_call()
        now = counters["stats"]["unique_graphs"]
        if calls and now == graphs:
            break
        spent, calls, graphs = spent + took, calls + 1, now
        if calls == MAX_CALLS:
            break
    hits = counters["inductor"]["fxgraph_cache_hit"]
    hits = hits or counters["aot_autograd"]["autograd_cache_hit"]
    reasons = [str(reason).strip().splitlines()[0] for reason in counters["graph_break"]]
    return Compilation(spent, took, calls, graphs, tuple(dict.fromkeys(reasons)), hits)


def _backends() -> list[str]:
    import torch._dynamo

    # The list leaves out those for debugging; these two tell what the compiler itself costs.
    return sorted({*torch._dynamo.list_backends(), "aot_eager", "eager"})


def _forget() -> None:
    import torch._dynamo
    from torch._dynamo.utils import counters

    torch._dynamo.reset()
    counters.clear()


def _end_workers() -> None:
    """End the threads and processes that the compiler keeps for the next model.

    They would outlive this one, disturb what is measured next, and delay the end of the process.
    """
    compiler: Any = sys.modules.get("torch._inductor.async_compile")
    if compiler is None:
        return
    compiler.shutdown_compile_workers()
    pool = compiler.AsyncCompile.pool
    if pool.cache_info().currsize:
        pool().shutdown()
        pool.cache_clear()


def _end_progress_bars(before: frozenset[threading.Thread]) -> None:
    """End the thread that watches progress bars, if the compiler's bar, which is hidden, began it.

    Args:
        before: Threads that are not the compiler's.
    """
    for thread in threading.enumerate():
        if thread not in before and type(thread).__name__ == "TMonitor":
            monitor: Any = thread
            monitor.exit()
