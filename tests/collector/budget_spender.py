"""A process that spends under a budget: `python -m tests.collector.budget_spender URL SESSION CALL_USD`.

Prints what it has spent in the end. A call costs time between its permission and its charge, as a real one does.
"""

import random
import sys
import time

from spandeck.guard import Budget, SecurityError, StoreBudgets


def main() -> None:
    url, session_id, call_usd = sys.argv[1], sys.argv[2], float(sys.argv[3])
    budget = Budget(steps=None, store=StoreBudgets(url, session_id=session_id, timeout_s=10), store_fail="closed")
    spent_usd = 0.0
    with budget.start():
        try:
            while spent_usd < 5:
                budget.spend(steps=1)
                time.sleep(random.uniform(0.001, 0.01))
                spent_usd += call_usd
                budget.spend(usd=call_usd)
        except SecurityError as error:
            print(error, file=sys.stderr)
    print(spent_usd)


if __name__ == "__main__":
    main()
