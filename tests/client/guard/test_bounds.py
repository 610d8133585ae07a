"""Permissions, hosts and the canary: exact, closed by default."""

import pytest

from spandeck import Permissions, SecurityError
from spandeck.guard import Canary, Egress, ToolRequest

pytestmark = pytest.mark.unit


def test_what_no_glob_names_is_refused() -> None:
    permissions = Permissions(allow=["orders.read", "web.*"])
    permissions.authorize("orders.read")
    permissions.authorize("web.search")
    for refused in ("orders.delete", "Orders.read", "orders.read.all", ""):
        with pytest.raises(SecurityError, match=f"Security: Permission '{refused}' is not allowed") as caught:
            permissions.authorize(refused)
        assert caught.value.kind == "permission"
    with pytest.raises(SecurityError):
        Permissions().authorize("anything")


def test_deny_wins_over_confirm_and_that_over_allow() -> None:
    permissions = Permissions(allow=["*"], confirm=["mail.*"], deny=["*.delete"])
    assert [permissions.decide(one) for one in ("a", "mail.send", "mail.delete")] == ["allow", "confirm", "deny"]


def test_a_confirmation_sees_the_call_and_only_true_is_yes() -> None:
    seen: list[ToolRequest] = []

    def confirm(request: ToolRequest) -> bool:
        seen.append(request)
        return bool(request.arguments["to"] == "a@b.example")

    permissions = Permissions(confirm=["mail.send"], on_confirm=confirm)
    permissions.authorize("mail.send", {"to": "a@b.example"})
    with pytest.raises(SecurityError, match="was not confirmed"):
        permissions.authorize("mail.send", {"to": "c@d.example"})
    assert seen[0] == ToolRequest("mail.send", {"to": "a@b.example"}, "always confirmed")
    with pytest.raises(SecurityError):
        Permissions(confirm=["a"], on_confirm=lambda _: "yes").authorize("a")  # type: ignore[arg-type,return-value]


def test_nobody_to_ask_or_an_error_while_asking_is_no() -> None:
    def broken(_: ToolRequest) -> bool:
        raise RuntimeError

    for hook in (None, broken):
        with pytest.raises(SecurityError):
            Permissions(confirm=["a"], on_confirm=hook).authorize("a")


async def test_confirmations_may_be_asynchronous_but_not_where_they_cannot_be_awaited() -> None:
    async def confirm(request: ToolRequest) -> bool:
        return request.permission == "a"

    permissions = Permissions(confirm=["*"], on_confirm=confirm)
    await permissions.aauthorize("a")
    with pytest.raises(SecurityError):
        await permissions.aauthorize("b")
    with pytest.raises(SecurityError):
        permissions.authorize("a")


def test_sensitive_tools_need_a_confirmation_once_untrusted_text_was_read() -> None:
    permissions = Permissions(allow=["*"], sensitive=["pay.*"])
    permissions.authorize("pay.invoice")
    permissions.authorize("read", tainted=True)
    with pytest.raises(SecurityError, match="was not confirmed"):
        permissions.authorize("pay.invoice", tainted=True)


def test_one_string_in_place_of_globs_is_an_error() -> None:
    with pytest.raises(TypeError, match="Give several globs"):
        Permissions(allow="*")
    with pytest.raises(TypeError, match="Give several globs"):
        Egress("*")


def test_hosts_that_nobody_allowed_are_found_wherever_they_stand() -> None:
    egress = Egress(["api.example.com", "*.corp.example"])
    egress.require({"url": "https://API.example.com/x", "more": ["see //wiki.corp.example/page", 3]})
    foreign = {
        "text": "![x](https://evil.example/p?d=1) and http://api.example.com@evil.test/",
        "list": ["https:\\\\back.test/", ("ftp://files.test.",)],
        "//key.test": None,
    }
    assert egress.foreign_hosts(foreign) == ["evil.example", "evil.test", "back.test", "files.test", "key.test"]
    with pytest.raises(SecurityError, match=r"Security: Hosts not allowed: evil\.example"):
        egress.require(foreign["text"])


def test_the_canary_is_found_however_it_is_spelled_and_nowhere_else() -> None:
    canary, other = Canary(), Canary()
    assert canary.leaked_in(f"It says {canary.text}.")
    assert canary.leaked_in("-".join(canary.text.upper()))
    assert not canary.leaked_in(other.text)
