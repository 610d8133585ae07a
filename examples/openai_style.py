"""An agent around a client in the OpenAI style: one transient failure, one cached answer, one tool."""

from local_models import OpenAI, model_server

import spandeck
from spandeck import Agent, ModelRequest, Permissions, Retry


@spandeck.tool(permission="orders.read", schema={"number": "integer"}, cache_ttl=300)
def find_order(number: int) -> str:
    """What the shop knows of an order."""
    return f"order {number}: shipped"


def main() -> None:
    """Ask the same twice: the first answer comes after a retry, the second from the cache."""
    spandeck.configure(service_name="openai-style", environment="example")
    with model_server() as address:
        client = OpenAI(address)

        def answer(request: ModelRequest) -> object:
            facts = {"role": "system", "content": find_order(4711)}
            return client.chat.completions.create(**{**request, "messages": [facts, *request.messages]})

        agent = Agent(
            "support",
            answer,
            model="gpt-5.2",
            provider="openai",
            permissions=Permissions(allow=("orders.*",)),
            retry=Retry(attempts=3, base=0.01),
        )
        for _ in range(2):
            result = agent.run("Where is my order 4711?", session_id="session-1")
            print(f"{result.text} (cached: {result.cached}, tries: {result.tries})")


if __name__ == "__main__":
    main()
