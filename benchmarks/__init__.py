"""Measures the real processes under a seeded load: `python -m benchmarks`, or `make bench`. Loopback only."""
