"""What an agent is asked, and how the program's own function is called with it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]


class ModelRequest(dict[str, Any]):
    """What the agent's function gets: a dict of `model`, `messages` and the options of the run.

    Written as the SDKs take it: `lambda req: client.messages.create(**req)`. `model` is missing where the agent has
    no router and none was named.
    """

    def __init__(self, task: str, items: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.task = task

    @property
    def model(self) -> str | None:
        """The model to call."""
        return self.get("model")

    @property
    def messages(self) -> Sequence[Message]:
        """The conversation, the task last."""
        messages: Sequence[Message] = self["messages"]
        return messages


@dataclass(frozen=True)
class Ask:
    """One question to an agent: the task is the text of the last message of the user."""

    call: Callable[..., Any]
    task: str
    messages: Sequence[Message]
    complexity: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    session_id: str | None = None
    user_id: str | None = None
    tenant: str | None = None
    on_update: Callable[[Any], object] | None = None

    @property
    def takes_model(self) -> bool:
        """Whether the function is told the model: an `answer(task)` is not, and so is no model call itself."""
        return _convention(self.call) != "task"

    def request(self, model: str | None) -> ModelRequest:
        """The request for one try with `model`."""
        named = {} if model is None else {"model": model}
        return ModelRequest(self.task, {**self.options, **named, "messages": [dict(item) for item in self.messages]})

    def invoke(self, model: str | None) -> Any:
        """Call the function: `create(**request)` where it takes keywords only, `answer(task)` where its only
        parameter is called `task`, and `function(request)` otherwise."""
        request = self.request(model)
        match _convention(self.call):
            case "keywords":
                return self.call(**request)
            case "task":
                return self.call(self.task)
        return self.call(request)


def task_of(messages: Sequence[Message]) -> str:
    """The text of the last message of the user; "" where there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            if isinstance(content, str):
                return content
            blocks = content if isinstance(content, Sequence) else ()
            return "\n".join(str(block["text"]) for block in blocks if isinstance(block, Mapping) and "text" in block)
    return ""


def _convention(call: Callable[..., Any]) -> str:
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return "request"
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if not positional:
        return "keywords" if any(parameter.kind in _KEYWORD for parameter in parameters) else "request"
    return "task" if positional[0].name == "task" else "request"


_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)
_KEYWORD = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
