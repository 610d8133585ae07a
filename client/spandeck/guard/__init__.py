"""The guard: what agents may read, say, spend and do.

Two sorts of protection, and they are not alike:

- Signals. `Guard.check` and `Guard.moderate` read words. They find much that is known and miss what is new; the
  measured recall is in docs/guard.md. Use them to stop the plain cases and to see what goes on.
- Guarantees. `Budget`, `Permissions`, `validate_input` and `validate_output`, `Egress` and `Canary` are exact code
  that no text can talk to. What must not happen belongs here.

`Guard.redact` is in between: what has a shape or a check digit is found reliably, names and addresses are not.
Every refusal is a `SecurityError`. The base install is enough; verdicts are recorded on spans of the open request.
"""

from spandeck.guard.boundaries import Canary, Egress
from spandeck.guard.budget import Budget, BudgetStore, Spending, Spent
from spandeck.guard.checker import Guard
from spandeck.guard.errors import SecurityError
from spandeck.guard.injection import RuleDetector
from spandeck.guard.moderation import Moderation, ModerationRule
from spandeck.guard.permissions import Permissions, ToolRequest
from spandeck.guard.placeholders import Placeholders
from spandeck.guard.redaction import Redaction, Redactor
from spandeck.guard.schema_check import require_valid, validate_input, validate_output
from spandeck.guard.sensitive import Recognizer, Sensitive
from spandeck.guard.store_budgets import StoreBudgets
from spandeck.guard.stream import StreamRedactor
from spandeck.guard.verdict import Detector, Finding, Verdict

__all__ = [
    "Budget",
    "BudgetStore",
    "Canary",
    "Detector",
    "Egress",
    "Finding",
    "Guard",
    "Moderation",
    "ModerationRule",
    "Permissions",
    "Placeholders",
    "Recognizer",
    "Redaction",
    "Redactor",
    "RuleDetector",
    "SecurityError",
    "Sensitive",
    "Spending",
    "Spent",
    "StoreBudgets",
    "StreamRedactor",
    "ToolRequest",
    "Verdict",
    "require_valid",
    "validate_input",
    "validate_output",
]
