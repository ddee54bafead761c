"""The runtime `torch-compiled`: what `torch.compile` makes of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from turnkeyml.errors import BuildError
from turnkeyml_plugin_torchrt.runtime import Dtype, TorchRuntime

if TYPE_CHECKING:
    import torch

    from turnkeyml_plugin_torchrt.compiling import Compilation


class TorchCompiled(TorchRuntime):
    """PyTorch with ``torch.compile``; the time of the compiler is told apart.

    Args:
        dtype: Autocast to it; None: nothing is cast.
        threads: Threads within an operation on the processor; None: PyTorch decides.
        backend: The compiler's backend.
        mode: Such as ``max-autotune`` or ``reduce-overhead``; None: the default.
        dynamic: Whether shapes are compiled as symbols; None: PyTorch decides.
        fullgraph: Whether a model that is no single graph is refused.
    """

    _compilation: Compilation | None = None

    def __init__(
        self,
        dtype: Dtype | None = None,
        threads: int | None = None,
        *,
        backend: str = "inductor",
        mode: str | None = None,
        dynamic: bool | None = None,
        fullgraph: bool = False,
    ) -> None:
        super().__init__(dtype, threads)
        self.backend = backend
        self.mode = mode
        self.dynamic = dynamic
        self.fullgraph = fullgraph

    def _prepare(self, module: torch.nn.Module) -> Callable[..., Any]:
        from turnkeyml_plugin_torchrt.compiling import CompileOptions, compiled

        options = CompileOptions(self.backend, self.mode, self.dynamic, self.fullgraph)
        call: Callable[..., Any] = self._undo.enter_context(compiled(module, options))
        return call

    def _first_ns(self) -> int:
        from turnkeyml_plugin_torchrt.compiling import settle
        from turnkeyml_plugin_torchrt.inference import timed_ns

        found = settle(partial(timed_ns, self._inference))
        if not found.graphs:
            raise BuildError(
                f"torch.compile finds nothing to compile in {self.model_name}, "
                "which would run as in torch-eager.",
                hint="Use --runtime torch-eager.",
            )
        self._compilation = found
        self.stats.save_model_eval_stat("compile_ms", round(found.compile_ns / 1e6, 3))
        return found.first_ns

    def facts(self) -> dict[str, Any]:
        """Give what explains the numbers; JSON values."""
        facts = super().facts()
        facts |= {
            "backend": self.backend,
            "mode": self.mode or "default",
            "dynamic": "automatic" if self.dynamic is None else self.dynamic,
            "fullgraph": self.fullgraph,
        }
        if self._compilation is not None:
            told = asdict(self._compilation)
            facts["compiled_graphs"] = told["graphs"]
            facts["graph_breaks"] = list(told["graph_breaks"])
            facts["compiling_calls"] = told["calls"]
            facts["compiler_cache_hits"] = told["cache_hits"]
        return facts
