"""Benchmarks of the client library, each with the bounds that it must hold."""
