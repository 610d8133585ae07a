"""The dashboard of Spandeck: pages that ask the query service and draw what it answers."""
