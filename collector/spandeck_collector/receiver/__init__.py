"""OTLP over HTTP and gRPC: validates, appends to the journal, then acknowledges. Never opens the database."""
