-- grain: one session with a trace in the period, latest first
-- params: since, until, service, model, agent, search
with
period as (
    select *
    from traces
    where
        session_id is not null
        and started_at >= cast($since as timestamp) and started_at < cast($until as timestamp)
        and service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
        and ($model is null or trace_id in (select trace_id from llm_calls where model = $model))
        and (
            cast($search as varchar) is null
            or contains(lower(concat_ws(' ', session_id, user_id)), lower(cast($search as varchar)))
        )
),

sessions_found as (
    select
        session_id,
        any_value(user_id) as user_id,
        any_value(service) as service,
        count(*) as trace_count,
        max(started_at) as last_started_at,
        epoch(cast($until as timestamp)) - epoch(max(started_at)) as last_age_s,
        sum(duration_ms) as busy_ms,
        sum(cost_usd) as cost_usd,
        cast(sum(unpriced_call_count) as bigint) as unpriced_call_count,
        cast(sum(coalesce(input_tokens + output_tokens, input_tokens, output_tokens)) as bigint) as token_count,
        cast(sum(llm_call_count) as bigint) as llm_call_count,
        cast(sum(tool_call_count) as bigint) as tool_call_count,
        cast(sum(greatest(error_span_count, failed_llm_call_count + failed_tool_call_count)) as bigint) as error_count
    from period
    group by session_id
)

select
    *,
    cost_usd / nullif(max(cost_usd) over (), 0) as cost_of_dearest_ratio,
    count(*) over () as matching_count
from sessions_found
order by last_started_at desc, session_id asc
limit 300
