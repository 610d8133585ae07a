-- grain: who spent in which session and day ($zone): of sessions with a call in the last 7 days, and of the last 2 days
select
    service,
    agent_name,
    user_id,
    coalesce(response_model, request_model) as model,
    session_id,
    cast(timezone($zone, timezone('UTC', started_at)) as date) as day,
    sum(coalesce(cost_usd, 0)) as cost_usd,
    count(*) filter (where cost_usd is null) as unpriced_call_count
from store.calls
where
    counted
    and kind != 'tool'
    and coalesce(input_tokens, output_tokens) is not null
    and (
        started_at >= timezone('UTC', now()) - interval 2 day
        or session_id in (
            select recent.session_id
            from store.calls as recent
            where recent.started_at >= timezone('UTC', now()) - interval 7 day
        )
    )
group by all
