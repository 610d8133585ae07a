"""Replays recorded exports into a backend, or takes its answers, and compares them with known truths.

Needs Python 3.11 and, to read trace ids of protobuf bodies, opentelemetry-proto; nothing of Spandeck.
"""
