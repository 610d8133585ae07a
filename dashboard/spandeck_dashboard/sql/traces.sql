-- grain: one trace of the period, newest first, at most 500; slow means above the period's p95 of duration
-- params: since, until, service, model, agent, only_errors, only_slow, only_dear, search
with
period as not materialized (
    select *
    from traces
    where
        started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
),

matching as not materialized (
    select
        *,
        error_span_count + failed_llm_call_count + failed_tool_call_count > 0 or status = 'error' as has_error
    from period
    where
        (
            not cast($only_slow as boolean)
            or duration_ms > (select quantile_cont(every.duration_ms, 0.95) from period as every)
        )
        and (not cast($only_dear as boolean) or cost_usd > 1)
        and (
            cast($search as varchar) is null
            or contains(lower(concat_ws(' ', root_name, service, agent_name)), lower(cast($search as varchar)))
            or trace_id = lower(cast($search as varchar))
            or contains(lower(session_id), lower(cast($search as varchar)))
        )
),

-- Found by two columns first, so that the others are read of these traces alone.
latest as (
    select
        trace_id,
        started_at
    from matching
    where not cast($only_errors as boolean) or has_error
    order by started_at desc, trace_id asc
    limit 500
),

shown as (
    select
        matching.*,
        (select count(*) from matching as every where not cast($only_errors as boolean) or every.has_error)
            as matching_count
    from matching
    inner join latest on matching.trace_id = latest.trace_id and matching.started_at = latest.started_at
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
