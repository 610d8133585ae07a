"""Tests of the guard: signals, redaction and the bounds that hold."""
