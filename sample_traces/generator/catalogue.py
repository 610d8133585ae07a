"""What the sample agents work with: models, tools and the ways in which they fail.

Latencies are log-normal: `median` is the middle, `spread` the standard deviation of the logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """An error as a caller sees it; `type_name` is what instrumentations write to error.type."""

    type_name: str
    message: str


@dataclass(frozen=True)
class Model:
    """A chat model: its names, its speed, and which token details its API reports."""

    provider: str
    request_name: str
    response_name: str
    first_token_ms: float
    tokens_per_s: float
    spread: float = 0.3
    writes_cache: bool = False
    reports_reasoning: bool = False


@dataclass(frozen=True)
class Tool:
    """A tool: how long it takes and how often it fails."""

    name: str
    median_ms: float
    failure_ratio: float = 0.01
    failure: Failure = Failure("TimeoutError", "no answer within 10 s")
    spread: float = 0.45


CLAUDE_SONNET = Model("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", 680, 68, 0.26, writes_cache=True)
CLAUDE_HAIKU = Model("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", 360, 140, 0.24, writes_cache=True)
GPT_4O = Model("openai", "gpt-4o", "gpt-4o-2024-08-06", 420, 85)
GPT_4O_MINI = Model("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 290, 110)
GPT_4_1 = Model("openai", "gpt-4.1", "gpt-4.1-2025-04-14", 480, 80)
O4_MINI = Model("openai", "o4-mini", "o4-mini-2025-04-16", 900, 120, reports_reasoning=True)
GEMINI_FLASH = Model("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash", 330, 190, reports_reasoning=True)
HOUSE_RANKER = Model("vllm", "house-ranker-7b", "house-ranker-7b", 70, 160, 0.2)
"""A self-hosted model without a list price: its calls show up as unpriced, never as free."""

EMBEDDING_PROVIDER = "openai"
EMBEDDING_MODEL = "text-embedding-3-small"

RATE_LIMIT = Failure("RateLimitError", "Error code: 429 - Rate limit reached for requests per minute")
RATE_LIMIT_RATIO = 0.018
"""How often an attempt at a chat call is refused."""

BROKEN_PAYMENTS = Failure(
    "PaymentGatewayError", "gateway answered 502 Bad Gateway for POST /v2/refunds after 3 attempts"
)

ISSUE_REFUND = Tool("issue_refund", 620, 0.24, BROKEN_PAYMENTS)
LOOKUP_INVOICE = Tool("lookup_invoice", 140, 0.02, Failure("InvoiceNotFound", "no invoice with this number"))
LOOKUP_ORDER = Tool("lookup_order", 95)
TRACK_SHIPMENT = Tool("track_shipment", 410, 0.07, Failure("CarrierTimeout", "carrier API timed out after 5 s"))
UPDATE_ACCOUNT = Tool("update_account", 180, 0.03, Failure("PermissionError", "account is locked for review"))

CHECK_STOCK = Tool("check_stock", 22, 0.01)
SCORE_ITEMS = Tool("score_items", 38, 0.015, Failure("FeatureMissing", "no features for 3 of 40 items"))

WEB_SEARCH = Tool("web_search", 780, 0.05, Failure("HTTPStatusError", "503 Service Unavailable from search"))
FETCH_PAGE = Tool("fetch_page", 540, 0.09, Failure("PageBlocked", "403 Forbidden: robots are not welcome here"))
RUN_SQL = Tool("run_sql", 260, 0.05, Failure("BinderException", 'column "revenue_2025" not found'))
RUN_PYTHON = Tool("run_python", 900, 0.06, Failure("ZeroDivisionError", "division by zero"))

CALENDAR = Tool("read_calendar", 160, 0.02)
SEND_MAIL = Tool("send_mail", 330, 0.04, Failure("SMTPRecipientsRefused", "550 no such mailbox"))
FIND_FLIGHTS = Tool("find_flights", 1300, 0.08, Failure("SupplierTimeout", "no offers within 8 s"))
EDIT_FILE = Tool("edit_file", 60, 0.03, Failure("PatchConflict", "hunk 2 does not apply"))
