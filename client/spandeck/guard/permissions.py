"""Permissions of tools: what is not allowed is refused, in code that no text can talk to."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from spandeck.guard.errors import SecurityError
from spandeck.guard.recording import refusal

Decision = Literal["allow", "confirm", "deny"]


@dataclass(frozen=True)
class ToolRequest:
    """What a person is asked to confirm: the permission, the arguments of the call, and why it needs asking."""

    permission: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


Confirm = Callable[[ToolRequest], bool | Awaitable[bool]]


class Permissions:
    """Which tools may run: globs over permissions such as "orders.read" ("*" any part, case counts).

    `deny` wins over `confirm`, and that over `allow`; what no glob names is refused. What matches `sensitive`
    needs a confirmation too once untrusted text is in the context (`tainted`). `on_confirm` is asked then, a
    function or coroutine function; without it, or where it raises, the answer is no.
    """

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        deny: Iterable[str] = (),
        confirm: Iterable[str] = (),
        sensitive: Iterable[str] = (),
        on_confirm: Confirm | None = None,
    ) -> None:
        """Raises `TypeError` for a string in place of several globs: its letters would be the globs."""
        for globs in (allow, deny, confirm, sensitive):
            if isinstance(globs, str):
                raise TypeError(f"Give several globs, not one string: ({globs!r},).")
        self.allow = tuple(allow)
        self.deny = tuple(deny)
        self.confirm = tuple(confirm)
        self.sensitive = tuple(sensitive)
        self.on_confirm = on_confirm

    def decide(self, permission: str, *, tainted: bool = False) -> Decision:
        """What the globs say about `permission`, without asking anyone."""
        if _any_matches(self.deny, permission):
            return "deny"
        if _any_matches(self.confirm, permission):
            return "confirm"
        if not _any_matches(self.allow, permission):
            return "deny"
        return "confirm" if tainted and _any_matches(self.sensitive, permission) else "allow"

    def authorize(self, permission: str, arguments: Mapping[str, Any] | None = None, *, tainted: bool = False) -> None:
        """Return where the call may run; raises `SecurityError` of kind "permission" where not.

        A coroutine function as `on_confirm` cannot be asked here and counts as no: use `aauthorize`.
        """
        decision = self.decide(permission, tainted=tainted)
        if decision == "allow":
            return
        if decision == "confirm" and self._confirmed(self._request(permission, arguments, tainted)):
            return
        raise _refusal(permission, decision)

    async def aauthorize(
        self, permission: str, arguments: Mapping[str, Any] | None = None, *, tainted: bool = False
    ) -> None:
        """As `authorize`; `on_confirm` may be a coroutine function."""
        decision = self.decide(permission, tainted=tainted)
        if decision == "allow":
            return
        if decision == "confirm" and await self._aconfirmed(self._request(permission, arguments, tainted)):
            return
        raise _refusal(permission, decision)

    def _request(self, permission: str, arguments: Mapping[str, Any] | None, tainted: bool) -> ToolRequest:
        always = _any_matches(self.confirm, permission)
        reason = "always confirmed" if always or not tainted else "untrusted text is in the context"
        return ToolRequest(permission, dict(arguments or {}), reason)

    def _confirmed(self, request: ToolRequest) -> bool:
        if self.on_confirm is None:
            return False
        try:
            answer = self.on_confirm(request)
        except Exception:
            return False
        if isinstance(answer, Coroutine):
            answer.close()
        return answer is True

    async def _aconfirmed(self, request: ToolRequest) -> bool:
        if self.on_confirm is None:
            return False
        try:
            answer = self.on_confirm(request)
            return (await answer if isinstance(answer, Awaitable) else answer) is True
        except Exception:
            return False


def _any_matches(globs: Iterable[str], permission: str) -> bool:
    return any(fnmatchcase(permission, glob) for glob in globs)


def _refusal(permission: str, decision: Decision) -> SecurityError:
    why = "was not confirmed" if decision == "confirm" else "is not allowed"
    return refusal(f"Permission {permission!r} {why}", "permission", (permission,))
