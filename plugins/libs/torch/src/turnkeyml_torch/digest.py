"""What identifies a model: the bytes of its weights with its inputs, and its size."""

from __future__ import annotations

import collections
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from turnkeyml_torch.raw import BLOCK_BYTES, is_lazy, tensor_bytes
from turnkeyml_torch.signature import dtype_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import torch

    from turnkeyml_torch.signature import Signature

_WORKERS = 4
"""Threads that hash; more than memory can feed are of no use."""

_SMALL_BYTES = 1 << 16
"""Below this, handing a block to a thread costs more than hashing it."""

_WAITING_AT_MOST = 16


@dataclass(frozen=True)
class ParameterCount:
    """How many parameters a model has, and their bytes; tied ones count once."""

    count: int
    bytes: int


def parameters(module: torch.nn.Module) -> ParameterCount:
    """Count a module's parameters; those not yet materialized count nothing."""
    count = size = 0
    for parameter in module.parameters():
        if is_lazy(parameter):
            continue
        count += parameter.numel()
        size += parameter.numel() * parameter.element_size()
    return ParameterCount(count, size)


def model_hash(module: torch.nn.Module, signature: Signature, *, weights: str | None = None) -> str:
    """Hash a model as 64 hex digits of BLAKE2b; users see the first 8.

    It covers the class's name, name, dtype, shape and every byte of each parameter and buffer, and
    the input signature: the same bytes give the same hash on any machine. `weights` is what
    `weights_hash` gave, so that a model with several signatures is read once.
    """
    digest = _new_digest()
    digest.update(_json(["model", 2, type(module).__name__, weights or weights_hash(module)]))
    digest.update(_json(["signature", signature.to_json()]))
    return digest.hexdigest()


def weights_hash(module: torch.nn.Module) -> str:
    """Hash every byte of a module's parameters and buffers as 64 hex digits of BLAKE2b.

    Tied weights are read once, and contiguous ones on the CPU are not copied. Blocks of up to
    16 MiB are hashed by up to four threads. BLAKE2b, because it needs no special instructions: it
    was measured at 0.7 to 1.6 s a GB and thread, where SHA-256 took 0.5 s on processors with
    instructions for it and 2.8 s on one without.
    """
    digest = _new_digest()
    seen: dict[tuple[object, ...], str] = {}
    with _Blocks(digest) as blocks:
        for name, tensor in _named_tensors(module):
            header = [name, dtype_name(tensor.dtype), _shape(tensor)]
            key = _memory_key(tensor)
            if key is not None and key in seen:
                blocks.add(_json(["tied", *header, seen[key]]))
                continue
            if key is not None:
                seen[key] = name
            blocks.add(_json(["tensor", *header]))
            for block in _regular_blocks(tensor_bytes(tensor)):
                blocks.hash(block)
            if tensor.is_quantized:
                blocks.add(_json(["quantized", *_quantization(tensor)]))
    return digest.hexdigest()


def _new_digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=32)


def _digest_of(block: memoryview) -> bytes:
    digest = _new_digest()
    digest.update(block)
    return digest.digest()


class _Blocks:
    """Hashes blocks on several threads, and feeds their digests to one digest in order."""

    def __init__(self, digest: hashlib.blake2b) -> None:
        self._digest = digest
        self._workers = min(_WORKERS, os.cpu_count() or 1)
        self._waiting: collections.deque[bytes | Future[bytes]] = collections.deque()

    def __enter__(self) -> _Blocks:
        self._pool = ThreadPoolExecutor(self._workers)
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        while self._waiting:
            self._take()
        self._pool.shutdown()

    def add(self, content: bytes) -> None:
        """Feed these bytes themselves."""
        self._waiting.append(content)

    def hash(self, block: memoryview) -> None:
        """Feed the digest of a block."""
        if len(block) < _SMALL_BYTES:
            self._waiting.append(_digest_of(block))
        else:
            self._waiting.append(self._pool.submit(_digest_of, block))
        # Blocks that wait are kept in memory.
        while len(self._waiting) > _WAITING_AT_MOST:
            self._take()

    def _take(self) -> None:
        first = self._waiting.popleft()
        self._digest.update(first if isinstance(first, bytes) else first.result())


def _regular_blocks(pieces: Iterator[memoryview]) -> Iterator[memoryview]:
    """Cut bytes into blocks of one size, wherever the pieces they come in end."""
    rest = bytearray()
    for piece in pieces:
        if not rest and len(piece) == BLOCK_BYTES:
            yield piece
            continue
        rest += piece
        while len(rest) >= BLOCK_BYTES:
            yield memoryview(bytes(rest[:BLOCK_BYTES]))
            del rest[:BLOCK_BYTES]
    if rest:
        yield memoryview(rest)


def _named_tensors(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _shape(tensor: torch.Tensor) -> list[int] | None:
    return None if is_lazy(tensor) else list(tensor.shape)


def _memory_key(tensor: torch.Tensor) -> tuple[object, ...] | None:
    """Give what is equal for two tensors exactly if they look at the same memory the same way."""
    import torch

    if tensor.is_meta or tensor.layout is not torch.strided or _shape(tensor) is None:
        return None
    if tensor.numel() == 0 or tensor.is_quantized:
        return None
    return (
        str(tensor.device),
        tensor.data_ptr(),
        tensor.dtype,
        tuple(tensor.shape),
        tensor.stride(),
        tensor.is_conj(),
        tensor.is_neg(),
    )


def _quantization(tensor: torch.Tensor) -> list[object]:
    import torch

    if tensor.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
        return [str(tensor.qscheme()), tensor.q_scale(), tensor.q_zero_point()]
    return [
        str(tensor.qscheme()),
        tensor.q_per_channel_axis(),
        tensor.q_per_channel_scales().tolist(),
        tensor.q_per_channel_zero_points().tolist(),
    ]
