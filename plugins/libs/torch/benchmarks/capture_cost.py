"""Prints what recording costs: each workload bare and recorded, interleaved in one process.

Run `python benchmarks/capture_cost.py`; one line per workload: bare, recorded, their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from turnkeyml_torch import Recorder, Signature, model_hash

ROUNDS = 9


class Small(torch.nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = torch.nn.Linear(16, 16)
        self.act = torch.nn.ReLU()
        self.fc2 = torch.nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Nested(torch.nn.Module):
    """Modules in modules, fifty calls deep and wide."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(Small() for _ in range(12))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            block(x)
        return x


def plain(calls: int = 300_000) -> int:
    def step(value: int) -> int:
        return value + 1

    total = 0
    for _ in range(calls):
        total = step(total)
    return total


def calls_of(module: torch.nn.Module, count: int) -> Callable[[], None]:
    x = torch.ones(1, 16)

    def run() -> None:
        for _ in range(count):
            module(x)

    return run


def tiny_bert() -> Callable[[], None] | None:
    try:
        from transformers import BertConfig, BertModel
    except ImportError:
        return None
    model = BertModel(BertConfig(hidden_size=128, num_hidden_layers=4, num_attention_heads=2))
    model.eval()
    ids = torch.ones(1, 32, dtype=torch.long)

    def run() -> None:
        for _ in range(20):
            model(input_ids=ids, attention_mask=ids)

    return run


def compare(name: str, run: Callable[[], object]) -> None:
    bare, recorded = [], []
    run()
    for _ in range(ROUNDS):
        bare.append(seconds(run))
        with Recorder(seed=None):
            recorded.append(seconds(run))
    ratio = statistics.median(r / b for r, b in zip(recorded, bare, strict=True))
    print(
        f"{name:<34} bare {statistics.median(bare) * 1e3:9.2f} ms   "
        f"recorded {statistics.median(recorded) * 1e3:9.2f} ms   ratio {ratio:.3f}"
    )


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        compare("10,000 calls of a small model", calls_of(Small(), 10_000))
        compare("nested modules (48 calls in each)", calls_of(Nested(), 300))
        bert = tiny_bert()
        if bert is not None:
            compare("BERT of 4 layers, 32 tokens", bert)
    compare("plain Python, 300,000 calls", plain)
    big = torch.nn.Linear(8192, 8192)
    took = seconds(lambda: model_hash(big, Signature(())))
    size = sum(p.numel() * p.element_size() for p in big.parameters())
    print(f"model_hash: {took / size * 1e9:.2f} s a GB")


if __name__ == "__main__":
    main()
