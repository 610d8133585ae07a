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
