"""What PyTorch and its compiler raise, as one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from turnkeyml.errors import BuildError, TurnkeyError

_MAX_LENGTH = 300
_WRAPPERS = {"TorchDynamoException", "InductorError", "LoweringException"}
"""Exceptions of the compiler; one that they came from says more."""

_COMPILER_ERROR = re.compile(r"(?:fatal )?error: .+")
_BLURB = re.compile(r"\s*(?:Set TORCHDYNAMO_VERBOSE|You can suppress this|Hint:).*", re.DOTALL)

_CPP = "Install g++ (apt-get install g++), or name a compiler in the environment variable CXX."
_OTHER_BACKEND = "--rt-args backend::aot_eager needs no compiler."


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what PyTorch raises into a `BuildError`.

    Args:
        what: What was called, as the start of a sentence: ``SmallModel``.
    """
    try:
        yield
    except TurnkeyError:
        raise
    # A model's own code runs here, and a compiler: anything may come out of them.
    except Exception as error:
        raise build_error_from(error, what) from error


def build_error_from(error: BaseException, what: str) -> BuildError:
    """Say what an exception of PyTorch means.

    Args:
        error: As it came out.
        what: What was called.
    """
    causes = list(_chain(error))
    names = {name for cause in causes for name in _class_names(cause)}
    text = " ".join(str(cause) for cause in causes)
    inner = next((cause for cause in causes if not _WRAPPERS & set(_class_names(cause))), error)
    return (
        _about_compilers(names, text, inner, what)
        or _about_devices(names, text, what)
        or BuildError(
            f"{what} raised {type(inner).__name__}: {first_line(inner)}",
            hint="The whole traceback is in the log of this step.",
        )
    )


def _about_compilers(
    names: set[str], text: str, inner: BaseException, what: str
) -> BuildError | None:
    if "InvalidCxxCompiler" in names:
        return BuildError("torch.compile finds no C++ compiler that works.", hint=_CPP)
    if "CppCompileError" in names or "CppWrapperCodegenError" in names:
        told = _COMPILER_ERROR.search(text)
        detail = f": {told[0].strip()[:_MAX_LENGTH]}" if told else ""
        return BuildError(
            f"The C++ compiler refused what torch.compile made of {what}{detail}.",
            hint=f"Update g++, or name another compiler in CXX; {_OTHER_BACKEND}",
        )
    if "TritonMissing" in names or "Cannot find a working triton" in text:
        return BuildError(
            "torch.compile needs Triton for this GPU, and it is not installed or does not work.",
            hint=f"Run pip install triton; {_OTHER_BACKEND}",
        )
    if "Unsupported" in _class_names(inner):
        return BuildError(
            f"torch.compile cannot take {what} as one graph: {first_line(inner)}",
            hint="Without the runtime argument fullgraph it is compiled in parts.",
        )
    return None


def _about_devices(names: set[str], text: str, what: str) -> BuildError | None:
    if "OutOfMemoryError" in names or "CUDA out of memory" in text:
        return BuildError(
            f"The GPU's memory does not hold {what} with its inputs and outputs.",
            hint="Close other programs that use the GPU, or use a smaller batch.",
        )
    if "Expected all tensors to be on the same device" in text:
        return BuildError(
            f"{what} uses tensors that did not move to the GPU with it.",
            hint="Keep them as parameters or with register_buffer, not as plain attributes.",
        )
    if "no kernel image is available" in text:
        return BuildError(
            "This PyTorch has no code for this GPU.",
            hint="Install a build for its compute capability.",
        )
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and those that it came from, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        now = waiting.pop(0)
        if now is None or id(now) in seen:
            continue
        seen.add(id(now))
        yield now
        waiting += [getattr(now, "inner_exception", None), now.__cause__, now.__context__]


def _class_names(error: BaseException) -> list[str]:
    # By name, because where these classes are has changed between versions of PyTorch.
    return [cls.__name__ for cls in type(error).__mro__]


def first_line(error: BaseException) -> str:
    """Give the start of an exception's message as the end of a sentence."""
    text = _BLURB.sub("", str(error)).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no message"]
    line = lines[0][:_MAX_LENGTH].rstrip()
    return line if line.endswith((".", "?", "!")) else f"{line.rstrip(':,;')}."
