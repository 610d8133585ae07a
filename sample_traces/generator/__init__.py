"""The seeded generator of the sample traces: same seed, same bytes. Standard library only."""
