-- grain: one tool call that failed; those of a trace that fail alike are one alert
-- name: failed_tool_call
-- severity: error
-- key: trace and subject
-- cool-down: 10m
-- message: Tool call failed: {subject}
select
    tool_name || coalesce(': ' || error_type, '') as subject,
    1.0 as value,
    0.0 as threshold,
    started_at + to_milliseconds(cast(coalesce(duration_ms, 0) as bigint)) as occurred_at,
    trace_id,
    span_id
from tool_calls
where
    started_at >= $since
    and started_at < $until
    and status = 'error'
