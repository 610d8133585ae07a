"""The sums of one outermost request while it runs: what its calls cost, and whether that was told."""

import itertools
import threading
from typing import TYPE_CHECKING

from spandeck.monitoring import COST_LIMIT_USD

if TYPE_CHECKING:
    from spandeck.requests import Request

_request_numbers = itertools.count(1)


class Tally:
    """Costs in USD by call. A parent's own usage counts only if no call below it has a known cost."""

    def __init__(self) -> None:
        self.request_id = f"req_{next(_request_numbers)}"
        self.root: Request | None = None
        # Re-entrant, see Monitor.
        self._lock = threading.RLock()
        self._call_costs_usd: dict[int, float] = {}
        self._own_costs_usd: dict[int, float] = {}
        self._told = False

    @property
    def cost_usd(self) -> float | None:
        """USD so far; None where no call has a known price."""
        with self._lock:
            costs = self._call_costs_usd or self._own_costs_usd
            return sum(costs.values()) if costs else None

    def price(self, call: int, cost_usd: float, *, own: bool) -> float | None:
        """Note what the call of this number costs (the last word counts); the total where it must be told now.

        `own` marks usage that stands on a request itself. A total above the limit is told once.
        """
        with self._lock:
            (self._own_costs_usd if own else self._call_costs_usd)[call] = cost_usd
            total = self.cost_usd
            if self._told or total is None or total <= COST_LIMIT_USD:
                return None
            self._told = True
            return total
