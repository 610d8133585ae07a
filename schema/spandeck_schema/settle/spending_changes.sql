-- grain: who spent in which session and day ($zone): what the settled traces cost now less what they did before
select
    service,
    agent_name,
    user_id,
    model,
    session_id,
    cast(timezone($zone, timezone('UTC', started_at)) as date) as day,
    sum(sign * coalesce(cost_usd, 0)) as cost_usd,
    cast(sum(sign * cast(cost_usd is null and tokens is not null as integer)) as bigint) as unpriced_call_count
from (
    select
        -1 as sign,
        service,
        agent_name,
        user_id,
        coalesce(response_model, request_model) as model,
        session_id,
        started_at,
        cost_usd,
        coalesce(input_tokens, output_tokens) as tokens
    from store.calls
    where
        first_received_at >= (select min(known_since) from touched_traces)
        and trace_id in (select trace_id from touched_traces where known_since is not null)
        and counted
        and kind != 'tool'
    union all
    select
        1 as sign,
        service,
        agent_name,
        user_id,
        coalesce(response_model, request_model) as model,
        session_id,
        started_at,
        cost_usd,
        coalesce(input_tokens, output_tokens) as tokens
    from settled_calls
    where counted and kind != 'tool'
) as signed
where tokens is not null
group by service, agent_name, user_id, model, session_id, day
