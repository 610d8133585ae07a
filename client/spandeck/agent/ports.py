"""The few methods that an agent needs of its guard, cache and router; `spandeck.Guard` and the others have them."""

from collections.abc import Sequence
from typing import Any, Protocol


class VerdictPort(Protocol):
    """The outcome of a check: `action` is "allow", "review" or "block"."""

    @property
    def action(self) -> str:
        """What to do."""

    @property
    def findings(self) -> Sequence[Any]:
        """What was found."""

    @property
    def reason(self) -> str:
        """Why, as one sentence."""


class RedactionPort(Protocol):
    """A redacted text."""

    @property
    def text(self) -> str:
        """The text without what is sensitive."""


class GuardPort(Protocol):
    """Checks what comes in and redacts what goes out."""

    def check(self, text: str, source: str = "user") -> VerdictPort:
        """Judge `text` that came from `source` ("user" or "tool:NAME")."""

    def redact(self, text: str) -> RedactionPort:
        """`text` without what is sensitive."""


class HitPort(Protocol):
    """A cached answer."""

    @property
    def value(self) -> Any:
        """The answer."""


class CachePort(Protocol):
    """Answers by prompt and key."""

    def get(self, prompt: Any, *, allow_stale: bool = False, **key: Any) -> HitPort | None:
        """The answer, or None."""

    def put(self, prompt: Any, value: Any, *, cost_usd: float | None = None, **key: Any) -> None:
        """Store an answer."""


class RoutePort(Protocol):
    """A decision for a model."""

    @property
    def model(self) -> str:
        """The model to call."""


class RouterPort(Protocol):
    """Picks models."""

    def pick(self, task: str, complexity: str | None = None) -> RoutePort:
        """The model for `task`."""
