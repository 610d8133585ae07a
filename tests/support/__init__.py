"""Real processes, plain HTTP, waiting and Chromium for the tests of every folder."""
