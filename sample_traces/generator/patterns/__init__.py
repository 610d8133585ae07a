"""The four patterns of coordination, each a function that plays one run."""
