"""Tests of everything together: real processes, real exporters, a real browser."""
