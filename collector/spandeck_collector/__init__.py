"""Spandeck's collector: receiver, journal, store and the command `spandeck` that runs them."""
