"""Benchmark several scripts, and read the results as data."""

from __future__ import annotations

import sys

from turnkeyml import benchmark_files

results = benchmark_files(sys.argv[1:], iterations=50, monitor=False)

for found in results:
    numbers = f"{found.mean_latency:.4f} ms, {found.throughput:.0f} IPS"
    print(f"{found.build_name}: {numbers}, {found.verdict}")
for failure in results.failures:
    print(f"failed: {failure}")
sys.exit(1 if results.failures else 0)
