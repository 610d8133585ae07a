"""What may be written from outside the ingest path: one module a command, all named in `registry.py`."""
