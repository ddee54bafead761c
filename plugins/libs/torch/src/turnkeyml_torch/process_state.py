"""What a script may change in this process, taken before it and restored after it."""

from __future__ import annotations

import importlib
import os
import random
import sys
import sysconfig
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(eq=False)
class ProcessState:
    """The state of the process at one moment; `folder` is the script's."""

    folder: str
    argv: list[str]
    path: list[str]
    main: Any
    modules: frozenset[str]
    threads: frozenset[int]
    cwd: str | None
    environment: dict[str, str]
    streams: tuple[Any, Any, Any]
    hook: Any
    recursion: int
    random: Any
    torch: TorchState | None
    warnings: Any

    @classmethod
    def take(cls, folder: Path) -> ProcessState:
        """Remember the state now."""
        importlib.invalidate_caches()
        catcher = warnings.catch_warnings()
        state = cls(
            folder=f"{folder.resolve()}{os.sep}",
            argv=sys.argv,
            path=list(sys.path),
            main=sys.modules.get("__main__"),
            modules=frozenset(sys.modules),
            threads=frozenset(thread.ident or 0 for thread in threading.enumerate()),
            cwd=_cwd(),
            environment=dict(os.environ),
            streams=(sys.stdin, sys.stdout, sys.stderr),
            hook=sys.excepthook,
            recursion=sys.getrecursionlimit(),
            random=random.getstate(),
            torch=TorchState.take() if _torch_loaded() else None,
            warnings=catcher,
        )
        catcher.__enter__()
        return state

    def restore(self) -> None:
        """Make the process what it was."""
        self.warnings.__exit__(None, None, None)
        for name, module in list(sys.modules.items()):
            if name not in self.modules and self._is_scripts(module):
                del sys.modules[name]
        if self.main is not None:
            sys.modules["__main__"] = self.main
        sys.argv = self.argv
        sys.path[:] = self.path
        if self.cwd is not None and self.cwd != _cwd():
            os.chdir(self.cwd)
        for key in [key for key in os.environ if key not in self.environment]:
            del os.environ[key]
        for key, value in self.environment.items():
            if os.environ.get(key) != value:
                os.environ[key] = value
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.excepthook = self.hook
        sys.setrecursionlimit(self.recursion)
        random.setstate(self.random)
        if _torch_loaded():
            (self.torch or TorchState.initial()).restore()

    def _is_scripts(self, module: Any) -> bool:
        places = [getattr(module, "__file__", None)]
        try:
            places.extend(getattr(module, "__path__", None) or ())
        except Exception:  # noqa: BLE001 - a lazy module may try to import something here
            return False
        for place in places:
            if isinstance(place, str):
                real = f"{Path(place).resolve()}{os.sep}"
                if real.startswith(self.folder) and not real.startswith(_installed()):
                    return True
        return False


@dataclass(frozen=True, eq=False)
class TorchState:
    """Torch's global settings; random states are None where they are not to be restored."""

    random: Any
    cuda_random: Any
    dtype: Any
    device: Any
    grad: bool
    threads: int | None

    @classmethod
    def take(cls) -> TorchState:
        """Remember the settings now; torch must have been imported."""
        import torch

        return cls(
            random=torch.get_rng_state(),
            cuda_random=_cuda_random(),
            dtype=torch.get_default_dtype(),
            device=_default_device(),
            grad=torch.is_grad_enabled(),
            threads=torch.get_num_threads(),
        )

    @classmethod
    def initial(cls) -> TorchState:
        """Give the settings of a torch that was just imported."""
        import torch

        return cls(None, None, torch.float32, None, grad=True, threads=None)

    def restore(self) -> None:
        """Set everything that differs."""
        import torch

        if _default_device() != self.device:
            torch.set_default_device(self.device)
        if torch.get_default_dtype() != self.dtype:
            torch.set_default_dtype(self.dtype)
        if torch.is_grad_enabled() != self.grad:
            torch.set_grad_enabled(self.grad)
        if self.threads is not None and torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        if self.random is not None:
            torch.set_rng_state(self.random)
        if self.cuda_random is not None:
            torch.cuda.set_rng_state_all(self.cuda_random)


def _torch_loaded() -> bool:
    return hasattr(sys.modules.get("torch"), "get_rng_state")


def _cuda_random() -> Any:
    import torch

    cuda: Any = torch.cuda
    return cuda.get_rng_state_all() if cuda.is_initialized() else None


def _default_device() -> Any:
    import torch

    return getattr(getattr(torch.utils, "_device", None), "CURRENT_DEVICE", None)


def _cwd() -> str | None:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return None


def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return tuple(f"{Path(folder).resolve()}{os.sep}" for folder in folders)
