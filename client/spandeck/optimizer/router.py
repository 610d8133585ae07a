"""Which model for which task: three tiers, a declared or estimated complexity, and always a reason."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol

from spandeck.optimizer.complexity import estimate
from spandeck.optimizer.recording import record
from spandeck_schema import semantic_conventions as names

Tier = Literal["simple", "medium", "complex", "override"]

SIMPLE_MODEL: Final = "claude-haiku-4-5"
MEDIUM_MODEL: Final = "claude-sonnet-4-5"
COMPLEX_MODEL: Final = "claude-opus-4-5"


@dataclass(frozen=True, slots=True)
class Route:
    """The model for a call, the tier it stands for, and why, as a sentence for the span."""

    model: str
    tier: Tier
    reason: str


class ModelPicker(Protocol):
    """Anything that picks a model: give the agent your own in place of `Router`."""

    def pick(self, task: str, complexity: str | None = None) -> Route:
        """The route for `task`, of which the caller says that it is `simple`, `medium`, `complex`, or nothing."""


class Router:
    """Routes by the complexity that the caller declares, or by an estimate from the text where that is `auto`.

    The estimate reads length, code, arithmetic, tools and the kind of request; whether a smaller model still answers
    well is not in it: measure that with evaluations before you route by it.
    """

    def __init__(
        self,
        simple: str = SIMPLE_MODEL,
        medium: str = MEDIUM_MODEL,
        complex: str = COMPLEX_MODEL,
        *,
        override: str | None = None,
    ) -> None:
        """The model of each tier; `override` sends every call to one model, such as while an incident lasts."""
        self._models: dict[str, str] = {"simple": simple, "medium": medium, "complex": complex}
        self._override = override

    def pick(
        self,
        task: str,
        complexity: str | None = None,
        *,
        override: str | None = None,
        tools: int = 0,
        turns: int = 0,
    ) -> Route:
        """The route for `task`, recorded on the span that is open; raises nothing.

        `complexity` is `simple`, `medium` or `complex`; None or `auto` estimates it from `task`, the number of
        `tools` offered and of `turns` before; anything else is unknown and goes to the medium tier. `override` names
        the model of this call.
        """
        route = self._route(task, complexity, override or self._override, tools, turns)
        record({names.SPANDECK_ROUTE_TIER: route.tier, names.SPANDECK_ROUTE_REASON: route.reason})
        return route

    def smaller(self, model: str) -> str | None:
        """The model one tier below `model`, to fall back to; None for the smallest and for unknown ones."""
        ladder = list(dict.fromkeys(self._models.values()))
        return ladder[ladder.index(model) - 1] if model in ladder[1:] else None

    def _route(self, task: str, complexity: str | None, override: str | None, tools: int, turns: int) -> Route:
        if override is not None:
            return Route(override, "override", f"The caller asked for {override}.")
        if complexity is None or complexity == "auto":
            tier, signs = estimate(task, tools=tools, turns=turns)
            return Route(self._models[tier], tier, f"Estimated {tier}: {', '.join(signs) or 'no sign of difficulty'}.")
        match complexity:
            case "simple" | "medium" | "complex":
                return Route(self._models[complexity], complexity, f"The caller declared {complexity}.")
        return Route(self._models["medium"], "medium", f"Complexity {complexity!r} is unknown, so medium.")
