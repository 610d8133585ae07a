"""The attribute names that client and collector share, each group with its source.

`gen_ai.*` names are those of the OpenTelemetry GenAI conventions (repository semantic-conventions-genai,
status Development); `spandeck.*` names are ours and exist only where no convention does. Token counts are
integers, durations are float seconds, and an attribute that is not known is left out: never 0, never "".
"""

from typing import Final

# Operation and provider. Source: OTel GenAI, spans "inference", "execute tool", "invoke agent".
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER_NAME: Final = "gen_ai.provider.name"

# Values of gen_ai.operation.name. Source: OTel GenAI registry.
OPERATION_CHAT: Final = "chat"
OPERATION_TEXT_COMPLETION: Final = "text_completion"
OPERATION_EMBEDDINGS: Final = "embeddings"
OPERATION_EXECUTE_TOOL: Final = "execute_tool"
OPERATION_INVOKE_AGENT: Final = "invoke_agent"

# Request and response of a model call. Source: OTel GenAI, span "inference".
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
GEN_AI_REQUEST_STREAM: Final = "gen_ai.request.stream"
GEN_AI_RESPONSE_MODEL: Final = "gen_ai.response.model"
GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
GEN_AI_RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
# Float seconds from the start of the call to its first chunk.
GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"

# Usage. Source: OTel GenAI, span "inference"; cache_write since its pull request 440 (before: cache_creation).
# input_tokens includes cache reads and cache writes; output_tokens includes reasoning.
GEN_AI_USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"

# Agent, conversation and tool. Source: OTel GenAI, spans "invoke agent" and "execute tool".
GEN_AI_AGENT_NAME: Final = "gen_ai.agent.name"
GEN_AI_AGENT_ID: Final = "gen_ai.agent.id"
GEN_AI_CONVERSATION_ID: Final = "gen_ai.conversation.id"
GEN_AI_WORKFLOW_NAME: Final = "gen_ai.workflow.name"
GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
GEN_AI_TOOL_TYPE: Final = "gen_ai.tool.type"
GEN_AI_TOOL_CALL_ID: Final = "gen_ai.tool.call.id"

# Errors. Source: OTel general conventions, "Recording errors" and "Exceptions".
ERROR_TYPE: Final = "error.type"
EXCEPTION_EVENT: Final = "exception"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
# The fallback value of error.type. Source: OTel registry, attribute error.type.
ERROR_TYPE_OTHER: Final = "_OTHER"

# Guardrails. Source: OTel GenAI, pull request 427 (open): span "run guardrail", event "gen_ai.security.finding".
OPERATION_RUN_GUARDRAIL: Final = "run_guardrail"
GEN_AI_SECURITY_GUARDRAIL: Final = "gen_ai.security.guardrail"
GEN_AI_SECURITY_VERDICT: Final = "gen_ai.security.verdict"
GEN_AI_SECURITY_RISK_SCORE: Final = "gen_ai.security.risk.score"
GEN_AI_SECURITY_POLICY_RULE_ID: Final = "gen_ai.security.policy.rule.id"
SECURITY_FINDING_EVENT: Final = "gen_ai.security.finding"

# People and sessions. Source: OTel registry, namespaces user and session.
USER_ID: Final = "user.id"
SESSION_ID: Final = "session.id"

# Resource. Source: OTel resource conventions, namespaces service, deployment and telemetry.
SERVICE_NAME: Final = "service.name"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
SERVICE_VERSION: Final = "service.version"
DEPLOYMENT_ENVIRONMENT_NAME: Final = "deployment.environment.name"
TELEMETRY_SDK_LANGUAGE: Final = "telemetry.sdk.language"
TELEMETRY_SDK_NAME: Final = "telemetry.sdk.name"
TELEMETRY_SDK_VERSION: Final = "telemetry.sdk.version"

# Ours. Source: this module; set by the client, read by the collector.
# The declared coordination pattern of the agents in the trace, one of ARCHITECTURES.
SPANDECK_ARCHITECTURE: Final = "spandeck.architecture"
ARCHITECTURES: Final = ("orchestrated", "autonomous", "hierarchical", "hybrid")
# True on the first request of a process; absent on all others.
SPANDECK_COLD_START: Final = "spandeck.cold_start"
# True where the work was cancelled, or a stream was closed before its end; absent otherwise.
SPANDECK_CANCELLED: Final = "spandeck.cancelled"
# What the user called the request, where its agent has another name.
SPANDECK_REQUEST_NAME: Final = "spandeck.request.name"
# Float seconds from the start of the call to its last chunk.
SPANDECK_RESPONSE_TIME_TO_LAST_CHUNK: Final = "spandeck.response.time_to_last_chunk"
# What a guardrail said: allow, review or block; how sure, 0 to 1; the names of the rules that matched.
SPANDECK_GUARD_ACTION: Final = "spandeck.guard.action"
SPANDECK_GUARD_SCORE: Final = "spandeck.guard.score"
SPANDECK_GUARD_RULES: Final = "spandeck.guard.rules"
# Where the checked text came from ("user", "tool:NAME"), and the class of the error where the check failed.
SPANDECK_GUARD_SOURCE: Final = "spandeck.guard.source"
SPANDECK_GUARD_ERROR: Final = "spandeck.guard.error"
# How many parts of a text were redacted.
SPANDECK_REDACTION_COUNT: Final = "spandeck.redaction.count"
# The ordinal of a step within its agent run, from 1.
SPANDECK_STEP: Final = "spandeck.step"
# Which try of the same work a span is, from 1. Source: ours; SDKs hide their own tries.
SPANDECK_ATTEMPT: Final = "spandeck.attempt"
# How many times the agent went round its loop of model and tools.
SPANDECK_LOOP_COUNT: Final = "spandeck.loop.count"
# A hash of a tool's arguments: equal calls can be told without the arguments themselves.
SPANDECK_TOOL_ARGUMENTS_HASH: Final = "spandeck.tool.arguments_hash"
# What the client computed from the user's own prices (USD); advisory, the store computes its own.
SPANDECK_COST_USD: Final = "spandeck.cost.usd"

# Further operations. Source: OTel GenAI registry (handoff: Traceloop's word); message is ours.
OPERATION_HANDOFF: Final = "handoff"
OPERATION_PLAN: Final = "plan"
OPERATION_MESSAGE: Final = "message"
OPERATION_SEARCH_MEMORY: Final = "search_memory"
OPERATION_CREATE_MEMORY: Final = "create_memory"
OPERATION_UPDATE_MEMORY: Final = "update_memory"
OPERATION_DELETE_MEMORY: Final = "delete_memory"

# Between agents. Source: Traceloop's handoff spans; the message names are ours.
GEN_AI_HANDOFF_FROM_AGENT: Final = "gen_ai.handoff.from_agent"
GEN_AI_HANDOFF_TO_AGENT: Final = "gen_ai.handoff.to_agent"
SPANDECK_MESSAGE_FROM_AGENT: Final = "spandeck.message.from_agent"
SPANDECK_MESSAGE_TO_AGENT: Final = "spandeck.message.to_agent"

# Memory. The tier is one of MEMORY_TIERS; hits are the entries that a read found.
SPANDECK_MEMORY_TIER: Final = "spandeck.memory.tier"
SPANDECK_MEMORY_HIT_COUNT: Final = "spandeck.memory.hit_count"
MEMORY_TIERS: Final = ("short_term", "long_term", "episodic")

# Evaluation results, a log record at the judged span. Source: OTel GenAI, event gen_ai.evaluation.result.
GEN_AI_EVALUATION_RESULT: Final = "gen_ai.evaluation.result"
GEN_AI_EVALUATION_NAME: Final = "gen_ai.evaluation.name"
GEN_AI_EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
GEN_AI_EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
GEN_AI_EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
# Who judged: human, code or llm.
SPANDECK_EVALUATION_SOURCE: Final = "spandeck.evaluation.source"

# A log record for a span that is still open a while after its start, with the span's own attributes.
SPANDECK_SPAN_OPEN: Final = "spandeck.span.open"
SPANDECK_SPAN_NAME: Final = "spandeck.span.name"
SPANDECK_SPAN_PARENT_ID: Final = "spandeck.span.parent_id"
# A log record with what the client had to drop since it last said so.
SPANDECK_CLIENT_DROPPED: Final = "spandeck.client.dropped"
SPANDECK_CLIENT_DROPPED_REASON: Final = "spandeck.client.dropped.reason"
SPANDECK_CLIENT_DROPPED_COUNT: Final = "spandeck.client.dropped.count"

# A span event for an alert that fired in the process. Rules are named as the store's.
SPANDECK_ALERT: Final = "spandeck.alert"
SPANDECK_ALERT_RULE: Final = "spandeck.alert.rule"
SPANDECK_ALERT_SEVERITY: Final = "spandeck.alert.severity"
SPANDECK_ALERT_MESSAGE: Final = "spandeck.alert.message"
SPANDECK_ALERT_VALUE: Final = "spandeck.alert.value"
SPANDECK_ALERT_THRESHOLD: Final = "spandeck.alert.threshold"
ALERT_SLOW_FIRST_TOKEN: Final = "slow_first_token"
ALERT_FAILED_TOOL_CALL: Final = "failed_tool_call"
ALERT_EXPENSIVE_REQUEST: Final = "expensive_request"

# Recovery: how an answer was had all the same, one of DEGRADATIONS, and the model that gave way.
SPANDECK_DEGRADED: Final = "spandeck.degraded"
DEGRADATIONS: Final = ("stale_cache", "smaller_model", "canned_answer")
SPANDECK_DEGRADED_FROM_MODEL: Final = "spandeck.degraded.from_model"
SPANDECK_RETRY_COUNT: Final = "spandeck.retry.count"
SPANDECK_DEAD_LETTER_ID: Final = "spandeck.dead_letter.id"
SPANDECK_CIRCUIT_OPEN: Final = "spandeck.circuit.open"

# Ours, of the cache; on the span that was current at the lookup. Source: this module; set by the client.
# True where the answer came from a cache, False where one was asked and had none (a shadow cache never has).
SPANDECK_CACHE_HIT: Final = "spandeck.cache.hit"
# Why it was found, one of CACHE_KINDS; in shadow mode, why it would have been.
SPANDECK_CACHE_KIND: Final = "spandeck.cache.kind"
CACHE_KINDS: Final = ("exact", "verified", "semantic", "tool")
# Float 0 to 1: how near the nearest entry was, on a hit and on a miss; absent where there was none.
SPANDECK_CACHE_SCORE: Final = "spandeck.cache.score"
# Float seconds since the answer was stored.
SPANDECK_CACHE_AGE_S: Final = "spandeck.cache.age_s"
# Float seconds that the lookup took.
SPANDECK_CACHE_LOOKUP_S: Final = "spandeck.cache.lookup_s"
# What the stored answer had cost, where that is known.
SPANDECK_CACHE_SAVED_USD: Final = "spandeck.cache.saved_usd"
# The rule by which the nearest entry was refused, or `expired`; only on a miss.
SPANDECK_CACHE_REJECT_RULE: Final = "spandeck.cache.reject_rule"
# True where an answer older than its time was given because the caller allowed it; absent otherwise.
SPANDECK_CACHE_STALE: Final = "spandeck.cache.stale"
# In shadow mode only: whether there would have been a hit.
SPANDECK_CACHE_SHADOW_HIT: Final = "spandeck.cache.shadow_hit"

# Ours, of the model router: `simple`, `medium`, `complex` or `override`, and the reason as a sentence.
SPANDECK_ROUTE_TIER: Final = "spandeck.route.tier"
SPANDECK_ROUTE_REASON: Final = "spandeck.route.reason"

# Ours, of compression: integer characters before and after, the methods in order, and whether text was left out.
SPANDECK_COMPRESS_BEFORE: Final = "spandeck.compress.before"
SPANDECK_COMPRESS_AFTER: Final = "spandeck.compress.after"
SPANDECK_COMPRESS_METHODS: Final = "spandeck.compress.methods"
SPANDECK_COMPRESS_LOSSY: Final = "spandeck.compress.lossy"
# Float seconds that it took.
SPANDECK_COMPRESS_DURATION_S: Final = "spandeck.compress.duration_s"
