-- grain: one trace of the period, newest first, at most 500; slow means above the period's p95 of duration
-- params: since, until, service, model, agent, only_errors, only_slow, only_dear, search
with
period as (
    select
        *,
        quantile_cont(duration_ms, 0.95) over () as p95_ms
    from traces
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

matching as (
    select
        *,
        error_span_count + failed_llm_call_count + failed_tool_call_count > 0 or status = 'error' as has_error
    from period
    where
        (not cast($only_slow as boolean) or duration_ms > p95_ms)
        and (not cast($only_dear as boolean) or cost_usd > 1)
        and (
            cast($search as varchar) is null
            or contains(lower(concat_ws(' ', root_name, service, agent_name)), lower(cast($search as varchar)))
            or trace_id = lower(cast($search as varchar))
            or contains(lower(session_id), lower(cast($search as varchar)))
        )
),

shown as (
    select
        *,
        count(*) over () as matching_count
    from matching
    where not cast($only_errors as boolean) or has_error
    order by started_at desc, trace_id asc
    limit 500
)

select
    trace_id,
    coalesce(root_name, 'root span not received') as name,
    service,
    agent_name,
    session_id,
    started_at,
    epoch(cast($until as timestamp)) - epoch(started_at) as age_s,
    status,
    has_error,
    duration_ms,
    duration_ms / nullif(max(duration_ms) over (), 0) as duration_share,
    cost_usd,
    unpriced_call_count,
    coalesce(input_tokens + output_tokens, input_tokens, output_tokens) as token_count,
    time_to_first_token_ms,
    span_count,
    greatest(error_span_count, failed_llm_call_count + failed_tool_call_count) as error_count,
    matching_count
from shown
order by started_at desc, trace_id asc
