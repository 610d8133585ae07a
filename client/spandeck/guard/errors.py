"""The one exception of the guard: a refusal that the caller asked for."""

from typing import Literal

Refusal = Literal["injection", "moderation", "budget", "permission", "schema", "egress"]


class SecurityError(Exception):
    """The guard refused: the message is "Security: " and a sentence that says what and why.

    `kind` is what refused: "injection", "moderation", "budget", "permission", "schema" or "egress".
    `findings` are the names of the rules, fields or bounds concerned; nothing of the text itself.
    """

    def __init__(self, reason: str, kind: Refusal, findings: tuple[str, ...] = ()) -> None:
        super().__init__(f"Security: {reason}")
        self.reason = reason
        self.kind: Refusal = kind
        self.findings = findings

    def __reduce__(self) -> tuple[type["SecurityError"], tuple[str, Refusal, tuple[str, ...]]]:
        return type(self), (self.reason, self.kind, self.findings)
