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
    """Hash a model as 64 hex digits of SHA-256; users see the first 8.

    It covers the class's name, name, dtype, shape and every byte of each parameter and buffer, and
    the input signature: the same bytes give the same hash on any machine. `weights` is what
    `weights_hash` gave, so that a model with several signatures is read once.
    """
    digest = hashlib.sha256()
    _add(digest, ["model", 1, type(module).__name__, weights or weights_hash(module)])
    _add(digest, ["signature", signature.to_json()])
    return digest.hexdigest()


def weights_hash(module: torch.nn.Module) -> str:
    """Hash every byte of a module's parameters and buffers as 64 hex digits of SHA-256.

    Tied weights are read once, and contiguous ones on the CPU are not copied. Blocks of 16 MiB are
    hashed by up to four threads: a GB takes 0.2 to 0.5 s where the processor has instructions for
    SHA-256, and some 3 s divided by the number of cores where it has not.
    """
    digest = hashlib.sha256()
    seen: dict[tuple[object, ...], str] = {}
    for name, tensor in _named_tensors(module):
        header = [name, dtype_name(tensor.dtype), _shape(tensor)]
        key = _memory_key(tensor)
        if key is not None and key in seen:
            _add(digest, ["tied", *header, seen[key]])
            continue
        if key is not None:
            seen[key] = name
        _add(digest, ["tensor", *header])
        for part in _block_digests(tensor):
            digest.update(part)
        if tensor.is_quantized:
            _add(digest, ["quantized", *_quantization(tensor)])
    return digest.hexdigest()


def _block_digests(tensor: torch.Tensor) -> Iterator[bytes]:
    """Hash a tensor's blocks, several at a time if there are several."""
    blocks = _regular_blocks(tensor_bytes(tensor))
    if is_lazy(tensor) or tensor.numel() * tensor.element_size() <= BLOCK_BYTES:
        yield from map(_sha256, blocks)
        return
    workers = min(_WORKERS, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        waiting: collections.deque[Future[bytes]] = collections.deque()
        for block in blocks:
            waiting.append(pool.submit(_sha256, block))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()


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


def _sha256(block: memoryview) -> bytes:
    return hashlib.sha256(block).digest()


def _named_tensors(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _add(digest: hashlib._Hash, value: object) -> None:
    digest.update(json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode("ascii"))


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
