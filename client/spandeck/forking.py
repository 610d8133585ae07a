"""What an object must renew in a forked child: locks that another thread held, and sums that are the parent's."""

import os
import weakref
from collections.abc import Callable
from typing import Any


def after_fork_in_child(method: Callable[[], Any]) -> None:
    """Call the bound `method` in each child forked from now on, as long as its object lives."""
    if not hasattr(os, "register_at_fork"):
        return
    reference = weakref.WeakMethod(method)

    def call() -> None:
        if (alive := reference()) is not None:
            alive()

    os.register_at_fork(after_in_child=call)
